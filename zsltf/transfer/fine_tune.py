"""Fine-tuning: a new head on a pretrained backbone, whose stages are thawed on a schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import keras
import tyro

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.data.augment import Augmentation
from zsltf.data.classes import ClassTable
from zsltf.data.images import Images
from zsltf.data.labels import class_rows
from zsltf.discovery import one_of
from zsltf.heads.linear import LinearHead
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import extract_features
from zsltf.protocols import Head
from zsltf.training.engine import Training, train
from zsltf.training.examples import Examples
from zsltf.training.folds import image_folds
from zsltf.training.network import Network
from zsltf.training.options import TrainingOptions
from zsltf.training.penalties import Penalty, constrain
from zsltf.training.phases import HEAD, BatchNormPolicy, Phase, RateSchedule, preset
from zsltf.training.preparation import Preparation
from zsltf.training.seeds import seed_everything
from zsltf.training.selection import select
from zsltf.training.setup import Data
from zsltf.transfer.linear_probe import LinearProbe

__all__ = ["FineTune"]


@dataclass(frozen=True, kw_only=True)
class FineTune:
    """Train a head, then more and more of the backbone under it.

    Sources: Yosinski, Clune, Bengio & Lipson, "How transferable are features in deep neural networks?", NIPS 2014;
    Kornblith, Shlens & Le, "Do better ImageNet models transfer better?", CVPR 2019; a probe first, Kumar, Raghunathan,
    Jones, Ma & Liang, "Fine-tuning can distort pretrained features and underperform out-of-distribution", ICLR 2022.
    """

    head: Annotated[Head, one_of("heads", "head")] = field(default_factory=LinearHead)
    schedule: Literal["head_only", "fine_tune", "gradual", "full", "lp_ft"] = "fine_tune"
    """Which stages train when; printed before training starts."""
    head_start: Literal["random", "probe"] = "random"
    """What a linear head begins with: random weights, or those of a linear probe on the frozen features, whose penalty
    folds of the training images choose; a schedule that goes on below the head then leaves out its phase (LP-FT)."""
    head_epochs: int = 20
    """Of the phase that trains the head alone."""
    epochs: int | None = None
    """Of the other phases together; by default 6, or one a phase where there are more."""
    learning_rate: float = 1e-3
    """Peak rate of a phase that trains the head alone, > 0."""
    fine_tune_rate: float = 3e-5
    """Peak rate of the head in the other phases, > 0."""
    stage_decay: float = 0.5
    """A stage's rate as a multiple of the next higher one's, > 0."""
    layer_decay: float = 1.0
    """A layer's rate as a multiple of the next higher one's, > 0."""
    rate_schedule: RateSchedule = "cosine"
    """The course of the rate over each phase."""
    warmup: float = 0.0
    """Epochs of linear warm-up at the start of each phase, less than any of them has."""
    batch_norm: BatchNormPolicy = "frozen"
    """BatchNorm of thawed stages: left as it is, trained, or measured anew after each phase."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    views: int | None = None
    """Different augmentations an image goes through, so that frozen stages run once for each; None: always new."""
    own_phases: tyro.conf.Suppress[tuple[Phase, ...]] = ()
    """Phases instead of a named schedule; from Python only."""
    penalties: tyro.conf.Suppress[tuple[Penalty, ...]] = ()
    """Further terms of the loss; from Python only."""
    constraints: tyro.conf.Suppress[Mapping[str, Any]] = field(default_factory=dict)
    """Regular expression for layer names -> Keras constraint on their kernels; from Python only."""
    training: tyro.conf.OmitArgPrefixes[TrainingOptions] = field(default_factory=TrainingOptions)

    SEARCH: ClassVar[Mapping[str, Sequence[float]]] = {"learning_rate": (3e-4, 1e-3, 3e-3)}

    def __post_init__(self) -> None:
        if self.head_start == "probe" and not isinstance(self.head, LinearHead):
            fail("FineTune.head_start", "random for this head", "probe", "Take the linear head.")
        if not self.own_phases:
            self.phases(("stage",))
        if self.views is not None and self.views < 1:
            fail("FineTune.views", "a number >= 1", str(self.views), "Leave it out for new views every epoch.")

    def phases(self, stages: Sequence[str]) -> tuple[Phase, ...]:
        """The schedule over these stages, the head last."""
        if self.own_phases:
            return self.own_phases
        phases = preset(
            self.schedule,
            stages,
            head_epochs=self.head_epochs,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            fine_tune_rate=self.fine_tune_rate,
            stage_decay=self.stage_decay,
            batch_norm=self.batch_norm,
        )
        if self.head_start == "probe" and len(phases) > 1:
            phases = tuple(phase for phase in phases if phase.train_from != HEAD)
        rate: dict[str, Any] = {"schedule": self.rate_schedule, "warmup": self.warmup, "layer_decay": self.layer_decay}
        return tuple(replace(phase, **rate) for phase in phases)

    def fit(self, backbone: Backbone, images: Images, classes: ClassTable) -> Classifier:
        """Fine-tune `backbone`, which is changed, and return the Classifier from images."""
        return self.train(backbone, Examples(images=images), classes).classifiers()["class"]

    def train(
        self,
        backbone: Backbone,
        examples: Examples,
        classes: ClassTable,
        *,
        validation: Examples | None = None,
        heads: Mapping[str, Head] | None = None,
        folder: Path | None = None,
        resume: bool = False,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        tensorboard: Path | None = None,
    ) -> Training:
        """Fine-tune `backbone`, which is changed; see `zsltf.training.engine.train` for the other arguments.

        Args:
            backbone: its weights are what training starts from.
            examples: training images.
            classes: their table.
            validation: images to watch.
            heads: several heads instead of `head`, by name.
            folder: for checkpoints.
            resume: go on from the folder's checkpoint.
            callbacks: further Keras callbacks.
            tensorboard: folder for event files.
        """
        seed_everything(self.training.seed, deterministic=self.training.deterministic)
        network = self.network(backbone, examples, classes, heads)
        data = Data(train=examples, validation=validation, augmentation=self.augmentation, views=self.views)
        phases = self.phases(list(network.stages))
        return train(
            network,
            data,
            phases,
            self.training,
            penalties=self.penalties,
            folder=folder,
            resume=resume,
            callbacks=callbacks,
            tensorboard=tensorboard,
        )

    def network(
        self, backbone: Backbone, examples: Examples, classes: ClassTable, heads: Mapping[str, Head] | None = None
    ) -> Network:
        """What training begins with: heads on the backbone, constrained and started; see `train` for the arguments."""
        network = Network.build(backbone, heads or {"class": self.head}, classes)
        for pattern, constraint in self.constraints.items():
            constrain(network.model, pattern, constraint)
        if self.head_start == "probe":
            self._probe(network, examples)
        return network

    def _probe(self, network: Network, examples: Examples) -> None:
        """Give the head the weights of logistic regression."""
        if list(network.heads) != ["class"]:
            fail("FineTune.head_start", "random with several heads", "probe", "Leave it out.")
        classes, images = network.classes, examples.images
        images = images.with_y(class_rows(images.y, len(classes)))
        extraction = extract_features(network.backbone, images, on_corrupt=examples.on_corrupt)
        kept = [name not in extraction.skipped for name in images.names]
        features = replace(extraction.features, sample_weight=examples.weights[kept])
        choice, *_ = select(LinearProbe(), image_folds(features, classes, num_folds=3), (Preparation(),))
        layer = network.model.get_layer("class_scores")
        for variable, value in zip((layer.kernel, layer.bias), choice.method.weights(features, classes), strict=True):
            variable.assign(value)

    def with_seed(self, seed: int) -> "FineTune":
        """The same under another seed."""
        return replace(self, training=replace(self.training, seed=seed))
