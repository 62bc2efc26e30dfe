"""Training from scratch: what fine-tuning is held against."""

from dataclasses import dataclass, field

from zsltf.data.augment import Augmentation
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.options import TrainingOptions
from zsltf.transfer.fine_tune import FineTune

__all__ = ["FromScratch"]


@dataclass(frozen=True, kw_only=True)
class FromScratch:
    """Every layer at once by gradient descent with momentum, at one rate and without weight decay."""

    epochs: int = 10
    batch_size: int = 100
    learning_rate: float = 1e-3
    momentum: float = 0.9
    augmentation: Augmentation = field(default_factory=Augmentation.cifar)

    def __post_init__(self) -> None:
        self.method(0)

    def method(self, seed: int) -> FineTune:
        """The same as a schedule of one phase."""
        descent = OptimizerOptions(optimizer="sgd", momentum=self.momentum, weight_decay=0.0)
        return FineTune(
            schedule="full",
            epochs=self.epochs,
            fine_tune_rate=self.learning_rate,
            stage_decay=1.0,
            rate_schedule="constant",
            batch_norm="train",
            augmentation=self.augmentation,
            training=TrainingOptions(batch_size=self.batch_size, optimization=descent, seed=seed),
        )
