"""Folders of the few-shot benchmarks: classes, and which of them are to learn from, to choose on and to test on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_choice, fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection, named_classes
from zsltf.data.csv_lines import read_lines
from zsltf.data.folder_images import read_folder
from zsltf.data.images import ImageFolder
from zsltf.data.splits import PART_NAMES

__all__ = ["ROLES", "ClassParts", "read_benchmark", "read_class_parts"]

ROLES = ("base", "validation", "novel")
"""Classes to learn from, to choose on, and to test on."""
_ROLE = {**dict(zip(("train", "validation", "test"), ROLES, strict=True)), **{role: role for role in ROLES}}
_CIFAR_SPLIT = ("splits", "bertinetto")


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassParts:
    """Rows of the class table of each role.

    Raises:
        ValueError: if a class has two roles, or fewer than two are novel.
    """

    base: Int[np.ndarray, " B"]
    validation: Int[np.ndarray, " V"]
    novel: Int[np.ndarray, " N"]

    def __post_init__(self) -> None:
        for first, second in combinations(ROLES, 2):
            common = np.intersect1d(getattr(self, first), getattr(self, second))
            if len(common):
                fail("class parts", "each class in one part", f"row {common[0]} in {first} and {second}", "Mend them.")
        if len(self.novel) < 2:
            fail("novel classes", "2 or more to tell apart", str(len(self.novel)), "Leave more classes to test on.")

    @classmethod
    def of_names(cls, names: Mapping[str, Sequence[str]], classes: ClassTable, source: str) -> "ClassParts":
        """Of role -> class names; a class that is in none has no part in anything.

        Raises:
            ValueError: naming a class that is in two parts, or is none of the table's.
        """
        for first, second in combinations(ROLES, 2):
            common = sorted(set(names.get(first, ())) & set(names.get(second, ())))
            if common:
                fix = (
                    "Classes to test on must be new: for images of the same classes there is `zsltf run linear_probe`."
                )
                fail(source, "each class in one part", f"{', '.join(common[:5])} in {first} and {second}", fix)
        for name in (name for listed in names.values() for name in listed):
            check_choice(f"{source}: class", name, classes.names)
        rows = {role: [classes.names.index(name) for name in names.get(role, ())] for role in ROLES}
        return cls(**{role: np.array(sorted(found), np.int64) for role, found in rows.items()})


def read_benchmark(root: Path) -> tuple[Collection, ClassParts] | None:
    """Images and parts, where the folder is laid out as a few-shot benchmark; None for a plain folder of classes.

    Known are folders of classes below train/, val/ and test/; mini-ImageNet's images/ beside train.csv, val.csv and
    test.csv of filename and label; and CIFAR-FS's data/CLASS/ beside splits/bertinetto/train.txt and its like, in the
    folder or in its cifar100/.

    Source: Ravi & Larochelle, "Optimization as a model for few-shot learning", ICLR 2017 (mini-ImageNet's split);
        Bertinetto et al., "Meta-learning with differentiable closed-form solvers", ICLR 2019 (CIFAR-FS).

    Raises:
        ValueError: naming a class that is in two parts, or what a list names and the folder lacks.
    """
    if not root.is_dir():
        fail(str(root), "a folder of images", "no folder", "Check the path.")
    for folder in (root, root / "cifar100"):
        if folder.joinpath(*_CIFAR_SPLIT, "train.txt").is_file():
            return _read_cifar(folder)
    if (root / "train.csv").is_file() and (root / "images").is_dir():
        return _read_lists(root)
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return _read_folders(root, folders) if "train" in folders and set(folders) <= set(PART_NAMES) else None


def read_class_parts(path: Path, classes: ClassTable) -> ClassParts:
    """Read `class,part` with parts base, validation and novel, or train, validation (val) and test.

    Raises:
        ValueError: naming the line of an unknown class or part, or of a class that was there before.
    """
    names: dict[str, list[str]] = {role: [] for role in ROLES}
    seen: set[str] = set()
    for line, row in read_lines(path, ["class", "part"]):
        part = PART_NAMES.get(row["part"].lower(), row["part"].lower())
        check_choice(f"{path}, line {line}, column part", part, _ROLE)
        check_choice(f"{path}, line {line}, column class", row["class"], classes.names)
        if row["class"] in seen:
            fail(f"{path}, line {line}", "each class once", f"{row['class']} again", "Remove one of the lines.")
        seen.add(row["class"])
        names[_ROLE[part]].append(row["class"])
    return ClassParts.of_names(names, classes, str(path))


def _read_cifar(root: Path) -> tuple[Collection, ClassParts]:
    collection = read_folder(root / "data")
    files = {part: root.joinpath(*_CIFAR_SPLIT, f"{part}.txt") for part in ("train", "val", "test")}
    lines = {part: path.read_text("utf-8").split("\n") for part, path in files.items() if path.is_file()}
    names = {_role(part): [line.strip() for line in found if line.strip()] for part, found in lines.items()}
    return collection, ClassParts.of_names(names, collection.classes, str(files["train"].parent))


def _read_lists(root: Path) -> tuple[Collection, ClassParts]:
    lists = {part: root / f"{part}.csv" for part in ("train", "val", "test") if (root / f"{part}.csv").is_file()}
    rows = {_role(part): read_lines(path, ["filename", "label"]) for part, path in lists.items()}
    names = {role: sorted({row["label"] for _, row in found}) for role, found in rows.items()}
    table = named_classes([name for listed in names.values() for name in dict.fromkeys(listed)])
    parts = ClassParts.of_names(names, table, str(root))
    listed = [row for found in rows.values() for _, row in found]
    _check_once(lists, rows)
    missing = [row["filename"] for row in listed if not (root / "images" / row["filename"]).is_file()]
    if missing:
        received = f"{len(missing)} of none, {missing[0]} first"
        fail(str(root), "the files of its lists in images/", received, "Unpack all images.")
    number = {name: row for row, name in enumerate(table.names)}
    y = np.array([number[row["label"]] for row in listed])
    images = ImageFolder(root=root / "images", paths=tuple(row["filename"] for row in listed), y=y)
    return Collection(images=images, classes=table), parts


def _check_once(lists: Mapping[str, Path], rows: Mapping[str, list[tuple[int, dict[str, str]]]]) -> None:
    """A file that is listed twice could be support and query of one episode."""
    places: dict[str, str] = {}
    for part, path in lists.items():
        for line, row in rows[_role(part)]:
            place = f"{path.name}, line {line}"
            before = places.setdefault(row["filename"], place)
            if before != place:
                fail(
                    str(path), "each file once in all lists", f"{row['filename']} in {before} and {place}", "Keep one."
                )


def _read_folders(root: Path, folders: Sequence[str]) -> tuple[Collection, ClassParts]:
    read = {folder: read_folder(root / folder) for folder in folders}
    names = {_role(folder): found.classes.names for folder, found in read.items()}
    if len(names) < len(folders):
        fail(str(root), "one folder a part", ", ".join(folders), "Keep one of val, valid and validation.")
    table = named_classes(list(dict.fromkeys(name for listed in names.values() for name in listed)))
    parts = ClassParts.of_names(names, table, str(root))
    starts = np.cumsum([0, *(len(found.classes) for found in read.values())])
    images = ImageFolder(
        root=root,
        paths=tuple(f"{folder}/{name}" for folder, found in read.items() for name in found.images.names),
        y=np.concatenate([found.images.y + start for found, start in zip(read.values(), starts, strict=False)]),
    )
    others = tuple(f"{folder}/{name}" for folder, found in read.items() for name in found.not_images)
    return Collection(images=images, classes=table, not_images=others), parts


def _role(folder: str) -> str:
    return _ROLE[PART_NAMES[folder]]
