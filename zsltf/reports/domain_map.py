"""Two domains in the plane: principal components, and t-SNE."""

import numpy as np
from jaxtyping import Float, Int
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from zsltf.reports.drawing import SEEN, UNSEEN, label, legend_below, plane, style, svg

__all__ = ["domain_map", "planes"]


def planes(x: Float[np.ndarray, "N D"], seed: int = 0) -> dict[str, Float[np.ndarray, "N 2"]]:
    """Two views of vectors, each scaled to [0, 1].

    Source: Pearson 1901 (principal components); van der Maaten & Hinton, "Visualizing data using t-SNE", JMLR 2008.
    """
    x = np.asarray(x, np.float64)
    perplexity = min(30.0, (len(x) - 1) / 3)
    views = {
        "principal components": PCA(2, random_state=seed).fit_transform(x),
        "t-SNE": TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(x),
    }
    return {name: (view - view.min(axis=0)) / np.maximum(np.ptp(view, axis=0), 1e-12) for name, view in views.items()}


def domain_map(
    view: Float[np.ndarray, "N 2"],
    is_target: Int[np.ndarray, " N"],
    y: Int[np.ndarray, " N"],
    names: tuple[str, str],
    title: str,
) -> str:
    """Both domains' examples in one plane: colour tells the domain, and a digit or a dot the class.

    Args:
        view: places in [0, 1].
        is_target: 0 or 1.
        y: classes, drawn as digits up to ten of them; -1, a dot, where nobody knows.
        names: of source and target.
        title: what view of what features.
    """
    with style(f"domains-{title}", font_size=11):
        figure, axes = plane(title)
        for domain, colour in enumerate((SEEN, UNSEEN)):
            rows = is_target == domain
            told = rows & (y >= 0) & (y.max() < 10)
            for (across, up), digit in zip(view[told], y[told], strict=True):
                axes.text(across, up, str(digit), color=colour, fontsize=7, ha="center", va="center")
            axes.scatter(view[rows & ~told, 0], view[rows & ~told, 1], 5, color=colour, linewidths=0)
            axes.plot([], [], "o", color=colour, label=label(names[domain]), markersize=6)
        legend_below(axes)
        return svg(figure, f"{title}: examples of {names[0]} and {names[1]} in one plane")
