"""A fine-tuning with what goes with it: a sweep of learning rates before it, a run from scratch beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console

from zsltf.checks import fail
from zsltf.data.labelled import LabelledImages
from zsltf.evaluation.transfer import Transferred, check_transfer, examples_of, transfer
from zsltf.files import atomic_file
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.choice import BackboneChoice
from zsltf.training.batch_norm import batch_norm_layers
from zsltf.training.first_rate import sweep_first_phase
from zsltf.training.learning_rate_finder import LearningRateRange
from zsltf.training.phases import HEAD, schedule_rows
from zsltf.training.seeds import seed_everything
from zsltf.training.setup import Data
from zsltf.training.strategy import StrategyName, make_strategy
from zsltf.transfer.fine_tune import FineTune

__all__ = ["FineTuned", "TransferProtocol", "check_events", "run_fine_tuning", "scratch_method"]


@dataclass(frozen=True, kw_only=True)
class TransferProtocol:
    """Where a training runs, and what is done besides."""

    strategy: StrategyName = "auto"
    """Devices: auto takes all GPUs, else the CPU."""
    baseline: bool = False
    """Train the same network from random weights as well, for as many epochs, and show it beside this one."""
    find_learning_rate: Literal["no", "show", "use"] = "no"
    """Before training, try rates on batches of the first phase: show the suggestion, or use it for that phase."""
    tensorboard: Path | None = None
    """A new folder for TensorBoard's event files."""
    false_rejections: float = 0.05
    """Share of validation photos that may be taken for none of the classes: sets the rejection threshold."""
    resume: bool = False
    """Go on with a training that was stopped, from its last whole epoch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FineTuned:
    """What came of it."""

    main: Transferred
    baseline: Transferred | None
    """From scratch."""
    sweep: LearningRateRange | None


def run_fine_tuning(
    method: FineTune,
    network: BackboneChoice,
    labelled: LabelledImages,
    protocol: TransferProtocol,
    *,
    folder: Path,
    announce: Callable[[Sequence[Mapping[str, Any]]], None],
) -> FineTuned:
    """Seed, build, sweep, train, test.

    Args:
        method: head, schedule and options.
        network: the backbone.
        labelled: images, split.
        protocol: what is done besides.
        folder: for checkpoints, and what else a resumed training needs.
        announce: is told the schedule's rows before a training starts.
    """
    check_events(protocol.tensorboard, resume=protocol.resume)
    check_transfer(method, labelled, {"class": method.head})
    seed_everything(method.training.seed, deterministic=method.training.deterministic)

    def run(chosen: FineTune, backbone: Backbone, part: str) -> Transferred:
        announce(schedule_rows(chosen.phases(stages), stages))
        events = None if protocol.tensorboard is None else protocol.tensorboard / part
        place, resume = folder / part, protocol.resume
        return transfer(
            chosen,
            backbone,
            labelled,
            folder=place,
            resume=resume,
            tensorboard=events,
            false_rejections=protocol.false_rejections,
        )

    with make_strategy(protocol.strategy).scope():
        backbone = network.build()
        scratch = _untrained(network) if protocol.baseline else None  # refused now, if at all
        stages, tuned, sweep = (*backbone.stages, HEAD), method, None
        if protocol.find_learning_rate != "no":
            sweep = _sweep(method, backbone, labelled, folder, protocol.resume)
        if sweep is not None and protocol.find_learning_rate == "use":
            tuned = _with_first_rate(method, stages, sweep)
        main = run(tuned, backbone, "")
        baseline = None if scratch is None else run(scratch_method(method, stages), scratch, "from_scratch")
    return FineTuned(main=main, baseline=baseline, sweep=sweep)


def check_events(folder: Path | None, *, resume: bool) -> None:
    """Refuse to mix the events of two trainings."""
    if folder is not None and folder.exists() and not resume:
        fail(str(folder), "a folder that is not there yet", "one that is", "Choose another --tensorboard.")


def scratch_method(method: FineTune, stages: Sequence[str]) -> FineTune:
    """The same training for random weights: all stages at once, at the head's rate, for as many epochs.

    BatchNorm trains, no stage or layer is slower than another, and nothing pulls towards the weights of the start.
    """
    return replace(
        method,
        schedule="full",
        head_start="random",
        own_phases=(),
        epochs=sum(phase.epochs for phase in method.phases(stages)),
        fine_tune_rate=method.learning_rate,
        stage_decay=1.0,
        layer_decay=1.0,
        batch_norm="train",
        training=replace(method.training, l2_sp=0.0),
    )


def _untrained(network: BackboneChoice) -> Backbone:
    """The backbone with random weights; its BatchNorm follows the batches within tens of steps.

    With Keras' usual momentum of 0.99 its statistics, which begin nowhere, would lag behind a short training.
    """
    backbone = replace(network, weights="random").build()
    for norm in batch_norm_layers(backbone.model):
        norm.momentum = min(norm.momentum, 0.9)
    return backbone


def _sweep(
    method: FineTune, backbone: Backbone, labelled: LabelledImages, folder: Path, resume: bool
) -> LearningRateRange:
    """The sweep of the first phase; a resumed training's is the one that it began with."""
    kept = folder / "sweep.npz"
    if not (resume and kept.is_file()):
        seed_everything(method.training.seed, deterministic=method.training.deterministic)
        examples = examples_of(labelled, labelled.split.train)
        network = method.network(backbone, examples, labelled.classes)
        data = Data(train=examples, augmentation=method.augmentation)
        sweep = sweep_first_phase(network, data, method.phases(list(network.stages)), method.training, method.penalties)
        with atomic_file(kept) as partial:
            np.savez(partial, rates=sweep.rates, losses=sweep.losses)
    with np.load(kept) as arrays:
        sweep = LearningRateRange(rates=arrays["rates"], losses=arrays["losses"])
    found = "never falls" if sweep.suggestion is None else f"falls fastest at {sweep.suggestion:.2g}"
    Console(soft_wrap=True).print(f"Sweep of learning rates on the first phase: the loss {found}.", highlight=False)
    return sweep


def _with_first_rate(method: FineTune, stages: Sequence[str], sweep: LearningRateRange) -> FineTune:
    if sweep.suggestion is None:
        received = f"its best value, {sweep.losses.min():.4g}, at the first rate"
        fail("learning rate sweep", "a loss that falls", received, "Give --learning-rate, or check the labels.")
    first, *others = method.phases(stages)
    return replace(method, own_phases=(replace(first, learning_rate=sweep.suggestion), *others))
