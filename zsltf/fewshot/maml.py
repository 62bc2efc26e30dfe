"""MAML: weights from which a few gradient steps on a support go far."""

from dataclasses import dataclass, field
from typing import ClassVar

import keras

from zsltf.checks import check_positive
from zsltf.data.features import Features
from zsltf.training.embedded_learner import own_network
from zsltf.training.episodic import EpisodicTraining
from zsltf.training.gradient_learner import GradientLearner, zero_head
from zsltf.training.gradient_training import train_by_gradients
from zsltf.training.inner_loop import InnerLoop

__all__ = ["MAML"]


@dataclass(frozen=True, kw_only=True)
class MAML:
    """The network is learnt so that it and a head fit a support by gradient steps.

    The head starts from zeros, so that the number and the order of the ways are free; the first step moves the head
    alone, so take two or more. Without a network nothing is trained: the head takes its steps on vectors as they are.

    Source: Finn, Abbeel & Levine, "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017; the
    zeros after Kao, Chiu & Chen, "MAML is a noisy contrastive learner in classification", ICLR 2022.
    """

    steps: int = 3
    """In training, >= 1."""
    steps_at_use: int = 5
    """On the support of new classes, >= 1."""
    step_size: float = 0.1
    """Of the network's steps, > 0."""
    head_factor: float = 1.0
    """How many times as large the head's steps are, > 0: from zeros, it has further to go."""
    first_order: bool = False
    """Whether training takes the steps' gradients for constants: cheaper, and nearly as good by the paper."""
    training: EpisodicTraining = field(default_factory=EpisodicTraining)

    TRANSDUCTIVE: ClassVar[bool] = False
    NEEDS_NETWORK: ClassVar[bool] = True
    """To learn anything from base classes."""

    def __post_init__(self) -> None:
        check_positive("MAML", steps=self.steps, steps_at_use=self.steps_at_use, step_size=self.step_size)
        check_positive("MAML", head_factor=self.head_factor)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> GradientLearner:
        """Train a copy of the network; see FewShotMethod."""
        body = own_network("MAML", base, network)
        inner = InnerLoop(steps=self.steps, step_size=self.step_size, first_order=self.first_order)
        learner = GradientLearner(
            method="MAML", body=body, head=zero_head, inner=inner, adapts_body=True, head_factor=self.head_factor
        )
        return train_by_gradients(learner, self.steps_at_use, self.training, base, validation)
