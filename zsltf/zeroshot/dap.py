"""DAP: a classifier for each attribute, and the class whose attributes they predict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import keras
import numpy as np
from jaxtyping import Float
from scipy.special import logit

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.solvers.linear_heads import linear_heads
from zsltf.solvers.platt import platt
from zsltf.solvers.unit_range import unit_range
from zsltf.training.preparation import Preparation
from zsltf.training.selection import COMPACT

__all__ = ["DAP"]

_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class DAP:
    """Direct attribute prediction: logistic regressions whose probabilities are multiplied.

    log P(c | x) = const + sum_m a_cm (logit p_m(x) - logit prior_m): a dot product of the image's attribute logits with
    the class's attributes, which are brought to [0, 1] by the seen classes.

    Source: Lampert, Nickisch & Harmeling, "Attribute-based classification for zero-shot visual object categorization",
    TPAMI 2014.
    """

    penalty: float = 1e-3
    """Of the squared weights, > 0, against the mean loss of an image."""
    calibrate: bool = True
    """Give each attribute a slope and an offset that fit classes which its classifier has not seen (Platt): multiplied
    probabilities have to be honest. An attribute that does not carry over to other classes is left out by that."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = COMPACT
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"penalty": tuple(10.0**-k for k in range(1, 6))}

    def __post_init__(self) -> None:
        check_positive("DAP", penalty=self.penalty)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Fit the attributes' classifiers on the seen classes."""
        train.check_vectors("DAP")
        train.check_seen(classes)
        train = train.counted()
        scale, offset = unit_range(classes.semantics[classes.seen])
        attributes = classes.semantics * scale + offset
        heads = self._calibrated(train, classes, attributes, self._heads(train, attributes))
        project = keras.layers.Rescaling(scale.tolist(), offset.tolist())
        return Classifier(
            linear(heads[:-1], heads[-1]),
            classes,
            project=keras.Sequential([keras.Input((len(classes.columns),)), project], name="project"),
        )

    def fit_grid(
        self, train: Features, classes: ClassTable, x: Float[np.ndarray, "N D"]
    ) -> Iterator[tuple[Self, Float[np.ndarray, "N C"]]]:
        """Each penalty of the search range with its scores of x; each fit starts from the one that is shrunk more."""
        train.check_vectors("DAP")
        train.check_seen(classes)
        train = train.counted()
        scale, offset = unit_range(classes.semantics[classes.seen])
        attributes, heads = classes.semantics * scale + offset, None
        for penalty in self.SEARCH["penalty"]:
            setting = replace(self, penalty=penalty)
            heads = setting._heads(train, attributes, heads)
            found = setting._calibrated(train, classes, attributes, heads)
            yield setting, (x @ found[:-1] + found[-1]) @ attributes.T

    def _heads(
        self, train: Features, attributes: Float[np.ndarray, "C A"], start: Float[np.ndarray, "D+1 A"] | None = None
    ) -> Float[np.ndarray, "D+1 A"]:
        """Kernel and bias of the attributes' logits."""
        return linear_heads(train.x, attributes[train.y], train.weights, self.penalty, start=start)

    def _calibrated(
        self,
        train: Features,
        classes: ClassTable,
        attributes: Float[np.ndarray, "C A"],
        heads: Float[np.ndarray, "D+1 A"],
    ) -> Float[np.ndarray, "D+1 A"]:
        """Kernel and bias of z - logit(prior), z the attributes' logits."""
        targets, prior = attributes[train.y], np.clip(attributes[classes.seen].mean(axis=0), 0.01, 0.99)
        slope, offset = np.ones_like(prior), np.zeros_like(prior)
        if self.calibrate:
            slope, offset = platt(self._unseen_logits(train, attributes, heads), targets, train.weights)
            offset = np.where(slope > 0, offset, logit(prior))
        heads = heads * slope
        heads[-1] += offset - logit(prior)
        return heads

    def _unseen_logits(
        self, train: Features, attributes: Float[np.ndarray, "C A"], start: Float[np.ndarray, "D+1 A"]
    ) -> Float[np.ndarray, "N A"]:
        """Attribute logits of each image by classifiers that have not seen its class."""
        labels = np.unique(train.y)
        if len(labels) < 2:
            fail("classes", "images of two seen classes or more", str(len(labels)), "Add another class's images.")
        order = labels[np.lexsort(attributes[labels].T)]  # dealt by what they are, not by where they stand in the table
        z = np.empty((len(train), attributes.shape[1]))
        for hidden in (order[first::_FOLDS] for first in range(min(_FOLDS, len(order)))):
            held = np.isin(train.y, hidden)
            rest = train.select(~held)
            heads = linear_heads(rest.x, attributes[rest.y], rest.weights, self.penalty, start=start)
            z[held] = train.x[held] @ heads[:-1] + heads[-1]
        return z
