"""The mean of weights over the steps that count."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.weight_average import FlatAverage, RunningMean, Stretch, between


def stretches(losses, steps=2):
    """The weights of stretch i are all i."""
    means = [[np.full((2, 3), i, np.float32), np.full(4, i, np.float32)] for i in range(len(losses))]
    return [Stretch(mean=mean, steps=steps, loss=loss) for mean, loss in zip(means, losses, strict=True)]


def plain_span(losses, start_patience, end_patience, tolerance):
    """The paper's algorithm 1, step by step, i counting from 1; it gives t_s and t_e."""
    first, last, limit = None, len(losses), None
    for i in range(1, len(losses) + 1):
        if limit is None:
            window = losses[max(0, i - start_patience) : i]
            if len(window) == start_patience and window[0] == min(window):
                first, limit = i - start_patience + 1, tolerance * np.mean(window)
        elif limit < min(losses[max(0, i - end_patience) : i]):
            last = i - end_patience
            break
    return (len(losses), len(losses)) if first is None else (first, last)


@pytest.mark.parametrize("seed", range(200))
def test_the_span_is_that_of_the_published_algorithm(seed):
    rng = np.random.default_rng(seed)
    options = {"start_patience": int(rng.integers(1, 5)), "end_patience": int(rng.integers(1, 5))}
    tolerance = float(rng.uniform(1, 1.5))
    losses = rng.uniform(0.5, 2, rng.integers(1, 16)).tolist()
    first, last = FlatAverage(tolerance=tolerance, **options).span(losses)
    assert (first + 1, last + 1) == plain_span(losses, tolerance=tolerance, **options)


def test_a_single_stretch_is_its_own_mean():
    one, other = FlatAverage().of(stretches([1.0]))
    np.testing.assert_array_equal(one, np.zeros((2, 3)))
    assert other.dtype == np.float32


def test_while_the_loss_falls_the_last_stretch_counts():
    weights, _ = FlatAverage().of(stretches([5.0, 4.0, 3.0, 2.0]))
    np.testing.assert_array_equal(weights, np.full((2, 3), 3))


def test_from_the_lowest_loss_to_where_it_has_risen():
    losses = [3.0, 1.0, 1.1, 1.2, 1.1, *[9.0] * 6, 1.0]
    assert FlatAverage().span(losses) == (1, 4)
    weights, _ = FlatAverage().of(stretches(losses))
    np.testing.assert_allclose(weights, np.full((2, 3), 2.5))


def test_a_longer_stretch_counts_more():
    parts = [Stretch(mean=[np.array([i], np.float32)], steps=1 + 2 * i, loss=1.0) for i in range(2)]
    np.testing.assert_allclose(FlatAverage(start_patience=1).of(parts)[0], [0.75])


def test_the_running_mean_is_the_mean_of_the_steps_since_it_was_taken():
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    variable = keras.Variable(values[0])
    mean = RunningMean([variable])

    @tf.function
    def step(value):
        variable.assign(value)
        mean.update()

    for value in values[:2]:
        step(value)
    taken, count = mean.take()
    np.testing.assert_allclose(taken[0], values[:2].mean(axis=0), rtol=1e-6)
    for value in values[2:]:
        step(value)
    again, more = mean.take()
    np.testing.assert_allclose(again[0], values[2:].mean(axis=0), rtol=1e-5)
    assert (count, more) == (2, 3)
    with pytest.raises(ValueError, match="RunningMean: expected one step or more, received none"):
        mean.take()


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"FlatAverage\.tolerance: expected a number >= 1, received 0\.5"):
        FlatAverage(tolerance=0.5)
    with pytest.raises(ValueError, match=r"FlatAverage\.end_patience: expected a number > 0, received 0"):
        FlatAverage(end_patience=0)
    with pytest.raises(ValueError, match="FlatAverage: expected a validation or more, received none"):
        FlatAverage().of([])


def test_between_two_weights():
    start, end = [np.zeros(2), np.ones((2, 2))], [np.full(2, 4.0), np.full((2, 2), 3.0)]
    np.testing.assert_array_equal(between(start, end)[0], [2, 2])
    np.testing.assert_array_equal(between(start, end, 0.25)[1], np.full((2, 2), 1.5))
    for share, expected in ((0, start), (1, end)):
        for received, wanted in zip(between(start, end, share), expected, strict=True):
            np.testing.assert_array_equal(received, wanted)
    with pytest.raises(ValueError, match=r"between\.share: expected a number from 0 to 1, received 1\.5"):
        between(start, end, 1.5)
