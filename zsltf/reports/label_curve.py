"""Accuracy over the number of labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import NullFormatter

from zsltf.reports.drawing import GREY, MUTED, SEEN, UNSEEN, chart, label, style, svg

__all__ = ["label_curve"]

_LINES = ((SEEN, "-"), (UNSEEN, "-"), (GREY, "--"), (MUTED, ":"))


def label_curve(means: Sequence[Mapping[str, Any]]) -> str:
    """A line for each way to use labels, with intervals over seeds; the method's first.

    Args:
        means: of `label_means`.
    """
    ways = sorted(
        dict.fromkeys((row["method"], row["use"]) for row in means), key=lambda way: _is_reference(means, way)
    )
    with style("label curve", font_size=12):
        figure, axes = chart(560, 350)
        for i, (method, use) in enumerate(ways):
            own = [row for row in means if (row["method"], row["use"]) == (method, use)]
            labels, middle = (np.array([row[key] for row in own], float) for key in ("labels", "accuracy"))
            ends = np.abs(np.array([row["interval"] for row in own]).T - middle)
            colour, dash = _LINES[i % len(_LINES)]
            aside = labels * 1.03 ** (i - len(ways) / 2)  # so that intervals don't cover each other
            named = f"{method}, {use}"
            axes.errorbar(aside, middle, ends, fmt=f"o{dash}", color=colour, ms=4, capsize=2, label=label(named, 40))
        ticks = sorted({row["labels"] for row in means})
        axes.set(xscale="log", ylim=(0, 1), xlabel="labels", ylabel="accuracy")
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(np.linspace(0, 1, 5), [f"{t:.0%}" for t in np.linspace(0, 1, 5)])
        axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), ncols=2, frameon=False, fontsize=10)
        return svg(figure, "Accuracy over the number of labels, with and without pretraining")


def _is_reference(means: Sequence[Mapping[str, Any]], way: tuple[str, str]) -> bool:
    return next(row for row in means if (row["method"], row["use"]) == way)["scratch"] is None
