"""What is done to features and semantics before a method sees them, fitted on training data and kept in the model."""

from dataclasses import dataclass
from typing import Literal, get_args

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import check_choice, check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.layers.centre import centring
from zsltf.layers.unit_blocks import UnitBlocks
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.whitening import whitening

__all__ = ["Preparation", "Prepared"]

Normalisation = Literal["none", "l2", "sqrt", "centred", "z-score"]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Centre, project, whiten and normalise the features, in the fields' order, and normalise the semantics.

    What is done to a vector is done to each place of a feature map.
    """

    centre: bool = False
    """Subtract the mean of the training features."""
    components: int | None = None
    """Keep this many principal components of the features (which are centred for it); None keeps them all."""
    shrinkage: float | None = None
    """Whiten the features by their covariance within classes, which is shrunk by this share in (0, 1] towards its mean
    variance first; None leaves them as they vary."""
    unit_norm: bool = False
    """Divide each example's features by their Euclidean norm."""
    semantics: Normalisation = "none"
    """What is done to the semantics: `l2` divides each class's row by its norm, `sqrt` makes that norm sqrt(A),
    `centred` subtracts the seen classes' mean row before `l2`, `z-score` gives each column mean 0 and deviation 1 over
    the seen classes. A table that is made of several has each of them normalised for itself."""

    def __post_init__(self) -> None:
        if self.components is not None:
            check_positive("Preparation", components=self.components)
        if self.shrinkage is not None and not 0 < self.shrinkage <= 1:
            fail("Preparation.shrinkage", "a share in (0, 1]", f"{self.shrinkage:g}", "Start from 0.1.")
        check_choice("Preparation.semantics", self.semantics, get_args(Normalisation))

    def fit(self, train: Features, classes: ClassTable) -> "Prepared":
        """Learn means, components and variances from training examples and seen classes."""
        return Prepared(features=self._features(train, classes), semantics=self._semantics(classes))

    def _features(self, train: Features, classes: ClassTable) -> keras.Model:
        layers: list[keras.layers.Layer] = []
        if self.centre or self.components or self.shrinkage:
            places = train.places()
            mean = np.average(places.x, axis=0, weights=places.weights.astype(np.float64))
            if self.centre or self.components:
                layers.append(centring(mean))
            if self.components or self.shrinkage:
                layers.append(linear(self._kernel(places.with_x(places.x - mean), classes)).layers[0])
        if self.unit_norm:
            layers.append(keras.layers.UnitNormalization(name="unit_norm"))
        return _model(train.x.shape[1:], layers)

    def _kernel(self, centred: Features, classes: ClassTable) -> Float[np.ndarray, "D K"]:
        """Principal components, whitened."""
        statistics = Statistics.of(centred, classes, unseen=True)
        kernel = np.eye(centred.x.shape[1])
        if self.components:
            kernel = statistics.gram.spectrum[1][:, : self.components]
        if not kernel.size:
            fail("Features.x", "features that differ", "the same for every image", "Check the backbone's weights.")
        if self.shrinkage:
            kernel = kernel @ whitening(kernel.T @ statistics.within() @ kernel, self.shrinkage)
        return kernel

    def _semantics(self, classes: ClassTable) -> keras.Model:
        known = classes.semantics[classes.seen].astype(np.float64)
        mean, width = known.mean(axis=0), known.shape[1]
        layers: list[keras.layers.Layer] = []
        if self.semantics == "centred":
            layers.append(centring(mean))
        if self.semantics == "z-score":
            variance = known.var(axis=0)
            layers.append(keras.layers.Normalization(mean=mean, variance=np.where(variance > 0, variance, 1.0)))
        if self.semantics in ("l2", "sqrt", "centred"):
            scale = np.sqrt(width) if self.semantics == "sqrt" else 1.0
            layers.append(UnitBlocks(classes.blocks, scale=float(scale)))
        return _model((width,), layers)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A fitted preparation: two Keras models, the same in fitting and in what is shipped."""

    features: keras.Model
    semantics: keras.Model

    def apply(self, train: Features) -> Features:
        """Prepare features."""
        return train.with_x(_apply(self.features, np.asarray(train.x)))

    def apply_classes(self, classes: ClassTable) -> ClassTable:
        """Prepare semantics."""
        return classes.with_semantics(_apply(self.semantics, classes.semantics))

    def wrap(self, classifier: Classifier, classes: ClassTable) -> Classifier:
        """The Classifier fitted on prepared data, now from raw features and with raw semantics."""
        semantics, inner = keras.Input((classes.semantics.shape[1],)), classifier.project
        projected = self.semantics(semantics)
        project = keras.Model(semantics, projected if inner is None else inner(projected), name="project")
        return classifier.after(self.features, classes=classes, project=project)


def _model(shape: tuple[int, ...], layers: list[keras.layers.Layer]) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *(layers or [keras.layers.Identity()])])


def _apply(model: keras.Model, x: np.ndarray, numbers: int = 2**24) -> np.ndarray:
    size = max(1, numbers // max(1, int(np.prod(x.shape[1:]))))
    return np.concatenate([keras.ops.convert_to_numpy(model(x[i : i + size])) for i in range(0, len(x), size)])
