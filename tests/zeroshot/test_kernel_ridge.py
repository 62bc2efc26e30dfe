import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.kernel_ridge import KernelRidge as Reference

from zsltf.data.features import Features
from zsltf.zeroshot.kernel_ridge import KernelRidge


def test_it_is_scikit_learns_with_a_row_a_class_weighted_by_its_images(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y]).select(np.arange(7, 120))
    fitted = KernelRidge(ridge=2.0, width=1.4).fit(train, classes)
    s, counts = classes.semantics[:12].astype(float), np.bincount(train.y)
    means = np.stack([train.x[train.y == c].mean(axis=0) for c in range(12)])
    width = 1.4 * np.median(cdist(s, s)[np.triu_indices(12, 1)])
    model = Reference(alpha=2.0, kernel="rbf", gamma=0.5 / width**2).fit(s, means, sample_weight=counts)
    np.testing.assert_allclose(np.asarray(fitted.class_vectors), model.predict(classes.semantics), rtol=1e-3, atol=1e-4)


def test_a_seen_class_without_images_is_left_out(toy_features):
    features, classes = toy_features
    train = features.select(features.y < 11)
    fewer = classes.select([*range(11), *range(12, 16)])
    expected = KernelRidge().fit(Features(x=train.x, y=train.y), fewer).class_vectors
    got = np.delete(np.asarray(KernelRidge().fit(train, classes).class_vectors), 11, axis=0)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["ridge", "width"])
def test_zero_is_refused(name):
    with pytest.raises(ValueError, match=rf"KernelRidge\.{name}: expected a number > 0, received 0"):
        KernelRidge(**{name: 0.0})
