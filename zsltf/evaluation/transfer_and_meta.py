"""Pretraining, meta-learning, both and neither, on the same classes and the same episodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from jaxtyping import Float

from zsltf.checks import check_positive, fail
from zsltf.data.episodes import Episode, Episodes
from zsltf.data.features import Features
from zsltf.data.few_shot_images import FewShotImages
from zsltf.data.few_shot_sets import FewShotSets
from zsltf.evaluation.episode_scores import episode_accuracies, episode_answers
from zsltf.evaluation.transfer_starts import Start
from zsltf.fewshot.classifier_baseline import ClassifierBaseline
from zsltf.fewshot.meta_baseline import MetaBaseline
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.fewshot.prototypical_network import PrototypicalNetwork
from zsltf.metrics.intervals import class_interval, paired_interval
from zsltf.training.descent import Descent
from zsltf.training.embedded_learner import EmbeddedLearner
from zsltf.training.embedding import embedded
from zsltf.training.episodic import EpisodicTraining

__all__ = ["TRAININGS", "VALIDATION_CLASSES", "FusionProtocol", "fusion_means", "run_transfer_and_meta"]

TRAININGS = ("neither", "pretraining", "meta-learning", "both")
"""The untrained network; Classifier-Baseline; a prototypical network; Meta-Baseline. All score by the cosine, so that
nothing but the training differs."""
VALIDATION_CLASSES = 6
"""Classes to choose on, where neither the user nor the data say it."""
TRAINING_QUERIES = 10
"""Queries a class in the episodes of meta-learning."""


@dataclass(frozen=True, kw_only=True)
class FusionProtocol:
    """How networks are trained and tested; what is chosen is chosen on validation classes.

    Source: Chen, Liu, Xu, Darrell & Wang, "Meta-Baseline: exploring simple meta-learning for few-shot learning", ICCV
    2021 (the comparison).
    """

    ways: int = 5
    """Classes an episode, in training and test, >= 2."""
    shots: tuple[int, ...] = (1, 5)
    """Of the test episodes; training has the last number."""
    queries: int = 15
    """A class, in test episodes, >= 1."""
    episodes: int = 600
    """Test episodes of each number of shots, >= 1; the same ones for every training."""
    epochs: tuple[int, ...] = (20, 60)
    """Of pretraining on base classes: the number that is best on validation classes is taken."""
    steps: int = 400
    """Of meta-learning, 4 episodes each, >= 1; the step that is best on validation classes is taken."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of the parts of the classes, of weights, batches and episodes."""

    def __post_init__(self) -> None:
        check_positive("FusionProtocol", episodes=self.episodes, steps=self.steps)
        for name in ("shots", "epochs"):
            if min(getattr(self, name), default=0) < 1:
                fail(f"FusionProtocol.{name}", "numbers >= 1", str(getattr(self, name)), "Start from the default.")
        if not self.seeds or min(self.seeds) < 0:
            fail("FusionProtocol.seeds", "one or more, each >= 0", str(self.seeds), "Start from the default.")
        self.sampler(1)

    def sampler(self, shots: int) -> Episodes:
        """How test episodes are drawn."""
        return Episodes(ways=self.ways, shots=shots, queries=self.queries)

    def training(self, seed: int, learning_rate: float) -> EpisodicTraining:
        """Of meta-learning."""
        return EpisodicTraining(
            steps=self.steps,
            ways=self.ways,
            shots=self.shots[-1],
            queries=TRAINING_QUERIES,
            learning_rate=learning_rate,
            validate_every=max(1, self.steps // 10),
            seed=seed,
        )


def run_transfer_and_meta(
    load: Callable[[int], FewShotImages],
    starts: Sequence[Start],
    protocol: FusionProtocol,
    *,
    announce: Callable[[dict[str, Any]], None],
) -> list[dict[str, Any]]:
    """Train each start in each way under every seed, and test all of them on the seed's episodes of novel classes.

    Args:
        load: from a seed to images, and which of their classes are base, validation and novel.
        starts: features of all these images.
        protocol: of training and test.
        announce: is told each row.

    Returns:
        A row a seed, start, training and number of shots: accuracy, interval over its episodes, and difference and
        interval (paired) to `neither`; with pretraining, the epochs that were chosen.

    Raises:
        ValueError: before anything is trained if there are no validation classes, or too few classes or examples.
    """
    tasks = [(seed, start, _sets(load(seed), start, protocol)) for seed in protocol.seeds for start in starts]
    rows: list[dict[str, Any]] = []
    for seed, start, sets in tasks:
        trained, epochs = _trained(start, sets, protocol, seed)
        reached: dict[tuple[str, int], np.ndarray] = {}
        for training, learner in trained.items():
            for shots in protocol.shots:
                episodes = protocol.sampler(shots).draw(sets.novel.y, protocol.episodes, seed=seed)
                reached[training, shots] = _accuracies(learner, sets.novel, episodes)
                row = {"seed": seed, "start": start.name, "training": training, "shots": shots}
                chosen = {"epochs": epochs} if training in ("pretraining", "both") else {}
                rows.append({**row, **chosen, **_figures(reached[training, shots], reached[TRAININGS[0], shots])})
                announce(rows[-1])
    return rows


def _sets(found: FewShotImages, start: Start, protocol: FusionProtocol) -> FewShotSets:
    """Checked; labels are rows of the class table."""
    sets = FewShotSets.of(start.features, found.collection.classes, found.parts)
    if sets.base is None or sets.validation is None:
        fail("transfer_and_meta", "base and validation classes", "none", "Give --base and --validation, some of each.")
    for shots in protocol.shots:
        sets.check_enough(protocol.sampler(shots))
    training = protocol.training(0, start.learning_rate)
    for part in (sets.base, sets.validation):
        training.sampler(len(np.unique(part.y))).draw(part.y, 1)
    return sets


def _trained(start: Start, sets: FewShotSets, protocol: FusionProtocol, seed: int) -> tuple[dict[str, Any], int]:
    """A learner of each training, and the epochs of pretraining."""
    keras.utils.set_random_seed(seed)
    network, base, validation = start.network(), sets.base, sets.validation
    if base is None or validation is None:
        fail("transfer_and_meta", "base and validation classes", "none", "Give some of each.")
    training = protocol.training(seed, start.learning_rate)
    descents = [Descent(epochs=n, learning_rate=start.learning_rate, seed=seed) for n in protocol.epochs]
    baselines = [ClassifierBaseline(descent=descent).learn(base, network=network) for descent in descents]
    drawn = training.sampler(len(np.unique(validation.y))).draw(validation.y, training.validation_episodes, seed=seed)
    best = int(np.argmax([_accuracies(learner, validation, drawn).mean() for learner in baselines]))
    episodes = PrototypicalNetwork(cosine=True, training=training)
    both = MetaBaseline(descent=descents[best], training=replace(training, learning_rate=training.learning_rate / 10))
    learners = {
        "neither": EmbeddedLearner(network=network, metric=NearestClassMean(cosine=True)),
        "pretraining": baselines[best],
        "meta-learning": episodes.learn(base, validation=validation, network=network),
        "both": both.learn(base, validation=validation, network=network),
    }
    return learners, protocol.epochs[best]


def _accuracies(learner: Any, data: Features, episodes: Sequence[Episode]) -> Float[np.ndarray, " E"]:
    """Of episodes, whose examples are embedded once."""
    answers = episode_answers(learner.metric, embedded(learner.network, data.x), episodes)
    return episode_accuracies(answers, episodes)


def _figures(accuracies: Float[np.ndarray, " E"], neither: Float[np.ndarray, " E"]) -> dict[str, Any]:
    return {
        "accuracy": float(accuracies.mean()),
        "interval": list(class_interval(accuracies)),
        "difference": float((accuracies - neither).mean()),
        "difference_interval": list(paired_interval(accuracies, neither)),
    }


def fusion_means(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Over seeds: a row a start, training and number of shots, with Student's intervals of accuracy and difference."""
    found = []
    for key in dict.fromkeys((row["start"], row["training"], row["shots"]) for row in rows):
        own = [row for row in rows if (row["start"], row["training"], row["shots"]) == key]
        told: dict[str, Any] = dict(zip(("start", "training", "shots"), key, strict=True))
        accuracies, differences = (np.array([row[name] for row in own]) for name in ("accuracy", "difference"))
        told |= {"accuracy": float(accuracies.mean()), "interval": list(class_interval(accuracies))}
        told |= {"by_seed": accuracies.tolist(), "difference": float(differences.mean())}
        found.append({**told, "difference_interval": list(paired_interval(differences, np.zeros(len(own))))})
    return found
