"""The last stages of a backbone, trained again and again from the same weights on activations that are kept."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float, Int

from zsltf.checks import fail
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.cut import cut
from zsltf.training.batch_norm import batch_norm_layers, freeze
from zsltf.training.fused_adam import FusedAdam
from zsltf.training.stage_settings import CosineHead, StageSettings, Tuned
from zsltf.training.weight_average import RunningMean, Stretch, Weights

__all__ = ["LastStages"]

_AT_ONCE = 64
"""Images that go through the stages together."""


class LastStages:
    """A backbone in two: what is frozen, to be run once, and the stages above it.

    Args:
        backbone: BatchNorm stays as it is; the stages end with the weights that they have here.
        settings: of every training.

    Raises:
        ValueError: if the backbone has fewer stages, or nothing but the image lies below.
    """

    def __init__(self, backbone: Backbone, settings: StageSettings) -> None:
        names = list(backbone.stages)
        if settings.stages > len(names):
            fail("stages", f"at most {len(names)}, those of {backbone.name}", str(settings.stages), "Take fewer.")
        trained = {layer for name in names[-settings.stages :] for layer in backbone.stages[name]}
        lower, upper = cut(backbone.features(), trained)
        if lower is None or isinstance(lower.output, list):
            below = "nothing" if lower is None else "several tensors"
            fail(f"{backbone.name}: stages", "activations below the trained ones", below, "Train fewer stages.")
        self.settings, self.upper = settings, upper
        weighted = tuple(layer.name for layer in lower.layers if layer.weights)
        name = f"{backbone.name}_below_{names[-settings.stages]}"
        self.lower = replace(backbone, name=name, model=lower, stages={"all": weighted}, head=None)
        freeze(batch_norm_layers(upper))
        self._variables = upper.trainable_variables
        self.start = self.values()
        self._optimizer, self._mean = FusedAdam(settings.learning_rate), RunningMean(self._variables)
        self._optimizer.build(self._variables)
        self._maps = tf.TensorSpec((None, *lower.output_shape[1:]))
        self._forward = tf.function(lambda x: upper(x, training=False), input_signature=[self._maps], autograph=False)
        self._steps, self._loss_of = self._compiled()

    def values(self) -> Weights:
        """Of the stages' weights that train."""
        return [keras.ops.convert_to_numpy(variable) for variable in self._variables]

    def assign(self, weights: Weights) -> None:
        """Give the stages these weights."""
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def features(self, x: Float[np.ndarray, "N *D"], weights: Weights | None = None) -> Float[np.ndarray, "N F"]:
        """Pooled features of activations, by these weights or by those that the stages began with."""
        self.assign(self.start if weights is None else weights)
        pieces = [self._forward(np.asarray(x[i : i + _AT_ONCE])) for i in range(0, len(x), _AT_ONCE)]
        self.assign(self.start)
        return np.concatenate([piece.numpy() for piece in pieces])

    def tune(
        self,
        x: Float[np.ndarray, "N *D"],
        y: Int[np.ndarray, " N"],
        domain: Int[np.ndarray, " N"],
        head: CosineHead,
        *,
        validation: Int[np.ndarray, " V"],
        seed: int = 0,
    ) -> Tuned:
        """Minimise the cross-entropy under the head.

        Args:
            x: activations of `lower`.
            y: rows of the head's vectors.
            domain: of each image.
            head: does not train.
            validation: rows that are not trained on.
            seed: of the batches.

        Raises:
            ValueError: if the loss is not finite.
        """
        self.assign(self.start)
        for variable in (*self._optimizer._momentums, *self._optimizer._velocities, self._optimizer.iterations):
            variable.assign(keras.ops.zeros_like(variable))
        given = [tf.constant(part, tf.float32) for part in (head.offset, head.vectors)]
        data, labels = tf.convert_to_tensor(x), tf.constant(y, tf.int32)
        held_out = (data, labels, tf.constant(validation, tf.int32), *given)
        batches = self._batches(np.setdiff1d(np.arange(len(x)), validation), domain, seed)
        best, losses, stretches = self.start, [float(self._loss_of(*held_out))], []
        for start in range(0, len(batches), self.settings.validate_every):
            self._steps(data, labels, tf.constant(batches[start : start + self.settings.validate_every]), *given)
            mean, count = self._mean.take()
            loss = float(self._loss_of(*held_out))
            if not np.isfinite(loss):
                fail("the last stages", "a finite loss", f"{loss:g}", "Lower the learning rate.")
            best = self.values() if loss < min(losses) else best
            losses.append(loss)
            stretches.append(Stretch(mean=mean, steps=count, loss=loss))
        self.assign(self.start)
        return Tuned(best=best, averaged=self.settings.average.of(stretches), losses=tuple(losses))

    def _batches(
        self, rows: Int[np.ndarray, " M"], domain: Int[np.ndarray, " N"], seed: int
    ) -> Int[np.ndarray, "steps B"]:
        """Rows of each step: as many of each domain, each image as often as the others of its domain, but for one."""
        steps, images, rng = self.settings.steps, self.settings.per_domain, np.random.default_rng(seed)
        columns = []
        for own in (rows[domain[rows] == number] for number in np.unique(domain[rows])):
            rounds = -(-steps * images // len(own))
            order = np.concatenate([rng.permutation(own) for _ in range(rounds)])
            columns.append(order[: steps * images].reshape(steps, images))
        return np.concatenate(columns, axis=1).astype(np.int32)

    def _compiled(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Many steps, and the mean loss of some rows: graphs of activations, labels, rows, offset and vectors."""
        width = self.upper.output_shape[-1]
        head = [tf.TensorSpec((width,)), tf.TensorSpec((None, width))]
        shared = [self._maps, tf.TensorSpec((None,), tf.int32)]

        def steps(x: Any, y: Any, batches: Any, offset: Any, vectors: Any) -> None:
            def body(i: Any) -> Any:
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(self._losses(x, y, batches[i], offset, vectors))
                self._optimizer.apply(tape.gradient(loss, self._variables))
                self._mean.update()
                return i + 1

            tf.while_loop(lambda i: i < tf.shape(batches)[0], body, [tf.constant(0)], parallel_iterations=1)

        def loss_of(x: Any, y: Any, rows: Any, offset: Any, vectors: Any) -> Any:
            def body(i: Any, total: Any) -> Any:
                return i + _AT_ONCE, total + tf.reduce_sum(self._losses(x, y, rows[i : i + _AT_ONCE], offset, vectors))

            count = tf.shape(rows)[0]
            return tf.while_loop(lambda i, _: i < count, body, [0, 0.0])[1] / tf.cast(count, tf.float32)

        many = [*shared, tf.TensorSpec((None, None), tf.int32), *head]
        some = [*shared, tf.TensorSpec((None,), tf.int32), *head]
        return (
            tf.function(steps, input_signature=many, autograph=False),
            tf.function(loss_of, input_signature=some, autograph=False),
        )

    def _losses(self, x: Any, y: Any, rows: Any, offset: Any, vectors: Any) -> Any:
        features = self.upper(tf.gather(x, rows), training=False)
        cosines = tf.matmul(
            *(tf.nn.l2_normalize(part, axis=1) for part in (features - offset, vectors)), transpose_b=True
        )
        scores = self.settings.cosine_scale * cosines
        return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(y, rows), scores)
