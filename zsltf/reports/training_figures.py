"""The figures of a training: learning curves, and the sweep of learning rates."""

from collections.abc import Mapping, Sequence
from itertools import cycle, groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from zsltf.reports.drawing import GREY, LINE, MUTED, SEEN, UNSEEN, chart, label, style, svg
from zsltf.reports.schedule_figure import short_rate

__all__ = ["learning_curve_figures", "learning_rate_finder_figure"]

_NO_METRICS = ("epoch", "phase", "seconds", "images_per_second", "learning_rate")
_Rows = Sequence[Mapping[str, Any]]


def learning_curve_figures(history: _Rows, baseline: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Figure's name -> training and validation over epochs: the loss, each metric, and the penalties together.

    Args:
        history: a row an epoch; None or a missing key leaves a gap.
        baseline: with the history of a run whose validation is drawn beside it.
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for row in history for name in row))
    metrics = [name for name in names if name not in _NO_METRICS and not name.startswith("penalty_")]
    curves = {}
    for metric in sorted(metrics, key=lambda name: name != "loss"):
        curves[metric] = {"training": _column(history, metric), "validation": _column(history, f"val_{metric}")}
        if baseline:
            curves[metric]["validation, baseline"] = _column(baseline["history"], f"val_{metric}")
    penalties = {name.removeprefix("penalty_"): _column(history, name) for name in names if name.startswith("penalty_")}
    if penalties:
        curves["penalties"] = penalties
    return {name.replace("_", " "): _curves(name, lines, history) for name, lines in curves.items()}


def _column(history: _Rows, name: str) -> np.ndarray:
    values = np.array([np.nan if row.get(name) is None else row[name] for row in history], float)
    return np.where(np.isfinite(values), values, np.nan)


def _curves(name: str, lines: Mapping[str, np.ndarray], history: _Rows) -> str:
    known = {title: values for title, values in lines.items() if not np.isnan(values).all()}
    last = max([len(history), *map(len, known.values())])
    with style(f"curves {name}", font_size=12):
        figure, axes = chart(440, 310)
        for (title, values), colour, dash in zip(
            known.items(), cycle((SEEN, UNSEEN, GREY)), cycle("---:"), strict=False
        ):
            marker = "o" if last <= 40 else None
            epochs = np.arange(1, len(values) + 1)
            axes.plot(epochs, values, dash, color=colour, marker=marker, ms=4, label=label(title))
        axes.set(xlabel="epoch", xlim=(0.5, last + 0.5))
        axes.locator_params("x", integer=True)
        _mark_phases(axes, [row.get("phase", "") for row in history])
        axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.05), ncols=3, frameon=False, columnspacing=1.2)
        return svg(figure, f"{name.replace('_', ' ')} over epochs")


def _mark_phases(axes: Axes, phases: Sequence[str]) -> None:
    """Each phase's number, and a line where the next one begins."""
    begin, across = 0.5, axes.get_xaxis_transform()
    for number, (_, rows) in enumerate(groupby(phases), 1):
        end = begin + len(list(rows))
        axes.text((begin + end) / 2, 1.02, str(number), color=MUTED, fontsize=10, ha="center", transform=across)
        if end < len(phases):
            axes.axvline(end, color=LINE, linewidth=1.5, zorder=1)
        begin = end


def learning_rate_finder_figure(sweep: Mapping[str, Any]) -> str:
    """Loss over the learning rate, with the suggestion.

    Args:
        sweep: rates, losses and suggestion.
    """
    rates, losses = np.log10(sweep["rates"]), np.array(sweep["losses"], float)
    falling = losses[: np.nanargmin(np.where(np.isfinite(losses), losses, np.nan)) + 1]
    low, high = falling[-1], np.nanmax(falling)
    room = max(high - low, 1e-6)
    with style("finder", font_size=12):
        figure, axes = chart(440, 310)
        axes.plot(rates, losses, color=SEEN, linewidth=1.8)
        decades = np.arange(np.ceil(rates.min()), np.floor(rates.max()) + 1)
        axes.set_xticks(decades, [f"1e{decade:.0f}" for decade in decades])
        axes.set(xlabel="learning rate", ylabel="loss", ylim=(low - 0.1 * room, high + 0.4 * room))
        if sweep["suggestion"] is not None:
            suggestion = f"suggestion {short_rate(sweep['suggestion'])}"
            axes.axvline(np.log10(sweep["suggestion"]), color=UNSEEN, linewidth=1.8, label=suggestion)
            axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), frameon=False)
        return svg(figure, "Loss over the learning rate")
