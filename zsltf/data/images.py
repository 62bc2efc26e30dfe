"""A folder of photos, one folder a class, as a tf.data pipeline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from jaxtyping import Int

from zsltf.checks import fail
from zsltf.data.decode import SUFFIXES, Resize, decode
from zsltf.files import visible_files

__all__ = ["ImageFolder", "OnCorrupt", "image_dataset"]

OnCorrupt = Literal["skip", "error"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageFolder:
    """The images of a folder tree whose first level names the classes.

    Formats: JPEG (grey, RGB, CMYK; EXIF rotation), PNG, WebP (alpha on white), GIF (first frame), BMP.
    """

    root: Path
    paths: tuple[str, ...]
    """Relative to root, sorted."""
    y: Int[np.ndarray, " N"]
    """Label i is row i of the class names that the folder was read with."""
    left_out: tuple[str, ...] = ()
    """Folders that are no class of the table."""
    not_images: tuple[str, ...] = ()
    """Files whose name is not an image's."""

    @classmethod
    def read(cls, root: Path, names: Sequence[str]) -> "ImageFolder":
        """List the images below root/NAME for each name.

        Raises:
            ValueError: if root is no folder, or a name has no folder or no image.
        """
        if not root.is_dir():
            fail(str(root), "a folder with one folder a class", "no folder", "Check the path.")
        folders = {entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
        missing = [name for name in names if name not in folders]
        if missing:
            listed = ", ".join(missing[:10])
            fail(str(root), "a folder for every class of the table", f"none for {listed}", "Add it or remove the row.")
        files = [visible_files(root / name) for name in names]
        images = [[path for path in paths if path.suffix.lower() in SUFFIXES] for paths in files]
        empty = [name for name, paths in zip(names, images, strict=True) if not paths]
        if empty:
            fail(str(root), "an image in every class folder", f"none in {', '.join(empty[:10])}", "Add photos.")
        others = [path for paths in files for path in paths if path.suffix.lower() not in SUFFIXES]
        return cls(
            root=root,
            paths=tuple(path.relative_to(root).as_posix() for paths in images for path in paths),
            y=np.repeat(np.arange(len(names)), [len(paths) for paths in images]),
            left_out=tuple(sorted(folders - set(names))),
            not_images=tuple(path.relative_to(root).as_posix() for path in others),
        )

    def __len__(self) -> int:
        return len(self.paths)


def image_dataset(
    images: ImageFolder,
    resize: Callable[[Any], Any],
    *,
    size: int,
    policy: Resize = "stretch",
    batch_size: int = 32,
    shuffle_seed: int | None = None,
    on_corrupt: OnCorrupt = "skip",
    skipped: dict[int, str] | None = None,
) -> Any:
    """A tf.data.Dataset of (index (B,), pixels (B, size, size, 3) float32 in [0, 255]), decoded in parallel.

    Args:
        images: what to read.
        resize: from one decoded image to (size, size, 3), in TensorFlow ops: `Preprocess.resize`.
        size: pixels that the network takes; bigger photos are shrunk by area to it first.
        policy: the resize policy, for that shrinking.
        batch_size: images a batch.
        shuffle_seed: a new order every epoch, the same for the same seed; None keeps the folder's order.
        on_corrupt: "skip" leaves out what can't be decoded and goes on; "error" stops.
        skipped: filled while the dataset is read: index -> reason, for each file that can't be decoded.
    """
    reasons = {} if skipped is None else skipped

    def load(index: np.int64) -> np.ndarray:
        try:
            return decode(images.root / images.paths[index], size, policy)
        except ValueError as error:
            reasons[int(index)] = str(error)
            if on_corrupt == "error":
                raise
            return np.zeros((0, 0, 3), np.uint8)

    def read(index: Any) -> tuple[Any, Any]:
        pixels = tf.numpy_function(load, [index], tf.uint8, stateful=False)
        return index, tf.ensure_shape(pixels, (None, None, 3))

    dataset = tf.data.Dataset.range(len(images))
    if shuffle_seed is not None:
        dataset = dataset.shuffle(len(images), seed=shuffle_seed, reshuffle_each_iteration=True)
    return (
        dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .filter(lambda _, pixels: tf.size(pixels) > 0)
        .map(lambda index, pixels: (index, resize(pixels)), num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size)
        .prefetch(2)
    )
