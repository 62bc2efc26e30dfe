import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.training.fused_adam import FusedAdam


def trained(kind, amsgrad, steps=20):
    """A weight and a bias after steps along fixed gradients, in one graph."""
    rng = np.random.default_rng(0)
    weights = [keras.Variable(rng.normal(size=shape).astype(np.float32)) for shape in ((4, 3), (3,))]
    gradients = [tf.constant(rng.normal(size=(steps, *w.shape)).astype(np.float32)) for w in weights]
    optimizer = kind(learning_rate=0.01, amsgrad=amsgrad)
    optimizer.build(weights)

    @tf.function(autograph=False)
    def run(i):
        optimizer.apply([gradient[i] for gradient in gradients])

    for i in range(steps):
        if i == steps // 2:
            optimizer.learning_rate = 0.001
        run(tf.constant(i))
    return [*map(np.asarray, weights), *(np.asarray(v) for v in optimizer.variables)], weights


@pytest.mark.parametrize("amsgrad", [False, True])
def test_it_takes_the_steps_of_keras(amsgrad):
    for own, other in zip(trained(FusedAdam, amsgrad)[0], trained(keras.optimizers.Adam, amsgrad)[0], strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-7)


def test_nothing_of_a_traced_step_stays():
    def graphs():
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    trained(FusedAdam, amsgrad=False)
    before = graphs()
    for _ in range(3):
        trained(FusedAdam, amsgrad=False)
    assert graphs() == before


def test_it_steps_what_it_was_built_for():
    with pytest.raises(ValueError, match=r"FusedAdam\.apply: expected gradients of what `build` got, received others"):
        FusedAdam().apply([tf.zeros(3)])
