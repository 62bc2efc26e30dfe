"""How figures are drawn: SVG text that takes its colours from the page, the same bytes for the same data."""

import html
import io
import re
import unicodedata
import warnings
from contextlib import AbstractContextManager

import matplotlib as mpl
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "LINE",
    "MUTED",
    "PAGE",
    "SEEN",
    "SOFT",
    "UNSEEN",
    "chart",
    "label",
    "legend_below",
    "letters",
    "plane",
    "style",
    "svg",
]

INK, MUTED, LINE, SEEN, UNSEEN, PAGE, SOFT, GREY = (f"#0000a{i}" for i in range(8))  # stand for the page's colours
_VARIABLES = dict(
    zip(
        (INK, MUTED, LINE, SEEN, UNSEEN, PAGE, SOFT, GREY),
        ("ink", "muted", "line", "seen", "unseen", "page", "soft", "grey"),
        strict=True,
    )
)
BLUE = (0.18, 0.44, 0.75)
"""Of heat maps' cells: legible on white and on black."""
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a class may be called $x$
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "grid.color": LINE,
}


def style(salt: str, font_size: int) -> AbstractContextManager[None]:
    """Matplotlib's defaults and ours, whatever the user has set; `salt` makes the ids those of one figure."""
    return mpl.style.context(["default", {**_STYLE, "font.size": font_size, "svg.hashsalt": salt}])


def chart(width: int, height: int) -> tuple[Figure, Axes]:
    """A figure of so many pixels with one pair of axes, open at the top and on the right."""
    figure = Figure((width / 72, height / 72))
    axes = figure.add_axes((56 / width, 50 / height, (width - 72) / width, (height - 100) / height))
    axes.grid(linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def plane(title: str) -> tuple[Figure, Axes]:
    """A square for places in [0, 1], without ticks, and room for a legend below."""
    figure = Figure((330 / 72, 330 / 72))
    axes = figure.add_axes((0.02, 0.09, 0.96, 0.84))
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=[], yticks=[])
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    return figure, axes


def legend_below(axes: Axes) -> None:
    """Of what a plane shows."""
    axes.legend(
        loc="upper left", bbox_to_anchor=(0.0, 0.01), borderaxespad=0.2, ncols=2, frameon=False, handletextpad=0.1
    )


def label(name: str, longest: int = 30) -> str:
    """One printable line."""
    name = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return name if len(name) <= longest else name[: longest - 1] + "…"


def letters(text: str) -> int:
    """Its width; an East Asian character takes that of two letters."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def svg(figure: Figure, description: str) -> str:
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
    return re.sub("#0000a[0-7]", lambda colour: f"var(--{_VARIABLES[colour[0]]})", plain)
