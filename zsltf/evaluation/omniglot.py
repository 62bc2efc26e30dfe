"""Few-shot learning on Omniglot: learn on some alphabets, meet episodes of others, and read one of them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zsltf.backbones.conv4 import Downsampling, Normalization, conv4
from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.data.few_shot_images import FewShotImages
from zsltf.data.few_shot_sets import FewShotSets
from zsltf.data.omniglot import SIZE
from zsltf.evaluation.episode_scores import class_accuracies, episode_accuracies, episode_answers, episodes_digest
from zsltf.evaluation.few_shot import FewShotProtocol, MethodOutcome
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone
from zsltf.protocols import FewShotLearner, FewShotMethod
from zsltf.training.embedded_learner import EmbeddedLearner

__all__ = ["OmniglotNetwork", "OmniglotOutcome", "OmniglotTest", "omniglot_sets", "run_omniglot"]


@dataclass(frozen=True, kw_only=True)
class OmniglotNetwork:
    """Conv4 for drawings of 28 x 28 pixels."""

    filters: int = 32
    """Of each convolution, a multiple of 8."""
    normalization: Normalization = "group"
    downsampling: Downsampling = "pool"

    def build(self) -> Backbone:
        """With random weights; white paper is 0 to it, so that edges are as the rest."""
        built = conv4(
            None, size=SIZE, filters=self.filters, normalization=self.normalization, downsampling=self.downsampling
        )
        return replace(built, preprocess=Preprocess(SIZE, mean=(255.0,) * 3, scale=(255.0,) * 3))


@dataclass(frozen=True, kw_only=True)
class OmniglotTest:
    """The episodes of novel classes; the same settings give the same lists, for every method."""

    tasks: tuple[tuple[int, int], ...] = ((5, 1), (5, 5), (20, 1))
    """Ways and shots."""
    queries: int = 15
    """A class."""
    count: int = 600
    """Episodes of each."""
    seed: int = 0
    """Of the lists."""

    def protocols(self) -> dict[str, FewShotProtocol]:
        """Each task by its name."""
        return {
            f"{ways}-way {shots}-shot": FewShotProtocol(
                sampler=Episodes(ways=ways, shots=shots, queries=self.queries), episodes=self.count, seed=self.seed
            )
            for ways, shots in self.tasks
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class OmniglotOutcome:
    """What a method reached."""

    tasks: Mapping[str, MethodOutcome]
    """By name."""
    digests: Mapping[str, str]
    """Of each task's list of episodes: only accuracies on the same list can be compared pair by pair."""
    seconds: float
    """Of processor time that learning took."""
    learner: FewShotLearner

    def table(self) -> list[dict[str, Any]]:
        """A row a task: accuracy and its 95 % interval over episodes."""
        return [
            {
                "task": name,
                "accuracy": outcome.mean,
                "low": outcome.interval[0],
                "high": outcome.interval[1],
                "episodes": len(outcome.accuracies),
                "list": self.digests[name],
            }
            for name, outcome in self.tasks.items()
        ]

    def reader(self, images: FewShotImages, backbone: Backbone, shots: int = 5) -> Classifier:
        """From pictures to the upright characters of the novel alphabets, learnt from so many drawings of each."""
        sets = omniglot_sets(images, backbone)
        upright = [row for row in images.parts.novel if "turned by" not in sets.classes.names[row]]
        y = sets.novel.y
        rows = np.concatenate([np.flatnonzero(y == label)[:shots] for label in upright])
        train = sets.novel.select(rows).with_y(np.repeat(np.arange(len(upright)), shots))
        return self.learner.fit(train, sets.classes.select(upright)).on_images(backbone.preprocess)


def omniglot_sets(images: FewShotImages, backbone: Backbone) -> FewShotSets:
    """Preprocessed drawings of base, validation and novel classes."""
    pixels: Any = images.collection.images
    features = Features(x=np.asarray(backbone.preprocess(pixels.pixels)), y=pixels.y)
    return FewShotSets.of(features, images.collection.classes, images.parts)


def run_omniglot(
    method: FewShotMethod, images: FewShotImages, backbone: Backbone, test: OmniglotTest
) -> OmniglotOutcome:
    """Learn from the base classes, with validation classes to choose on, then meet the episodes of novel classes.

    Args:
        method: any few-shot method.
        images: base, validation and novel classes.
        backbone: where the network starts from; a copy is trained.
        test: the episodes.

    Raises:
        ValueError: before anything is learned if there are too few classes or examples for an episode.
    """
    sets = omniglot_sets(images, backbone)
    if sets.base is None:
        fail("base classes", "some to learn from", "none", "Leave an alphabet to them.")
    protocols = test.protocols()
    for protocol in protocols.values():
        sets.check_enough(protocol.sampler)
    begin = time.process_time()
    learner = method.learn(sets.base, validation=sets.validation, network=backbone.features())
    seconds = time.process_time() - begin
    lists = {name: protocol.draw(sets.novel) for name, protocol in protocols.items()}
    scorer, x = learner, sets.novel.x
    if isinstance(learner, EmbeddedLearner):
        scorer, x = learner.metric, learner.embedded(x)
    tasks = {}
    for name, episodes in lists.items():
        answers = episode_answers(scorer, x, episodes)
        tasks[name] = MethodOutcome(
            method=method,
            learner=learner,
            accuracies=episode_accuracies(answers, episodes),
            per_class=class_accuracies(answers, episodes, len(sets.classes)),
        )
    digests = {name: episodes_digest(episodes) for name, episodes in lists.items()}
    return OmniglotOutcome(tasks=tasks, digests=digests, seconds=seconds, learner=learner)
