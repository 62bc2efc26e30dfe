"""Fine-tuning and its test: what is scored, what is left out, what is refused."""

import dataclasses

import keras
import numpy as np
import pytest
from training.problems import CLASSES, FAST, assert_same_weights, examples, shake

from zsltf.backbones.conv4 import conv4
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection
from zsltf.data.image_array import ImageArray
from zsltf.data.images import ImageFolder
from zsltf.data.labelled import LabelledImages
from zsltf.data.splits import Split
from zsltf.evaluation.transfer import examples_of, transfer, transfer_heads
from zsltf.heads.attributes import AttributeHead
from zsltf.heads.linear import LinearHead
from zsltf.heads.multi_label import MultiLabelHead
from zsltf.training.phase_model import Objectives
from zsltf.transfer.fine_tune import FineTune

SHORT = FineTune(schedule="head_only", head_epochs=3, learning_rate=1e-2, training=FAST)
ALL = dataclasses.replace(SHORT, schedule="full", epochs=2)
COLOURS = ClassTable(
    names=("red", "green", "blue", "yellow", "cyan", "violet", "white"),
    semantics=np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]], np.float32),
    seen=np.arange(7) < 5,
    columns=("r", "g", "b"),
)


def backbone():
    keras.utils.set_random_seed(3)
    built = conv4(None, size=32)
    shake(built.model)
    return built


def thirds(count):
    """Most for training, then some for validation, then some for the test; classes alternate."""
    return Split(
        train=np.arange(count // 2),
        validation=np.arange(count // 2, count * 3 // 4),
        test=np.arange(count * 3 // 4, count),
    )


def labelled(count=48, **changes):
    return LabelledImages(**{"images": examples(count).images, "classes": CLASSES, "split": thirds(count), **changes})


def coloured(rows, each=16, seed=0):
    """Images whose channels are brighter where the class has the attribute."""
    rng = np.random.default_rng(seed)
    y = np.tile(np.arange(len(rows)), each)
    pixels = rng.integers(0, 100, (len(y), 32, 32, 3)) + 120 * rows[y][:, None, None].astype(int)
    return ImageArray(pixels=pixels.astype(np.uint8), y=y)


@pytest.fixture(scope="module")
def colours():
    """Five colours to train on and two that nobody has seen."""
    seen = COLOURS.select(np.flatnonzero(COLOURS.seen))
    unseen = COLOURS.select(np.flatnonzero(~COLOURS.seen))
    images = coloured(seen.semantics)
    return LabelledImages(
        images=images,
        classes=seen,
        split=thirds(len(images)),
        unseen=Collection(images=coloured(unseen.semantics, seed=1), classes=unseen),
    )


@pytest.fixture(scope="module")
def two_heads(colours):
    method = dataclasses.replace(SHORT, head_epochs=30)
    return transfer_heads(method, backbone(), colours, {"class": LinearHead(), "attributes": AttributeHead()})


def test_the_report_is_of_the_test_part_alone():
    given = labelled()
    outcome = transfer(ALL, backbone(), given)
    scores = outcome.classifier.score(given.test.pixels)
    np.testing.assert_array_equal(outcome.test.pixels, given.test.pixels)
    np.testing.assert_array_equal(outcome.report.truth.argmax(axis=1), given.test.y)
    np.testing.assert_allclose(np.log(outcome.report.probabilities), np.log(keras.ops.softmax(scores)), atol=1e-4)
    np.testing.assert_array_equal(outcome.report.train_images, np.bincount(given.train.y))
    assert outcome.skipped == {}
    assert outcome.zero_shot is None


def test_what_is_tested_on_has_no_say():
    given = labelled()
    other = given.images.pixels.copy()
    other[given.split.test] = 255 - other[given.split.test]
    changed = labelled(images=dataclasses.replace(given.images, pixels=other))
    one, same = (transfer(ALL, backbone(), images).training for images in (given, changed))
    assert_same_weights(one, same)


def test_weights_go_with_their_images():
    weights = np.arange(48, dtype=np.float32)
    rows = np.array([7, 3, 40])
    chosen = examples_of(labelled(sample_weight=weights), rows)
    np.testing.assert_array_equal(chosen.weights, weights[rows])
    np.testing.assert_array_equal(chosen.images.pixels, labelled().images.pixels[rows])


@pytest.fixture
def broken(drawn, tmp_path):
    """Two classes to train on and one unseen, with a file that is no image in every part."""
    names = sorted(path.name for path in (drawn / "images").iterdir())[:3]
    for name in names:
        (tmp_path / name).mkdir()
        for path in (drawn / "images" / name).iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    seen, unseen = ImageFolder.read(tmp_path, names[:2]), ImageFolder.read(tmp_path, names[2:])
    split = Split(train=np.array([0, 1, 5, 6]), validation=np.array([2, 7, 8]), test=np.array([3, 4, 9]))
    damaged = [seen.paths[0], seen.paths[2], seen.paths[3], unseen.paths[1]]
    for path in damaged:
        (tmp_path / path).write_bytes(b"not an image")
    table = ClassTable(names=tuple(names), semantics=np.eye(3), seen=np.arange(3) < 2)
    hidden = Collection(images=unseen, classes=table.select([2]))
    return damaged, LabelledImages(images=seen, classes=table.select([0, 1]), split=split, unseen=hidden)


@pytest.mark.parametrize("cache", ["auto", "off"])
def test_files_that_cannot_be_decoded_are_listed_whatever_their_part(broken, cache):
    damaged, given = broken
    small = dataclasses.replace(FAST, batch_size=2, cache=cache)
    outcome = transfer(dataclasses.replace(SHORT, training=small, head=AttributeHead()), backbone(), given)
    assert sorted(outcome.skipped) == sorted(damaged)
    assert all(outcome.skipped.values())
    assert outcome.test.paths == tuple(given.images.paths[row] for row in (4, 9))
    assert len(outcome.report.truth) == 2
    assert len(outcome.zero_shot.scores) == 2 + 4


def test_a_training_that_was_over_lists_them_again(broken, tmp_path):
    damaged, given = broken
    small = dataclasses.replace(FAST, batch_size=2)
    method = dataclasses.replace(SHORT, training=small, head=AttributeHead())
    first = transfer(method, backbone(), given, folder=tmp_path / "checkpoints")
    again = transfer(method, backbone(), given, folder=tmp_path / "checkpoints", resume=True)
    assert again.training.state.history == first.training.state.history
    assert sorted(again.skipped) == sorted(damaged)
    np.testing.assert_array_equal(again.report.probabilities, first.report.probabilities)


def test_one_report_and_one_classifier_a_head(two_heads, colours):
    assert list(two_heads) == ["class", "attributes"]
    assert two_heads["class"].training is two_heads["attributes"].training
    for outcome in two_heads.values():
        assert outcome.report.names == colours.classes.names
        assert outcome.report.mean_class_accuracy > 0.5  # chance: 0.2
    assert two_heads["class"].classifier.names == colours.classes.names
    assert two_heads["class"].zero_shot is None


def test_the_attribute_head_meets_classes_that_nobody_has_seen(two_heads, colours):
    outcome = two_heads["attributes"]
    classifier, report = outcome.classifier, outcome.zero_shot
    assert classifier.names == COLOURS.names
    np.testing.assert_array_equal(classifier.classes.seen, COLOURS.seen)
    test, unseen = (classifier.score(images.pixels) for images in (colours.test, colours.unseen.images))
    hits = test.argmax(axis=1) == colours.test.y
    found = unseen.argmax(axis=1) == colours.unseen.images.y + 5
    among = unseen[:, 5:].argmax(axis=1) == colours.unseen.images.y
    seen, other, among = (
        np.mean([right[y == label].mean() for label in np.unique(y)])
        for right, y in ((hits, colours.test.y), (found, colours.unseen.images.y), (among, colours.unseen.images.y))
    )
    assert report.seen == pytest.approx(seen)
    assert report.unseen == pytest.approx(other)
    assert report.unseen_accuracy == pytest.approx(among)
    assert report.unseen_accuracy > 0.5
    np.testing.assert_array_equal(outcome.report.answers.argmax(axis=1), test[:, :5].argmax(axis=1))


def test_no_image_of_an_unseen_class_is_trained_on(two_heads, colours):
    black = dataclasses.replace(colours.unseen.images, pixels=np.zeros_like(colours.unseen.images.pixels))
    other = dataclasses.replace(colours, unseen=dataclasses.replace(colours.unseen, images=black))
    method, heads = two_heads["class"].method, {"class": LinearHead(), "attributes": AttributeHead()}
    assert_same_weights(transfer_heads(method, backbone(), other, heads)["class"].training, two_heads["class"].training)


def test_several_labels_an_image():
    y = np.eye(3, dtype=np.float32)[np.arange(48) % 3]
    y[:, 2] = 1
    given = labelled(images=examples(48).images.with_y(y))
    outcome = transfer(dataclasses.replace(SHORT, head=MultiLabelHead()), backbone(), given)
    assert outcome.report.multi_label
    np.testing.assert_array_equal(outcome.report.truth, given.test.y == 1)


def test_an_empty_test_part_is_refused_before_training():
    split = dataclasses.replace(thirds(48), test=np.zeros(0, int))
    with pytest.raises(ValueError, match=r"split: expected images for the test, received none\. Give --test a share"):
        transfer(SHORT, None, labelled(split=split))


@pytest.mark.parametrize("weighing", [{"task_weights": (2.0,)}, {"uncertainty": True}, {"pcgrad": True}])
def test_options_that_weigh_heads_need_several(weighing):
    options = dataclasses.replace(FAST, objectives=Objectives(**weighing))
    with pytest.raises(ValueError, match="expected several heads whose losses they weigh, received one head"):
        transfer(dataclasses.replace(SHORT, training=options), None, labelled())
