"""What every head keeps; a new file is picked up by itself."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.problems import CLASSES, FAST, examples, losses

from zsltf.backbones.conv4 import conv4
from zsltf.backbones.mean_colour import mean_colour
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.discovery import names, plugin_type
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.proof import prove
from zsltf.runs import Golden
from zsltf.training.examples import Examples
from zsltf.training.network import Network
from zsltf.transfer.fine_tune import FineTune

HEADS = [pytest.param(plugin_type("heads", name), id=name) for name in names("heads")]
EXPORTERS = [pytest.param(plugin_type("exporters", name), id=name) for name in names("exporters")]
YELLOW = ClassTable(
    names=("yellow",), semantics=np.array([[1, 1, 0, 1]], np.float32), seen=np.zeros(1, bool), columns=CLASSES.columns
)


@pytest.fixture(scope="module", params=HEADS)
def head(request):
    return request.param()


@pytest.fixture(scope="module")
def network(head):
    """Untrained, on convolutions."""
    keras.utils.set_random_seed(0)
    return Network.build(conv4(None, size=32), {"task": head}, CLASSES)


@pytest.fixture(scope="module")
def training(head):
    """Of mean colours, which tell the classes apart, on one-hot labels, which every objective takes."""
    given = examples().images.with_y(np.eye(len(CLASSES))[examples().images.y])
    method = FineTune(schedule="head_only", head_epochs=40, learning_rate=0.1, training=FAST)
    return method.train(mean_colour(), Examples(images=given), CLASSES, heads={"task": head})


@pytest.fixture(scope="module")
def classifier(training):
    return training.classifiers()["task"]


@pytest.fixture(scope="module")
def unknown():
    """Pictures of another size than those that were trained on."""
    return examples(12, size=40, seed=1).images


def yellow(count, seed):
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 120, (count, 40, 40, 3)) + np.array([100, 100, 0])).astype(np.uint8)


def test_is_a_frozen_dataclass_that_explains_itself(head):
    assert dataclasses.is_dataclass(head)
    assert type(head).__dataclass_params__.frozen
    assert type(head).__doc__
    assert dataclasses.replace(head) == head


def test_eager_shapes_are_the_symbolic_ones_for_any_batch(head, network):
    outputs = head.objective.num_outputs(CLASSES)
    assert network.model.output_shape == (None, outputs)
    embeddings = keras.Model(network.model.input, network.embeddings["task"])
    for batch in (1, 3):
        images = np.zeros((batch, 32, 32, 3), np.float32)
        assert network.model(images).shape == (batch, outputs)
        assert embeddings(images).shape == (batch, *embeddings.output_shape[1:])


def test_its_layers_bear_its_name(head, network):
    added = set(network.stages["head"])
    assert "task_scores" in added
    assert all(name.startswith("task_") for name in added if network.model.get_layer(name).weights)


def test_every_trained_weight_gets_a_gradient(head, network):
    images, weights = examples(12).images, network.model.trainable_weights
    y = head.objective.labels(np.eye(3)[images.y], CLASSES, "y")
    with tf.GradientTape() as tape:
        scores = network.model(network.backbone.preprocess(images.pixels), training=True)
        loss = head.objective.loss(0.0)(head.objective.targets(tf.constant(y), CLASSES), scores)
    for weight, gradient in zip(weights, tape.gradient(loss, [weight.value for weight in weights]), strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path


def test_runs_under_half_precision(network):
    half = network.with_precision("mixed_float16")
    images = network.backbone.preprocess(examples(4).images.pixels)
    scores, expected = np.asarray(half.model(images), np.float32), np.asarray(network.model(images))
    np.testing.assert_allclose(scores, expected, atol=2e-2 * np.abs(expected).max())


def test_trains(training):
    assert losses(training)[-1] < losses(training)[0] / 2
    assert [proof["moved"] for proof in training.state.proofs] == [["head"]]


def test_tells_classes_apart(classifier, unknown):
    answers = classifier.score(unknown.pixels).argmax(axis=1)
    assert mean_class_accuracy(unknown.y, answers) > 0.8  # chance: 1/3


def test_one_image_scores_as_in_a_batch(classifier, unknown):
    together = classifier.score(unknown.pixels)
    alone = np.concatenate([classifier.score(unknown.pixels[row : row + 1]) for row in range(len(unknown))])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5 * together.std())


def test_saves_and_loads_to_the_bit_in_safe_mode(classifier, unknown, tmp_path):
    classifier.save(tmp_path / "model.keras")
    loaded = Classifier.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.score(unknown.pixels), classifier.score(unknown.pixels))
    assert (loaded.names, loaded.opens_by, loaded.activation) == (
        classifier.names,
        classifier.opens_by,
        classifier.activation,
    )


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_exports(classifier, exporter, tmp_path):
    images = np.random.default_rng(2).integers(0, 256, (7, 31, 45, 3), dtype=np.uint8)
    golden = Golden(images=images, scores=classifier.score(images))
    proofs = list(prove(exporter(), classifier, golden, tmp_path))
    assert {proof.classes for proof in proofs} == {3, 7}
    assert {proof.batch for proof in proofs} == set(exporter().batches)
    assert all(proof.holds for proof in proofs), proofs


def test_takes_a_new_class_by_the_doors_that_it_claims_and_by_no_other(classifier, unknown):
    doors = {
        "semantics": lambda: classifier.with_classes(YELLOW),
        "photos": lambda: classifier.with_photos("yellow", yellow(5, seed=3), YELLOW.semantics[0]),
    }
    assert set(classifier.opens_by) & set(doors)
    for door, enter in doors.items():
        if door not in classifier.opens_by:
            with pytest.raises(ValueError, match=f"expected a Classifier that opens by {door}"):
                enter()
            continue
        opened = enter()
        assert opened.names == (*CLASSES.names, "yellow")
        before, after = classifier.score(unknown.pixels), opened.score(unknown.pixels)
        np.testing.assert_allclose(after[:, :3], before, rtol=1e-5, atol=1e-5 * before.std())
        answers = [scores.argmax(axis=1) for scores in (after, opened.score(yellow(12, seed=4)))]
        truth = np.r_[unknown.y, np.full(12, 3)]
        assert mean_class_accuracy(truth, np.concatenate(answers)) > 0.8  # chance: 1/4
