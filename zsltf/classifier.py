"""Everything that predicts classes: logits = similarity(embed(x), class_vectors) + bias - gamma seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import check_choice, check_finite, check_positive, check_shape, fail
from zsltf.data.classes import ClassTable
from zsltf.discovery import names, plugin
from zsltf.layers.preprocess import Preprocess
from zsltf.similarities.dot import Dot

__all__ = ["Classifier", "Door"]

Door = Literal["semantics", "photos"]
_PARTS = ("preprocess", "embed", "project", "similarity")
_OPTIONS = ("gamma", "opens_by", "activation", "photo_level", "prior_photos", "reject_below")

for _family in ("layers", "similarities"):
    for _name in names(_family):
        plugin(_family, _name)  # Keras loads a saved layer only after its class was registered


@keras.saving.register_keras_serializable("zsltf")
class Classifier(keras.Model):
    """The one type that every predicting method returns. The class vectors, bias and names are data, not code.

    Args:
        embed: Keras model from features, or from preprocessed images, to A (B, K).
        classes: the class table.
        preprocess: from images (B, H, W, 3) to what embed takes; None where x are features.
        project: Keras model from semantics (C, A) to class vectors (C, K); None where they are the class vectors.
        similarity: layer from (B, K) and (C, K) to (B, C).
        class_vectors: B (C, K); by default project(semantics).
        bias: b (C,); by default 0.
        gamma: subtracted from the scores of seen classes (calibrated stacking, Chao et al. 2016), in score units.
        opens_by: the doors for a new class: "semantics" (a row through project), "photos" (the mean of embeddings).
        activation: from logits to probabilities; "sigmoid" for several labels an image.
        photo_level: the score that a class which comes by photos gets at its own vector; None gives it no bias.
        prior_photos: how many photos the semantics of a class that comes by photos count as, where they are given too.
        reject_below: an image whose best score is lower is none of the classes; None accepts every image.
    """

    def __init__(
        self,
        embed: keras.Model,
        classes: ClassTable,
        *,
        preprocess: Preprocess | None = None,
        project: keras.Model | None = None,
        similarity: keras.layers.Layer | None = None,
        class_vectors: Float[np.ndarray, "C *K"] | None = None,
        bias: Float[np.ndarray, " C"] | None = None,
        gamma: float = 0.0,
        opens_by: Sequence[Door] = ("semantics",),
        activation: Literal["softmax", "sigmoid"] = "softmax",
        photo_level: float | None = None,
        prior_photos: float = 0.0,
        reject_below: float | None = None,
    ) -> None:
        super().__init__(name="classifier")
        check_choice("Classifier.activation", activation, ("softmax", "sigmoid"))
        self.preprocess, self.embed = preprocess, embed
        self.project, self.similarity = project, similarity or Dot(name="dot")
        self.names, self.columns = classes.names, classes.columns
        self.gamma, self.opens_by, self.activation = float(gamma), tuple(opens_by), activation
        self.photo_level, self.prior_photos, self.reject_below = photo_level, float(prior_photos), reject_below
        if class_vectors is None:
            class_vectors = self.project_semantics(classes.semantics)
        bias = np.zeros(len(classes)) if bias is None else np.asarray(bias)
        check_shape("Classifier.bias", bias, (len(classes),), "Give one bias a class.")
        check_shape("Classifier.class_vectors", class_vectors, (len(classes), *class_vectors.shape[1:]), "One a class.")
        check_finite("Classifier.class_vectors", class_vectors, "Check the fit.")
        check_finite("Classifier.bias", bias, "Check the fit.")
        self.semantics = self._constant("semantics", classes.semantics)
        self.seen = self._constant("seen", classes.seen)
        self.class_vectors = self._constant("class_vectors", class_vectors)
        self.bias = self._constant("bias", bias)
        self.built = True

    def _constant(self, name: str, value: np.ndarray) -> Any:
        variable = self.add_weight(name=name, shape=value.shape, initializer="zeros", trainable=False)
        variable.assign(value)
        return variable

    @property
    def classes(self) -> ClassTable:
        """The class table, as it stands in the weights."""
        semantics, seen = (keras.ops.convert_to_numpy(weight) for weight in (self.semantics, self.seen))
        return ClassTable(names=self.names, semantics=semantics, seen=seen > 0, columns=self.columns)

    @property
    def class_bias(self) -> Any:
        """bias - gamma seen (C,): what is added to the similarities."""
        return self.bias - self.gamma * self.seen

    def call(self, x: Any) -> Any:
        """Logits (B, C) of the built-in classes."""
        return self.logits(x, self.class_vectors, self.class_bias)

    def logits(self, x: Any, class_vectors: Any, class_bias: Any) -> Any:
        """Logits (B, C) of any classes: the one equation."""
        return self.similarity(self.embedding(x), class_vectors) + class_bias

    def embedding(self, x: Any) -> Any:
        """A (B, K) of images or features."""
        return self.embed(x if self.preprocess is None else self.preprocess(x), training=False)

    def probabilities(self, logits: Any) -> Any:
        """Logits to probabilities."""
        return keras.ops.softmax(logits) if self.activation == "softmax" else keras.ops.sigmoid(logits)

    def score(self, x: np.ndarray, batch_size: int | None = None) -> Float[np.ndarray, "N C"]:
        """Logits as NumPy, in batches: by default of 32 images, compiled, or of 4096 feature vectors."""
        size = batch_size or (4096 if self.preprocess is None else 32)
        logits = self if self.preprocess is None else self.predict_on_batch
        return np.concatenate([np.asarray(logits(x[i : i + size])) for i in range(0, len(x), size)])

    def project_semantics(self, semantics: Float[np.ndarray, "C A"]) -> Float[np.ndarray, "C *K"]:
        """Class vectors of semantics rows."""
        if self.project is None:
            return np.asarray(semantics, np.float32)
        return np.asarray(keras.ops.convert_to_numpy(self.project(np.asarray(semantics, np.float32), training=False)))

    def with_classes(self, new: ClassTable) -> Self:
        """These classes and the new ones, by their semantics, without training; new ones count as unseen.

        Raises:
            ValueError: if this Classifier doesn't open by semantics, or the columns differ.
        """
        self.check_door("semantics")
        classes = self.classes.concatenate(new.with_seen(np.zeros(len(new), bool)))
        return self._extended(classes, self.project_semantics(new.semantics))

    def with_photos(self, name: str, x: np.ndarray, semantics: Float[np.ndarray, " A"] | None = None) -> Self:
        """These classes and one more, whose vector is the mean embedding of a few examples x.

        Semantics are kept in the table; where this Classifier has `prior_photos`, the class vector that they project to
        counts as so many examples.

        Raises:
            ValueError: if this Classifier doesn't open by photos.
        """
        self.check_door("photos")
        embedded = self.embedding(x)
        vector = keras.ops.convert_to_numpy(keras.ops.mean(embedded, axis=0, keepdims=True))
        if semantics is not None and self.prior_photos:
            prior = self.project_semantics(np.asarray(semantics)[None])
            vector = (len(x) * vector + self.prior_photos * prior) / (len(x) + self.prior_photos)
        own = float(keras.ops.mean(self.similarity(embedded, vector)))
        level = 0.0 if self.photo_level is None else self.photo_level - own
        return self.extended((name,), vector, None if semantics is None else np.asarray(semantics)[None], (level,))

    def check_door(self, door: Door) -> None:
        """Refuse a door that this Classifier doesn't have."""
        if door not in self.opens_by:
            doors = " and ".join(self.opens_by) or "no door: it has to be fitted again"
            fail("new class", f"a Classifier that opens by {door}", f"one that opens by {doors}", "Use another method.")

    def extended(
        self,
        names: tuple[str, ...],
        vectors: Float[np.ndarray, "M *K"],
        semantics: Float[np.ndarray, "M A"] | None = None,
        bias: Sequence[float] | None = None,
    ) -> Self:
        """These classes and M more by their class vectors; semantics that nobody knows are kept as 0, as is bias."""
        rows = np.zeros((len(names), len(self.columns))) if semantics is None else semantics
        unseen = np.zeros(len(names), bool)
        new = ClassTable(names=names, semantics=rows, seen=unseen, columns=self.columns)
        return self._extended(self.classes.concatenate(new), vectors, bias)

    def _extended(self, classes: ClassTable, vectors: np.ndarray, new_bias: Sequence[float] | None = None) -> Self:
        known = keras.ops.convert_to_numpy(self.class_vectors)
        shape = (len(classes) - len(known), *known.shape[1:])
        check_shape("new class vectors", vectors, shape, "Give one a class, as long as the others.")
        added = np.zeros(len(vectors)) if new_bias is None else new_bias
        bias = np.concatenate([keras.ops.convert_to_numpy(self.bias), added])
        return self._replace(classes=classes, class_vectors=np.concatenate([known, vectors]), bias=bias)

    def calibrate(self, *, gamma: float, scale: float = 1.0) -> Self:
        """Subtract gamma from seen classes' scores, then multiply all by scale (the inverse temperature).

        A threshold of rejection is of the scores as they were, and is dropped: see `rejecting`.
        """
        check_positive("calibrate", scale=scale)
        config = {**self.similarity.get_config(), "scale": self.similarity.scale * scale}
        similarity = type(self.similarity).from_config(config)
        if self.similarity.weights:  # of a comparison that was learnt
            similarity.build(self.embed.output_shape, (None, *self.class_vectors.shape[1:]))
            similarity.set_weights(self.similarity.get_weights())
        bias = scale * keras.ops.convert_to_numpy(self.bias)
        level = None if self.photo_level is None else scale * self.photo_level
        changes = {"bias": bias, "gamma": scale * (self.gamma + gamma), "photo_level": level}
        return self._replace(similarity=similarity, reject_below=None, **changes)

    def rejecting(self, threshold: float | None) -> Self:
        """The same, by which an image whose best score is below the threshold is none of the classes."""
        return self._replace(reject_below=threshold)

    def after(self, features: keras.Model, **changes: Any) -> Self:
        """The same classes from what `features` takes: embed becomes embed(features(x)).

        Args:
            features: Keras model whose output embed takes: a backbone, or a preparation of features.
            changes: other parts to replace, such as preprocess or project.
        """
        x = keras.Input(features.input_shape[1:], name="x")
        return self._replace(embed=keras.Model(x, self.embed(features(x)), name="embed"), **changes)

    def on_images(self, preprocess: Preprocess) -> Self:
        """The same, where embed takes preprocessed images."""
        return self._replace(preprocess=preprocess)

    def with_embed(self, embed: keras.Model) -> Self:
        """The same classes under another embed of the same shapes."""
        return self._replace(embed=embed)

    def _replace(self, **changes: Any) -> Self:
        kept = {name: getattr(self, name) for name in (*_PARTS, *_OPTIONS)}
        table = {name: keras.ops.convert_to_numpy(getattr(self, name)) for name in ("class_vectors", "bias")}
        return type(self)(**{**kept, **table, "classes": self.classes, **changes})

    def get_config(self) -> dict[str, Any]:
        parts = {part: keras.saving.serialize_keras_object(getattr(self, part)) for part in _PARTS}
        options = {option: getattr(self, option) for option in (*_OPTIONS, "names", "columns")}
        return {**parts, **options, "vector_shape": self.class_vectors.shape[1:]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The structure; the table's arrays come with the weights."""
        names, columns, shape = config.pop("names"), config.pop("columns"), config.pop("vector_shape")
        for part in _PARTS:
            config[part] = keras.saving.deserialize_keras_object(config[part])
        count = len(names)
        semantics, seen = np.zeros((count, len(columns)), np.float32), np.zeros(count, bool)
        empty = ClassTable(names=tuple(names), semantics=semantics, seen=seen, columns=tuple(columns))
        return cls(classes=empty, class_vectors=np.zeros((count, *shape), np.float32), **config)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a saved Classifier in Keras' safe mode."""
        loaded = keras.saving.load_model(path, compile=False, safe_mode=True)
        if not isinstance(loaded, cls):
            fail(str(path), "a saved Classifier", type(loaded).__name__, "Give the model.keras of a run folder.")
        return loaded
