"""IRM: one head that is the best one in each domain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import tensorflow as tf

from zsltf.checks import check_not_negative, check_share
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.training.descent import Descent
from zsltf.training.headed_network import labelled_loss
from zsltf.training.several_sources import generalizable, mean_risk, train_on_sources

__all__ = ["IRM"]


@dataclass(frozen=True, kw_only=True)
class IRM:
    """IRMv1: the squared gradient of each domain's loss in a scale of the scores, at 1, is trained away.

    Source: Arjovsky, Bottou, Gulrajani & Lopez-Paz, "Invariant risk minimization", 2019.
    """

    weight: float = 100.0
    """Of the penalty, >= 0; 0 is ERM. From 1 on the whole risk is divided by it, as in the paper's code."""
    anneal: float = 0.1
    """Share of the training, in [0, 1), before the penalty comes to its weight; until then it is 1 at most."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=10))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"weight": (1.0, 10.0, 100.0)}

    def __post_init__(self) -> None:
        check_not_negative("IRM", weight=self.weight)
        check_share("IRM", anneal=self.anneal)

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train on all domains; see GeneralizationMethod."""
        model = generalizable("IRM", domains, classes, network, self.descent)

        def risk(batches: Sequence[Any], progress: Any) -> Any:
            weight = tf.where(progress < self.anneal, min(self.weight, 1.0), self.weight)
            losses, penalties = 0.0, 0.0
            for x, y, weights in batches:
                scores = model.scores(x)[1]
                losses += labelled_loss(scores, y, weights) / len(batches)
                penalties += scale_penalty(scores, y, weights) / len(batches)
            return (losses + weight * penalties) / tf.maximum(weight, 1.0)

        train_on_sources(model, risk if self.weight else mean_risk(model), self.descent, domains)
        return model.classifier(domains.pooled)


def scale_penalty(scores: Any, y: Any, weights: Any) -> Any:
    """An unbiased estimate of (d loss(w scores) / dw)^2 at w = 1: the product of that of two halves of the batch."""
    halves = ((scores[i::2], y[i::2], weights[i::2]) for i in range(2))
    one, other = (scale_gradient(*half) for half in halves)
    return one * other


def scale_gradient(scores: Any, y: Any, weights: Any) -> Any:
    """d labelled_loss(w scores) / dw at w = 1: the mean over examples of sum_c (p_c - 1[c = y]) score_c."""
    residuals = tf.nn.softmax(scores) - tf.one_hot(y, tf.shape(scores)[1], dtype=scores.dtype)
    slopes = tf.reduce_sum(residuals * scores, axis=1)
    return tf.math.divide_no_nan(tf.reduce_sum(weights * slopes), tf.reduce_sum(weights))
