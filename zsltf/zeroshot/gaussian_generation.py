"""Gaussian generation: images of unseen classes are drawn around where their attributes put them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.linear_model import LogisticRegression

from zsltf.checks import check_positive, check_share
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.solvers.ridge import solve_ridge
from zsltf.solvers.softmax_regression import softmax_regression
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.whitening import shrunk
from zsltf.training.preparation import Preparation

__all__ = ["GaussianGeneration"]


@dataclass(frozen=True, kw_only=True)
class GaussianGeneration:
    """Features of unseen classes are drawn from Gaussians; a softmax classifier learns them beside the real ones.

    All classes are known when it is fitted; a new one needs another fit, so it opens by no door.

    Source: Verma & Rai, "A simple exponential family framework for zero-shot learning", ECML 2017 (Gaussians whose
    means follow from attributes); Xian, Lorenz, Schiele & Akata, "Feature generating networks for zero-shot learning",
    CVPR 2018 (a softmax classifier of generated features).
    """

    ridge: float = 10.0
    """Penalty of the regression from attributes to means, > 0, in examples times squared attribute units."""
    shrinkage: float = 0.1
    """Share of the mean variance in the covariance that all classes have, in (0, 1)."""
    drawn: int = 100
    """Features of each class without images, >= 1."""
    penalty: float = 1e-3
    """Of half the classifier's squared weights against the mean loss of an image, > 0."""
    seed: int = 0
    """Of the draw."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (
        Preparation(centre=True, components=64, unit_norm=True, semantics="l2"),
        Preparation(centre=True, components=256, unit_norm=True, semantics="centred"),
    )
    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"ridge": (1.0, 10.0, 100.0), "penalty": (1e-4, 1e-3)}

    def __post_init__(self) -> None:
        check_positive("GaussianGeneration", ridge=self.ridge, drawn=self.drawn, penalty=self.penalty)
        check_positive("GaussianGeneration", shrinkage=self.shrinkage)
        check_share("GaussianGeneration", shrinkage=self.shrinkage)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Draw what is missing and classify."""
        statistics = Statistics.of(train, classes)
        missing = np.flatnonzero(statistics.counts == 0)
        kernel = solve_ridge(classes.semantics, statistics.counts, statistics.sums, self.ridge)
        covariance, rng = shrunk(statistics.within(), self.shrinkage), np.random.default_rng(self.seed)
        zero = np.zeros(len(covariance))
        noise = rng.multivariate_normal(zero, covariance, self.drawn, method="cholesky")  # the same for each class
        drawn = (classes.semantics[missing] @ kernel)[:, None] + noise
        x = np.concatenate([train.x, drawn.reshape(-1, train.x.shape[1])])
        y = np.concatenate([train.y, np.repeat(missing, self.drawn)])
        weights = np.concatenate([train.weights, np.ones(drawn.shape[0] * self.drawn)])
        model = LogisticRegression(C=1 / (self.penalty * weights.sum()), tol=1e-6, max_iter=5000)
        rows, bias = softmax_regression(model, x, y, weights)
        return Classifier(identity(x.shape[1]), classes, class_vectors=rows, bias=bias, opens_by=())
