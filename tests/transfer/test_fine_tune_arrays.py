"""Fine-tuning on NumPy arrays: labels of every kind, in memory, from .npy and from .npz."""

import dataclasses

import keras
import numpy as np
import pytest
from training.problems import CLASSES, FAST, examples

from zsltf.backbones.conv4 import conv4
from zsltf.data.image_array import ImageArray
from zsltf.data.labelled import LabelledSource
from zsltf.heads.linear import LinearHead
from zsltf.heads.multi_label import MultiLabelHead
from zsltf.training.examples import Examples
from zsltf.transfer.fine_tune import FineTune

IMAGES, TEST = examples(30).images, examples(12, seed=7).images
SHORT = FineTune(
    schedule="full", epochs=2, fine_tune_rate=1e-3, stage_decay=1.0, training=dataclasses.replace(FAST, keep="last")
)
SEVERAL = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0]], np.float32)


def backbone():
    keras.utils.set_random_seed(3)
    return conv4(None, size=32)


def scores(images):
    return SHORT.fit(backbone(), images, CLASSES).score(TEST.pixels)


@pytest.fixture(scope="module")
def expected():
    return scores(IMAGES)


@pytest.mark.parametrize(
    "y", [np.eye(3)[IMAGES.y], np.eye(3, dtype=bool)[IMAGES.y], IMAGES.y[:, None].astype(np.int32)]
)
def test_labels_of_every_kind_fit_the_same_classifier(y, expected):
    np.testing.assert_array_equal(scores(ImageArray(pixels=IMAGES.pixels, y=y)), expected)


def test_floats_and_files_fit_the_same_classifier(tmp_path, expected):
    np.testing.assert_array_equal(scores(ImageArray(pixels=IMAGES.pixels.astype(np.float32), y=IMAGES.y)), expected)
    np.save(tmp_path / "x.npy", IMAGES.pixels)
    np.save(tmp_path / "y.npy", np.eye(3, dtype=np.uint8)[IMAGES.y])
    from_files = ImageArray.from_npy(tmp_path / "x.npy", tmp_path / "y.npy")
    assert isinstance(from_files.pixels, np.memmap)
    np.testing.assert_array_equal(scores(from_files), expected)


@pytest.mark.parametrize(
    ("y", "head", "names"),
    [
        (IMAGES.y, LinearHead(), None),
        (np.eye(3)[IMAGES.y], LinearHead(), ("red", "green", "blue")),
        (SEVERAL[IMAGES.y], MultiLabelHead(), ("red", "green", "blue")),
    ],
    ids=["integers", "one-hot", "multi-hot"],
)
def test_an_npz_file_is_a_source_from_its_labels_to_a_classifier(tmp_path, y, head, names):
    weight = np.linspace(0.5, 1.5, 30)
    arrays = {"x": IMAGES.pixels, "y": y, "weight": weight, "group": np.arange(30) // 3}
    np.savez(tmp_path / "set.npz", **arrays, **({} if names is None else {"names": names}))
    found = LabelledSource(data=str(tmp_path / "set.npz"), find_near_duplicates=False).load()
    assert found.classes.names == (names or ("0", "1", "2"))
    parts = [set(np.arange(30)[rows] // 3) for rows in (found.split.train, found.split.validation, found.split.test)]
    assert all(parts)
    assert sum(map(len, parts)) == 10
    train, validation = (
        Examples(images=found.images.select(rows), sample_weight=found.sample_weight[rows])
        for rows in (found.split.train, found.split.validation)
    )
    method = dataclasses.replace(SHORT, head=head)
    training = method.train(backbone(), train, found.classes, validation=validation)
    assert "val_loss" in training.state.history[-1]
    classifier = training.classifiers()["class"]
    assert classifier.names == found.classes.names
    assert classifier.activation == ("sigmoid" if isinstance(head, MultiLabelHead) else "softmax")
    assert np.isfinite(classifier.score(found.test.pixels)).all()
