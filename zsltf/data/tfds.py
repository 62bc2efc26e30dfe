"""TensorFlow Datasets: each split of an image classification set, unpacked once into image files."""

import difflib
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from zsltf.checks import fail
from zsltf.data.collection import Collection, named_classes
from zsltf.data.folder_images import read_folder
from zsltf.data.images import ImageFolder
from zsltf.data.splits import PART_NAMES
from zsltf.files import atomic_directory, cache_directory

__all__ = ["read_tfds", "unpack"]

_SUFFIXES = {b"\x89PN": ".png", b"\xff\xd8\xff": ".jpg"}


def read_tfds(name: str, *, cache: Path | None = None) -> Collection:
    """Read a TFDS data set by its name, such as "mnist" or "oxford_flowers102:2.1.1", or by its local directory.

    A directory holds either what TFDS prepared (dataset_info.json) or the layout of `tfds.ImageFolder`.

    Args:
        name: a data set that isn't prepared yet is downloaded by TFDS.
        cache: folder for the unpacked files; by default `tfds` in the cache directory.

    Raises:
        ValueError: if there is no such data set, or it isn't one of images with one label each.
    """
    directory = Path(name).expanduser()
    if not directory.is_dir():
        return unpack(_builder(name), cache=cache)
    prepared = sorted(directory.rglob("dataset_info.json"))
    if len(prepared) > 1:
        found = ", ".join(str(path.parent) for path in prepared[:5])
        fail(name, "one prepared data set", found, "Give the folder of one version.")
    return unpack(_builder_of(prepared[0].parent), cache=cache) if prepared else read_folder(directory)


def unpack(builder: Any, *, cache: Path | None = None) -> Collection:
    """Write the encoded images of a prepared TFDS builder to files, once, and list them; labels keep their order.

    Splits other than train, validation and test are left out, unless there is one alone; so are unlabelled images.
    """
    image, label = _keys(builder)
    root = cache or cache_directory() / "tfds"
    used, left_out = _splits(builder)
    paths: list[str] = []
    rows: list[int] = []
    parts: list[str] = []
    for split, part in used.items():
        folder = Path(*builder.info.full_name.split("/"), f"{split}-{_key(builder, split)}").as_posix()
        for path, row in _labels(root / folder) or _write(builder, split, image, label, root / folder):
            if row < 0:
                left_out.append(f"{split} {path}, which has no label")
                continue
            paths.append(f"{folder}/{path}")
            rows.append(row)
            parts.append(part)
    return Collection(
        images=ImageFolder(root=root, paths=tuple(paths), y=np.array(rows, np.int64)),
        classes=named_classes(builder.info.features[label].names),
        parts=tuple(parts) if len(used) > 1 else None,
        left_out=tuple(left_out),
    )


def _splits(builder: Any) -> tuple[dict[str, str], list[str]]:
    """Split -> part, and what is no part."""
    names = list(builder.info.splits)
    used = {name: PART_NAMES[name] for name in names if name in PART_NAMES}
    if len(names) == 1:
        used = {names[0]: "train"}
    if "train" not in used.values():
        fail(builder.info.full_name, "a split train", ", ".join(names) or "none", "Choose another data set.")
    return used, [f"split {name}" for name in names if name not in used]


def _labels(folder: Path) -> list[tuple[str, int]] | None:
    """Each file below the folder and its label; None where it was not written or is damaged."""
    try:
        labels = [(path, row) for path, row in json.loads((folder / "labels.json").read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        return None
    return labels if all((folder / path).is_file() for path, _ in labels) else None


def _key(builder: Any, split: str) -> str:
    digest = hashlib.sha256()
    for path in map(Path, builder.info.splits[split].filepaths):
        status = path.stat()
        digest.update(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _write(builder: Any, split: str, image: str, label: str, folder: Path) -> list[tuple[str, int]]:
    import tensorflow_datasets as tfds

    decoders = {image: tfds.decode.SkipDecoding()}
    if builder.info.file_format.value == "array_record":  # as_dataset doesn't read it
        examples = builder.as_data_source(split=split, decoders=decoders)
    else:
        examples = tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False, decoders=decoders))
    labels: list[tuple[str, int]] = []
    try:
        with atomic_directory(folder, overwrite=folder.is_dir()) as staging:
            for i, example in enumerate(examples):
                encoded = example[image]
                path = f"{i // 1000:04d}/{i:07d}{_SUFFIXES.get(encoded[:3], '.image')}"
                (staging / path).parent.mkdir(exist_ok=True)
                (staging / path).write_bytes(encoded)
                labels.append((path, int(example[label])))
            (staging / "labels.json").write_text(json.dumps(labels), "utf-8")
    except (OSError, ValueError):
        if not _labels(folder):  # else another process was first, and wrote the same
            raise
    return labels


def _keys(builder: Any) -> tuple[str, str]:
    """The names of the image and of its label among the features."""
    import tensorflow_datasets as tfds

    features = dict(builder.info.features.items())
    images = [key for key, feature in features.items() if type(feature) is tfds.features.Image]
    labels = [key for key, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]
    supervised = builder.info.supervised_keys or ()
    image = next((key for key in images if key in supervised or len(images) == 1), None)
    label = next((key for key in labels if key in supervised or len(labels) == 1), None)
    if image is None or label is None or features[image].np_dtype != np.uint8:
        received = ", ".join(f"{key} ({type(feature).__name__})" for key, feature in features.items())
        fail(builder.info.full_name, "8-bit images with one label each", received, "Choose another data set.")
    return image, label


def _builder(name: str) -> Any:
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
    except (ValueError, AssertionError) as error:  # no such set, no name at all, or no such version
        near = difflib.get_close_matches(name, tfds.list_builders(), n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "See the names in tfds.list_builders()."
        received = f"{name!r} ({str(error).splitlines()[0]})"
        fail("tfds", "the name of a TFDS data set, or its directory", received, hint)
    _keys(builder)  # before the download
    builder.download_and_prepare()
    return builder


def _builder_of(directory: Path) -> Any:
    import tensorflow_datasets as tfds

    return tfds.builder_from_directory(directory)
