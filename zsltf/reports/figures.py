"""The report's figures: SVG text that takes its colours from the page, the same bytes for the same data."""

import html
import io
import re
import unicodedata
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager

import matplotlib as mpl
import matplotlib.style
import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["confusion_figure", "curve_figure"]

_INK, _MUTED, _LINE, _SEEN, _UNSEEN, _PAGE = (f"#0000a{i}" for i in range(6))  # stand for the page's colours
_VARIABLES = {_INK: "ink", _MUTED: "muted", _LINE: "line", _SEEN: "seen", _UNSEEN: "unseen", _PAGE: "page"}
_BLUE = (0.18, 0.44, 0.75)  # of the heat map's cells: legible on white and on black
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a class may be called $x$
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _MUTED,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "grid.color": _LINE,
}


def confusion_figure(confusion: Int[np.ndarray, "C C"], names: Sequence[str], seen: int) -> str:
    """Each row's share of answers; up to 50 classes are labelled, and with bigger cells the shares are written in.

    Args:
        confusion: counts, rows are the truth; the first `seen` classes are the seen ones.
        names: of the C classes.
        seen: how many are seen.
    """
    count, labelled = len(names), len(names) <= 50
    labels = [_label(f"{'' if i < seen else '◆ '}{name}") for i, name in enumerate(names)] if labelled else []
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    side = min(max(780, 15 * count), 44 * count) if labelled else 780
    left = 6.5 * max([18, *map(_width, labels)])  # 10 pixels high, a letter is 6.5 wide
    width, height = left + side, side + (left if labelled else 20)
    with _style("confusion", font_size=10):
        figure = Figure((width / 72, height / 72))
        axes = figure.add_axes((left / width, 0, side / width, side / height))
        axes.imshow([[(*_BLUE, share) for share in row] for row in shares], interpolation="none")
        axes.axhline(seen - 0.5, color=_UNSEEN, linewidth=1)
        axes.axvline(seen - 0.5, color=_UNSEEN, linewidth=1)
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(labels)), labels, rotation=90, rotation_mode="anchor", ha="left", va="center")
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(length=0, pad=5)
        for text in [*axes.get_xticklabels()[seen:], *axes.get_yticklabels()[seen:]]:
            text.set_color(_UNSEEN)
        figure.text((left - 5) / width, (side + 6) / height, "truth ↓  answer →", color=_MUTED, ha="right")
        if side / count >= 22:
            _write_shares(axes, shares)
        return _svg(figure, f"Heat map of {count} by {count} classes: share of each true class's photos by answer")


def _write_shares(axes: Axes, shares: Float[np.ndarray, "C C"]) -> None:
    """Percent, where it is not 0."""
    for row, column in np.argwhere(shares >= 0.005):
        share = shares[row, column]
        colour = "white" if share > 0.85 else _INK
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
    with _style("curve", font_size=12):
        figure = Figure((380 / 72, 350 / 72))
        axes = figure.add_axes((0.16, 0.15, 0.78, 0.72))
        axes.fill_between(*curve.T, color=_SEEN, alpha=0.12, linewidth=0)
        axes.plot(*curve.T, color=_SEEN, linewidth=1.8)
        for (label, (y, x)), marker in zip(points.items(), "so", strict=True):
            face = _UNSEEN if marker == "o" else _PAGE
            axes.plot([x], [y], marker, color=_UNSEEN, mfc=face, mew=2, ms=8, clip_on=False, label=label, zorder=3)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="unseen accuracy U", ylabel="seen accuracy S")
        ticks = np.linspace(0, 1, 5)
        axes.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
        axes.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
        axes.grid(linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 1.0), ncols=2, frameon=False, handletextpad=0.1)
        return _svg(figure, "Curve of accuracy on seen classes over accuracy on unseen classes")


def _style(salt: str, font_size: int) -> AbstractContextManager[None]:
    """Matplotlib's defaults and ours, whatever the user has set; `salt` makes the ids those of one figure."""
    return mpl.style.context(["default", {**_STYLE, "font.size": font_size, "svg.hashsalt": salt}])


def _label(name: str, longest: int = 30) -> str:
    """One printable line."""
    name = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _width(label: str) -> int:
    """In letters; an East Asian character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in label)


def _svg(figure: Figure, description: str) -> str:
    """Draw, then keep what belongs into an HTML page: no prologue, no namespaces, no ids but those referred to."""
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a letter that matplotlib's font lacks: the browser has it
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    drawing = re.sub(r"<(metadata|style).*?</\1>|<!--.*?-->", "", out.getvalue(), flags=re.DOTALL)
    opening, body = drawing[drawing.index("<svg") :].split(">", 1)
    view = re.search(r'viewBox="0 0 (\S+) (\S+)"', opening)
    width, height = view.groups() if view else ("100", "100")
    head = f'<svg role="img" aria-label="{html.escape(description)}" viewBox="0 0 {width} {height}" '
    return f'{head}width="{width}" height="{height}">' + re.sub("<[^>]+>", _on_page, body)


def _on_page(tag: re.Match[str]) -> str:
    """A tag, which holds no user's text, in the page's colours."""
    plain = re.sub(r' id="[\w.]+_\d+"', "", tag[0])
    return re.sub("#0000a[0-5]", lambda colour: f"var(--{_VARIABLES[colour[0]]})", plain)
