from dataclasses import replace

import numpy as np
import pytest

from zsltf.training.descent import Descent
from zsltf.zeroshot.cmt import CMT

SHORT = Descent(learning_rate=1e-2, epochs=40)


def test_familiar_images_are_seen_ones_and_novel_images_unseen_ones(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    gated, plain = (CMT(familiar=share, descent=SHORT).fit(train, classes) for share in (0.9, None))
    scores, distances = gated.score(features.x), plain.score(features.x)
    decided = classes.seen[scores.argmax(axis=1)]
    assert 0.85 < decided[:120].mean() < 0.95
    for group in (classes.seen, ~classes.seen):  # within either, the gate changes nothing
        shifted = scores[:, group] - scores[:, group][:, :1]
        np.testing.assert_allclose(shifted, distances[:, group] - distances[:, group][:, :1], atol=1e-2)


def test_a_new_class_counts_as_unseen(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    rest, new = classes.select(np.arange(15)), classes.select([15])
    opened = CMT(descent=SHORT).fit(train, rest).with_classes(new)
    expected = CMT(descent=SHORT).fit(train, classes)
    np.testing.assert_allclose(opened.class_vectors, expected.class_vectors, atol=1e-5)


def test_a_share_of_one_is_refused():
    with pytest.raises(ValueError, match=r"CMT\.familiar: expected a share in \(0, 1\), received 1\. Start from the"):
        CMT(familiar=1.0)


def test_a_class_of_weight_zero_is_not_there(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    weights = (train.y != 3).astype(np.float32)
    weighted = CMT(descent=SHORT).fit(replace(train, sample_weight=weights), classes)
    expected = CMT(descent=SHORT).fit(train.select(train.y != 3), classes)
    np.testing.assert_allclose(weighted.score(features.x), expected.score(features.x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("familiar", [0.9, None])
def test_the_last_epoch_is_the_fit(toy_features, familiar):
    features, classes = toy_features
    train = features.select(classes.seen[features.y])
    method = CMT(familiar=familiar, descent=Descent(epochs=3))
    epochs = [classifier.score(features.x) for classifier in method.fit_epochs(train, classes)]
    assert len(epochs) == 3
    np.testing.assert_allclose(epochs[-1], method.fit(train, classes).score(features.x), rtol=1e-4, atol=1e-4)
    assert np.abs(epochs[0] - epochs[-1]).max() > 0.01
