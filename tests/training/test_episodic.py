"""The trainer on episodes against Keras's own Adam, and what it promises."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.data.features import Features
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.training.episodic import EpisodicTrainer, EpisodicTraining, train_episodes

SHORT = EpisodicTraining(steps=6, episodes=2, ways=3, shots=2, queries=3, learning_rate=0.1, validate_every=2)


@pytest.fixture
def sets(toy_features):
    """Base, and other classes."""
    features, classes = toy_features
    return features.select(classes.seen[features.y]), features.select(~classes.seen[features.y])


class Scaled:
    """Nearest class mean on x times one trained row."""

    def __init__(self, width=32):
        self.row = keras.Variable(np.full(width, 0.1, np.float32))

    def logits(self, support, support_y, query, ways):
        row = tf.convert_to_tensor(self.row)
        return NearestClassMean().logits(row * support, support_y, row * query, ways)


def by_keras(base, training, rates):
    """The trained row, by Keras's optimizer, one episode at a time."""
    scaled, optimizer = Scaled(), keras.optimizers.Adam()
    episodes = training.sampler(3).draw(base.y, 2 * training.steps, seed=training.seed)
    for step, rate in enumerate(rates):
        optimizer.learning_rate = rate
        with tf.GradientTape() as tape:
            losses = []
            for one in episodes[2 * step : 2 * step + 2]:
                scores = scaled.logits(base.x[one.support][None], one.support_y[None], base.x[one.query][None], 3)
                losses.append(keras.losses.sparse_categorical_crossentropy(one.query_y, scores[0], from_logits=True))
            loss = tf.reduce_mean(losses)
        optimizer.apply_gradients([(tape.gradient(loss, scaled.row), scaled.row)])
    return scaled.row.numpy()


@pytest.mark.parametrize(("halve_every", "rates"), [(None, [0.1] * 6), (2, [0.1, 0.1, 0.05, 0.05, 0.025, 0.025])])
def test_takes_the_steps_that_keras_takes(sets, halve_every, rates):
    training = replace(SHORT, halve_every=halve_every, seed=3)
    scaled = Scaled()
    assert train_episodes(scaled.logits, [scaled.row], training, sets[0]) == {}
    np.testing.assert_allclose(scaled.row.numpy(), by_keras(sets[0], training, rates), rtol=2e-4)


def test_a_seed_gives_the_same_weights_and_another_seed_others(sets):
    def row(seed):
        scaled = Scaled()
        train_episodes(scaled.logits, [scaled.row], replace(SHORT, seed=seed), sets[0])
        return scaled.row.numpy()

    np.testing.assert_array_equal(row(1), row(1))
    assert np.abs(row(1) - row(2)).max() > 1e-3


def test_accuracy_is_that_of_validation_episodes_one_by_one(sets):
    training, scaled = replace(SHORT, validation_episodes=7, ways=9), Scaled()
    reached = train_episodes(scaled.logits, [scaled.row], training, *sets)
    assert list(reached) == [0, 2, 4, 6]
    x, right = sets[1].x, []
    for one in training.sampler(4).draw(sets[1].y, 7, seed=training.seed):  # validation has four classes
        means = np.stack([x[one.support[one.support_y == way]].mean(axis=0) for way in range(4)])
        distances = ((x[one.query][:, None] - means) ** 2).sum(axis=2)
        right.append((distances.argmin(axis=1) == one.query_y).mean())
    assert reached[0] == pytest.approx(np.mean(right))


def test_the_best_step_on_validation_classes_is_kept(sets):
    """The first step mends the row, and the third spoils it."""
    scaled, training = Scaled(), replace(SHORT, validate_every=1)
    trainer = EpisodicTrainer(scaled.logits, [scaled.row], training, *sets)
    rows = tf.constant([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])

    def update(step, batch):
        scaled.row.assign(tf.fill([32], rows[step]) + 1e-3 * tf.cast(step, tf.float32))
        return tf.reduce_sum(scaled.row)

    scaled.row.assign(np.eye(32)[0])  # one feature tells little
    reached = trainer.run(update)
    assert reached[1] > reached[0]
    np.testing.assert_allclose(scaled.row.numpy(), np.ones(32))


def test_the_start_is_kept_where_training_does_not_help(sets):
    scaled = Scaled()
    reached = train_episodes(scaled.logits, [scaled.row], replace(SHORT, learning_rate=30.0), *sets)
    assert reached[0] >= max(reached.values())
    np.testing.assert_array_equal(scaled.row.numpy(), np.full(32, 0.1, np.float32))


def test_a_loss_that_is_not_finite_ends_it_by_step_and_with_advice(sets):
    scaled = Scaled()

    def update(step, batch):
        return tf.where(step == 3, np.nan, 1.0)

    trainer = EpisodicTrainer(scaled.logits, [scaled.row], SHORT, sets[0], None)
    with pytest.raises(ValueError, match=r"expected a finite loss, received nan in step 4\. Lower the step\."):
        trainer.run(update, "Lower the step.")


def test_example_weights_of_zero_leave_examples_out_and_others_are_refused(sets):
    base = sets[0]
    weights = np.tile([1, 0], 60).astype(np.float32)
    rows = []
    for data in (replace(base, sample_weight=weights), base.select(weights > 0)):
        scaled = Scaled()
        train_episodes(scaled.logits, [scaled.row], SHORT, data)
        rows.append(scaled.row.numpy())
    np.testing.assert_array_equal(*rows)
    with pytest.raises(ValueError, match=r"base: sample_weight: expected 0 or 1 an example"):
        train_episodes(Scaled().logits, [Scaled().row], SHORT, replace(base, sample_weight=weights + 0.5))


def refuse(*_):
    raise AssertionError("nothing should have been compiled")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ways": 13}, "Episodes.ways: expected at most the 12 classes of the set, received 13"),
        ({"shots": 8}, r"Episodes: expected 11 examples a class, 8 \+ 3, received fewer in 12: 0 \(10\), 1 \(10\)"),
    ],
)
def test_a_base_that_does_not_suffice_is_refused_before_slow_work(sets, changes, told):
    with pytest.raises(ValueError, match=told):
        train_episodes(refuse, [keras.Variable(1.0)], replace(SHORT, **changes), sets[0])


def test_validation_that_does_not_fit_is_refused_before_slow_work(sets):
    base, other = sets
    few = Features(x=other.x[:3], y=np.array([12, 12, 13]))
    for validation, told in [
        (base.select(base.y < 7), "validation: expected classes that base does not have, received 7 of base: 0, 1, 2"),
        (few, r"Episodes: expected 5 examples a class, 2 \+ 3, received fewer in 2: 12 \(2\), 13 \(1\)"),
        (other.select(other.y == 12), "Episodes.ways: expected 2 or more"),
    ]:
        with pytest.raises(ValueError, match=told):
            train_episodes(refuse, [keras.Variable(1.0)], SHORT, base, validation)


def test_nothing_to_train_is_refused(sets):
    with pytest.raises(ValueError, match="expected weights to train, received none"):
        train_episodes(refuse, [], SHORT, sets[0])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": 0}, "EpisodicTraining.steps: expected a number > 0, received 0"),
        ({"learning_rate": np.nan}, "EpisodicTraining.learning_rate: expected a number > 0"),
        ({"halve_every": 0}, "EpisodicTraining.halve_every: expected a number > 0"),
        ({"ways": 1}, "Episodes.ways: expected 2 or more"),
        ({"queries": 0}, "Episodes.queries: expected 1 or more"),
        ({"seed": -1}, "EpisodicTraining.seed: expected 0 to 4294967295, received -1"),
    ],
)
def test_numbers_out_of_range_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        EpisodicTraining(**changes)
