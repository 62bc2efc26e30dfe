"""Classes and attributes learned on one backbone, and each of them alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zsltf.data.labelled import LabelledImages
from zsltf.evaluation.fine_tuning import check_events
from zsltf.evaluation.transfer import Transferred, check_transfer, transfer_heads
from zsltf.heads.attributes import AttributeHead
from zsltf.pretrained.choice import BackboneChoice
from zsltf.protocols import Head
from zsltf.training.phase_model import Objectives
from zsltf.training.phases import HEAD, schedule_rows
from zsltf.training.seeds import seed_everything
from zsltf.training.strategy import StrategyName, make_strategy
from zsltf.transfer.fine_tune import FineTune

__all__ = ["Multitask", "run_multitask"]


@dataclass(frozen=True, kw_only=True)
class Multitask:
    """A second head beside the method's, and what is done besides."""

    attributes: AttributeHead = field(default_factory=AttributeHead)
    alone: bool = False
    """Train each head alone as well, with the same settings and epochs, and show it beside the two."""
    strategy: StrategyName = "auto"
    """Devices: auto takes all GPUs, else the CPU."""
    tensorboard: Path | None = None
    """A new folder for TensorBoard's event files."""
    resume: bool = False
    """Go on with a training that was stopped, from its last whole epoch."""

    def check(self, method: FineTune, labelled: LabelledImages) -> None:
        """Refuse, before slow work, what the heads can't learn and what can't be tested."""
        check_events(self.tensorboard, resume=self.resume)
        check_transfer(method, labelled, self.heads(method))
        method.training.objectives.weighting(len(self.heads(method)))
        for head in self.heads(method).values():
            head.objective.labels(labelled.images.y, labelled.classes, "labels")

    def heads(self, method: FineTune) -> dict[str, Head]:
        """Both, by name."""
        return {"class": method.head, "attributes": self.attributes}


def run_multitask(
    method: FineTune,
    network: BackboneChoice,
    labelled: LabelledImages,
    tasks: Multitask,
    *,
    folder: Path,
    announce: Callable[[Sequence[Mapping[str, Any]]], None],
) -> dict[str, dict[str, Transferred]]:
    """Seed, build, train and test: both heads on one backbone, and each on one of its own if asked.

    Args:
        method: class head, schedule and options; its objectives weigh the two losses.
        network: the backbone.
        labelled: images, split, under a class table with attributes.
        tasks: the attribute head, and what is done besides.
        folder: for checkpoints.
        announce: is told the schedule's rows before training starts.

    Returns:
        training ("together", "class alone", "attributes alone") -> head -> outcome.

    Raises:
        ValueError: if no image is for the test, the class table has no attributes, or an image has several classes.
    """
    tasks.check(method, labelled)
    heads = tasks.heads(method)
    trainings = {"together": (method, heads)}
    if tasks.alone:
        trainings |= {f"{name} alone": (_unweighted(method), {name: head}) for name, head in heads.items()}
    outcomes: dict[str, dict[str, Transferred]] = {}
    with make_strategy(tasks.strategy).scope():
        for name, (chosen, trained) in trainings.items():
            seed_everything(method.training.seed, deterministic=method.training.deterministic)
            backbone = network.build()
            if not outcomes:
                stages = (*backbone.stages, HEAD)
                announce(schedule_rows(method.phases(stages), stages))
            outcomes[name] = transfer_heads(
                chosen,
                backbone,
                labelled,
                trained,
                folder=folder if len(trained) > 1 else folder / name,
                resume=tasks.resume,
                tensorboard=None if tasks.tensorboard is None else tasks.tensorboard / name,
            )
    return outcomes


def _unweighted(method: FineTune) -> FineTune:
    """The same for one head, whose loss is the loss."""
    objectives = Objectives(label_smoothing=method.training.objectives.label_smoothing)
    return replace(method, training=replace(method.training, objectives=objectives))
