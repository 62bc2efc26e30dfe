"""ProtoMAML: MAML whose head starts from prototypes."""

from dataclasses import dataclass, field
from typing import ClassVar

import keras

from zsltf.checks import check_positive
from zsltf.data.features import Features
from zsltf.training.embedded_learner import own_network
from zsltf.training.episodic import EpisodicTraining
from zsltf.training.gradient_learner import GradientLearner, prototype_head
from zsltf.training.gradient_training import train_by_gradients
from zsltf.training.inner_loop import InnerLoop

__all__ = ["ProtoMAML"]


@dataclass(frozen=True, kw_only=True)
class ProtoMAML:
    """Head rows 2 p and biases -|p|^2 of the support's prototypes p, then gradient steps on body and head.

    The number and the order of the ways are free. Without a network nothing is trained, and the head takes its steps on
    vectors as they are.

    Source: Triantafillou et al., "Meta-Dataset: a dataset of datasets for learning to learn from few examples", ICLR
    2020.
    """

    steps: int = 3
    """In training, >= 1."""
    steps_at_use: int = 5
    """On the support of new classes, >= 1."""
    step_size: float = 0.01
    """Of these steps, > 0."""
    first_order: bool = False
    """Whether training takes the steps' gradients for constants."""
    training: EpisodicTraining = field(default_factory=EpisodicTraining)

    TRANSDUCTIVE: ClassVar[bool] = False
    NEEDS_NETWORK: ClassVar[bool] = True
    """To learn anything from base classes."""

    def __post_init__(self) -> None:
        check_positive("ProtoMAML", steps=self.steps, steps_at_use=self.steps_at_use, step_size=self.step_size)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> GradientLearner:
        """Train a copy of the network; see FewShotMethod."""
        body = own_network("ProtoMAML", base, network)
        inner = InnerLoop(steps=self.steps, step_size=self.step_size, first_order=self.first_order)
        learner = GradientLearner(method="ProtoMAML", body=body, head=prototype_head, inner=inner, adapts_body=True)
        return train_by_gradients(learner, self.steps_at_use, self.training, base, validation)
