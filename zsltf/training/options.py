"""What a training takes besides its data and its schedule."""

from dataclasses import dataclass, field
from typing import Literal

import tyro

from zsltf.checks import check_positive, fail
from zsltf.pretrained.backbone import Precision
from zsltf.training.activation_cache import CachePolicy
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.phase_model import Objectives

__all__ = ["TrainingOptions"]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How batches become steps, and when to stop."""

    batch_size: int = 32
    """Images a step; with several devices, on all of them together."""
    optimization: tyro.conf.OmitArgPrefixes[OptimizerOptions] = field(default_factory=OptimizerOptions)
    objectives: tyro.conf.OmitArgPrefixes[Objectives] = field(default_factory=Objectives)
    class_weights: Literal["none", "balanced"] | tuple[float, ...] = "none"
    """How much an image of a class counts: a number >= 0 for each class, or balanced: every class counts alike,
    however many images it has."""
    l2_sp: float = 0.0
    """Penalty on the squared distance of the backbone's weights from the pretrained ones (L2-SP), >= 0."""
    l2_new: float = 0.0
    """Penalty on the squared weights of the heads, >= 0; in L2-SP a tenth of `l2_sp`."""
    patience: int = 0
    """End a phase after this many epochs without a better validation score; 0 never does."""
    monitor: Literal["accuracy", "loss"] = "accuracy"
    """The validation figure that is watched."""
    keep: Literal["best", "last"] = "best"
    """Whose weights are kept where there are validation images: the best epoch's, or the last one's."""
    cache: CachePolicy = "auto"
    """Keep the frozen part's activations for a phase: where they fit, in memory, on disk, or not at all."""
    precision: Precision = "float32"
    """Of arithmetic in training; weights, and what is shipped, stay float32."""
    jit_compile: bool = False
    """Compile with XLA: for GPUs and TPUs; on a CPU it can be thirty times slower."""
    seed: int = 0
    """Of heads, order, augmentation and dropout."""
    deterministic: bool = False
    """The same bits at each run on GPUs and in parallel tf.data too, for the rest of the process; slower there."""

    def __post_init__(self) -> None:
        check_positive("TrainingOptions", batch_size=self.batch_size)
        for name in ("l2_sp", "l2_new", "patience", "seed"):
            if getattr(self, name) < 0:
                fail(f"TrainingOptions.{name}", "a number >= 0", str(getattr(self, name)), "Start from the default.")
        if self.jit_compile and self.deterministic:
            fail("TrainingOptions", "XLA or determinism", "both", "Choose one: TensorFlow has no deterministic XLA.")
