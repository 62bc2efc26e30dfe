"""The seams: what a method takes and returns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import keras
import numpy as np
from jaxtyping import Float

from zsltf.classifier import Classifier
from zsltf.closed import ClassScores
from zsltf.data.classes import ClassTable
from zsltf.data.clustering import Clustering
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.data.images import Labels
from zsltf.data.unlabelled import Unlabelled

__all__ = [
    "AdaptationMethod",
    "BaseFreeMethod",
    "ClusteringMethod",
    "FewShotLearner",
    "FewShotMethod",
    "GeneralizationMethod",
    "GridMethod",
    "Head",
    "InstanceMethod",
    "Method",
    "Objective",
    "SelfTaughtMethod",
    "TextEncoder",
]


class Method(Protocol):
    """A frozen dataclass of hyper-parameters that makes a Classifier from features."""

    SEARCH: ClassVar[Mapping[str, Sequence[float]]]
    """Field -> the values that selection tries."""

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Learn from examples of seen classes; every label is a row of `classes`."""
        ...


@runtime_checkable
class GridMethod(Method, Protocol):
    """A method that scores its whole search range faster than by fitting each setting."""

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """Each setting of the search range, and its scores of x against all classes."""
        ...


class AdaptationMethod(Protocol):
    """A frozen dataclass of hyper-parameters that learns from a labelled source for a target without labels."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]]
    """Field -> the values that selection tries."""

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Learn from both domains.

        Args:
            source: labelled vectors, or preprocessed images.
            target: examples of the same shape.
            classes: of both domains, all seen.
            network: from an example to its embedding, of which a copy is trained; by default none, for vectors.

        Raises:
            ValueError: if the target brings labels, the shapes differ, or a class has no source example.
        """
        ...


class GeneralizationMethod(Protocol):
    """A frozen dataclass of hyper-parameters that learns from several domains for one that nobody has seen."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]]
    """Field -> the values that selection tries."""

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Learn from all domains.

        Args:
            domains: labelled vectors, or preprocessed images.
            classes: which every domain has, all seen.
            network: from an example to its embedding, of which a copy is trained; by default none, for vectors.

        Raises:
            ValueError: if a domain lacks a class that another has.
        """
        ...


class InstanceMethod(Protocol):
    """A frozen dataclass of hyper-parameters that tells how much each source example is worth on the target."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]]
    """Field -> the values that selection tries."""

    def weigh(self, source: Features, target: Unlabelled) -> Features:
        """The source with a sample_weight of mean 1, times its own.

        Args:
            source: labelled vectors.
            target: vectors of the same width.

        Raises:
            ValueError: if the target brings labels, or one example gets all of the weight.
        """
        ...


class SelfTaughtMethod(Protocol):
    """A frozen dataclass of hyper-parameters that learns an encoder from examples without labels."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]]
    """Field -> the values that selection tries."""

    TRAINS_NETWORK: ClassVar[bool]
    """Whether a network is what is trained; else its embeddings are what the encoder is made for."""

    def pretrain(self, unlabelled: Unlabelled, *, network: keras.Model | None = None) -> keras.Model:
        """The encoder, from one example to its embedding (B, K); one alone embeds as in a batch.

        Args:
            unlabelled: vectors, or preprocessed images; of the classes that labels will tell of, or of others.
            network: from an example to its embedding, of which a copy is trained; by default the method makes an
                encoder of its own, for vectors.

        Raises:
            ValueError: if examples bring labels, the network takes other shapes, or all embeddings end as one.
        """
        ...


class ClusteringMethod(Protocol):
    """A frozen dataclass of hyper-parameters that clusters a few examples with the help of many others."""

    def cluster(self, target: Unlabelled, *, auxiliary: Unlabelled, clusters: int) -> Clustering:
        """Clusters of the target's examples.

        Args:
            target: vectors.
            auxiliary: vectors of the same width, of the same classes or of others.
            clusters: how many, >= 2.

        Raises:
            ValueError: if examples bring labels, widths differ, or there are fewer examples than clusters.
        """
        ...


class FewShotLearner(Protocol):
    """What has learned to learn: a few examples a class become a Classifier."""

    TRANSDUCTIVE: ClassVar[bool]
    """Whether an episode's queries are scored together, so that one alone may get another answer."""

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Learn these classes from their support; every one has an example."""
        ...

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Scores (E, Q, W) of E episodes of one shape, in TensorFlow, as those of the fitted Classifiers.

        Args:
            support: examples (E, S, ...), float32.
            support_y: their ways (E, S).
            query: examples (E, Q, ...).
            ways: W.
        """
        ...


class FewShotMethod(Protocol):
    """A frozen dataclass of hyper-parameters that learns from base classes how to learn others."""

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """Learn from examples of base classes.

        Args:
            base: vectors, or preprocessed images.
            validation: examples of other classes, by which the best step of training is kept.
            network: from an example to its embedding, which is trained on; by default none, for vectors.
        """
        ...


@runtime_checkable
class BaseFreeMethod(Protocol):
    """A few-shot method that has something to offer where there are no base classes."""

    def without_base(self) -> FewShotLearner:
        """Of vectors, by the method's settings alone."""
        ...


class TextEncoder(Protocol):
    """A frozen dataclass of options that turns sentences into vectors."""

    def encode(self, sentences: Sequence[str]) -> Float[np.ndarray, "N D"]:
        """Rows of norm 1, near each other where the sentences mean the like."""
        ...


class Objective(Protocol):
    """What a head is trained for."""

    def num_outputs(self, classes: ClassTable) -> int:
        """Scores an image."""
        ...

    def labels(self, y: Labels, classes: ClassTable, what: str) -> Labels:
        """Labels as the user gives them to those that `targets` takes; ValueError about `what` if they don't fit."""
        ...

    def targets(self, y: Any, classes: ClassTable) -> Any:
        """Labels of a batch to what the loss compares, in TensorFlow."""
        ...

    def loss(self, label_smoothing: float) -> keras.losses.Loss:
        """Of targets and scores."""
        ...

    def metrics(self) -> list[keras.metrics.Metric]:
        """Of targets and scores."""
        ...

    def classifier(
        self, embed: keras.Model, scores: ClassScores, classes: ClassTable, means: Float[np.ndarray, "C K"]
    ) -> Classifier:
        """The trained head as a Classifier."""
        ...


class Head(Protocol):
    """A frozen dataclass that puts layers on a backbone's pooled features."""

    @property
    def objective(self) -> Objective:
        """What it is trained for."""
        ...

    def build(self, features: Any, num_outputs: int, name: str) -> tuple[Any, Any]:
        """Features (B, D) to A (B, K) and scores (B, outputs) of a layer `NAME_scores`; its layers start with name."""
        ...
