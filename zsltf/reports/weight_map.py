"""Source examples in the plane, as big as they weigh, among the target's."""

import numpy as np
from jaxtyping import Float

from zsltf.reports.drawing import SEEN, UNSEEN, label, legend_below, plane, style, svg

__all__ = ["weight_map"]

_AREA = 14  # square points of an example of weight 1


def weight_map(
    source: Float[np.ndarray, "N 2"],
    target: Float[np.ndarray, "M 2"],
    weights: Float[np.ndarray, " N"],
    names: tuple[str, str],
    title: str,
) -> str:
    """Discs whose area is the weight, and crosses.

    Args:
        source: places in [0, 1].
        target: likewise.
        weights: of the source, mean about 1.
        names: of source and target.
        title: what view.
    """
    with style(f"weights-{title}", font_size=11):
        figure, axes = plane(title)
        axes.scatter(target[:, 0], target[:, 1], 12, color=UNSEEN, marker="x", linewidths=0.8, alpha=0.8)
        axes.scatter(source[:, 0], source[:, 1], _AREA * np.asarray(weights), color=SEEN, linewidths=0, alpha=0.7)
        axes.plot([], [], "o", color=SEEN, label=f"{label(names[0], 18)}, area = weight", markersize=6)
        axes.plot([], [], "x", color=UNSEEN, label=label(names[1], 18), markersize=6)
        legend_below(axes)
        return svg(figure, f"{title}: examples of {names[0]}, as big as they weigh, and of {names[1]} in one plane")
