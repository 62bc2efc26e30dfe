"""ANIL: MAML whose steps move the head alone."""

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

__all__ = ["ANIL"]


@dataclass(frozen=True, kw_only=True)
class ANIL:
    """The network is learnt so that a head on it fits a support by gradient steps: almost no inner loop.

    The head starts from zeros, so that the number and the order of the ways are free. All episodes of a step are
    adapted at once. Without a network nothing is trained: the head takes its steps on vectors as they are.

    Source: Raghu, Raghu, Bengio & Vinyals, "Rapid learning or feature reuse? Towards understanding the effectiveness of
    MAML", ICLR 2020; the zeros after Kao, Chiu & Chen, "MAML is a noisy contrastive learner in classification", ICLR
    2022.
    """

    steps: int = 5
    """In training, >= 1."""
    steps_at_use: int = 10
    """On the support of new classes, >= 1."""
    step_size: float = 0.1
    """Of these steps, > 0."""
    first_order: bool = False
    """Whether training takes the steps' gradients for constants."""
    training: EpisodicTraining = field(default_factory=EpisodicTraining)

    TRANSDUCTIVE: ClassVar[bool] = False
    NEEDS_NETWORK: ClassVar[bool] = True
    """To learn anything from base classes."""

    def __post_init__(self) -> None:
        check_positive("ANIL", steps=self.steps, steps_at_use=self.steps_at_use, step_size=self.step_size)

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> GradientLearner:
        """Train a copy of the network; see FewShotMethod."""
        body = own_network("ANIL", base, network)
        inner = InnerLoop(steps=self.steps, step_size=self.step_size, first_order=self.first_order)
        learner = GradientLearner(method="ANIL", body=body, head=zero_head, inner=inner, adapts_body=False)
        return train_by_gradients(learner, self.steps_at_use, self.training, base, validation)
