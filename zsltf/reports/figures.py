"""The figures of test results: confusion matrix, seen-unseen curve, reliability."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zsltf.reports.drawing import BLUE, INK, MUTED, PAGE, SEEN, UNSEEN, chart, label, letters, style, svg

__all__ = ["confusion_figure", "curve_figure", "reliability_figure"]


def confusion_figure(confusion: Int[np.ndarray, "C C"], names: Sequence[str], seen: int | None = None) -> str:
    """Each row's share of answers; up to 50 classes are labelled, and with bigger cells the shares are written in.

    Args:
        confusion: counts, rows are the truth; the first `seen` classes are the seen ones.
        names: of the C classes.
        seen: how many are seen; None where that isn't the question.
    """
    seen = len(names) if seen is None else seen
    count, labelled = len(names), len(names) <= 50
    labels = [label(f"{'' if i < seen else '◆ '}{name}") for i, name in enumerate(names)] if labelled else []
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    side = min(max(780, 15 * count), 44 * count) if labelled else 780
    left = 6.5 * max([18, *map(letters, labels)])  # 10 pixels high, a letter is 6.5 wide
    width, height = left + side, side + (left if labelled else 20)
    with style("confusion", font_size=10):
        figure = Figure((width / 72, height / 72))
        axes = figure.add_axes((left / width, 0, side / width, side / height))
        axes.imshow([[(*BLUE, share) for share in row] for row in shares], interpolation="none")
        if seen < count:
            axes.axhline(seen - 0.5, color=UNSEEN, linewidth=1)
            axes.axvline(seen - 0.5, color=UNSEEN, linewidth=1)
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(labels)), labels, rotation=90, rotation_mode="anchor", ha="left", va="center")
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(length=0, pad=5)
        for text in [*axes.get_xticklabels()[seen:], *axes.get_yticklabels()[seen:]]:
            text.set_color(UNSEEN)
        figure.text((left - 5) / width, (side + 6) / height, "truth ↓  answer →", color=MUTED, ha="right")
        if side / count >= 22:
            _write_shares(axes, shares)
        return svg(figure, f"Heat map of {count} by {count} classes: share of each true class's photos by answer")


def _write_shares(axes: Axes, shares: Float[np.ndarray, "C C"]) -> None:
    """Percent, where it is not 0."""
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        colour = "white" if share > 0.85 else INK
        axes.text(column, row, f"{100 * share:.0f}", color=colour, fontsize=9, ha="center", va="center_baseline")


def curve_figure(
    seen: Float[np.ndarray, " T"], unseen: Float[np.ndarray, " T"], points: dict[str, tuple[float, float]]
) -> str:
    """Seen over unseen accuracy for every gamma, the area below shaded.

    Args:
        seen: accuracy on seen classes.
        unseen: likewise.
        points: label -> (seen, unseen), the last one drawn filled.
    """
    curve = np.round(np.stack([unseen, seen], axis=1), 3)
    curve = curve[np.append(True, np.diff(curve, axis=0).any(axis=1))]  # at most 2000 steps are left
    with style("curve", font_size=12):
        figure = Figure((380 / 72, 350 / 72))
        axes = figure.add_axes((0.16, 0.15, 0.78, 0.72))
        axes.fill_between(*curve.T, color=SEEN, alpha=0.12, linewidth=0)
        axes.plot(*curve.T, color=SEEN, linewidth=1.8)
        for (name, (y, x)), marker in zip(points.items(), "so", strict=True):
            face = UNSEEN if marker == "o" else PAGE
            axes.plot([x], [y], marker, color=UNSEEN, mfc=face, mew=2, ms=8, clip_on=False, label=name, zorder=3)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="unseen accuracy U", ylabel="seen accuracy S")
        _percent_ticks(axes)
        axes.grid(linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), ncols=2, frameon=False, handletextpad=0.1)
        return svg(figure, "Curve of accuracy on seen classes over accuracy on unseen classes")


def reliability_figure(
    confidence: Float[np.ndarray, " bins"], accuracy: Float[np.ndarray, " bins"], count: Int[np.ndarray, " bins"]
) -> str:
    """Share of claims that come true over the probability claimed; a dot's area is its number of claims.

    Args:
        confidence: mean of each bin; NaN in an empty one.
        accuracy: likewise.
        count: claims in each bin.
    """
    bins, full = len(count), count > 0
    with style("reliability", font_size=12):
        figure, axes = chart(380, 350)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)), label="calibrated")
        middles = (np.arange(bins) + 0.5) / bins
        axes.bar(middles[full], accuracy[full], 0.92 / bins, color=SEEN, alpha=0.22, linewidth=0)
        areas = 14 + 200 * count[full] / count.max()
        axes.scatter(confidence[full], accuracy[full], areas, color=SEEN, linewidths=0, clip_on=False, zorder=3)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability claimed", ylabel="share that came true")
        _percent_ticks(axes)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), frameon=False)
        return svg(figure, "Reliability: share that came true over probability claimed")


def _percent_ticks(axes: Axes) -> None:
    ticks = np.linspace(0, 1, 5)
    axes.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
    axes.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
