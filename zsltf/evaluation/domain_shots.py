"""The any-shot head in a domain without training images: chosen on the source domains, scored with n photos."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.training.folds import Fold
from zsltf.training.preparation import Preparation
from zsltf.training.selection import PREPARATIONS, fit_prepared, select
from zsltf.training.stage_settings import CosineHead
from zsltf.zeroshot.any_shot import AnyShot

__all__ = ["DomainShots", "HeadChoice", "choose_head", "settled"]

_KAPPAS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_GAMMAS = np.linspace(-0.5, 0.5, 41)
_MOST_GROUPS = 6


@dataclass(frozen=True, kw_only=True)
class HeadChoice:
    """Settings that did best where each source domain in turn was left out, with some of the classes."""

    method: AnyShot
    preparation: Preparation
    gamma: float
    """Taken off the cosines of classes with source images, where there is no photo of the new domain."""

    def fit(self, source: Features, classes: ClassTable) -> Classifier:
        """Of all source images."""
        return fit_prepared(self.method, self.preparation, source, classes)

    def head(self, source: Features, classes: ClassTable) -> CosineHead:
        """What stands on the features in training: the vectors of the classes that are seen, in their order."""
        offset = source.x.mean(axis=0) if self.preparation.centre else np.zeros(source.x.shape[1])
        vectors = np.asarray(self.fit(source, classes).class_vectors)[classes.seen]
        return CosineHead(offset=offset, vectors=vectors)


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainShots:
    """Photos of one domain under class vectors of others, in two parts: some may be learnt from, the others test."""

    a: Float[np.ndarray, "N K"]
    """Their embeddings."""
    y: Int[np.ndarray, " N"]
    prior: Float[np.ndarray, "C K"]
    """Class vectors without a photo of this domain."""
    seen: Bool[np.ndarray, " C"]
    """Classes with images in other domains."""
    order: Int[np.ndarray, " N"]
    """A photo's place in its class: the first places are learnt from."""
    most: int
    """Photos of each class that may be learnt from; the others are tested, whatever number is."""

    @classmethod
    def of(cls, fitted: Classifier, features: Features, classes: ClassTable, *, most: int, seed: int) -> Self:
        """Of a domain's features, whose photos are dealt by the seed."""
        rng, order = np.random.default_rng(seed), np.empty(len(features), int)
        for label in np.unique(features.y):
            own = np.flatnonzero(features.y == label)
            order[own] = rng.permutation(len(own))
        return cls(
            a=np.asarray(fitted.embedding(np.asarray(features.x))),
            y=features.y,
            prior=np.asarray(fitted.class_vectors),
            seen=classes.seen,
            order=order,
            most=most,
        )

    def vectors(self, shots: int, kappa: float) -> Float[np.ndarray, "C K"]:
        """Class vectors with so many photos of each class, where those before count as kappa photos."""
        if not shots:
            return self.prior
        given = self.order < shots
        sums = np.stack([self.a[given & (self.y == label)].sum(axis=0) for label in range(len(self.prior))])
        return (sums + kappa * self.prior) / (shots + kappa)

    def recall(self, shots: int, kappa: float, gamma: float = 0.0) -> Float[np.ndarray, " C"]:
        """Share of each class's test photos that are right among all classes; gamma counts without photos only."""
        answers = (self._cosines(shots, kappa) - (0.0 if shots else gamma) * self.seen).argmax(axis=1)
        truth = self.y[self.order >= self.most]
        return np.array([np.mean(answers[truth == label] == label) for label in range(len(self.prior))])

    def recall_without(self, gammas: Float[np.ndarray, " G"]) -> Float[np.ndarray, " G"]:
        """Mean recall without photos at each gamma."""
        cosines, truth = self._cosines(0, 0.0), self.y[self.order >= self.most]
        answers = (cosines - gammas[:, None, None] * self.seen).argmax(axis=2)  # (G, N)
        right = answers == truth
        return np.mean([right[:, truth == label].mean(axis=1) for label in range(len(self.prior))], axis=0)

    def _cosines(self, shots: int, kappa: float) -> Float[np.ndarray, "M C"]:
        return normalize(self.a[self.order >= self.most]) @ normalize(self.vectors(shots, kappa)).T


@threadpool_limits.wrap(limits=1, user_api="blas")  # many small products
def choose_head(
    source: Features,
    domain: Int[np.ndarray, " N"],
    classes: ClassTable,
    *,
    shots: Sequence[int],
    hidden: int,
    seed: int,
) -> HeadChoice:
    """Choose ridge and preparation without photos, kappa with them, and gamma, on the source domains alone.

    Each source domain in turn plays the new one, and groups of seen classes the ones without images.

    Args:
        source: features of seen classes.
        domain: of each.
        classes: their table.
        shots: numbers of photos that will be learnt from.
        hidden: classes a group, at most half of the seen ones.
        seed: of the groups and of the photos.
    """
    folds = list(_folds(source, domain, classes, hidden, seed))
    best = select(AnyShot(), folds, PREPARATIONS[:3])[0]
    choice = HeadChoice(method=best.method, preparation=best.preparation, gamma=0.0)
    problems = []
    for fold in folds:
        fewest = int(np.bincount(fold.y, minlength=len(fold.classes)).min())
        fitted = choice.fit(fold.train, fold.classes)
        most = min(max(shots), fewest - 1)
        problems.append(DomainShots.of(fitted, fold.validation, fold.classes, most=most, seed=seed))
    return settled(choice, problems, shots)


def settled(choice: HeadChoice, problems: Sequence[DomainShots], shots: Sequence[int]) -> HeadChoice:
    """The same with the kappa that is best with photos, and the gamma that is best without, over all problems.

    Args:
        choice: the head that the problems are of.
        problems: of domains that play the new one.
        shots: numbers of photos that will be learnt from; 0 tells nothing of kappa.
    """
    few = [n for n in shots if n]
    reached = [[problem.recall(n, k).mean() for problem in problems for n in few if n <= problem.most] for k in _KAPPAS]
    gammas = np.mean([problem.recall_without(_GAMMAS) for problem in problems], axis=0)
    kappa = _KAPPAS[int(np.argmax(np.mean(reached, axis=1)))] if few else choice.method.kappa
    tied = _GAMMAS[np.isclose(gammas, gammas.max())]
    return replace(choice, method=replace(choice.method, kappa=kappa), gamma=float(tied[len(tied) // 2]))


def _folds(
    source: Features, domain: Int[np.ndarray, " N"], classes: ClassTable, hidden: int, seed: int
) -> Iterator[Fold]:
    """A domain and a group of classes each: no image of either is in the training part."""
    seen = np.flatnonzero(classes.seen)
    known, data = _turned(classes).select(seen), source.with_y(np.searchsorted(seen, source.y))
    groups = list(itertools.combinations(range(len(seen)), min(hidden, len(seen) // 2)))
    chosen = np.random.default_rng(seed).permutation(len(groups))[:_MOST_GROUPS]
    for left_out, group in itertools.product(np.unique(domain), chosen):
        mask = ~np.isin(np.arange(len(seen)), groups[group])
        kept = (domain == left_out) | mask[data.y]
        yield Fold(data=data.select(kept), tested=domain[kept] == left_out, classes=known.with_seen(mask))


def _turned(classes: ClassTable) -> ClassTable:
    """The same lengths and angles in as many columns as there are classes: all that ridge regression sees of them."""
    rotation = np.linalg.svd(classes.semantics.astype(np.float64), full_matrices=False)[2]
    return ClassTable(names=classes.names, semantics=classes.semantics @ rotation.T, seen=classes.seen)
