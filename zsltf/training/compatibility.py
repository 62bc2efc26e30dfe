"""Train the one equation: similarity(embed(x), project(semantics)) of the seen classes, by a loss on scores."""

import abc
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import copied, linear
from zsltf.similarities.dot import Dot
from zsltf.training.descent import Descent
from zsltf.training.fused_adam import FusedAdam
from zsltf.training.minibatches import for_each_batch, padded_batches

__all__ = ["CompatibilityMethod", "Parts", "bilinear_parts", "fit_epochs", "fit_parts", "glorot", "grid_scores"]

_ROWS = 2**28  # numbers of x in memory at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What is trained: the parts of a Classifier, and the loss of labels (B,) and scores (B, S)."""

    embed: keras.Model
    project: keras.Model | None
    similarity: keras.layers.Layer
    loss: keras.losses.Loss
    finish: Callable[[Any], keras.layers.Layer] = lambda similarity: similarity
    """The trained similarity as the Classifier keeps it."""


@dataclass(frozen=True, kw_only=True)
class CompatibilityMethod(abc.ABC):
    """A method that trains its `parts` on the seen classes; with these it is whole."""

    descent: Descent = field(default_factory=Descent)

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]]

    @abc.abstractmethod
    def parts(self, train: Features, classes: ClassTable) -> Parts:
        """What is trained, as it starts.

        Raises:
            ValueError: if the features or the classes are not what the method takes.
        """

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Train on the seen classes."""
        return fit_parts(self.parts(train, classes), self.descent, train, classes)

    def fit_epochs(self, train: Features, classes: ClassTable) -> Iterator[Classifier]:
        """The Classifier after every epoch."""
        return fit_epochs(self.parts(train, classes), self.descent, train, classes)

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N *D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """The whole search range; settings that share their parts share a graph."""
        others = {name: values for name, values in self.SEARCH.items() if name != "descent"}
        for values in itertools.product(*others.values()):
            setting = replace(self, **dict(zip(others, values, strict=True)))
            parts = setting.parts(train, classes)
            for descent, scores in grid_scores(parts, self.SEARCH["descent"], train, classes, x):
                yield replace(setting, descent=descent), scores


def bilinear_parts(method: str, train: Features, classes: ClassTable, loss: keras.losses.Loss) -> Parts:
    """x W s from W = 0: A = x W, B = S; `method` is named where the features are maps."""
    train.check_vectors(method)
    embed = linear(np.zeros((train.x.shape[1], len(classes.columns))))
    return Parts(embed=embed, project=None, similarity=Dot(name="dot"), loss=loss)


def glorot(descent: Descent, layer: int = 0) -> keras.initializers.Initializer:
    """Where the kernel of this layer starts."""
    return keras.initializers.GlorotUniform(int(np.random.SeedSequence([descent.seed, layer]).generate_state(1)[0]))


def fit_parts(parts: Parts, descent: Descent, train: Features, classes: ClassTable) -> Classifier:
    """Train on the seen classes, and return the Classifier after the last epoch."""
    trainer = _Trainer(parts, train, classes)
    for _ in trainer.epochs(descent):
        pass
    return trainer.classifier(classes)


def fit_epochs(parts: Parts, descent: Descent, train: Features, classes: ClassTable) -> Iterator[Classifier]:
    """The same, with the Classifier after every epoch."""
    trainer = _Trainer(parts, train, classes)
    for _ in trainer.epochs(descent):
        yield trainer.classifier(classes)


def grid_scores(
    parts: Parts, descents: Sequence[Descent], train: Features, classes: ClassTable, x: Float[np.ndarray, "N *D"]
) -> Iterator[tuple[Descent, Float[np.ndarray, "N C"]]]:
    """Each descent with its scores of x: one graph for all, and one training for those that differ in epochs alone."""
    trainer = _Trainer(parts, train, classes)
    for _, group in itertools.groupby(descents, lambda descent: replace(descent, epochs=1)):
        wanted = {descent.epochs: descent for descent in group}
        for epoch in trainer.epochs(wanted[max(wanted)]):
            if epoch in wanted:
                yield wanted[epoch], trainer.score(x, classes)


class _Trainer:
    """Adam on shuffled batches, in a graph that is traced once; every run begins with the same weights."""

    def __init__(self, parts: Parts, data: Features, classes: ClassTable) -> None:
        data.check_seen(classes)
        self._parts = parts
        self._data = data.counted()
        self._rows = np.unique(self._data.y)  # label i of the loss is class rows[i]
        self._semantics = tf.constant(classes.semantics[self._rows])
        models = [part for part in (parts.embed, parts.project, parts.similarity) if part is not None]
        self._state = [variable for model in models for variable in model.variables]
        self._trained = [variable for model in models for variable in model.trainable_variables]
        self._start = [variable.numpy() for variable in self._state]
        self._penalty = tf.Variable(0.0)
        self._optimizer = FusedAdam()
        self._optimizer.build(self._trained)
        self._fresh = [variable.numpy() for variable in self._optimizer.variables]
        self._epoch = tf.function(self._steps, autograph=False, reduce_retracing=True)

    def epochs(self, descent: Descent) -> Iterator[int]:
        """Train from the start, and tell after each epoch, from 1 on."""
        data = self._data
        for variable, value in zip(self._state + self._optimizer.variables, self._start + self._fresh, strict=True):
            variable.assign(value)
        self._optimizer.learning_rate = descent.learning_rate
        self._penalty.assign(descent.penalty)
        labels = np.searchsorted(self._rows, data.y).astype(np.int32)
        rng = np.random.default_rng(descent.seed)
        most = max(1, _ROWS // int(np.prod(data.x.shape[1:])) // descent.batch_size) * descent.batch_size
        for epoch in range(1, descent.epochs + 1):
            if epoch - 1 == descent.drop_after:
                self._optimizer.learning_rate = descent.learning_rate / 10
            order = rng.permutation(len(data))
            for chunk in (order[start : start + most] for start in range(0, len(order), most)):
                taken = np.sort(chunk)  # as they stand on the disk
                batches = padded_batches(np.searchsorted(taken, chunk), descent.batch_size)
                self._epoch(*map(tf.constant, (data.x[taken], labels[taken], data.weights[taken], batches)))
            yield epoch

    def classifier(self, classes: ClassTable) -> Classifier:
        """A copy of the model as it is: training may go on."""
        embed, project = (None if m is None else copied(m) for m in (self._parts.embed, self._parts.project))
        return Classifier(embed, classes, project=project, similarity=self._parts.finish(self._parts.similarity))

    def score(self, x: Float[np.ndarray, "N *D"], classes: ClassTable) -> Float[np.ndarray, "N C"]:
        """Of the model as it is."""
        vectors = self._vectors(classes.semantics, training=False)
        parts = [
            self._parts.similarity(self._parts.embed(x[i : i + 4096], training=False), vectors)
            for i in range(0, len(x), 4096)
        ]
        return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])

    def _vectors(self, semantics: Any, *, training: bool) -> Any:
        project = self._parts.project
        return tf.convert_to_tensor(semantics) if project is None else project(semantics, training=training)

    def _steps(self, x: Any, labels: Any, weights: Any, batches: Any) -> None:
        for_each_batch(batches, lambda rows: self._step(*(tf.gather(part, rows) for part in (x, labels, weights))))

    def _step(self, x: Any, labels: Any, weights: Any) -> None:
        parts = self._parts
        with tf.GradientTape() as tape:
            scores = parts.similarity(parts.embed(x, training=True), self._vectors(self._semantics, training=True))
            losses = tf.reduce_sum(weights * parts.loss.call(labels, scores))
            squares = tf.add_n([tf.nn.l2_loss(variable) for variable in self._trained if len(variable.shape) > 1])
            loss = tf.math.divide_no_nan(losses, tf.reduce_sum(weights)) + self._penalty * squares
        self._optimizer.apply(tape.gradient(loss, self._trained))
