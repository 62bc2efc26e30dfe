"""One chain: train on domains for zero-shot, average the weights, then learn a new domain from 0 to many photos."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domain_folders import DomainImages
from zsltf.data.features import Features
from zsltf.evaluation.domain_shots import DomainShots, HeadChoice, choose_head, settled
from zsltf.evaluation.domain_tasks import ChainProtocol, DomainTask, domain_tasks
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import extract_features
from zsltf.training.folds import hold_out
from zsltf.training.last_stages import LastStages
from zsltf.training.stage_settings import StageSettings
from zsltf.training.weight_average import Weights, between

__all__ = ["ALONE", "ANY_SHOT", "STAGES", "Chain", "run_chain"]

STAGES = ("frozen features", "fine-tuned on domains", "weights averaged", "half-way to them")
"""Pretrained weights; the best of a training; the mean over its flat part; the middle between pretrained and mean."""
ANY_SHOT, ALONE = "any-shot", "photos alone"
"""Heads: with what source domains and semantics tell, and class means of the photos by themselves."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """What each stage reached, for each domain, draw, seed and number of photos."""

    rows: tuple[dict[str, Any], ...]
    """domain, held_out (names), seed, stage, head, shots; and mean recall: accuracy of all classes, known of those with
    images in source domains, new of the others."""
    choices: tuple[dict[str, Any], ...]
    """domain, held_out, stage, and the settings that the source domains preferred."""
    classifier: Classifier
    """Of the first domain, draw and seed: half-way weights, and the most photos."""


def run_chain(
    backbone: Backbone,
    images: DomainImages,
    classes: ClassTable,
    settings: StageSettings,
    protocol: ChainProtocol,
    *,
    announce: Callable[[dict[str, Any]], None],
) -> Chain:
    """Train and test every task under every seed; activations below the trained stages are computed once.

    Args:
        backbone: its last stages are trained; it ends as the classifier has it.
        images: of all domains.
        classes: their table with semantics, in the order of the images' names; all seen.
        settings: of training.
        protocol: of testing.
        announce: is told each row.

    Raises:
        ValueError: for what `ChainProtocol.check` refuses, or an image that can't be decoded.
    """
    protocol.check(images)
    stages = LastStages(backbone, settings)
    x = np.asarray(extract_features(stages.lower, images.images, maps=True, on_corrupt="error").features.x)
    chain = _Stages(stages=stages, x=x, frozen=stages.features(x), images=images, protocol=protocol)
    rows: list[dict[str, Any]] = []
    choices: list[dict[str, Any]] = []
    shipped: list[tuple[Weights, Classifier]] = []
    for task in domain_tasks(images, classes, protocol):
        heads = chain.choose(task)
        choices += [{**task.told, "stage": stage, **asdict(choice)} for stage, choice in heads.items()]
        for seed in protocol.seeds:
            trained = chain.train(task, heads[STAGES[0]], seed)
            for (stage, choice), weights in zip(heads.items(), (None, *trained), strict=True):
                fitted, shots = chain.shots(task, choice, weights, seed)
                for row in _rows(shots, choice, protocol.shots):
                    rows.append({**task.told, "seed": seed, "stage": stage, **row})
                    announce(rows[-1])
            shipped = shipped or [(trained[-1], _adapted(fitted, shots, choice, max(protocol.shots)))]
    ((weights, classifier),) = shipped
    stages.assign(weights)
    classifier = classifier.after(backbone.features(), preprocess=backbone.preprocess)
    return Chain(rows=tuple(rows), choices=tuple(choices), classifier=classifier)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stages:
    """The stages of the chain on one set of images."""

    stages: LastStages
    x: Float[np.ndarray, "N *D"]
    """Activations below the stages that train."""
    frozen: Float[np.ndarray, "N F"]
    """Features before training."""
    images: DomainImages
    protocol: ChainProtocol

    def choose(self, task: DomainTask) -> dict[str, HeadChoice]:
        """The head of each stage, by the source domains: of trained weights kappa and gamma are those of rehearsals."""
        protocol, source = self.protocol, self._source(task, self.frozen[task.source])
        options: dict[str, Any] = {"shots": protocol.shots, "hidden": protocol.held_out, "seed": protocol.seeds[0]}
        frozen = choose_head(source, self.images.domain[task.source], task.classes, **options)
        problems: dict[str, list[DomainShots]] = {stage: [] for stage in STAGES[1:]}
        for inner, played in self._rehearsals(task):
            trained = inner.train(played, frozen, options["seed"])
            for found, weights in zip(problems.values(), trained, strict=True):
                found.append(inner.shots(played, frozen, weights, options["seed"])[1])
        heads = {stage: settled(frozen, found, protocol.shots) for stage, found in problems.items()}
        return {STAGES[0]: frozen, **heads}

    def _rehearsals(self, task: DomainTask) -> Iterator[tuple["_Stages", DomainTask]]:
        """The source images of seen classes by themselves, and a task among them."""
        seen = np.flatnonzero(task.classes.seen)
        kept = self.images.select(task.source)
        y, names = np.searchsorted(seen, kept.images.y), tuple(task.classes.names[row] for row in seen)
        images = replace(kept, images=kept.images.with_y(y), names=names)
        inner = replace(self, x=self.x[task.source], frozen=self.frozen[task.source], images=images)
        domains = np.unique(images.domain)
        groups = list(itertools.combinations(range(len(seen)), min(self.protocol.held_out, len(seen) // 2)))
        order = np.random.default_rng(0).permutation(len(groups))
        for number in range(self.protocol.rehearsals):
            hidden = groups[order[number % len(groups)]]
            played = domains[number % len(domains)]
            table = task.classes.select(seen).with_seen(~np.isin(np.arange(len(seen)), hidden))
            source = np.flatnonzero((images.domain != played) & table.seen[y])
            target = np.flatnonzero(images.domain == played)
            yield inner, DomainTask(classes=table, source=source, target=target, told={})

    def train(self, task: DomainTask, choice: HeadChoice, seed: int) -> tuple[Weights, ...]:
        """The best weights, the averaged ones and half-way weights, by the source images of seen classes alone."""
        source, domain = self._source(task, self.frozen[task.source]), self.images.domain[task.source]
        _, stratum = np.unique(np.stack([source.y, domain]), axis=1, return_inverse=True)
        held_out = hold_out(stratum, self.protocol.validation, seed)
        head = choice.head(source.select(~held_out), task.classes)
        y = np.searchsorted(np.flatnonzero(task.classes.seen), source.y)
        x, validation = self.x[task.source], np.flatnonzero(held_out)
        tuned = self.stages.tune(x, y, domain, head, validation=validation, seed=seed)
        return tuned.best, tuned.averaged, between(self.stages.start, tuned.averaged)

    def shots(
        self, task: DomainTask, choice: HeadChoice, weights: Weights | None, seed: int
    ) -> tuple[Classifier, DomainShots]:
        """The head on the source domains' features by these weights, and the new domain's photos under it."""
        source, target = (self._features(rows, weights) for rows in (task.source, task.target))
        fitted = choice.fit(self._source(task, source), task.classes)
        photos = Features(x=target, y=self.images.images.y[task.target])
        return fitted, DomainShots.of(fitted, photos, task.classes, most=max(self.protocol.shots), seed=seed)

    def _source(self, task: DomainTask, features: Float[np.ndarray, "S F"]) -> Features:
        return Features(x=features, y=self.images.images.y[task.source])

    def _features(self, rows: Int[np.ndarray, " M"], weights: Weights | None) -> Float[np.ndarray, "M F"]:
        return self.frozen[rows] if weights is None else self.stages.features(self.x[rows], weights)


def _rows(shots: DomainShots, choice: HeadChoice, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    heads = {ANY_SHOT: choice.method.kappa, ALONE: 0.0}
    for (head, kappa), n in itertools.product(heads.items(), numbers):
        if n or head == ANY_SHOT:
            recall = shots.recall(n, kappa, choice.gamma)
            known, new = (float(recall[mask].mean()) for mask in (shots.seen, ~shots.seen))
            yield {"head": head, "shots": n, "accuracy": float(recall.mean()), "known": known, "new": new}


def _adapted(fitted: Classifier, shots: DomainShots, choice: HeadChoice, most: int) -> Classifier:
    """The head with that many photos of each class in it."""
    return Classifier(
        fitted.embed,
        fitted.classes.with_seen(np.ones(len(shots.seen), bool)),
        project=fitted.project,
        similarity=fitted.similarity,
        class_vectors=shots.vectors(most, choice.method.kappa).astype(np.float32),
        opens_by=fitted.opens_by,
        prior_photos=fitted.prior_photos,
    )
