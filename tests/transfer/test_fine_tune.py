"""Fine-tuning: a backbone, a head and a schedule become a Classifier."""

import dataclasses

import keras
import numpy as np
import pytest
from training.problems import CLASSES, FAST, examples, shake

from zsltf.backbones.conv4 import conv4
from zsltf.classifier import Classifier
from zsltf.heads.attributes import AttributeHead
from zsltf.heads.cosine import CosineHead
from zsltf.heads.linear import LinearHead
from zsltf.pretrained.extract import extract_features
from zsltf.training.folds import image_folds
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.penalties import Penalty
from zsltf.training.phases import Phase
from zsltf.training.preparation import Preparation
from zsltf.training.selection import select
from zsltf.transfer.fine_tune import FineTune
from zsltf.transfer.linear_probe import LinearProbe

LAST = dataclasses.replace(FAST, keep="last")
SHORT = FineTune(head_epochs=2, epochs=2, training=LAST)


def backbone():
    keras.utils.set_random_seed(3)
    built = conv4(None, size=32)
    shake(built.model)
    return built


def test_what_it_fits_predicts_saves_and_loads(tmp_path):
    method = FineTune(schedule="full", epochs=10, fine_tune_rate=3e-3, stage_decay=1.0, training=LAST)
    classifier = method.fit(backbone(), examples(60).images, CLASSES)
    test = examples(30, seed=7).images
    scores = classifier.score(test.pixels)
    assert (scores.argmax(axis=1) == test.y).mean() > 0.9
    classifier.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(Classifier.load(tmp_path / "model.keras").score(test.pixels), scores)


def test_the_same_seed_gives_the_same_network_and_another_one_another():
    images = examples().images
    one, same = (SHORT.fit(backbone(), images, CLASSES).score(images.pixels) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    other = SHORT.with_seed(1).fit(backbone(), images, CLASSES).score(images.pixels)
    assert np.abs(other - one).max() > 1e-3


def test_the_rate_is_set_for_every_phase():
    method = FineTune(epochs=4, rate_schedule="one_cycle", warmup=0.5, layer_decay=0.9, stage_decay=1.0)
    phases = method.phases(["body", "head"])
    assert [(p.schedule, p.warmup, p.layer_decay) for p in phases] == [("one_cycle", 0.5, 0.9)] * 2


def test_phases_and_penalties_of_ones_own():
    phases = (Phase(name="below", epochs=1, learning_rate=1e-3, train_from="block1", train_to="block2"),)
    size = Penalty(name="size", weight=0.1, function=lambda variables: keras.ops.sum(variables[0] ** 2))
    method = dataclasses.replace(SHORT, own_phases=phases, penalties=(size,))
    state = method.train(backbone(), examples(), CLASSES).state
    assert [row["phase"] for row in state.history] == ["below"]
    assert state.proofs[0]["moved"] == ["block1", "block2"]
    assert "penalty_size" in state.history[0]


def test_constraints_hold_in_every_precision():
    narrow = {"class_scores": keras.constraints.MaxNorm(0.01, axis=1)}
    for precision in ("float32", "mixed_bfloat16"):
        training = dataclasses.replace(LAST, precision=precision)
        method = dataclasses.replace(SHORT, schedule="head_only", constraints=narrow, training=training)
        kernel = method.train(backbone(), examples(), CLASSES).network.model.get_layer("class_scores").kernel
        assert np.linalg.norm(kernel, axis=1) == pytest.approx([0.01] * 3, rel=1e-3)


def test_gradual_thaws_one_more_stage_a_phase_however_many_there_are():
    state = dataclasses.replace(SHORT, schedule="gradual", epochs=None).train(backbone(), examples(), CLASSES).state
    stages = ["block1", "block2", "block3", "block4", "head"]
    assert [proof["moved"] for proof in state.proofs] == [stages[-k:] for k in (1, 2, 3, 4, 5)]
    assert len(state.history) == 2 + 6
    many = [*(f"stage{i}" for i in range(9)), "head"]
    assert [phase.epochs for phase in FineTune(schedule="gradual").phases(many)] == [20] + 9 * [1]
    with pytest.raises(ValueError, match=r"epochs: expected at least 9, one a phase, received 6\. Add epochs or"):
        FineTune(schedule="gradual", epochs=6).phases(many)


def test_a_head_that_begins_as_a_probe_is_one_until_the_backbone_moves():
    images, still = examples(60).images, dataclasses.replace(LAST, optimization=OptimizerOptions(weight_decay=0.0))
    method = FineTune(head_start="probe", schedule="head_only", head_epochs=1, learning_rate=1e-9, training=still)
    found = method.fit(backbone(), images, CLASSES).score(images.pixels)
    features = extract_features(backbone(), images).features
    choice, *_ = select(LinearProbe(), image_folds(features, CLASSES, num_folds=3), (Preparation(),))
    expected = choice.method.fit(features, CLASSES).score(features.x)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    phases = FineTune(head_start="probe").phases(["stem", "body", "head"])
    assert [phase.name for phase in phases] == ["from body", "all"]


def test_only_one_linear_head_can_begin_as_a_probe():
    with pytest.raises(ValueError, match=r"FineTune.head_start: expected random for this head, received probe\. Take"):
        FineTune(head=CosineHead(), head_start="probe")
    heads = {"class": LinearHead(), "attributes": AttributeHead()}
    method = dataclasses.replace(SHORT, head_start="probe")
    with pytest.raises(ValueError, match=r"head_start: expected random with several heads, received probe\. Leave it"):
        method.train(backbone(), examples(), CLASSES, heads=heads)


def test_several_heads_on_one_trunk():
    heads = {"class": LinearHead(), "angle": CosineHead(), "attributes": AttributeHead()}
    classifiers = SHORT.train(backbone(), examples(), CLASSES, heads=heads).classifiers()
    assert {name: classifier.opens_by for name, classifier in classifiers.items()} == {
        "class": ("photos",),
        "angle": ("photos",),
        "attributes": ("semantics",),
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"head_epochs": 0}, r"Phase 'head'\.epochs: expected a number > 0, received 0"),
        ({"epochs": 0}, r"epochs: expected at least 1, one a phase, received 0"),
        ({"views": 0}, r"FineTune\.views: expected a number >= 1, received 0"),
        ({"warmup": 6.0}, r"Phase 'from stage'\.warmup: expected a number of epochs >= 0 and < 6, received 6"),
        ({"layer_decay": 0.0}, r"Phase 'head'\.layer_decay: expected a number > 0, received 0"),
        (
            {"rate_schedule": "plateau", "warmup": 1.0},
            r"Phase 'head'\.warmup: expected 0 with plateau, received 1",
        ),
    ],
)
def test_bad_settings_are_refused_at_once(wrong, message):
    with pytest.raises(ValueError, match=message):
        FineTune(**wrong)
