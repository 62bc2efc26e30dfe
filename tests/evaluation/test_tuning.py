"""Tuning: each setting as by hand, the test images without a say, the winner trained on all folds."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from training.problems import CLASSES, FAST, examples, shake

from zsltf.backbones.conv4 import conv4
from zsltf.data.folded import FoldedImages
from zsltf.data.labelled import LabelledImages
from zsltf.data.splits import Split
from zsltf.evaluation.transfer import transfer
from zsltf.evaluation.tuning import Trial, Tuning, describe_values, headline, tune
from zsltf.heads.multi_label import MultiLabelHead
from zsltf.training.optimizers import OptimizerOptions
from zsltf.transfer.fine_tune import FineTune

SHORT = FineTune(schedule="full", epochs=6, stage_decay=1.0, training=FAST)
BRIEF = replace(SHORT, epochs=1)
AXES = {"fine_tune_rate": (1e-5, 3e-3), "training.optimization.weight_decay": (0.0, 30.0)}
NONE = np.zeros(0, int)


def backbone():
    built = conv4(None, size=32)
    shake(built.model)
    return built


def folded(images=None, test=range(24, 36)):
    """24 images in 2 folds, and 12 for the test."""
    test = np.array(test, int)
    halves = (np.arange(12), np.arange(12, 24))
    whole = Split(train=np.arange(24), validation=NONE, test=test)
    images = examples(36).images if images is None else images
    return FoldedImages(
        labelled=LabelledImages(images=images, classes=CLASSES, split=whole),
        splits=tuple(Split(train=train, validation=NONE, test=fold) for fold, train in (halves, halves[::-1])),
    )


def tuned(data, axes=AXES, method=SHORT, announce=lambda _: None):
    return tune(method, axes, backbone, data, announce=announce, show=lambda rows: None)


@pytest.fixture(scope="module")
def tuning():
    lines = []
    return tuned(folded(), announce=lines.append), lines


def decaying(decay):
    return replace(FAST, optimization=OptimizerOptions(weight_decay=decay))


def by_hand(method, labelled):
    keras.utils.set_random_seed(method.training.seed)
    return transfer(method, backbone(), labelled)


def test_each_setting_is_trained_as_by_hand_from_the_same_seed_and_weights(tuning):
    found, _ = tuning
    values = [(1e-5, 0.0), (1e-5, 30.0), (3e-3, 0.0), (3e-3, 30.0)]
    assert [tuple(trial.values.values()) for trial in found.trials] == values
    assert len({trial.mean for trial in found.trials}) > 1
    data = folded()
    for trial, (rate, decay) in zip(found.trials, values, strict=True):
        assert trial.method == replace(SHORT, fine_tune_rate=rate, training=decaying(decay))
    trial = found.trials[2]  # neither the first nor the last
    accuracies = [by_hand(trial.method, data.fold(number)).report.mean_class_accuracy for number in range(2)]
    assert trial.scores == tuple(accuracies)
    assert (trial.mean, trial.deviation) == pytest.approx((np.mean(accuracies), np.std(accuracies, ddof=1)))


def test_the_best_is_trained_on_all_folds_and_tested_once(tuning):
    found, _ = tuning
    assert found.best.mean == max(trial.mean for trial in found.trials)
    assert found.refit.method == found.best.method
    data = folded()
    expected = by_hand(found.best.method, data.labelled)
    np.testing.assert_array_equal(found.refit.report.probabilities, expected.report.probabilities)
    np.testing.assert_array_equal(found.refit.test.pixels, data.labelled.test.pixels)
    assert found.refit.report.train_images.sum() == 24


def test_every_training_is_announced(tuning):
    _, lines = tuning
    assert len(lines) == 4 * 2 + 1
    assert lines[3] == "setting 2 of 4 (fine_tune_rate=1e-05, weight_decay=30.0), fold 1"
    assert lines[-1].startswith("all folds (fine_tune_rate=")


def test_the_test_part_has_no_say_in_the_choice(tuning):
    found, _ = tuning
    images = folded().labelled.images
    pixels, y = images.pixels.copy(), images.y.copy()
    pixels[24:], y[24:] = 255 - pixels[24:], (y[24:] + 1) % 3
    rates = {"fine_tune_rate": AXES["fine_tune_rate"]}
    other = tuned(folded(replace(images, pixels=pixels, y=y)), rates, replace(SHORT, training=decaying(0.0)))
    assert [trial.scores for trial in other.trials] == [trial.scores for trial in found.trials[::2]]
    assert not np.allclose(other.refit.report.probabilities, found.refit.report.probabilities)


def test_of_equal_ones_the_first_is_best():
    trials = tuple(Trial(values={"a": a}, method=SHORT, scores=s) for a, s in enumerate([(0, 1), (1, 1), (1, 1)]))
    assert Tuning(trials=trials, refit=None).best is trials[1]


def test_a_grid_of_nothing_is_the_settings_as_given():
    found = tuned(folded(), {}, BRIEF)
    assert [describe_values(trial.values) for trial in found.trials] == ["as given"]
    assert found.best.method == BRIEF


def test_several_labels_an_image_are_compared_by_average_precision():
    images = examples(36).images
    several = images.with_y(np.eye(3, dtype=np.float32)[images.y] + np.eye(3, dtype=np.float32)[(images.y + 1) % 3])
    found = tuned(folded(several), {}, replace(BRIEF, head=MultiLabelHead()))
    assert headline(found.refit.report) == pytest.approx(found.refit.report.average_precision.mean())


@pytest.mark.parametrize(
    ("axes", "test", "message"),
    [
        ({"training.batch_size": (8, 13)}, range(24, 36), r"batch_size: expected at most the 12 training images, rec"),
        ({"learning_rate": (1e-3, -1.0)}, range(24, 36), r"learning_rate: expected a number > 0, received -1"),
        ({"schedule": ("head_only", "gradual"), "epochs": (3,)}, range(24, 36), r"epochs: expected at least 4, one a"),
        ({"training.objectives.pcgrad": (False, True)}, range(24, 36), r"expected several heads whose losses they w"),
        ({}, (), r"cross_validate: expected images for the test, in no fold, received none\. Give --test a share"),
    ],
)
def test_a_setting_that_cannot_be_trained_is_refused_before_any_training(axes, test, message):
    def announce(line):
        raise AssertionError(line)

    with pytest.raises(ValueError, match=message):
        tuned(folded(test=test), axes, announce=announce)
