"""Inter-domain mixup: examples between two domains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import tensorflow as tf

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.training.descent import Descent
from zsltf.training.headed_network import labelled_loss
from zsltf.training.several_sources import generalizable, train_on_sources

__all__ = ["Mixup"]


@dataclass(frozen=True, kw_only=True)
class Mixup:
    """Each example is mixed with one of the next domain, and so are their losses.

    Source: Zhang, Cisse, Dauphin & Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018;
        between domains as in Gulrajani & Lopez-Paz, "In search of lost domain generalization", ICLR 2021.
    """

    alpha: float = 0.2
    """Of the Beta distribution that shares are drawn from, > 0: small ones leave most pairs nearly unmixed."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=10))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"alpha": (0.1, 0.2, 0.4)}

    def __post_init__(self) -> None:
        check_positive("Mixup", alpha=self.alpha)

    def fit(self, domains: Domains, classes: ClassTable, *, network: keras.Model | None = None) -> Classifier:
        """Train between all domains; see GeneralizationMethod."""
        model = generalizable("Mixup", domains, classes, network, self.descent)

        def risk(batches: Sequence[Any], progress: Any) -> Any:
            shifted = [*batches[1:], batches[0]]
            seeds = [tf.stack([self.descent.seed + i, tf.cast(progress * 1e6, tf.int32)]) for i in range(len(batches))]
            return sum(map(mixed, batches, shifted, seeds)) / len(batches)

        def mixed(one: Any, other: Any, seed: Any) -> Any:
            share, rest = tf.unstack(tf.random.stateless_gamma([2], seed, self.alpha))
            share = tf.math.divide_no_nan(share, share + rest)
            scores = model.scores(share * one[0] + (1.0 - share) * other[0])[1]
            return share * labelled_loss(scores, *one[1:]) + (1.0 - share) * labelled_loss(scores, *other[1:])

        train_on_sources(model, risk, self.descent, domains)
        return model.classifier(domains.pooled)
