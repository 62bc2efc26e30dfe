"""Freezing schedules as data: which stages train in which phase, for how long and how fast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from zsltf.checks import check_choice, check_positive, fail

__all__ = ["HEAD", "PRESETS", "BatchNormPolicy", "Phase", "RateSchedule", "check_phases", "preset", "schedule_rows"]

HEAD = "head"
"""The name of the last stage: the heads on top of the backbone."""

BatchNormPolicy = Literal["frozen", "train", "recalibrate"]
RateSchedule = Literal["constant", "cosine", "one_cycle", "step", "plateau"]
PRESETS = ("head_only", "fine_tune", "gradual", "full", "lp_ft")
_EPOCHS = 6


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Epochs during which the same stages train.

    Sources: gradual thawing and rates that fall with depth, Howard & Ruder, "ULMFiT", ACL 2018; layer-wise decay, Clark
    et al., "ELECTRA", ICLR 2020.
    """

    name: str
    epochs: int
    """Passes over the training images, > 0."""
    learning_rate: float
    """Peak rate of the topmost trained stage, > 0."""
    train_from: str = HEAD
    """The lowest stage that trains; those below are frozen, bit for bit."""
    train_to: str = HEAD
    """The highest stage that trains; those above are frozen too."""
    stage_decay: float = 1.0
    """A stage's rate as a multiple of the next higher one's, > 0."""
    layer_decay: float = 1.0
    """A layer's rate as a multiple of the next higher one's, > 0; a layer without a kernel goes with the one below."""
    schedule: RateSchedule = "cosine"
    """The course of the rate over the phase; plateau: a tenth after every 3 epochs in a row without a lower loss."""
    warmup: float = 0.0
    """Epochs of linear warm-up from 0, >= 0 and less than `epochs`; none with plateau."""
    batch_norm: BatchNormPolicy = "frozen"
    """BatchNorm of trained stages: its statistics and weights stay, train, or are measured anew after the phase."""

    def __post_init__(self) -> None:
        check_positive(
            f"Phase '{self.name}'",
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            stage_decay=self.stage_decay,
            layer_decay=self.layer_decay,
        )
        if self.schedule == "plateau" and self.warmup:
            fail(
                f"Phase '{self.name}'.warmup", "0 with plateau", f"{self.warmup:g}", "Take another course of the rate."
            )
        if not 0 <= self.warmup < self.epochs:
            expected = f"a number of epochs >= 0 and < {self.epochs}"
            fail(f"Phase '{self.name}'.warmup", expected, f"{self.warmup:g}", "Shorten it or add epochs.")

    def trained(self, stages: Sequence[str]) -> tuple[str, ...]:
        """The stages that train, from the image upwards.

        Raises:
            ValueError: if a stage is unknown, or train_to lies below train_from.
        """
        for field in ("train_from", "train_to"):
            check_choice(f"Phase '{self.name}'.{field}", getattr(self, field), stages)
        first, last = stages.index(self.train_from), stages.index(self.train_to)
        if last < first:
            fail(f"Phase '{self.name}'", f"train_to at or above {self.train_from}", self.train_to, "Swap them.")
        return tuple(stages[first : last + 1])

    def rates(self, stages: Sequence[str]) -> dict[str, float]:
        """Peak learning rate of each stage, before layer_decay; 0 where it is frozen."""
        trained = self.trained(stages)
        depth = {stage: len(trained) - 1 - i for i, stage in enumerate(trained)}
        return {s: self.learning_rate * self.stage_decay ** depth[s] if s in depth else 0.0 for s in stages}


def preset(
    name: str,
    stages: Sequence[str],
    *,
    head_epochs: int = 20,
    epochs: int | None = None,
    learning_rate: float = 1e-3,
    fine_tune_rate: float = 3e-5,
    stage_decay: float = 0.5,
    batch_norm: BatchNormPolicy = "frozen",
) -> tuple[Phase, ...]:
    """A named schedule over these stages, the head last.

    head_only: the head alone. fine_tune: the head, then the last stage as well, then all. gradual: one more stage a
    phase. full: everything at once. lp_ft: the head until it has converged, then all (Kumar et al., "Fine-tuning can
    distort pretrained features and underperform out-of-distribution", ICLR 2022).

    Args:
        name: one of PRESETS.
        stages: names from the image upwards, with the head as the last.
        head_epochs: of the phase that trains the head alone, cheap where activations are kept.
        epochs: of the other phases together, at least one each, shared out equally, the earlier ones first; by
            default 6, or one each if they are more.
        learning_rate: of phases that train the head alone.
        fine_tune_rate: of the topmost stage in the other phases.
        stage_decay: see Phase.
        batch_norm: see Phase.
    """
    check_choice("schedule", name, PRESETS)
    body = [stage for stage in stages if stage != HEAD]
    head = Phase(name=HEAD, epochs=head_epochs, learning_rate=learning_rate)
    thawed = replace(head, learning_rate=fine_tune_rate, stage_decay=stage_decay, batch_norm=batch_norm)
    every = replace(thawed, name="all", train_from=stages[0])
    last = replace(thawed, name=f"from {body[-1]}", train_from=body[-1]) if body else head
    table = {
        "head_only": [head],
        "fine_tune": [head, last, every],
        "gradual": [head, *(replace(last, name=f"from {stage}", train_from=stage) for stage in reversed(body))],
        "full": [every],
        "lp_ft": [head, every],
    }
    return _shared_out(_distinct(table[name]), epochs)


def check_phases(phases: Sequence[Phase], stages: Sequence[str]) -> None:
    """Refuse an empty schedule, a name used twice and stages that don't exist."""
    if not phases:
        fail("schedule", "one phase or more", "none", f"Give a preset: {', '.join(PRESETS)}.")
    names = [phase.name for phase in phases]
    for phase in phases:
        phase.trained(stages)
        if names.count(phase.name) > 1:
            fail("schedule", "a name of its own for every phase", f"'{phase.name}' twice", "Rename one.")


def schedule_rows(phases: Sequence[Phase], stages: Sequence[str]) -> list[dict[str, object]]:
    """The schedule as plain data.

    A row has phase, its name; epochs; course, of the rate; batch_norm, the policy; layer_decay; and rates, stage ->
    peak rate, 0 where it is frozen.
    """
    return [
        {
            "phase": phase.name,
            "epochs": phase.epochs,
            "course": f"{phase.schedule}, {phase.warmup:g} warm-up" if phase.warmup else phase.schedule,
            "batch_norm": phase.batch_norm,
            "layer_decay": phase.layer_decay,
            "rates": phase.rates(stages),
        }
        for phase in phases
    ]


def _distinct(phases: Sequence[Phase]) -> list[Phase]:
    """Without phases that train what the one before trains: a backbone of one stage has no 'last' but 'all'."""
    kept: list[Phase] = []
    for phase in phases:
        if not kept or phase.train_from != kept[-1].train_from:
            kept.append(phase)
    return kept


def _shared_out(phases: Sequence[Phase], epochs: int | None) -> tuple[Phase, ...]:
    """Give the phases after the head's an equal share of the epochs, the earlier ones what is left over."""
    head = [phase for phase in phases if phase.train_from == HEAD]
    thawed = phases[len(head) :]
    epochs = max(_EPOCHS, len(thawed)) if epochs is None else epochs
    if epochs < len(thawed):
        fail("epochs", f"at least {len(thawed)}, one a phase", str(epochs), "Add epochs or take another schedule.")
    each, extra = divmod(epochs, max(len(thawed), 1))
    return (*head, *(replace(phase, epochs=each + (i < extra)) for i, phase in enumerate(thawed)))
