import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.training.descent import Descent
from zsltf.zeroshot.description_attention import DescriptionAttention


@pytest.fixture(scope="module")
def problem():
    """A class has two parts of eight, and a sentence a part; an image shows both parts."""
    rng = np.random.default_rng(0)
    parts = np.array([(i, j) for i in range(8) for j in range(i + 1, 8)])
    sentences, looks = rng.normal(size=(8, 6)), rng.normal(size=(8, 20))
    rows = np.concatenate([sentences[parts], np.zeros((len(parts), 1, 6))], axis=1)  # room for a third
    y = np.repeat(np.arange(len(parts)), 6)
    x = looks[parts[y]].sum(axis=1) + 0.3 * rng.normal(size=(len(y), 20))
    classes = ClassTable(
        names=tuple(f"class {i}" for i in range(len(parts))),
        semantics=rows.reshape(len(parts), -1),
        seen=np.arange(len(parts)) % 4 > 0,
        blocks=(6, 6, 6),
    )
    return Features(x=x.astype(np.float32), y=y), classes


@pytest.mark.parametrize("attend", [True, False])
def test_unseen_pairs_of_sentences_are_recognised(problem, attend):
    features, classes = problem
    train = features.select(classes.seen[features.y])
    method = DescriptionAttention(width=32, attend=attend, descent=Descent(learning_rate=3e-3, epochs=60))
    fitted = method.fit(train, classes)
    assert unseen_accuracy(fitted.score(features.x), features.y, classes.seen) > 0.6  # chance 1 in 7
    attention = np.asarray(fitted.similarity.attention(fitted.embedding(features.x), fitted.class_vectors))
    assert not attention[..., 2].any()
    assert (np.ptp(attention[..., :2], axis=1).max() > 0.01) == attend  # it depends on the image, or is the mean


def test_tables_that_are_no_sentences_and_odd_heads_are_refused(problem):
    features, classes = problem
    uneven = ClassTable(names=classes.names, semantics=classes.semantics, seen=classes.seen, blocks=(6, 12))
    with pytest.raises(ValueError, match="sentences: blocks of one width, received blocks"):
        DescriptionAttention().fit(features, uneven)
    with pytest.raises(ValueError, match="a divisor of the width, received 3 of 256"):
        DescriptionAttention(heads=3)
