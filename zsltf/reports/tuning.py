"""A tuning's run folder, and its settings on the terminal."""

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zsltf.evaluation.tuning import Trial, Tuning, describe_values, headline
from zsltf.reports.transfer import write_transfer_run
from zsltf.training.history import write_history

__all__ = ["print_trials", "write_tuning_run"]


def write_tuning_run(folder: Path, tuning: Tuning, *, recipe: str, config: dict[str, Any]) -> dict[str, Any]:
    """Fill a new run folder with the refitted network, and cross_validation.csv with a row a setting.

    Args:
        folder: empty.
        tuning: of `tune`.
        recipe: its name.
        config: settings, with the best ones as `method`.
    """
    write_history(folder / "cross_validation.csv", [_row(trial) for trial in tuning.trials])
    return write_transfer_run(folder, tuning.refit, recipe=recipe, config=config)


def print_trials(tuning: Tuning, console: Console | None = None) -> None:
    """A row a setting, the best one bold; then what its scores are worth.

    Args:
        tuning: of `tune`.
        console: where to; standard output by default.
    """
    report = tuning.refit.report
    figure = "mAP" if report.multi_label else "Accuracy, mean over classes"
    table = Table(title=f"{figure}, by cross-validation", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("setting")
    for heading in ("mean", "sd", *(f"fold {number}" for number in range(len(tuning.best.scores)))):
        table.add_column(heading, justify="right", no_wrap=True)
    for trial in tuning.trials:
        figures = (trial.mean, trial.deviation, *trial.scores)
        style = "bold" if trial is tuning.best else ""
        table.add_row(Text(describe_values(trial.values)), *(f"{value:.3f}" for value in figures), style=style)
    console = console or Console(soft_wrap=True)
    console.print(table)
    for line in _verdict(tuning):
        console.print(line, markup=False, highlight=False)


def _verdict(tuning: Tuning) -> tuple[str, str]:
    best, report, count = tuning.best, tuning.refit.report, len(tuning.trials)
    picked = f"the highest mean of {count}, of equal ones the first; picked, so optimistic" if count > 1 else "the only"
    tested = f"{headline(report):.3f} on the {len(report.truth)} test images, which no fold held: not optimistic"
    return (
        f"Chosen: {describe_values(best.values)} ({best.mean:.3f}: {picked}).",
        f"Trained again on all folds, it reaches {tested} (chance {report.chance:.3f}).",
    )


def _row(trial: Trial) -> dict[str, Any]:
    folds = {f"fold {number}": score for number, score in enumerate(trial.scores)}
    return {**trial.values, "mean": trial.mean, "sd": trial.deviation, **folds}
