"""Relation network: how far a query and a class go together is learnt as well."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.similarities.relation import Relation
from zsltf.solvers.class_means import class_means
from zsltf.solvers.support_sets import support_means
from zsltf.training.embedded_learner import EmbeddedLearner, own_network
from zsltf.training.episodic import EpisodicTraining, train_episodes

__all__ = ["RelationNetwork"]


@dataclass(frozen=True, kw_only=True)
class RelationNetwork:
    """A network of one hidden layer scores pairs of a query's embedding and a class's mean embedding.

    It starts as a distance, minus the sum of |r (a - b)| over random directions r, and is trained on episodes with the
    embedding network, if there is one. The paper's relation module is a small convolutional network on maps, and its
    loss the squared error; here it takes vectors, and the loss is the cross-entropy.

    Source: Sung, Yang, Zhang, Xiang, Torr & Hospedales, "Learning to compare: relation network for few-shot learning",
    CVPR 2018.
    """

    directions: int = 32
    """Random directions r, >= 1; each is two hidden units."""
    training: EpisodicTraining = field(default_factory=EpisodicTraining)

    TRANSDUCTIVE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive("RelationNetwork", directions=self.directions)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> EmbeddedLearner:
        """Train the relation and a copy of the network; see FewShotMethod."""
        own = own_network("RelationNetwork", base, network)
        relation = _random_distance(own.output_shape[-1], self.directions, self.training.seed)
        learner = EmbeddedLearner(network=own, metric=_Related(relation=relation))
        variables = [*own.trainable_variables, *relation.trainable_variables]
        train_episodes(learner.logits, variables, self.training, base, validation)
        return learner


@dataclass(frozen=True, kw_only=True, eq=False)
class _Related:
    """The relation of embeddings to the classes' means."""

    relation: Relation

    TRANSDUCTIVE: ClassVar[bool] = False

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Average each class; every class needs an example."""
        train.check_covers(classes)
        means = class_means(train.x, train.y, train.weights, len(classes)).astype(np.float32)
        embed = identity(train.x.shape[1])
        return Classifier(embed, classes, similarity=self.relation, class_vectors=means, opens_by=("photos",))

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        means = support_means(support, support_y, ways)
        pairs = self.relation.of_image(query)[:, :, None] + self.relation.of_class(means)[:, None]
        return self.relation.score(tf.nn.relu(pairs))[..., 0]


def _random_distance(width: int, directions: int, seed: int) -> Relation:
    """relu(r (a - b)) + relu(r (b - a)) = |r (a - b)|."""
    r = np.random.default_rng(seed).normal(0, width**-0.5, (width, directions))
    both = np.concatenate([r, -r], axis=1)
    relation = Relation(hidden=2 * directions, name="relation")
    relation.build((None, width), (None, width))
    score = np.full((2 * directions, 1), -1 / directions)
    relation.set_weights([both, -both, np.zeros(2 * directions), score, np.zeros(1)])
    return relation
