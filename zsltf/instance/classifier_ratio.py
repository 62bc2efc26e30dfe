"""Classifier ratio: source examples weigh as much as a classifier takes them for target ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zsltf.checks import check_positive, check_seed, fail
from zsltf.data.features import Features
from zsltf.data.reweighted import reweighted
from zsltf.data.unlabelled import Unlabelled, check_unlabelled

__all__ = ["ClassifierRatio", "classifier_ratios"]


@dataclass(frozen=True, kw_only=True)
class ClassifierRatio:
    """w(x) = p(target | x) / p(source | x), by a logistic model that has not seen x.

    Source: Bickel, Bruckner & Scheffer, "Discriminative learning under covariate shift", JMLR 2009.
    """

    inverse_penalty: float = 0.01
    """C of the logistic model on standardised features, > 0: smaller is smoother."""
    folds: int = 5
    """Of both domains; each is weighed by the model of the others, >= 2."""
    clip: float = 0.99
    """Quantile of the weights, in (0, 1], above which they are cut."""
    seed: int = 0
    """Of the folds."""

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"inverse_penalty": (1e-4, 1e-3, 1e-2, 1e-1, 1.0)}

    def __post_init__(self) -> None:
        check_positive("ClassifierRatio", inverse_penalty=self.inverse_penalty)
        check_seed("ClassifierRatio", self.seed)
        if self.folds < 2:
            fail("ClassifierRatio.folds", "2 or more", str(self.folds), "Start from the default.")
        if not 0 < self.clip <= 1:
            fail("ClassifierRatio.clip", "a quantile in (0, 1]", f"{self.clip:g}", "1 cuts nothing.")

    def weigh(self, source: Features, target: Unlabelled) -> Features:
        """The source with weights; see InstanceMethod."""
        source.check_vectors("ClassifierRatio")
        check_unlabelled("ClassifierRatio", target, source.x, fewest=self.folds)
        ratios = classifier_ratios(source.x, target.x, self.inverse_penalty, self.folds, self.seed)
        return reweighted("ClassifierRatio", source, np.minimum(ratios, np.quantile(ratios, self.clip)))


def classifier_ratios(
    source: Float[np.ndarray, "N D"], target: Float[np.ndarray, "M D"], inverse_penalty: float, folds: int, seed: int
) -> Float[np.ndarray, " N"]:
    """N / M p(target | x) / p(source | x) of the source's examples, each by a model of the other folds.

    Args:
        source: vectors.
        target: vectors.
        inverse_penalty: C of the logistic model on standardised vectors.
        folds: of both domains together.
        seed: of the folds.
    """
    x = np.concatenate([source, target]).astype(np.float64)
    is_target = np.repeat([0, 1], [len(source), len(target)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty, max_iter=1000))
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    shares = cross_val_predict(model, x, is_target, cv=split, method="predict_proba")[: len(source)]
    return len(source) / len(target) * shares[:, 1] / np.maximum(shares[:, 0], 1e-12)
