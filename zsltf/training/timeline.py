"""A schedule in steps: when each phase begins, how fast a weight learns in it, and since when it has been training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zsltf.checks import fail
from zsltf.training.learning_rates import Course, learning_rate_schedule
from zsltf.training.network import Network
from zsltf.training.phases import HEAD, Phase

__all__ = ["Timeline", "check_rates"]

_LEAST_RATE = 1e-9  # adds less than half of float32's last digit to most weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline:
    """The phases of a training, as far as its history knows how long they took.

    Args:
        network: its stages are what the phases name.
        phases: the schedule.
        steps_per_epoch: batches.
        history: a row an epoch; grows as training goes on.
    """

    network: Network
    phases: Sequence[Phase]
    steps_per_epoch: int
    history: Sequence[Mapping[str, Any]]

    def start(self, number: int) -> int:
        """Batches before a phase: one that ended early is as long as it was."""
        names = {earlier.name for earlier in self.phases[:number]}
        return self.steps_per_epoch * sum(row["phase"] in names for row in self.history)

    def born(self, number: int) -> dict[str, int]:
        """Path of each weight that trains in a phase -> batches before the phase since which it has been training.

        Leaves the network frozen as in that phase.
        """
        born: dict[str, int] = {}
        for earlier, phase in enumerate(self.phases[: number + 1]):
            self.network.freeze(phase)
            paths = [weight.path for weight in self.network.model.trainable_weights]
            born = {path: born.get(path, self.start(earlier)) for path in paths}
        return born

    def course(self, number: int) -> Course | float:
        """The rate of a phase as a function of the optimizer's step; a number where a plateau sets it."""
        phase = self.phases[number]
        if phase.schedule == "plateau":
            return phase.learning_rate
        return learning_rate_schedule(
            phase.schedule,
            peak=phase.learning_rate,
            steps=phase.epochs * self.steps_per_epoch,
            warmup_steps=round(phase.warmup * self.steps_per_epoch),
            start=self.start(number),
        )

    def shares(self, number: int) -> dict[str, float]:
        """Path of each weight that trains in a phase -> its rate as a multiple of the phase's.

        The network has to be frozen as in that phase.
        """
        phase, stages, model = self.phases[number], self.network.stages, self.network.model
        rates, depths = phase.rates(list(stages)), self._depths(phase)
        return {
            weight.path: rates[stage] / phase.learning_rate * phase.layer_decay ** depths[layer]
            for stage in phase.trained(list(stages))
            for layer in stages[stage]
            for weight in model.get_layer(layer).trainable_weights
        }

    def _depths(self, phase: Phase) -> dict[str, int]:
        """Layer that trains -> the layers with a kernel above it, the heads counted as one."""
        stages, count = self.network.stages, 0
        heights: dict[str, int] = {}
        for stage in phase.trained(list(stages)):
            for number, layer in enumerate(stages[stage]):
                count += not number if stage == HEAD else self._has_kernel(layer)
                heights[layer] = count
        return {layer: count - height for layer, height in heights.items()}

    def _has_kernel(self, layer: str) -> bool:
        return any(weight.name.endswith("kernel") for weight in self.network.model.get_layer(layer).weights)


def check_rates(network: Network, phases: Sequence[Phase]) -> None:
    """Refuse a schedule under which a stage would train too slowly to move.

    Leaves the network frozen as in the last phase.

    Raises:
        ValueError: naming the first such stage.
    """
    timeline = Timeline(network=network, phases=phases, steps_per_epoch=1, history=())
    for number, phase in enumerate(phases):
        network.freeze(phase)
        shares = timeline.shares(number)
        for stage in phase.trained(list(network.stages)):
            paths = [weight.path for weight in network.weights_of(stage, trainable=True)]
            rate = phase.learning_rate * max((shares[path] for path in paths), default=1.0)
            if rate < _LEAST_RATE:
                fix = "Raise stage_decay or layer_decay, or freeze the stage."
                expected = f"at least {_LEAST_RATE:g}, for its float32 weights to move"
                fail(f"Phase '{phase.name}', rate of {stage}", expected, f"{rate:.1g}", fix)
