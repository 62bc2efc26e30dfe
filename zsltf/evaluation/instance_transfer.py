"""Instance transfer measured: weighted source examples, and a few target ones, beside the source as it is."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.evaluation.instance_protocol import InstanceProtocol
from zsltf.instance.tradaboost import TrAdaBoost
from zsltf.metrics.effective_size import effective_size
from zsltf.metrics.intervals import class_interval, paired_interval
from zsltf.training.seeds import with_seed
from zsltf.transfer.linear_probe import LinearProbe

__all__ = ["ALONE", "BOOSTED", "BOTH", "UNWEIGHTED", "InstanceOutcome", "run_instance_transfer"]

UNWEIGHTED, ALONE, BOTH, BOOSTED = "source", "target alone", "both", "both, TrAdaBoost"


@dataclass(frozen=True, kw_only=True, eq=False)
class InstanceOutcome:
    """What classifiers reached on the target, by what they were fitted on."""

    accuracies: Mapping[str, Float[np.ndarray, " R"]]
    """One a seed."""
    main: str
    """The method's, among them."""
    sizes: Float[np.ndarray, " R"]
    """How many examples the source is worth under the method's weights, one a seed."""
    warned: tuple[str, ...]
    """What the method said of its weights."""
    weights: Float[np.ndarray, " N"]
    """Of the source, under the first seed; mean 1."""
    classifier: Classifier
    """The method's, under the first seed."""

    @property
    def reference(self) -> str:
        """What the method has to beat: all it was given, without its weights."""
        return BOTH if self.main == BOOSTED else UNWEIGHTED

    def interval(self, name: str) -> tuple[float, float]:
        """Student's 95 % interval over seeds."""
        return class_interval(self.accuracies[name])

    def above(self, name: str, other: str) -> tuple[float, tuple[float, float]]:
        """Mean gain over another under the same seeds, and its 95 % interval; below 0 it hurts."""
        one, reference = self.accuracies[name], self.accuracies[other]
        return float(np.mean(one - reference)), paired_interval(one, reference)


@threadpool_limits.wrap(limits=1, user_api="blas")  # many small products: on busy cores two threads wait for each other
def run_instance_transfer(
    method: Any, source: Features, target: Features, classes: ClassTable, protocol: InstanceProtocol
) -> InstanceOutcome:
    """Fit a softmax regression on the source, plain and weighted, on a few target examples, and on both.

    Args:
        method: any instance method: it weighs the source, or boosts on both as TrAdaBoost does.
        source: labelled vectors.
        target: vectors; what is done with their labels see InstanceProtocol.
        classes: of both.
        protocol: seeds and parts.

    Raises:
        ValueError: before anything is fitted, for what `InstanceProtocol.check` refuses.
    """
    for domain in (source, target):
        domain.check_vectors("instance transfer")
    protocol.check(source, target, classes)
    probe = LinearProbe(inverse_penalty=protocol.inverse_penalty)
    rounds = [
        _round(with_seed(method, seed), probe, source, protocol.parts(target, seed), classes, protocol.components)
        for seed in protocol.seeds
    ]
    return InstanceOutcome(
        accuracies={name: np.array([one.accuracies[name] for one in rounds]) for name in rounds[0].accuracies},
        main=rounds[0].main,
        sizes=np.array([effective_size(one.weights) for one in rounds]),
        warned=tuple(dict.fromkeys(told for one in rounds for told in one.warned)),
        weights=rounds[0].weights,
        classifier=rounds[0].classifier,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Round:
    """One seed's."""

    accuracies: dict[str, float]
    main: str
    weights: Float[np.ndarray, " N"]
    warned: tuple[str, ...]
    classifier: Classifier


def _round(
    method: Any,
    probe: LinearProbe,
    source: Features,
    parts: tuple[Features, Features, Features],
    classes: ClassTable,
    components: int,
) -> _Round:
    given, few, test = parts
    boosts = isinstance(method, TrAdaBoost)
    boost = method if boosts else TrAdaBoost(inverse_penalty=probe.inverse_penalty)
    pooled = Features(
        x=np.concatenate([source.x, few.x]),
        y=np.concatenate([source.y, few.y]),
        sample_weight=np.concatenate([source.weights, few.weights]),
    )
    fitted = {
        UNWEIGHTED: probe.fit(source, classes),
        ALONE: probe.fit(few, classes),
        BOTH: probe.fit(pooled, classes),
        BOOSTED: boost.fit(source, few, classes),
    }
    warned: tuple[str, ...] = ()
    main = BOOSTED if boosts else f"{UNWEIGHTED}, {type(method).__name__}"
    if boosts:
        weights = boost.source_weights(source, few, classes)
    else:
        weights, warned = _weights(method, source, given, components)
        fitted[main] = probe.fit(replace(source, sample_weight=weights), classes)
    order = dict.fromkeys((UNWEIGHTED, *([] if boosts else [main]), ALONE, BOTH, BOOSTED))
    accuracies = {name: float((fitted[name].score(test.x).argmax(axis=1) == test.y).mean()) for name in order}
    return _Round(accuracies=accuracies, main=main, weights=weights, warned=warned, classifier=fitted[main])


def _weights(
    method: Any, source: Features, given: Features, components: int
) -> tuple[Float[np.ndarray, " N"], tuple[str, ...]]:
    """Of the source, by the principal components of both; and what the method warns of."""
    both = np.concatenate([source.x, given.x]).astype(np.float64)
    pca = PCA(min(components, *both.shape), random_state=0).fit(both)
    views = [part.with_x(pca.transform(part.x).astype(np.float32)) for part in (source, given)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weights = method.weigh(views[0], views[1].unlabelled()).weights
    return weights, tuple(str(one.message) for one in caught if one.category is UserWarning)
