import numpy as np
import pytest

from zsltf.evaluation.retrieval import retrieve
from zsltf.zeroshot.ridge import Ridge


def test_the_best_images_come_first(toy_features):
    features, classes = toy_features
    named = type(features)(x=features.x, y=features.y, paths=tuple(f"{i}.jpg" for i in range(len(features))))
    fitted = Ridge().fit(named.select(classes.seen[features.y]), classes)
    found = retrieve(fitted, named, classes.semantics[[12, 3]], count=5)
    scores = fitted.score(features.x)
    for label, images in zip((12, 3), found, strict=True):
        order = np.argsort(-scores[:, label], kind="stable")[:5]
        assert [name for name, _ in images] == [f"{i}.jpg" for i in order]
        np.testing.assert_allclose([score for _, score in images], scores[order, label], rtol=1e-5)
    with pytest.raises(ValueError, match=r"retrieve\.count"):
        retrieve(fitted, named, classes.semantics, count=0)
