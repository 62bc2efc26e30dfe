"""Tip-Adapter: class vectors, and a cache of the support that an image is looked up in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import normalize

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.protocols import FewShotLearner
from zsltf.solvers.support_caches import KeySteps, likeness, trained_keys
from zsltf.solvers.support_heads import balanced, products
from zsltf.training.frozen_network import on_embeddings

__all__ = ["TipAdapter"]


@dataclass(frozen=True, kw_only=True)
class TipAdapter:
    """scale v.w_c + alpha sum_s exp(-beta (1 - v.k_s)) over the support k_s of class c, all vectors of length 1.

    Where the support is unequal, every class's sum counts as one over the mean number of examples.

    Source: Zhang et al., "Tip-Adapter: training-free adaption of CLIP for few-shot classification", ECCV 2022.
    """

    text: bool = False
    """Whether w_c is the class's row of semantics: a text vector in the features' own space, as CLIP's are. Otherwise
    it is the mean of the class's support, for a row of another space is no neighbour of an image."""
    scale: float = 100.0
    """Of the first term, > 0: CLIP's inverse temperature."""
    alpha: float = 1.0
    """Weight of the cache, > 0."""
    beta: float = 5.5
    """How fast the cache's weight falls with the distance, > 0."""
    steps: KeySteps = field(default_factory=KeySteps)

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {}
    TRANSDUCTIVE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive("TipAdapter", scale=self.scale, alpha=self.alpha, beta=self.beta)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """There is nothing to learn: base made the features."""
        return on_embeddings("TipAdapter", base, network, lambda _: self)

    def without_base(self) -> FewShotLearner:
        """The same."""
        return self

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Fill the cache; every class needs an example.

        Raises:
            ValueError: with `text`, if the semantics are not as wide as the features.
        """
        train.check_vectors("TipAdapter")
        train.check_covers(classes)
        width, count = train.x.shape[1], len(train)
        if self.text and classes.semantics.shape[1] != width:
            fix = "Text vectors must be of the images' encoder; else leave --method.text out."
            received = f"{classes.semantics.shape[1]} columns"
            fail("TipAdapter: semantics", f"{width} columns, as many as the features", received, fix)
        units = normalize(train.x).astype(np.float32)[None]
        support = balanced(train.y[None], len(classes), train.weights[None].astype(np.float32))
        vectors = normalize(classes.semantics).astype(np.float32)[None] if self.text else _means(units, *support)
        keys, values = (np.asarray(part)[0] for part in self._cache(units, *support, vectors, train.weights.sum()))
        vectors = np.concatenate([self.scale * np.asarray(vectors)[0], values.T], axis=1)
        doors = {"project": _text_alone(self.scale, width, count), "opens_by": ("semantics",)}
        return Classifier(
            _lookup(keys, self.beta), classes, class_vectors=vectors, **(doors if self.text else {"opens_by": ()})
        )

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner.

        Raises:
            ValueError: with `text`, for episodes have none.
        """
        if self.text:
            fail("TipAdapter.text", "classes with text vectors", "episodes, which have none", "Leave it out.")
        units, v = (keras.ops.normalize(examples, axis=-1) for examples in (support, query))
        targets, weights = balanced(support_y, ways)
        vectors = _means(units, targets, weights)
        count = keras.ops.cast(keras.ops.shape(support)[1], "float32")
        keys, values = self._cache(units, targets, weights, vectors, count)
        return self.scale * products(v, vectors) + keras.ops.matmul(likeness(v, keys, self.beta), values)

    def _cache(self, units: Any, targets: Any, weights: Any, vectors: Any, total: Any) -> tuple[Any, Any]:
        """Keys (E, S, D) and values (E, S, W)."""
        values = self.alpha * total * weights[:, :, None] * targets
        if not self.steps.count:
            return units, values
        first = self.scale * products(units, vectors)
        return trained_keys(units, values, targets, weights, first, self.beta, self.steps), values


def _means(units: Any, targets: Any, weights: Any) -> Any:
    """Directions (E, W, D) of the classes' weighted means."""
    return keras.ops.normalize(keras.ops.einsum("es,esw,esd->ewd", weights, targets, units), axis=-1)


def _lookup(keys: Float[np.ndarray, "S D"], beta: float) -> keras.Model:
    """x to [v, exp(-beta (1 - v.k))], v = x / |x|."""
    x = keras.Input(keys.shape[1:])
    v = keras.layers.UnitNormalization(name="unit")(x)
    cache = keras.layers.Dense(len(keys), activation="exponential", name="cache")
    near = cache(v)
    cache.set_weights([beta * keys.T, np.full(len(keys), -beta)])
    return keras.Model(x, keras.layers.Concatenate(name="beside")([v, near]), name="embed")


def _text_alone(scale: float, width: int, count: int) -> keras.Model:
    """A text vector to scale times its unit vector, and nothing in the cache."""
    layers = keras.layers
    steps = (
        keras.Input((width,)),
        layers.UnitNormalization(),
        layers.Rescaling(scale),
        layers.Reshape((width, 1)),
        layers.ZeroPadding1D((0, count)),
        layers.Reshape((width + count,)),
    )
    return keras.Sequential(steps, name="project")
