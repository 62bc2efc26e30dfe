"""Matching network: an attention over the support's examples, by their cosines."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.similarities.log_sum_exp import LogSumExp
from zsltf.solvers.support_sets import cosines
from zsltf.training.embedded_learner import EmbeddedLearner, own_network
from zsltf.training.episodic import EpisodicTraining, train_episodes

__all__ = ["MatchingNetwork"]

_ABSENT = -1e9


@dataclass(frozen=True, kw_only=True)
class MatchingNetwork:
    """The class on whose examples most attention falls: softmax of scale cos(query, example) over the support.

    The network, if there is one, and the scale are trained on episodes. Of the paper's two embeddings this has the
    plain one: an example is embedded without looking at the others (no full context embeddings).

    Source: Vinyals, Blundell, Lillicrap, Kavukcuoglu & Wierstra, "Matching networks for one shot learning", NIPS 2016;
    there the scale is 1.
    """

    scale: float = 10.0
    """Of the cosines, where training begins, > 0."""
    training: EpisodicTraining = field(default_factory=EpisodicTraining)

    TRANSDUCTIVE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive("MatchingNetwork", scale=self.scale)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> EmbeddedLearner:
        """Train the scale and a copy of the network; see FewShotMethod."""
        metric = _Attention(log_scale=keras.Variable(np.float32(np.log(self.scale)), name="log_scale"))
        learner = EmbeddedLearner(network=own_network("MatchingNetwork", base, network), metric=metric)
        variables = [*learner.network.trainable_variables, metric.log_scale]
        train_episodes(learner.logits, variables, self.training, base, validation)
        return learner


@dataclass(frozen=True, kw_only=True, eq=False)
class _Attention:
    """log sum over a class's examples of exp(scale cos): its softmax is the share of the attention."""

    log_scale: keras.Variable

    TRANSDUCTIVE: ClassVar[bool] = False

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Keep every example: B (C, most examples of a class, K), filled up with zeros."""
        train = train.whole("MatchingNetwork")
        train.check_covers(classes)
        lengths = np.linalg.norm(train.x, axis=1, keepdims=True)
        if not lengths.all():
            name = classes.names[int(train.y[lengths.argmin()])]
            fail("MatchingNetwork", "embeddings other than 0", f"0 for an example of {name}", "Leave it out.")
        counts = np.bincount(train.y, minlength=len(classes))
        order = np.argsort(train.y, kind="stable")
        place = np.arange(len(train)) - np.repeat(np.cumsum(counts) - counts, counts)
        vectors = np.zeros((len(classes), counts.max(), train.x.shape[1]), np.float32)
        vectors[train.y[order], place] = (train.x / lengths)[order]
        scale = float(np.exp(self.log_scale.numpy()))
        steps = (keras.layers.UnitNormalization(), keras.layers.Rescaling(scale))
        embed = keras.Sequential([keras.Input((train.x.shape[1],)), *steps], name="embed")
        return Classifier(embed, classes, similarity=LogSumExp(), class_vectors=vectors, opens_by=())

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        read = tf.exp(self.log_scale) * cosines(query, support)  # (E, Q, S)
        belongs = tf.one_hot(support_y, ways, on_value=0.0, off_value=_ABSENT)  # (E, S, W)
        return tf.reduce_logsumexp(read[..., None] + belongs[:, None], axis=2)
