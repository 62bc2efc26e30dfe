"""What methods reached on domains that they never saw, by how their settings were chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_choice
from zsltf.metrics.intervals import class_interval, paired_interval

__all__ = ["ORACLE", "SELECTIONS", "SOURCE_LEFT_OUT", "TRAINING_DOMAINS", "GeneralizationOutcome", "Trial", "chosen"]

TRAINING_DOMAINS = "training domains"
"""Choose by held-out shares of the domains that are trained on."""
SOURCE_LEFT_OUT = "source left out"
"""Choose by each source domain in turn, where the others alone are trained on."""
ORACLE = "oracle"
"""Choose by a share of the new domain: nobody can, where it is new."""
SELECTIONS = (TRAINING_DOMAINS, SOURCE_LEFT_OUT, ORACLE)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One setting under one seed, with one domain as the new one."""

    domain: str
    """Which is new."""
    seed: int
    setting: int
    """Its number among the method's."""
    accuracy: float
    """On the new domain, without the share that the oracle looks at."""
    by: Mapping[str, float]
    """Selection -> accuracy to choose by."""
    seconds: float
    """Of processor time; the first new domain's has the fits that leave two domains out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneralizationOutcome:
    """Every setting of every method, for each new domain and seed; all methods have the same of these."""

    trials: Mapping[str, Sequence[Trial]]
    reference: str

    @property
    def selections(self) -> tuple[str, ...]:
        """Ways to choose: without the one that leaves a source out where there are three domains."""
        first = next(iter(self.trials.values()))[0]
        return tuple(name for name in SELECTIONS if name in first.by)

    @property
    def domains(self) -> tuple[str, ...]:
        """Each of which was the new one."""
        return tuple(dict.fromkeys(trial.domain for trial in next(iter(self.trials.values()))))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Under each of which a setting was chosen by itself."""
        return tuple(dict.fromkeys(trial.seed for trial in next(iter(self.trials.values()))))

    def picked(self, method: str, selection: str) -> list[list[Trial]]:
        """The chosen trial of each seed and new domain."""
        check_choice("selection", selection, self.selections)
        met: dict[tuple[int, str], list[Trial]] = {}
        for trial in self.trials[method]:
            met.setdefault((trial.seed, trial.domain), []).append(trial)
        return [[chosen(met[seed, domain], selection) for domain in self.domains] for seed in self.seeds]

    def accuracies(self, method: str, selection: str) -> Float[np.ndarray, "R N"]:
        """Of each seed on each new domain."""
        return np.array([[trial.accuracy for trial in row] for row in self.picked(method, selection)])

    def interval(self, method: str, selection: str) -> tuple[float, float]:
        """Student's 95 % interval over seeds of the mean over domains."""
        return class_interval(self.accuracies(method, selection).mean(axis=1))

    def above_reference(self, method: str, selection: str) -> tuple[float, tuple[float, float]]:
        """Mean gain over the reference, and its paired 95 % interval over domains, means of seeds; below 0 it hurts.

        Seeds of one domain are no further domains: pairs of a domain and a seed would be too sure of another domain.
        """
        one, other = (self.accuracies(name, selection).mean(axis=0) for name in (method, self.reference))
        return float(np.mean(one - other)), paired_interval(one, other)

    def best_setting(self, method: str) -> int:
        """The one that does best on new domains, mean over domains and seeds: for training on all of them."""
        trials = self.trials[method]
        numbers = sorted({trial.setting for trial in trials})
        means = [float(np.mean([t.accuracy for t in trials if t.setting == number])) for number in numbers]
        return numbers[_middle_best(means)]


def chosen(trials: Sequence[Trial], selection: str) -> Trial:
    """The best one by a selection; of equals the middle one."""
    return trials[_middle_best([trial.by[selection] for trial in trials])]


def _middle_best(values: Sequence[float]) -> int:
    best = np.flatnonzero(np.asarray(values) >= max(values) - 1e-12)
    return int(best[len(best) // 2])
