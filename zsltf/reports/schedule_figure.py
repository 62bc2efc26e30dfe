"""The schedule of freezing and learning rates as a heat map of epochs by stages."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zsltf.reports.drawing import BLUE, GREY, INK, PAGE, UNSEEN, label, letters, style, svg

__all__ = ["schedule_figure", "short_rate"]

_LETTER, _ROW = 6.5, 24  # pixels


def short_rate(rate: float) -> str:
    """A learning rate as people write it: 1e-3, 2.5e-4."""
    mantissa, exponent = f"{rate:.1e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def schedule_figure(rows: Sequence[Mapping[str, Any]]) -> str:
    """The head on top, the image below: the stronger a cell's colour, the higher its rate; grey where it is frozen.

    Args:
        rows: the schedule, of `schedule_rows`.
    """
    stages, names = [label(stage, 24) for stage in rows[0]["rates"]], [label(row["phase"], 24) for row in rows]
    epochs = sum(row["epochs"] for row in rows)
    left = _LETTER * max(map(letters, [*stages, "batch norm"])) + 8
    cell = min(max(420, 44 * epochs), 780 - left) / epochs
    upright = any(_LETTER * letters(name) > cell * row["epochs"] - 4 for name, row in zip(names, rows, strict=True))
    top = _LETTER * max(map(letters, names)) if upright else 20
    width, cells = left + cell * epochs + 8, _ROW * (len(stages) + 1.5)
    height = top + cells + 45
    with style("schedule", font_size=10):
        figure = Figure((width / 72, height / 72))
        box = (left / width, 40 / height, cell * epochs / width, cells / height)
        axes = figure.add_axes(box, xlim=(0, epochs), ylim=(-1.5, len(stages)), frame_on=False)
        _draw_phases(axes, rows, names, cell, upright=upright)
        axes.set_yticks([-1, *np.arange(len(stages)) + 0.5], ["batch norm", *stages])
        _number_epochs(axes, epochs)
        axes.tick_params(length=0, pad=5)
        return svg(figure, f"Heat map of {epochs} epochs by {len(stages)} stages: learning rate, grey where frozen")


def _draw_phases(
    axes: Axes, rows: Sequence[Mapping[str, Any]], names: Sequence[str], cell: float, *, upright: bool
) -> None:
    """Every phase's column of cells under its name, and the lines between epochs and between phases."""
    begin, bottom, top = 0, *axes.get_ylim()
    opacities = _opacities(rows)
    for row, name in zip(rows, names, strict=True):
        for y, height, text, colour, opacity in _cells(row, opacities):
            axes.bar(begin, height, row["epochs"], y, align="edge", color=colour, alpha=opacity, linewidth=0)
            if _LETTER * len(text) <= cell * row["epochs"]:
                middle, ink = begin + row["epochs"] / 2, "white" if opacity > 0.85 else INK
                axes.text(middle, y + height / 2, text, color=ink, fontsize=9, ha="center", va="center_baseline")
        angle = 90 if upright else 0
        axes.text(begin + row["epochs"] / 2, top + 0.15, name, color=INK, ha="center", va="bottom", rotation=angle)
        if cell >= 8:
            axes.vlines(range(begin + 1, begin + row["epochs"]), bottom, top, color=PAGE, linewidth=0.6)
        begin += row["epochs"]
        axes.vlines(begin, bottom, top, color=PAGE, linewidth=3)


def _cells(row: Mapping[str, Any], opacities: Mapping[float, float]) -> list[tuple[float, float, str, Any, float]]:
    """From below, height, text, colour and opacity: of batch norm, then of each stage."""
    cells = [(-1.38, 0.76, row["batch_norm"], GREY if row["batch_norm"] == "frozen" else UNSEEN, 0.25)]
    for i, rate in enumerate(row["rates"].values()):
        look = (short_rate(rate), BLUE, opacities[rate]) if rate > 0 else ("", GREY, 0.25)
        cells.append((i + 0.03, 0.94, *look))
    return cells


def _opacities(rows: Sequence[Mapping[str, Any]]) -> dict[float, float]:
    """Learning rate -> opacity, even in its logarithm."""
    rates = np.unique([rate for row in rows for rate in row["rates"].values() if rate > 0])
    if len(rates) < 2:
        return dict.fromkeys(rates.tolist(), 0.7)
    logs = np.log(rates)
    return dict(zip(rates.tolist(), (0.3 + 0.6 * (logs - logs[0]) / (logs[-1] - logs[0])).tolist(), strict=True))


def _number_epochs(axes: Axes, count: int) -> None:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, count) if count / s <= 20)
    numbers = [1, *range(step, count + 1, step)] if step > 1 else range(1, count + 1)
    axes.set_xticks([number - 0.5 for number in numbers], map(str, numbers))
    axes.set_xlabel("epoch")
