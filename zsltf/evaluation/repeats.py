"""The same training under several seeds: how much of a result is chance."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zsltf.checks import check_positive
from zsltf.data.labelled import LabelledImages
from zsltf.evaluation.transfer import Transferred, transfer
from zsltf.pretrained.backbone import Backbone
from zsltf.training.phases import HEAD, schedule_rows
from zsltf.training.seeds import seed_everything
from zsltf.transfer.fine_tune import FineTune

__all__ = ["repeat_transfer"]


def repeat_transfer(
    method: FineTune,
    build: Callable[[], Backbone],
    labelled: LabelledImages,
    repeats: int,
    *,
    announce: Callable[[Sequence[Mapping[str, Any]]], None],
) -> list[Transferred]:
    """Train and test again and again from the start, on the same parts of the images.

    Args:
        method: its seed is the first one's; each further training takes the next number.
        build: makes the backbone, whose random weights follow from the seed too.
        labelled: images, split.
        repeats: trainings.
        announce: is told the schedule's rows before training starts.

    Raises:
        ValueError: if there are none.
    """
    check_positive("repeat_transfer", repeats=repeats)
    first, outcomes = method.training.seed, []
    for seed in range(first, first + repeats):
        seed_everything(seed, deterministic=method.training.deterministic)
        backbone = build()
        if seed == first:
            stages = (*backbone.stages, HEAD)
            announce(schedule_rows(method.phases(stages), stages))
        outcomes.append(transfer(method.with_seed(seed), backbone, labelled))
    return outcomes
