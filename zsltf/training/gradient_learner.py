"""What learns a support by gradient steps from weights that were learnt for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.solvers.class_means import class_means
from zsltf.solvers.support_sets import support_means
from zsltf.training.inner_loop import InnerLoop, descended

__all__ = ["FirstHead", "GradientLearner", "prototype_head", "support_loss", "zero_head"]


FirstHead = Callable[[Any, Any, int], tuple[Any, Any]]
"""Embeddings (E, S, K) and ways (E, S) of supports to where their heads begin: kernels (E, K, W), biases (E, 1, W)."""


def zero_head(embedded: Any, support_y: Any, ways: int) -> tuple[Any, Any]:
    """Zeros: any number of ways, in any order. The first step moves such a head alone, for it says nothing of a body.

    One trained row for every way would be no more than this, since a softmax does not see what all scores share.

    Source: Kao, Chiu & Chen, "MAML is a noisy contrastive learner in classification", ICLR 2022.
    """
    episodes, width = tf.shape(support_y)[0], embedded.shape[2]
    return tf.zeros((episodes, width, ways)), tf.zeros((episodes, 1, ways))


def prototype_head(embedded: Any, support_y: Any, ways: int) -> tuple[Any, Any]:
    """2 p and -|p|^2 of each way's mean embedding p: the class whose p is nearest.

    Source: Triantafillou et al., "Meta-Dataset: a dataset of datasets for learning to learn from few examples",
    ICLR 2020.
    """
    means = support_means(embedded, support_y, ways)
    return 2 * tf.transpose(means, (0, 2, 1)), -tf.reduce_sum(means**2, axis=2)[:, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientLearner:
    """A body under a linear head; on a support's cross-entropy the head takes steps, and the body with it or not.

    Normalisation uses stored statistics or those of one example, so no query's label leaks through a batch.
    """

    method: str
    """Its name, for errors."""
    body: keras.Model
    """From examples (B, ...) to embeddings (B, K)."""
    head: FirstHead
    inner: InnerLoop
    adapts_body: bool
    head_factor: float = 1.0
    """How many times as large the head's steps are."""

    TRANSDUCTIVE: ClassVar[bool] = False

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Adapt a copy to the support; class vectors are the columns of the head's kernel.

        Raises:
            ValueError: if a class has no example, or the steps raise the loss instead of lowering it.
        """
        train.check_covers(classes)
        support = (np.asarray(train.x, np.float32), train.y.astype(np.int32), train.weights.astype(np.float32))
        inputs = [tf.constant(part[None]) for part in support]
        adapt = tf.function(self._adapted_to, autograph=False).get_concrete_function(*inputs, len(classes))
        body, kernel, bias, first, last = adapt(*inputs)
        self._check(float(last), max(np.log(len(classes)), float(first)))
        embed = self._with(body)
        embedded = np.asarray(embed(train.x, training=False))
        means = class_means(embedded, train.y, train.weights, len(classes))
        return closed(embed, kernel.numpy()[0].T, bias.numpy()[0, 0], classes, means)

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once, or where the body is adapted of one after another; see FewShotLearner."""
        if not self.adapts_body:
            return self._scores(support, support_y, query, ways)

        def one(episode: Any) -> Any:
            examples, y, queries = (part[None] for part in episode)
            return self._scores(examples, y, queries, ways)[0]

        scores = tf.TensorSpec((query.shape[1], ways), tf.float32)
        return tf.map_fn(one, (support, support_y, query), fn_output_signature=scores)

    def _scores(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        weights = tf.ones(tf.shape(support_y))
        body, kernel, bias, *_ = self._adapted_to(support, support_y, weights, ways)
        return self.embedded(body, query) @ kernel + bias

    def _adapted_to(self, support: Any, support_y: Any, weights: Any, ways: int) -> tuple[Any, Any, Any, Any, Any]:
        """Adapted body, kernels (E, K, W), biases (E, 1, W), and the losses before and after, summed over episodes."""
        start = [tf.convert_to_tensor(variable) for variable in self.body.trainable_variables]
        embedded = self.embedded(start, support)
        head = self.head(embedded, support_y, ways)

        def loss(step: Any, now: Sequence[Any]) -> Any:
            *body, kernel, bias = now
            scores = (self.embedded(body, support) if self.adapts_body else embedded) @ kernel + bias
            return support_loss(scores, support_y, weights)

        moved = [*(start if self.adapts_body else ()), *head]
        *body, kernel, bias = found = descended(loss, moved, self.inner, self.factors(len(moved)))
        return body or start, kernel, bias, loss(None, moved), loss(None, found)

    def factors(self, count: int) -> tuple[float, ...]:
        """Of the steps' size for so many weights, of which the last two are the head's."""
        return (*(1.0,) * (count - 2), self.head_factor, self.head_factor)

    def embedded(self, body: Sequence[Any], examples: Any) -> Any:
        """Examples (E, N, ...) to embeddings (E, N, K) by these weights of the body."""
        shape = tf.shape(examples)
        flat = tf.reshape(examples, tf.concat([[-1], shape[2:]], axis=0))
        flat = tf.ensure_shape(flat, (None, *self.body.input_shape[1:]))
        still = [variable.value for variable in self.body.non_trainable_variables]
        found = self.body.stateless_call(list(body), still, flat, training=False)[0]
        width = self.body.output_shape[-1]
        return tf.ensure_shape(tf.reshape(found, (shape[0], shape[1], width)), (*examples.shape[:2], width))

    def _with(self, body: Sequence[Float[np.ndarray, "..."]]) -> keras.Model:
        copy = keras.models.clone_model(self.body)
        copy.set_weights(self.body.get_weights())
        for variable, value in zip(copy.trainable_variables, body, strict=True):
            variable.assign(value)
        return copy

    def _check(self, loss: float, start: float) -> None:
        if not loss <= start:
            size = f"Lower its step_size, which is {self.inner.step_size:g}."
            fail(self.method, f"steps that lower the support's loss below {start:.3g}", f"{loss:.3g}", size)


def support_loss(scores: Any, support_y: Any, weights: Any) -> Any:
    """Cross-entropy (E, S) of scores (E, S, W), averaged by weights (E, S) and summed over episodes."""
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(support_y, scores)
    return tf.reduce_sum(weights * each / tf.reduce_sum(weights, axis=1, keepdims=True))
