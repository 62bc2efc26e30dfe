"""Every metric few-shot method on photos of animals, under both protocols, on the same episodes as SimpleShot.

python tests/benchmarks/few_shot_table.py --data $ZSLTF_TEST_DATA/animals/images --table .github/FEW_SHOT.md
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tyro

from zsltf.data.episodes import Episodes
from zsltf.data.few_shot_images import FewShotSource
from zsltf.data.few_shot_layouts import ClassParts
from zsltf.data.few_shot_sets import APART, FewShotSets
from zsltf.evaluation.episode_scores import class_accuracies, episode_accuracies, episode_answers, episodes_digest
from zsltf.evaluation.few_shot import FewShotProtocol, MethodOutcome, learn
from zsltf.fewshot.baseline import Baseline
from zsltf.fewshot.baseline_plus_plus import BaselinePlusPlus
from zsltf.fewshot.classifier_baseline import ClassifierBaseline
from zsltf.fewshot.discriminant import Discriminant
from zsltf.fewshot.matching_network import MatchingNetwork
from zsltf.fewshot.meta_baseline import MetaBaseline
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.fewshot.prototypical_network import PrototypicalNetwork
from zsltf.fewshot.r2d2 import R2D2
from zsltf.fewshot.relation_network import RelationNetwork
from zsltf.fewshot.simple_shot import SimpleShot
from zsltf.fewshot.tip_adapter import TipAdapter
from zsltf.files import atomic_file
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.solvers.support_caches import KeySteps
from zsltf.training.episodic import EpisodicTraining


@dataclass(frozen=True, kw_only=True)
class Config:
    data: Path
    """A folder with one folder of photos a class."""
    base: int = 27
    """Classes to learn from under the protocol that has some."""
    validation: int = 7
    """Of those, that methods which train on episodes choose their best step on."""
    shots: tuple[int, ...] = (1, 5)
    episodes: int = 600
    seed: int = 0
    """Of the classes' parts, of the episodes, and of training."""
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    table: Path | None = None
    """A Markdown file to write."""


def methods(seed: int) -> dict[str, Any]:
    """By name; the first one is what the others are held against."""
    training = EpisodicTraining(learning_rate=1e-4, queries=5, seed=seed)
    return {
        "SimpleShot": SimpleShot(),
        "nearest class mean": NearestClassMean(),
        "nearest class mean, cosine": NearestClassMean(cosine=True),
        "discriminant": Discriminant(seed=seed),
        "R2-D2": R2D2(training=EpisodicTraining(steps=300, learning_rate=0.01, queries=5, seed=seed)),
        "Baseline": Baseline(),
        "Baseline++": BaselinePlusPlus(),
        "Tip-Adapter": TipAdapter(),
        "Tip-Adapter-F": TipAdapter(steps=KeySteps(count=20)),
        "prototypical network": PrototypicalNetwork(training=training),
        "matching network": MatchingNetwork(training=training),
        "relation network": RelationNetwork(training=training),
        "Classifier-Baseline": ClassifierBaseline(),
        "Meta-Baseline": MetaBaseline(training=training),
    }


EMBEDDED = (PrototypicalNetwork, MatchingNetwork, RelationNetwork, ClassifierBaseline, MetaBaseline)
"""Methods whose point is the network that they train: here one linear layer to 256 units on the features."""
EXPLANATION = """# Few-shot methods on photos of animals

{classes} classes of 40 photos, EfficientNet-Lite0 features, {episodes} episodes of five classes with 15 queries each,
the same for every method; mean accuracy with Student's 95 % interval over episodes, and the mean difference to
SimpleShot with its paired bootstrap interval, in percent. Two protocols, whose numbers are not to be held against each
other: with {base} base classes apart and episodes from the other {novel}, or without base classes and episodes from all
{classes}. Nothing is chosen on novel classes; methods that train on episodes keep the step that is best on
{validation} of the base classes. Those marked * train a linear layer of 256 units, which starts at random, on the
features; the others have the features as they are. No method is transductive. The intervals say what other episodes of
these classes might have given, not what other classes might; and ImageNet, which the backbone was trained on, has most
of these classes. s: seconds of processor time, of learning and testing. Written by:

    python tests/benchmarks/few_shot_table.py --data $ZSLTF_TEST_DATA/animals/images --table FILE.md
"""


def main(config: Config) -> None:
    """Protocols x shots x methods -> a table."""
    images = FewShotSource(data=config.data, base=config.base, split_seed=config.seed).load()
    collection, parts = images.collection, images.parts
    features = extract_features(config.network.build(), collection.images).features
    chosen = np.random.default_rng(config.seed).permutation(parts.base)[: config.validation]
    trained = ClassParts(base=np.setdiff1d(parts.base, chosen), validation=np.sort(chosen), novel=parts.novel)
    apart, chosen_on = (FewShotSets.of(features, collection.classes, some) for some in (parts, trained))
    alone = FewShotSets(novel=features, classes=collection.classes)
    counts = {"classes": len(collection.classes), "base": config.base, "novel": len(parts.novel)}
    lines = [EXPLANATION.format(**counts, episodes=config.episodes, validation=config.validation).rstrip()]
    for sets in (apart, alone):
        for shots in config.shots:
            protocol = FewShotProtocol(sampler=Episodes(shots=shots), episodes=config.episodes, seed=config.seed)
            lines += ["", *section(sets, chosen_on, protocol, config.seed)]
            print("\n".join(lines[-25:]), flush=True)  # noqa: T201 (a script)
    if config.table:
        with atomic_file(config.table) as staging:
            staging.write_text("\n".join((*lines, "")), "utf-8")


def section(sets: FewShotSets, chosen_on: FewShotSets, protocol: FewShotProtocol, seed: int) -> list[str]:
    """The lines of one protocol and number of shots."""
    episodes = protocol.draw(sets.novel)
    title = (
        f"## {sets.protocol.capitalize()}, 5-way {protocol.sampler.shots}-shot (episodes {episodes_digest(episodes)})"
    )
    lines = [title, "", "| method | accuracy | 95 % | to SimpleShot | 95 % | s |", "|---|---|---|---|---|---|"]
    reached: dict[str, MethodOutcome] = {}
    for name, method in methods(seed).items():
        if sets.protocol != APART and not hasattr(method, "without_base"):
            continue
        start = time.process_time()
        learner = learnt(method, sets, chosen_on, seed)
        answers = episode_answers(learner, sets.novel.x, episodes)
        reached[name] = MethodOutcome(
            method=method,
            learner=learner,
            accuracies=episode_accuracies(answers, episodes),
            per_class=class_accuracies(answers, episodes, len(sets.classes)),
        )
        starred = f"{name}*" if isinstance(method, EMBEDDED) else name
        lines.append(line(starred, reached[name], reached, time.process_time() - start))
    return lines


def learnt(method: Any, sets: FewShotSets, chosen_on: FewShotSets, seed: int) -> Any:
    """What trains on episodes or on classes gets validation classes, and a layer to train."""
    if sets.base is None:
        return learn(method, sets)
    if isinstance(method, EMBEDDED):
        keras.utils.set_random_seed(seed)
        network = keras.Sequential([keras.Input(sets.base.x.shape[1:]), keras.layers.Dense(256)])
        return method.learn(chosen_on.base, validation=chosen_on.validation, network=network)
    return learn(method, chosen_on if isinstance(method, R2D2) else sets)


def line(name: str, one: MethodOutcome, reached: Mapping[str, MethodOutcome], seconds: float) -> str:
    """A row of the table."""
    first = next(iter(reached.values()))
    difference = ("", "")
    if one is not first:
        mean, interval = one.above(first)
        difference = (f"{100 * mean:+.1f}", span(interval, "+.1f"))
    return f"| {name} | {100 * one.mean:.1f} | {span(one.interval, '.1f')} | {' | '.join(difference)} | {seconds:.0f} |"


def span(interval: tuple[float, float], form: str) -> str:
    """In percent."""
    return " to ".join(format(100 * end, form) for end in interval)


if __name__ == "__main__":
    main(tyro.cli(Config))
