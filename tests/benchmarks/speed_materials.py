"""Pictures and networks to time."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from zsltf.data.collection import named_classes
from zsltf.data.decode import SUFFIXES, decode
from zsltf.data.image_array import ImageArray
from zsltf.data.images import ImageFolder
from zsltf.data.toy import draw_folder
from zsltf.files import visible_files
from zsltf.heads.linear import LinearHead
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.choice import BackboneChoice
from zsltf.training.network import Network

CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is timed."""

    rounds: int
    """Of most rows."""
    step_rounds: int
    """Of training steps, whose times lie close together."""
    size: int
    """Height and width in pixels that most networks get."""
    small_size: int
    """Of the networks whose step should be short."""
    images: int
    """That most rows take."""
    phase_images: int
    """Of the row that trains a whole phase."""
    phase_epochs: int
    phase_rounds: int
    megapixel_size: tuple[int, int]
    """Width and height of the big photos."""
    batch_size: int = 32


@dataclass(frozen=True)
class Pictures:
    """Photos of a folder, or drawn ones; the labels are made up.

    Args:
        folder: searched with its subfolders; None draws.
        scratch: for files that are made.
    """

    folder: Path | None
    scratch: Path

    def files(self, count: int) -> ImageFolder:
        """So many files, as far apart in the folder as can be, repeated where there are too few."""
        root = self.folder or self._drawn()
        found = [path for path in visible_files(root) if path.suffix.lower() in SUFFIXES]
        chosen = [found[i * len(found) // count] for i in range(count)]
        return ImageFolder(root=root, paths=tuple(str(path.absolute()) for path in chosen), y=_labels(count))

    def array(self, count: int, size: int) -> ImageArray:
        """So many pictures of size x size in memory."""
        files = self.files(count)
        images = (Image.fromarray(decode(Path(path), size)).resize((size, size)) for path in files.paths)
        return ImageArray(pixels=np.stack([np.asarray(image) for image in images]), y=files.y)

    def big(self, count: int, size: tuple[int, int]) -> tuple[ImageFolder, float]:
        """So many JPEG photos of this width and height, noisy as from a camera, and their mean megabytes."""
        folder, rng = self.scratch / "big", np.random.default_rng(0)
        folder.mkdir()
        for i, path in enumerate(self.files(count).paths):
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB").resize(size)) + rng.normal(0, 6, (size[1], size[0], 3))
            content = io.BytesIO()
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=90)
            (folder / f"{i:04d}.jpg").write_bytes(content.getvalue())
        paths = sorted(folder.iterdir())
        megabytes = float(np.mean([path.stat().st_size for path in paths]) / 1e6)
        return ImageFolder(root=folder, paths=tuple(path.name for path in paths), y=_labels(count)), megabytes

    def _drawn(self) -> Path:
        folder = self.scratch / "drawn"
        return folder if folder.is_dir() else draw_folder(folder, images_per_class=10, size=320)


def _labels(count: int) -> np.ndarray:
    return np.arange(count) % CLASSES


def network(name: str, size: int) -> Network:
    """A linear head on random weights, the same at each call."""
    keras.utils.set_random_seed(0)
    head = {"class": LinearHead()}
    return Network.build(backbone(name, size), head, named_classes([f"class {i}" for i in range(CLASSES)]))


def backbone(name: str, size: int, weights: str = "random") -> Backbone:
    """For images of this size."""
    return BackboneChoice(backbone=name, weights=weights, size=size).build()


def as_input(backbone: Backbone, images: ImageArray) -> np.ndarray:
    """The images as the backbone's Keras model takes them."""
    return np.concatenate([np.asarray(backbone.preprocess(part)) for part in _parts(images.pixels)])


def _parts(pixels: np.ndarray) -> Iterator[np.ndarray]:
    return (pixels[i : i + 32] for i in range(0, len(pixels), 32))
