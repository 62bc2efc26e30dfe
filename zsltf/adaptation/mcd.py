"""MCD: features of the target on which two heads agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import tensorflow as tf

from zsltf.checks import check_not_negative, check_positive
from zsltf.classifier import Classifier
from zsltf.closed import ClassScores
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.training.alignment import adaptable, check_trainable, train_on_source
from zsltf.training.descent import Descent
from zsltf.training.headed_network import labelled_loss, labelled_set, new_head
from zsltf.training.side_by_side import Step, descending, train_side_by_side

__all__ = ["MCD"]


@dataclass(frozen=True, kw_only=True)
class MCD:
    """Two heads are driven apart on the target, and the features towards where they agree.

    Source: Saito, Watanabe, Ushiku & Harada, "Maximum classifier discrepancy for unsupervised domain adaptation", CVPR
        2018.
    """

    weight: float = 1.0
    """Of the heads' discrepancy, >= 0; 0 is training on the source alone, with one head."""
    feature_steps: int = 4
    """Of the features towards agreement, for each of the heads apart, >= 1."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=4))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"feature_steps": (2, 4)}

    def __post_init__(self) -> None:
        check_not_negative("MCD", weight=self.weight)
        check_positive("MCD", feature_steps=self.feature_steps)

    def fit(
        self, source: Features, target: Unlabelled, classes: ClassTable, *, network: keras.Model | None = None
    ) -> Classifier:
        """Train on both domains; the head is the mean of the two; see AdaptationMethod.

        Raises:
            ValueError: also if the network has nothing to train.
        """
        model = adaptable("MCD", source, target, classes, network, self.descent)
        if not self.weight:
            return train_on_source(model, self.descent, source).classifier(source)
        check_trainable(model)
        heads = (model.head, new_head(model.width, len(classes), self.descent.seed + 1))
        state = [*model.variables, *heads[1].variables]
        step = self._step(model.network, heads)
        train_side_by_side(step, state, self.descent, [labelled_set(source), (target.x,)])
        model.head.set_weights([sum(pair) / 2 for pair in zip(*(head.get_weights() for head in heads), strict=True)])
        return model.classifier(source)

    def _step(self, network: keras.Model, heads: tuple[ClassScores, ClassScores]) -> Step:
        """Fit the source; then the heads apart on the target; then the features to where they agree."""
        of_heads = [variable for head in heads for variable in head.trainable_variables]
        of_features = network.trainable_variables

        def fit(batches: Sequence[Any], _: Any) -> Any:
            x, y, weights = batches[0]
            embeddings = network(x, training=True)
            return sum(labelled_loss(head(embeddings), y, weights) for head in heads)

        def apart(batches: Sequence[Any], _: Any) -> Any:
            embeddings = network(batches[1][0], training=True)
            one, other = (tf.nn.softmax(head(embeddings)) for head in heads)
            return self.weight * tf.reduce_mean(tf.abs(one - other))

        fitting = descending(fit, [*of_features, *of_heads], self.descent)
        parting = descending(lambda *given: fit(*given) - apart(*given), of_heads, self.descent)
        agreeing = descending(apart, of_features, self.descent)

        def step(batches: Sequence[Any], progress: Any) -> Any:
            value = fitting(batches, progress) + parting(batches, progress)
            for _ in range(self.feature_steps):
                value += agreeing(batches, progress)
            return value

        return step
