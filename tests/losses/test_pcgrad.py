import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.losses.pcgrad import project_conflicting, project_in_order

SHAPES = ((3, 2), (4,), ())


def random_gradients(tasks, seed):
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=shape).astype(np.float32) for shape in SHAPES] for _ in range(tasks)]


def flat(gradient):
    return np.concatenate([np.ravel(tensor) for tensor in gradient]).astype(np.float64)


def by_the_paper(gradients, orders):
    """Algorithm 1 on whole gradient vectors: project in turn, then add up."""
    whole = [flat(gradient) for gradient in gradients]
    total = np.zeros_like(whole[0])
    for i, order in enumerate(orders):
        g = whole[i].copy()
        for j in order:
            if j != i and g @ whole[j] < 0:
                g -= (g @ whole[j]) / (whole[j] @ whole[j]) * whole[j]
        total += g
    return total


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_it_is_the_algorithm_of_the_paper_in_any_order(tasks, seed):
    gradients = random_gradients(tasks, seed)
    orders = np.array([np.random.default_rng(seed + i).permutation(tasks) for i in range(tasks)])
    found = project_in_order(gradients, orders)
    assert [tuple(tensor.shape) for tensor in found] == list(SHAPES)
    np.testing.assert_allclose(flat(found), by_the_paper(gradients, orders), atol=1e-4)


def test_two_tasks_need_no_order():
    gradients = random_gradients(2, 3)
    gradients[1] = [-0.5 * a + 0.1 * b for a, b in zip(gradients[0], gradients[1], strict=True)]
    expected = by_the_paper(gradients, [[1], [0]])
    assert np.abs(expected - flat(gradients[0]) - flat(gradients[1])).max() > 0.1  # they do conflict
    for seed in (0, 1):
        np.testing.assert_allclose(flat(project_conflicting(gradients, seed)), expected, atol=1e-5)


def test_no_conflict_no_change():
    first = random_gradients(1, 0)[0]
    found = project_conflicting([first, [2 * tensor for tensor in first]], 0)
    np.testing.assert_allclose(flat(found), 3 * flat(first), rtol=1e-6)


def test_a_task_meets_the_others_in_every_order_and_itself_never():
    gradients = [[np.array(g, np.float32)] for g in ([1, 0], [-1, 1], [-1, -2])]
    generator = keras.random.SeedGenerator(0)
    found = {tuple(np.round(project_conflicting(gradients, generator)[0], 5)) for _ in range(60)}
    everything = {
        tuple(np.round(by_the_paper(gradients, [a, b, c]), 5))
        for a in ([1, 2], [2, 1])
        for b in ([0, 2], [2, 0])
        for c in ([0, 1], [1, 0])
    }
    np.testing.assert_allclose(sorted(found), sorted(everything), atol=1e-4)


def test_a_task_is_not_projected_onto_itself_when_the_others_have_turned_it_round():
    angles = np.radians([0, 150, 210])
    gradients = [[np.array([np.cos(a), np.sin(a)], np.float32)] for a in angles]
    orders = [[1, 2, 0], [1, 0, 2], [2, 0, 1]]
    np.testing.assert_allclose(
        project_in_order(gradients, np.array(orders))[0], by_the_paper(gradients, orders), atol=1e-6
    )
    turned = by_the_paper(gradients, [[1, 2, 0], [], []]) - flat(gradients[1]) - flat(gradients[2])
    assert turned @ flat(gradients[0]) < -0.1


def test_a_number_as_seed_gives_the_same_at_each_call_in_a_graph_too():
    gradients = random_gradients(4, 7)
    compiled = tf.function(lambda: project_conflicting(gradients, 5))
    np.testing.assert_array_equal(flat(compiled()), flat(compiled()))
    np.testing.assert_allclose(flat(compiled()), flat(project_conflicting(gradients, 5)), atol=1e-6)


def test_a_variable_that_a_task_does_not_see_counts_as_zero():
    gradients = random_gradients(3, 1)
    unseen = [[gradients[0][0], None, None], [gradients[1][0], gradients[1][1], None], [gradients[2][0], None, None]]
    zeros = [[np.zeros(s, np.float32) if t is None else t for t, s in zip(g, SHAPES, strict=True)] for g in unseen]
    found = project_conflicting(unseen, 2)
    assert found[2] is None
    np.testing.assert_allclose(flat(found[:2]), flat(project_conflicting(zeros, 2)[:2]), atol=1e-6)


def test_a_task_without_any_gradient_does_no_harm():
    gradients = random_gradients(2, 4)
    gradients[1] = [np.zeros_like(tensor) for tensor in gradients[1]]
    np.testing.assert_array_equal(flat(project_conflicting(gradients, 0)), flat(gradients[0]))


def test_half_precision_gradients_stay_so():
    gradients = [[tensor.astype(np.float16) for tensor in gradient] for gradient in random_gradients(2, 5)]
    found = project_conflicting(gradients, 0)
    assert {tensor.dtype for tensor in found} == {tf.float16}
    np.testing.assert_allclose(flat(found), by_the_paper(gradients, [[1], [0]]), atol=2e-2)


def test_gradients_of_different_lengths_are_refused():
    first, second = random_gradients(2, 0)
    with pytest.raises(
        ValueError, match=r"gradients: expected one tensor a variable from every task, received \[3, 2\]"
    ):
        project_conflicting([first, second[:2]], 0)
