"""TrAdaBoost: boosting that lets go of the source examples which contradict the target's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
from jaxtyping import Bool, Float
from sklearn.linear_model import LogisticRegression

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.layers.weighted_vote import WeightedVote
from zsltf.solvers.softmax_regression import softmax_regression

__all__ = ["TrAdaBoost", "boosted_weights"]


@dataclass(frozen=True, kw_only=True)
class TrAdaBoost:
    """A weighted vote of the later half of softmax regressions on a labelled source and a few labelled target examples.

    Both domains begin with the same weight. A source example that a member gets wrong loses weight, a target example
    gains. Several classes as in SAMME, with errors below 1 - 1 / C.

    Source: Dai, Yang, Xue & Yu, "Boosting for transfer learning", ICML 2007; Zhu, Zou, Rosset & Hastie, "Multi-class
        AdaBoost", Statistics and Its Interface 2009.
    """

    rounds: int = 20
    """Members that are trained, >= 2; the later half votes."""
    inverse_penalty: float = 1.0
    """C of each softmax regression, > 0: smaller is smoother."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"inverse_penalty": (0.01, 0.1, 1.0, 10.0)}

    def __post_init__(self) -> None:
        check_positive("TrAdaBoost", inverse_penalty=self.inverse_penalty)
        if self.rounds < 2:
            fail("TrAdaBoost.rounds", "2 or more", str(self.rounds), "Start from the default.")

    def fit(self, source: Features, target: Features, classes: ClassTable) -> Classifier:
        """Boost on both; every class needs an example in either domain.

        Args:
            source: labelled vectors of the other domain.
            target: a few labelled vectors of the domain that counts.
            classes: of both, all seen.

        Raises:
            ValueError: if a class has no example, or the domains' vectors differ in length.
        """
        members, _ = self._boosted(source, target, classes)
        kernels, biases, votes = zip(*members[self.rounds // 2 :], strict=True)
        embed = linear(np.concatenate(kernels).T, np.concatenate(biases))
        vote = WeightedVote(votes, name="vote")
        voting = keras.Model(embed.inputs[0], vote(embed.outputs[0]), name="embed")
        return Classifier(voting, classes, class_vectors=np.eye(len(classes), dtype=np.float32), opens_by=())

    def source_weights(self, source: Features, target: Features, classes: ClassTable) -> Float[np.ndarray, " N"]:
        """What boosting has made of each source example in the end, of mean 1: how far it agrees with the target."""
        weights = self._boosted(source, target, classes)[1][: len(source)]
        return weights / weights.mean()

    def _boosted(
        self, source: Features, target: Features, classes: ClassTable
    ) -> tuple[list[tuple[np.ndarray, np.ndarray, float]], np.ndarray]:
        """Kernel, bias and vote of each round, and the weights behind the last one."""
        for domain in (source, target):
            domain.check_vectors("TrAdaBoost")
            domain.check_seen(classes)
        both = Domains(parts={"source": source, "target": target}).pooled
        both.check_covers(classes)
        x, y = both.x, both.y
        weights = np.concatenate([part.weights / part.weights.sum() for part in (source, target)]).astype(np.float64)
        is_source = np.arange(len(x)) < len(source)
        members: list[tuple[np.ndarray, np.ndarray, float]] = []
        model = LogisticRegression(C=self.inverse_penalty, max_iter=1000, warm_start=True)  # weights change little
        for _ in range(self.rounds):
            kernel, bias = softmax_regression(model, x, y, weights * len(x) / weights.sum())
            wrong = (x @ kernel.T + bias).argmax(axis=1) != np.searchsorted(np.unique(y), y)
            weights, vote = boosted_weights(weights, wrong, is_source, self.rounds, len(classes))
            members.append((kernel, bias, vote))
        return members, weights


def boosted_weights(
    weights: Float[np.ndarray, " N"],
    wrong: Bool[np.ndarray, " N"],
    is_source: Bool[np.ndarray, " N"],
    rounds: int,
    num_classes: int,
) -> tuple[Float[np.ndarray, " N"], float]:
    """The next round's weights, and the member's vote.

    Args:
        weights: of the examples of both domains.
        wrong: where the member errs.
        is_source: whose examples.
        rounds: T in the source's factor 1 / (1 + sqrt(2 ln n_s / T)).
        num_classes: C; the vote is ln((1 - error) / error) + ln(C - 1) of the error on the target's weights.
    """
    of_target = weights * ~is_source
    error = float(of_target[wrong].sum() / of_target.sum())
    error = float(np.clip(error, 1e-10, 1 - 1 / num_classes - 1e-10))
    vote = np.log((1 - error) / error) + np.log(num_classes - 1)
    count = max(int(is_source.sum()), 1)
    shrink = -np.log1p(np.sqrt(2 * np.log(count) / rounds))
    return weights * np.exp(np.where(is_source, shrink, vote) * wrong), float(vote)
