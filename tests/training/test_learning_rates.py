import keras
import numpy as np
import pytest

from zsltf.training.learning_rates import learning_rate_schedule

KINDS = ("constant", "cosine", "one_cycle", "step")


def expected(kind, peak, steps, warmup, s):
    """The rate of step s of a phase, written down case by case."""
    if kind == "one_cycle":
        tail = 0.9 * steps
        top = warmup or tail / 2
        return peak * np.interp(s, [0, top, tail, steps], [0.1, 1, 0.1, 0.001])
    if s < warmup:
        return peak * (s + 1) / (warmup + 1)
    done = (s - warmup) / (steps - warmup)
    fall = {
        "constant": 1,
        "cosine": 0.5 + 0.5 * np.cos(np.pi * min(done, 1)),
        "step": 0.1 ** ((done >= 0.5) + (done >= 0.75)),
    }
    return peak * fall[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("steps", "warmup"), [(40, 0), (41, 7), (2, 1)])
def test_every_step_has_its_rate(kind, steps, warmup):
    schedule = learning_rate_schedule(kind, peak=0.3, steps=steps, warmup_steps=warmup, start=1000)
    wanted = [expected(kind, 0.3, steps, warmup, s) for s in range(steps + 2)]
    np.testing.assert_allclose(schedule.curve(steps + 2), wanted, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose([float(schedule(1000 + s)) for s in range(steps + 2)], wanted, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_no_step_of_a_phase_is_without_a_rate(kind):
    for steps, warmup in ((1, 0), (2, 1), (50, 10)):
        curve = learning_rate_schedule(kind, peak=1.0, steps=steps, warmup_steps=warmup).curve(steps)
        assert curve.min() > 0
        assert curve.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_serialises(kind):
    schedule = learning_rate_schedule(kind, peak=0.3, steps=20, warmup_steps=3, start=5)
    config = keras.optimizers.schedules.serialize(schedule)
    again = keras.saving.deserialize_keras_object(config, safe_mode=True)
    np.testing.assert_array_equal(again.curve(25), schedule.curve(25))
    assert again.get_config() == schedule.get_config()


def test_the_optimizer_reads_it_at_each_batch_and_shows_the_rate():
    schedule = learning_rate_schedule("cosine", peak=0.5, steps=10, start=2)
    optimizer = keras.optimizers.SGD(schedule)
    variable = keras.Variable(np.zeros(1, np.float32))
    optimizer.build([variable])
    optimizer.iterations.assign(2)
    shown, moved = [], []
    for _ in range(10):
        before = np.array(variable)
        shown.append(float(optimizer.learning_rate))
        optimizer.apply([keras.ops.ones((1,))])
        moved.append((before - np.array(variable))[0])
    np.testing.assert_allclose(shown, [expected("cosine", 0.5, 10, 0, s) for s in range(10)], rtol=1e-5)
    np.testing.assert_allclose(moved, shown, rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "cosin"}, r"learning rate: expected one of constant, cosine, one_cycle, step, received 'cosin'"),
        ({"peak": 0.0}, r"learning rate.peak: expected a number > 0, received 0"),
        ({"steps": 0}, r"learning rate.steps: expected a number > 0, received 0"),
        ({"warmup_steps": 9}, r"learning rate.warmup_steps: expected 0 to 8, received 9. Shorten it or add epochs"),
        ({"warmup_steps": -1}, r"learning rate.warmup_steps: expected 0 to 8, received -1"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        learning_rate_schedule(**{"kind": "cosine", "peak": 0.1, "steps": 9, **settings})
