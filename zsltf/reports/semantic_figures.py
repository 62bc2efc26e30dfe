"""The figures of class semantics: what photos show of each attribute, and which classes are alike."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from zsltf.reports.drawing import BLUE, MUTED, UNSEEN, label, letters, style, svg

__all__ = ["attribute_figure", "similarity_figure"]


def attribute_figure(shown: Float[np.ndarray, "C A"], names: Sequence[str], columns: Sequence[str], seen: int) -> str:
    """Classes by attributes, darker where photos of the class show more of one; up to 50 classes are labelled.

    Args:
        shown: in [0, 1]; the first `seen` rows are seen classes.
        names: of the classes.
        columns: of the attributes.
        seen: how many classes are seen.
    """
    what = f"Heat map of {len(names)} classes by {len(columns)} attributes: how much of each photos show"
    return _heat_map("attributes", shown, names, columns, seen, what, "class ↓  attribute →")


def similarity_figure(cosines: Float[np.ndarray, "C C"], names: Sequence[str], seen: int) -> str:
    """Classes by classes, darker where their semantics are more alike; up to 50 classes are labelled.

    Cosines below 0 are white.

    Args:
        cosines: the first `seen` rows are seen classes.
        names: of the classes.
        seen: how many classes are seen.
    """
    what = f"Heat map of {len(names)} by {len(names)} classes: likeness of their semantics"
    return _heat_map("likeness", np.clip(cosines, 0, 1), names, names, seen, what, "class ↓  class →", square=True)


def _heat_map(
    salt: str,
    values: Float[np.ndarray, "R C"],
    rows: Sequence[str],
    columns: Sequence[str],
    seen: int,
    what: str,
    corner: str,
    *,
    square: bool = False,
) -> str:
    labelled = len(rows) <= 50
    told_rows = [label(f"{'' if i < seen else '◆ '}{name}") for i, name in enumerate(rows)] if labelled else []
    told = told_rows if square else [label(name) for name in columns]
    cell = 14 if labelled else max(2, 780 / len(rows))
    left, top = (6.5 * max([18, *map(letters, labels)]) for labels in (told_rows, told))
    width, height = left + cell * len(columns), top + cell * len(rows)
    with style(salt, font_size=10):
        figure = Figure((width / 72, height / 72))
        axes = figure.add_axes((left / width, 0, 1 - left / width, 1 - top / height))
        axes.imshow([[(*BLUE, value) for value in row] for row in values], interpolation="none", aspect="auto")
        if seen < len(rows):
            axes.axhline(seen - 0.5, color=UNSEEN, linewidth=1)
            if square:
                axes.axvline(seen - 0.5, color=UNSEEN, linewidth=1)
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(told)), told, rotation=90, rotation_mode="anchor", ha="left", va="center")
        axes.set_yticks(range(len(told_rows)), told_rows)
        axes.tick_params(length=0, pad=5)
        for text in [*axes.get_yticklabels()[seen:], *(axes.get_xticklabels()[seen:] if square else [])]:
            text.set_color(UNSEEN)
        figure.text((left - 5) / width, (cell * len(rows) + 6) / height, corner, color=MUTED, ha="right")
        return svg(figure, what)
