"""What is done to features and semantics before a method sees them, fitted on training data and kept in the model."""

from dataclasses import dataclass

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier, linear
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.layers.centre import centring
from zsltf.solvers.gram import Gram

__all__ = ["Preparation", "Prepared"]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Centre, project and normalise; the order is the fields' order."""

    centre: bool = False
    """Subtract the mean of the training features, and of the seen classes' semantics from all semantics."""
    components: int | None = None
    """Keep this many principal components of the features (which are centred for it); None keeps them all."""
    unit_norm: bool = False
    """Divide each example's features, and each class's semantics, by its Euclidean norm."""

    def __post_init__(self) -> None:
        if self.components is not None:
            check_positive("Preparation", components=self.components)

    def fit(self, train: Features, classes: ClassTable) -> "Prepared":
        """Learn means and components from training examples and seen classes."""
        return Prepared(features=self._features(train), semantics=self._semantics(classes.semantics[classes.seen]))

    def _features(self, train: Features) -> keras.Model:
        train.check_vectors("Preparation")
        x, weights = np.asarray(train.x), train.weights.astype(np.float64)
        layers: list[keras.layers.Layer] = []
        mean = np.average(x, axis=0, weights=weights)
        if self.centre or self.components:
            layers.append(centring(mean))
        if self.components:
            _, directions = Gram((x - mean) * np.sqrt(weights)[:, None]).spectrum  # (D, rank)
            if not directions.size:
                fail("Features.x", "features that differ", "the same for every image", "Check the backbone's weights.")
            layers.append(linear(directions[:, : self.components]).layers[0])
        return self._model(x.shape[1], layers)

    def _semantics(self, semantics: Float[np.ndarray, "S A"]) -> keras.Model:
        mean = semantics.mean(axis=0, dtype=np.float64)
        return self._model(semantics.shape[1], [centring(mean)] if self.centre else [])

    def _model(self, width: int, layers: list[keras.layers.Layer]) -> keras.Model:
        if self.unit_norm:
            layers.append(keras.layers.UnitNormalization(name="unit_norm"))
        return keras.Sequential([keras.Input((width,)), *(layers or [keras.layers.Identity()])])


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


def _apply(model: keras.Model, x: np.ndarray, batch_size: int = 8192) -> np.ndarray:
    parts = [keras.ops.convert_to_numpy(model(x[i : i + batch_size])) for i in range(0, len(x), batch_size)]
    return np.concatenate(parts)
