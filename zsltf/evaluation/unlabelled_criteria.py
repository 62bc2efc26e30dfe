"""How good a classifier is on a target whose labels nobody has: numbers to choose by, lower is better."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zsltf.classifier import Classifier
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.instance.classifier_ratio import classifier_ratios

__all__ = ["CRITERIA", "domain_gap", "source_risk", "target_entropy", "weighted_risk"]


def source_risk(classifier: Classifier, held_out: Features, target: Unlabelled) -> float:
    """Cross-entropy, in nats, on source examples that were not trained on; the target is not looked at."""
    return float(_losses(classifier, held_out).mean())


def target_entropy(classifier: Classifier, held_out: Features, target: Unlabelled) -> float:
    """Mean entropy of single predictions on the target less the entropy of their mean, in nats.

    Low where each example is of a sure class, and all classes come up.

    Source: Bridle, Heading & MacKay, "Unsupervised classifiers, mutual information and phantom targets", NIPS 1991.
    """
    logs = log_softmax(classifier.score(target.x).astype(np.float64), axis=1)
    mean = np.exp(logs).mean(axis=0)
    return float(-np.mean(np.sum(np.exp(logs) * logs, axis=1)) + np.sum(mean * np.log(np.maximum(mean, 1e-300))))


def weighted_risk(classifier: Classifier, held_out: Features, target: Unlabelled) -> float:
    """`source_risk` under importance weights: source examples count as much as their embeddings look like the target's.

    Source: Sugiyama, Krauledat & Muller, "Covariate shift adaptation by importance weighted cross validation", JMLR
        2007; on embeddings as in You et al., "Towards accurate model selection in deep unsupervised domain adaptation",
        ICML 2019, without its control variate.
    """
    source = held_out.select(_rows(len(held_out)))
    a, b = (_embeddings(classifier, x) for x in (source.x, target.x[_rows(len(target))]))
    ratios = classifier_ratios(a, b, inverse_penalty=0.01, folds=5, seed=0)
    weights = np.minimum(ratios, np.quantile(ratios, 0.99))
    return float(np.average(_losses(classifier, source), weights=weights))


def domain_gap(classifier: Classifier, held_out: Features, target: Unlabelled) -> float:
    """How far above chance a linear classifier tells embeddings of the domains apart, in [0, 1]: half the A-distance.

    Source: Ben-David, Blitzer, Crammer & Pereira, "Analysis of representations for domain adaptation", NIPS 2006.
    """
    parts = [_embeddings(classifier, x[_rows(len(x))]) for x in (held_out.x, target.x)]
    is_target = np.repeat([0, 1], [len(part) for part in parts])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    accuracy = cross_val_score(model, np.concatenate(parts), is_target, cv=folds, scoring="balanced_accuracy").mean()
    return float(max(2 * accuracy - 1, 0.0))


CRITERIA: Mapping[str, Callable[[Classifier, Features, Unlabelled], float]] = {
    "source risk": source_risk,
    "target entropy": target_entropy,
    "weighted risk": weighted_risk,
    "domain gap": domain_gap,
}


def _losses(classifier: Classifier, held_out: Features) -> Float[np.ndarray, " N"]:
    logs = log_softmax(classifier.score(held_out.x).astype(np.float64), axis=1)
    return -logs[np.arange(len(held_out)), held_out.y]


def _rows(count: int, most: int = 2000) -> Int[np.ndarray, " M"]:
    """At most so many of the examples."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def _embeddings(classifier: Classifier, x: Float[np.ndarray, "N *D"]) -> Float[np.ndarray, "N K"]:
    """In float64."""
    pieces = [np.asarray(classifier.embedding(x[i : i + 256])) for i in range(0, len(x), 256)]
    return np.concatenate(pieces).astype(np.float64)
