"""The last stages of a backbone: trained from the same weights each time, on activations that are kept."""

import keras
import numpy as np
import pytest

from zsltf.backbones.conv4 import conv4
from zsltf.pretrained.inference import inference
from zsltf.training.last_stages import LastStages
from zsltf.training.stage_settings import CosineHead, StageSettings

SETTINGS = StageSettings(stages=2, steps=6, per_domain=3, learning_rate=1e-3, validate_every=2)


@pytest.fixture(scope="module")
def problem():
    """24 pictures of two colours in two domains; their activations and a head of random vectors."""
    rng = np.random.default_rng(0)
    y, domain = np.arange(24) % 2, np.arange(24) // 12
    pixels = rng.uniform(0, 80, (24, 16, 16, 3)) + 120 * np.eye(3)[y][:, None, None]
    keras.utils.set_random_seed(0)
    backbone = conv4(None, size=16)
    stages = LastStages(backbone, SETTINGS)
    x = inference(stages.lower.model, stages.lower.preprocess)(pixels.astype(np.float32)).numpy()
    head = CosineHead(offset=rng.normal(size=64).astype(np.float32) / 9, vectors=rng.normal(size=(2, 64)))
    return backbone, stages, pixels, x, y, domain, head


def tuned(problem, **options):
    _, stages, _, x, y, domain, head = problem
    return stages.tune(x, y, domain, head, validation=np.array([0, 1, 12, 13]), **options)


def loss_of(problem, features, rows):
    """Cross-entropy by NumPy."""
    *_, y, _, head = problem
    a, b = features[rows] - head.offset, head.vectors
    a, b = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (a, b))
    scores = SETTINGS.cosine_scale * a @ b.T
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(rows)), y[rows]]))


def test_both_parts_together_are_the_backbone(problem):
    backbone, stages, pixels, x, *_ = problem
    expected = backbone.features()(backbone.preprocess(pixels.astype(np.float32)), training=False)
    np.testing.assert_allclose(stages.features(x), expected, atol=1e-5)
    assert x.shape[1:] == (4, 4, 64)


def test_training_lowers_the_loss_and_leaves_the_stages_as_they_were(problem):
    _, stages, _, x, *_ = problem
    before = stages.features(x)
    done = tuned(problem)
    held_out = np.array([0, 1, 12, 13])
    assert done.losses[0] == pytest.approx(loss_of(problem, before, held_out), rel=1e-4)
    reached = [loss_of(problem, stages.features(x, weights), held_out) for weights in (done.best, done.averaged)]
    assert reached[0] == pytest.approx(min(done.losses), rel=1e-4)
    assert len(done.losses) == 1 + 3
    assert max(reached) < 0.9 * done.losses[0]
    np.testing.assert_array_equal(stages.features(x), before)
    for start, now in zip(stages.start, stages.values(), strict=True):
        np.testing.assert_array_equal(start, now)


def test_a_second_training_knows_nothing_of_the_first(problem):
    first, _, again = tuned(problem, seed=1), tuned(problem, seed=2), tuned(problem, seed=1)
    np.testing.assert_allclose(first.losses, again.losses, rtol=1e-5)
    for one, other in zip(first.averaged, again.averaged, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_first_step_is_adams():
    """Each weight moves by the learning rate against its gradient's sign, whose size Adam's first step forgets."""
    rng = np.random.default_rng(1)
    keras.utils.set_random_seed(1)
    stages = LastStages(conv4(None, size=16), StageSettings(stages=1, steps=1, per_domain=2, validate_every=1))
    x, y, domain = rng.normal(size=(6, 2, 2, 64)).astype(np.float32), np.array([0, 1, 0, 1, 0, 1]), np.repeat([0, 1], 3)
    head = CosineHead(offset=np.zeros(64), vectors=rng.normal(size=(2, 64)))
    done = stages.tune(x, y, domain, head, validation=np.array([0, 3]))
    moved = np.concatenate([(a - b).ravel() for a, b in zip(done.averaged, stages.start, strict=True)])
    assert np.abs(moved).max() == pytest.approx(2e-4, rel=0.01)
    assert np.median(np.abs(moved[moved != 0])) == pytest.approx(2e-4, rel=0.01)  # tiny gradients move less


def test_every_step_has_as_many_images_of_each_domain(problem):
    _, stages, _, _, _, domain, _ = problem
    rows = np.setdiff1d(np.arange(24), [0, 1, 12, 13])
    batches = stages._batches(rows, domain, 0)
    assert batches.shape == (6, 6)
    np.testing.assert_array_equal(np.sort(domain[batches], axis=1), np.tile([0, 0, 0, 1, 1, 1], (6, 1)))
    counts = np.bincount(batches.ravel(), minlength=24)
    assert set(counts[rows]) <= {1, 2}
    assert counts[[0, 1, 12, 13]].sum() == 0


def test_too_many_stages_are_refused():
    backbone = conv4(None, size=16)
    with pytest.raises(ValueError, match="stages: expected at most 4, those of conv4, received 5"):
        LastStages(backbone, StageSettings(stages=5))
    with pytest.raises(
        ValueError, match="conv4: stages: expected activations below the trained ones, received nothing"
    ):
        LastStages(backbone, StageSettings(stages=4))


def test_a_loss_that_is_not_finite_stops(problem):
    _, stages, _, x, y, domain, _ = problem
    broken = CosineHead(offset=np.zeros(64), vectors=np.full((2, 64), np.nan))
    with pytest.raises(ValueError, match=r"the last stages: expected a finite loss, received nan\. Lower the"):
        stages.tune(x, y, domain, broken, validation=np.array([0, 12]))
