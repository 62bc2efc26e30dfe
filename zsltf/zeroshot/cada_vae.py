"""CADA-VAE: two autoencoders with one code, from which unseen classes are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.linear_model import LogisticRegression

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.solvers.softmax_regression import softmax_regression
from zsltf.training.compatibility import glorot
from zsltf.training.descent import Descent
from zsltf.training.fused_adam import FusedAdam
from zsltf.training.minibatches import for_each_batch, padded_batches
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["CADAVAE"]

_RISES = ((0.25, 0.0, 0.93), (2.37, 0.21, 0.75), (8.13, 0.06, 0.22))
"""Weight of Kullback-Leibler divergence, cross-reconstruction and alignment, and between which shares of the epochs
each of them rises to it from 0."""


@dataclass(frozen=True, kw_only=True)
class CADAVAE:
    """Variational autoencoders of features and of attributes whose codes are aligned; a softmax classifier of codes.

    It learns codes of seen classes' images and codes drawn from unseen classes' attributes. All classes are known when
    it is fitted; a new one needs another fit, so it opens by no door.

    Source: Schoenfeld, Ebrahimi, Sinha, Darrell & Akata, "Generalized zero- and few-shot learning via aligned
    variational autoencoders", CVPR 2019. Here features are standardised, where theirs lie in [0, 1]; the noise is drawn
    for each number of a code, and exp(log-variance / 2) is its deviation, where the authors' published code shares one
    draw and leaves out the half.
    """

    latent: int = 64
    """Numbers of a code, >= 1."""
    feature_hidden: int = 512
    """Units of the hidden layer on the features' side, >= 1; the paper's have 1560 and 1660 for 2048 features."""
    semantic_hidden: int = 256
    """Units of the hidden layer on the attributes' side, >= 1; the paper's have 1450 and 665."""
    drawn: int = 400
    """Codes of each class without images, >= 1."""
    weight: float = 200.0
    """What all of a seen class's codes count together, in codes of an unseen one, > 0."""
    penalty: float = 1e-3
    """Of half the classifier's squared weights against the mean loss of a code, > 0."""
    descent: Descent = field(
        default_factory=lambda: Descent(learning_rate=1e-3, penalty=0.0, epochs=100, batch_size=256)
    )

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT[:1]
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {}

    def __post_init__(self) -> None:
        hidden = {"feature_hidden": self.feature_hidden, "semantic_hidden": self.semantic_hidden}
        check_positive("CADAVAE", latent=self.latent, drawn=self.drawn, weight=self.weight, penalty=self.penalty)
        check_positive("CADAVAE", **hidden)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Train the autoencoders on the seen classes, then classify codes of all."""
        train.check_vectors("CADAVAE")
        train.check_seen(classes)
        train = train.counted()
        mean = np.average(train.x, axis=0, weights=train.weights)
        variance = np.average((train.x - mean) ** 2, axis=0, weights=train.weights)
        standardised = layers.Normalization(mean=mean, variance=np.where(variance > 0, variance, 1.0))
        x = np.asarray(standardised(train.x))
        network = _Autoencoders(self, x.shape[1], classes.semantics.shape[1])
        network.train(x, classes.semantics[train.y], train.weights)
        known = np.bincount(train.y, weights=train.weights, minlength=len(classes))
        missing = np.flatnonzero(known == 0)
        rng = np.random.default_rng(self.descent.seed)
        own = _drawn(network.encoders[0](x), rng.normal(size=(len(x), self.latent)))
        noise = rng.normal(size=(self.drawn, 1, self.latent))  # the same for each class
        drawn = _drawn(network.encoders[1](classes.semantics[missing]), noise)
        codes = np.concatenate([own, np.reshape(drawn, (-1, self.latent))])
        y = np.concatenate([train.y, np.tile(missing, self.drawn)])
        weights = np.concatenate([self.weight * train.weights / known[train.y], np.ones(len(y) - len(train))])
        model = LogisticRegression(C=1 / (self.penalty * weights.sum()), tol=1e-6, max_iter=5000)
        rows, bias = softmax_regression(model, codes, y, weights)
        return Classifier(network.to_mean(standardised), classes, class_vectors=rows, bias=bias, opens_by=())


class _Autoencoders:
    """Encoders and decoders of features and of attributes; a code's mean and log-variance stand side by side."""

    def __init__(self, options: CADAVAE, width: int, num_attributes: int) -> None:
        self._options = options
        sides = ((width, options.feature_hidden), (num_attributes, options.semantic_hidden))
        self.encoders = [self._network(2 * i, *side, 2 * options.latent) for i, side in enumerate(sides)]
        self._decoders = [self._network(4 + 2 * i, options.latent, *side[::-1]) for i, side in enumerate(sides)]
        self._trained = [v for network in self.encoders + self._decoders for v in network.trainable_variables]
        self._optimizer = FusedAdam(options.descent.learning_rate, amsgrad=True)
        self._noise = keras.random.SeedGenerator(options.descent.seed)
        self._rises = tf.Variable(np.zeros(3, np.float32))

    def _network(self, first: int, inputs: int, hidden: int, outputs: int) -> keras.Model:
        starts = [glorot(self._options.descent, first + i) for i in range(2)]
        hidden_layer = layers.Dense(hidden, "relu", kernel_initializer=starts[0])
        return keras.Sequential(
            [keras.Input((inputs,)), hidden_layer, layers.Dense(outputs, kernel_initializer=starts[1])]
        )

    def train(self, x: np.ndarray, s: np.ndarray, weights: np.ndarray) -> None:
        """Adam on shuffled batches of features, their class's attributes and weights."""
        descent = self._options.descent
        self._optimizer.build(self._trained)
        rng, epoch = np.random.default_rng(descent.seed), tf.function(self._epoch, autograph=False)
        data = [tf.constant(part) for part in (x, s, weights)]
        for number in range(descent.epochs):
            done = number / descent.epochs
            if number == descent.drop_after:
                self._optimizer.learning_rate = descent.learning_rate / 10
            self._rises.assign([most * np.clip((done - start) / (end - start), 0, 1) for most, start, end in _RISES])
            epoch(*data, tf.constant(padded_batches(rng.permutation(len(x)), descent.batch_size)))

    def to_mean(self, before: layers.Layer) -> keras.Model:
        """From features to the mean of their code."""
        hidden, last = self.encoders[0].layers
        mean = linear(*(np.asarray(weight)[..., : self._options.latent] for weight in last.get_weights()))
        return keras.Sequential([keras.Input((hidden.kernel.shape[0],)), before, hidden, *mean.layers], name="embed")

    def _epoch(self, x: Any, s: Any, weights: Any, batches: Any) -> None:
        for_each_batch(batches, lambda rows: self._step(*(tf.gather(part, rows) for part in (x, s, weights))))

    def _step(self, x: Any, s: Any, weights: Any) -> None:
        with tf.GradientTape() as tape:
            losses = self._losses((x, s)) + self._options.descent.penalty * sum(map(tf.nn.l2_loss, self._trained))
            loss = tf.math.divide_no_nan(tf.reduce_sum(weights * losses), tf.reduce_sum(weights))
        self._optimizer.apply(tape.gradient(loss, self._trained))

    def _losses(self, originals: Sequence[Any]) -> Any:
        """Of each pair of features and attributes (B,)."""
        codes = [encoder(rows) for encoder, rows in zip(self.encoders, originals, strict=True)]
        (mean_x, log_x), (mean_s, log_s) = parameters = [tf.split(code, 2, axis=1) for code in codes]
        drawn = [_drawn(code, keras.random.normal(tf.shape(code[:, ::2]), seed=self._noise)) for code in codes]
        divergence = sum(0.5 * _sum(mean**2 + tf.exp(log) - 1 - log) for mean, log in parameters)
        own, cross = (self._distance(originals, order) for order in (drawn, drawn[::-1]))
        deviations = tf.exp(log_x / 2) - tf.exp(log_s / 2)
        alignment = tf.sqrt(_sum((mean_x - mean_s) ** 2 + deviations**2) + 1e-12)
        return own + tf.tensordot(tf.stack([divergence, cross, alignment], axis=1), self._rises, 1)

    def _distance(self, originals: Sequence[Any], codes: Sequence[Any]) -> Any:
        pairs = zip(originals, self._decoders, codes, strict=True)
        return sum(_sum(tf.abs(rows - decoder(code))) for rows, decoder, code in pairs)


def _sum(rows: Any) -> Any:
    return tf.reduce_sum(rows, axis=1)


def _drawn(code: Any, noise: Any) -> Any:
    """From the code's Gaussian."""
    mean, log_variance = tf.split(code, 2, axis=-1)
    return mean + tf.exp(log_variance / 2) * tf.cast(noise, mean.dtype)
