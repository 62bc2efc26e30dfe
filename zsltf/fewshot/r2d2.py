"""R2-D2: ridge regression onto one-hot labels, solved in closed form and learned through."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np

from zsltf.checks import check_positive
from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import identity
from zsltf.protocols import FewShotLearner
from zsltf.solvers.class_means import class_means
from zsltf.solvers.support_heads import balanced, products, ridge_head
from zsltf.training.embedded_learner import EmbeddedLearner, own_network
from zsltf.training.episodic import EpisodicTraining, train_episodes

__all__ = ["R2D2"]


@dataclass(frozen=True, kw_only=True)
class R2D2:
    """Ridge regression from features to classes; the penalty, the scores' scale and a network are learned in episodes.

    The penalty is in units of the support's mean squared length, so that the features' own unit does not matter; every
    class counts alike. The paper's offset is left out: it is the same for all classes, and no softmax sees it.

    Source: Bertinetto, Henriques, Torr & Vedaldi, "Meta-learning with differentiable closed-form solvers", ICLR 2019.
    """

    ridge: float = 0.1
    """Penalty to start from, > 0."""
    scale: float = 10.0
    """What scores are multiplied by, to start from, > 0."""
    training: EpisodicTraining = field(default_factory=lambda: EpisodicTraining(steps=300, learning_rate=0.01))

    TRANSDUCTIVE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive("R2D2", ridge=self.ridge, scale=self.scale)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """Train penalty, scale and network on episodes of base.

        Raises:
            ValueError: if base has too few classes or examples for one episode; see `without_base`.
        """
        head = _RidgeHead(self.ridge, self.scale)
        embed = own_network("R2D2", base, network)
        learner = EmbeddedLearner(network=embed, metric=head)
        variables = [*head.variables, *embed.trainable_variables]
        train_episodes(learner.logits, variables, self.training, base, validation)
        return head if network is None else learner

    def without_base(self) -> FewShotLearner:
        """With the penalty and the scale that training would start from."""
        return _RidgeHead(self.ridge, self.scale)


class _RidgeHead:
    """Ridge regression with this penalty and this scale, which are trained as logarithms."""

    TRANSDUCTIVE: ClassVar[bool] = False

    def __init__(self, ridge: float, scale: float) -> None:
        self.variables = [keras.Variable(np.log(value), dtype="float32") for value in (ridge, scale)]

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Solve; every class needs an example."""
        train.check_vectors("R2D2")
        train.check_covers(classes)
        x, y = np.asarray(train.x, np.float32)[None], train.y[None]
        targets, weights = balanced(y, len(classes), train.weights[None].astype(np.float32))
        kernel = np.asarray(self._kernel(x, targets, weights))[0]
        means = class_means(train.x, train.y, train.weights, len(classes))
        return closed(identity(train.x.shape[1]), kernel, np.zeros(len(classes)), classes, means)

    def logits(self, support: Any, support_y: Any, query: Any, ways: int) -> Any:
        """Of many episodes at once; see FewShotLearner."""
        return products(query, self._kernel(support, *balanced(support_y, ways)))

    def _kernel(self, support: Any, targets: Any, weights: Any) -> Any:
        """(E, W, D)."""
        ops = keras.ops
        ridge, scale = (ops.exp(variable) for variable in self.variables)
        square = ops.einsum("es,esd->e", weights, support**2)[:, None, None] + keras.config.epsilon()
        coefficients = ridge_head(products(support, support), targets, weights, ridge * square)
        return scale * ops.einsum("esw,esd->ewd", coefficients, support)
