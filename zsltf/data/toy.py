"""A picture set drawn by this file: coloured, textured shapes on any background, with their true attributes."""

import colorsys
import csv
import itertools
from numbers import Integral
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from zsltf.checks import check_choice, fail
from zsltf.data.classes import ClassTable
from zsltf.files import atomic_directory

__all__ = ["draw_folder", "draw_picture", "toy_classes"]

_SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
_COLOURS = {  # hue, saturation, value
    "red": (0.995, 0.90, 0.90),
    "orange": (0.075, 0.95, 1.00),
    "yellow": (0.148, 0.92, 1.00),
    "green": (0.370, 0.85, 0.70),
    "blue": (0.605, 0.88, 0.92),
    "purple": (0.785, 0.75, 0.72),
}
_TEXTURES = ("plain", "striped", "dotted")
_RADII = {"small": (0.175, 0.225), "large": (0.345, 0.385)}  # in sides of the picture
_COLUMNS = (*_SHAPES, *_COLOURS, *_TEXTURES, *_RADII)
_OUTLINE = 0.016  # in sides of the picture


def toy_classes(seed: int = 0, num_classes: int = 32) -> ClassTable:
    """Choose classes that differ pairwise in two factors or more; a quarter is unseen.

    Raises:
        ValueError: if seed < 0, or num_classes is not in 24..36 (37 classes can't differ pairwise in two factors).
    """
    _check_count("toy_classes.seed", seed, 0)
    _check_count("toy_classes.num_classes", num_classes, 24, 36)
    rng = np.random.default_rng(seed)
    names = _combinations(rng)
    table = np.array([[column in name.split("_") for column in _COLUMNS] for name in names])
    unseen = num_classes // 4
    order = rng.permutation(len(names))[:num_classes]
    while table[order[unseen:]].sum(0).min() < 2:  # a value seen in one class alone can't be told from that class
        order = rng.permutation(len(names))[:num_classes]
    rows = np.sort(order)
    return ClassTable(
        names=tuple(names[row] for row in rows),
        semantics=table[rows].astype(np.float32),
        seen=np.isin(rows, order[unseen:]),
        columns=_COLUMNS,
    )


def draw_folder(
    path: Path, *, seed: int = 0, num_classes: int = 32, images_per_class: int = 20, size: int = 128
) -> Path:
    """Write `images/<class>/<nnn>.png` and `attributes.csv` in the new folder `path` and return it.

    Picture i of a class follows from the seed, the class's name and i alone; `size` changes its resolution only.

    Raises:
        ValueError: if an argument is out of range, or something is at `path` already.
    """
    classes = toy_classes(seed, num_classes)
    _check_count("draw_folder.images_per_class", images_per_class, 1)
    _check_count("draw_folder.size", size, 16)
    with atomic_directory(path) as folder:
        _write_table(folder / "attributes.csv", classes)
        for name, row in zip(classes.names, classes.semantics, strict=True):
            (folder / "images" / name).mkdir(parents=True)
            for i in range(images_per_class):
                rng = np.random.default_rng([seed, *np.flatnonzero(row), i])
                Image.fromarray(draw_picture(name, rng, size)).save(folder / "images" / name / f"{i:03d}.png")
    return path


def draw_picture(name: str, rng: np.random.Generator, size: int = 128) -> UInt8[np.ndarray, "H W 3"]:
    """Draw one picture of a class such as "large_red_striped_star".

    Raises:
        ValueError: if the name is not size_colour_texture_shape, or size < 16.
    """
    extent, colour, texture, shape = _factors(name)
    _check_count("draw_picture.size", size, 16)
    axis = (np.arange(size) + 0.5) / size
    picture, outline = _background(axis, rng)
    radius = rng.uniform(*_RADII[extent])
    centre = 0.5 + (0.46 - 1.19 * radius) * rng.uniform(-1, 1, 2)  # every corner and its outline stay inside
    points = np.stack(np.meshgrid(axis - centre[0], axis - centre[1])) / radius  # (2, H, W), in radii
    edge = radius * _shape(shape, _rotate(points, rng.uniform(-0.25, 0.25)))
    marks = radius * _marks(texture, _rotate(points, rng.uniform(0, np.pi)), rng)
    body, tone = _tones(colour, rng)
    for paint, distance in ((outline, edge - _OUTLINE), (body, edge), (tone, np.maximum(edge, marks))):
        cover = np.clip(0.5 - distance * size, 0, 1)  # antialiased over one pixel
        picture += cover[..., None] * (paint - picture)
    return np.rint(255 * picture).astype(np.uint8)


def _combinations(rng: np.random.Generator) -> list[str]:
    """The 36 classes of a seed: one for each colour, texture and size, whose shape moves with each of the three."""
    shapes, *steps = (rng.permutation(6) for _ in range(4))
    factors = itertools.product(enumerate(_RADII), enumerate(_COLOURS), enumerate(_TEXTURES))
    return [
        f"{size}_{colour}_{texture}_{_SHAPES[shapes[(steps[0][i] + steps[1][j] + steps[2][k]) % 6]]}"
        for (i, size), (j, colour), (k, texture) in factors
    ]


def _background(axis: np.ndarray, rng: np.random.Generator) -> tuple[Float[np.ndarray, "H W 3"], float]:
    """A gradient, soft blobs or coarse noise around any colour, and a grey level that stands out from it."""
    cells, spread = ((2, 1.0), (4, 0.7), (24, 0.35))[rng.integers(3)]
    grid = np.clip(rng.random(3) + spread * (rng.random((cells, cells, 3)) - 0.5), 0, 1)
    hat = np.maximum(0, 1 - np.abs(axis[:, None] * (cells - 1) - np.arange(cells)))  # (H, cells), each row sums to 1
    smooth = hat * hat * (3 - 2 * hat)
    picture = np.moveaxis(smooth @ np.moveaxis(grid, 2, 0) @ smooth.T, 0, 2)
    return np.ascontiguousarray(picture), 0.08 if grid.mean() > 0.45 else 0.96


def _tones(colour: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The object's colour, jittered, and a darker or a lighter tone of it."""
    hue, saturation, value = _COLOURS[colour]
    hue, value = (hue + rng.uniform(-0.012, 0.012)) % 1, value * rng.uniform(0.88, 1)
    body = np.array(colorsys.hsv_to_rgb(hue, saturation, value))
    return body, 0.45 * body if rng.random() < 0.5 else 0.35 * body + 0.65


def _shape(shape: str, points: Float[np.ndarray, "2 H W"]) -> Float[np.ndarray, "H W"]:
    """Signed distance in radii to the shape's edge, negative inside."""
    x, y = np.abs(points)
    match shape:
        case "circle":
            return np.hypot(x, y) - 1
        case "ring":
            return np.abs(np.hypot(x, y) - 0.73) - 0.27
        case "cross":
            return np.maximum(np.maximum(x, y) - 1, np.minimum(x, y) - 0.34)
        case "square":
            return np.maximum(x, y) - 0.86
        case "triangle":
            return _sides(points, 3)[-1] - 0.6
        case _:
            return _sides(-points, 5)[-2] - 0.36  # a pentagram's five tips each lie beyond one of its five lines


def _sides(points: Float[np.ndarray, "2 H W"], count: int) -> Float[np.ndarray, "count H W"]:
    """Distances along the normals of a polygon that stands on one side, in ascending order."""
    angles = np.pi / 2 + 2 * np.pi / count * np.arange(count)
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.sort(np.tensordot(normals, points, 1), axis=0)


def _marks(texture: str, points: Float[np.ndarray, "2 H W"], rng: np.random.Generator) -> Float[np.ndarray, "H W"]:
    """Signed distance in radii to the texture's marks, negative inside."""
    period, offset, jitter = rng.uniform(0.38, 0.46), rng.random((2, 1, 1)), rng.uniform(-0.13, 0.13, (2, 16, 16))
    cell = np.floor(points / period + offset)
    x, y = points / period + offset - cell - 0.5  # within the cell
    match texture:
        case "striped":
            return period * (np.abs(x) - 0.25)
        case "dotted":
            column, row = cell.astype(int) % 16
            dx, dy = jitter[:, row, column]
            return period * (np.hypot(x - dx, y - dy) - 0.3)
        case _:
            return np.full(x.shape, np.inf)


def _rotate(points: Float[np.ndarray, "2 H W"], angle: float) -> Float[np.ndarray, "2 H W"]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.tensordot(np.array([[cos, sin], [-sin, cos]]), points, 1)


def _factors(name: str) -> list[str]:
    """Split a name into size, colour, texture and shape, and check each."""
    factors = name.split("_")
    if len(factors) != 4:
        fail("toy class", "a name size_colour_texture_shape", f"'{name}'", "Write it as in large_red_striped_star.")
    choices = (tuple(_RADII), tuple(_COLOURS), _TEXTURES, _SHAPES)
    for factor, values in zip(factors, choices, strict=True):
        check_choice(f"toy class '{name}'", factor, values)
    return factors


def _check_count(what: str, value: int, least: int, most: float = np.inf) -> None:
    if not (isinstance(value, Integral) and least <= value <= most):
        expected = f"a whole number >= {least}" if most == np.inf else f"a whole number from {least} to {most}"
        fail(what, expected, f"{value}", "Start from the default.")


def _write_table(path: Path, classes: ClassTable) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "split", *classes.columns])
        for name, row, seen in zip(classes.names, classes.semantics, classes.seen, strict=True):
            writer.writerow([name, "seen" if seen else "unseen", *(f"{value:g}" for value in row)])
