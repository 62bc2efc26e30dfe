"""A folder with one folder a class, or with train, validation and test folders of such folders."""

from pathlib import Path

import numpy as np

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection, named_classes
from zsltf.data.images import ImageFolder
from zsltf.data.splits import PART_NAMES

__all__ = ["read_folder"]


def read_folder(root: Path, classes: ClassTable | None = None) -> Collection:
    """Read a folder of photos; where its folders are called train, validation (val, valid) and test, they split it.

    Args:
        root: the folder; the layout that `tfds.ImageFolder` reads is one of the two.
        classes: the classes to read, of which an unseen one needs no folder; by default every folder is one, in
            alphabetical order.

    Raises:
        ValueError: if a class has no image, in any part, or a part has a folder that training has not.
    """
    folders = _folders(root)
    if "train" in folders and set(folders) <= set(PART_NAMES):
        return _read_parts(root, folders, classes)
    table = named_classes(_class_names(root, folders)) if classes is None else _to_read(classes, folders)
    images = ImageFolder.read(root, table.names)
    return Collection(images=images, classes=table, left_out=images.left_out, not_images=images.not_images)


def _to_read(classes: ClassTable, folders: list[str]) -> ClassTable:
    return classes.select(np.flatnonzero(classes.seen | np.isin(classes.names, folders)))


def _read_parts(root: Path, folders: list[str], classes: ClassTable | None) -> Collection:
    parts = [PART_NAMES[folder] for folder in folders]
    if len(set(parts)) < len(parts):
        fail(str(root), "one folder a part", ", ".join(folders), "Keep one of val, valid and validation.")
    table = classes or named_classes(_class_names(root / "train", _folders(root / "train")))
    read = {folder: ImageFolder.read(root / folder, table.names) for folder in folders}
    for folder, images in read.items():
        if images.left_out and classes is None:
            fail(str(root / folder), "the classes of train", f"also {', '.join(images.left_out[:5])}", "Move them.")
    whole = ImageFolder(
        root=root,
        paths=tuple(f"{folder}/{path}" for folder, images in read.items() for path in images.paths),
        y=np.concatenate([images.y for images in read.values()]),
        left_out=tuple(f"{folder}/{name}" for folder, images in read.items() for name in images.left_out),
        not_images=tuple(f"{folder}/{name}" for folder, images in read.items() for name in images.not_images),
    )
    each = np.repeat(parts, [len(images) for images in read.values()])
    return Collection(
        images=whole,
        classes=table,
        parts=tuple(each.tolist()),
        left_out=whole.left_out,
        not_images=whole.not_images,
    )


def _class_names(root: Path, folders: list[str]) -> list[str]:
    if len(folders) < 2:
        received = ", ".join(folders) or "none"
        fail(str(root), "a folder for each of two classes or more", received, "Put the images of each class in one.")
    return folders


def _folders(root: Path) -> list[str]:
    if not root.is_dir():
        fail(str(root), "a folder with one folder a class", "no folder", "Check the path.")
    return sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
