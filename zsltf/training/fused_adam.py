"""Keras's Adam with one operation a weight, for small networks that are trained many times."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zsltf.checks import fail

__all__ = ["FusedAdam"]


class FusedAdam(keras.optimizers.Adam):
    """The same steps as its parent's, by TensorFlow's own kernels.

    For small weights most of a step is the overhead of a dozen operations a weight. And each graph that Keras's `apply`
    is traced in stays in memory with its weights, for TensorFlow keeps the gradient that it registers for the sum over
    replicas; this one runs on a single device and registers none.

    Source: Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015; with amsgrad, Reddi, Kale & Kumar, "On
    the convergence of Adam and beyond", ICLR 2018.
    """

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Take a step along the gradients of the variables that the optimizer was built for."""
        if trainable_variables is not None or not self.built:
            fail("FusedAdam.apply", "gradients of what `build` got", "others", "Call build first, and give gradients.")
        step = tf.cast(self.iterations.value, tf.float32) + 1.0
        shared = {
            "beta1_power": tf.pow(self.beta_1, step),
            "beta2_power": tf.pow(self.beta_2, step),
            "lr": self.learning_rate.value,
            "beta1": self.beta_1,
            "beta2": self.beta_2,
            "epsilon": self.epsilon,
        }
        states = (self._momentums, self._velocities, *((self._velocity_hats,) if self.amsgrad else ()))
        kernel = tf.raw_ops.ResourceApplyAdamWithAmsgrad if self.amsgrad else tf.raw_ops.ResourceApplyAdam
        for variable, grad, *state in zip(self._trainable_variables, grads, *states, strict=True):
            handles = (v.value.handle for v in (variable, *state))
            kernel(**dict(zip(("var", "m", "v", "vhat"), handles, strict=False)), **shared, grad=grad)
        self.iterations.assign_add(1)
