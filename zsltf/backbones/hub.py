"""Any SavedModel, from TensorFlow Hub or from disk, as a backbone."""

from collections.abc import Sequence
from pathlib import Path

import keras

from zsltf.checks import fail
from zsltf.data.decode import Resize
from zsltf.layers.preprocess import Preprocess
from zsltf.layers.saved_model import SavedModelLayer
from zsltf.pretrained.backbone import Backbone, Provenance
from zsltf.pretrained.checkpoint import checkpoint_files
from zsltf.pretrained.hub_folder import hub_folder
from zsltf.pretrained.weights import hash_files

__all__ = ["hub"]


def hub(
    weights: str | Path,
    *,
    size: int | None = None,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    scale: Sequence[float] = (255.0, 255.0, 255.0),
    resize: Resize = "stretch",
) -> Backbone:
    """A SavedModel of TensorFlow 2 from images (B, h, w, 3) to features (B, D) or maps (B, h, w, D).

    It trains as one stage, "body". Features (B, D) count as maps of 1 x 1.

    Args:
        weights: its folder, or its handle on TensorFlow Hub or Kaggle: https://...
        size: height and width in pixels; needed where the SavedModel takes any.
        mean: per-channel mean in pixels that it wants subtracted.
        scale: per-channel divisor in pixels that it wants; by default pixels come in [0, 1], as is usual there.
        resize: how an image gets to size x size.

    Raises:
        ValueError: if there is none, it is of TensorFlow 1, it takes or gives something else, or it needs text, tables
            or files.
    """
    folder = hub_folder(str(weights))
    layer = SavedModelLayer.of(folder)
    images = keras.Input((_size(layer, size),) * 2 + (3,))
    maps = layer(images)
    if len(maps.shape) == 2:
        maps = keras.layers.Reshape((1, 1, maps.shape[-1]))(maps)
    if len(maps.shape) != 4 or maps.shape[-1] is None:
        fail("hub", "a SavedModel that gives (batch, D) or (batch, h, w, D)", str(maps.shape), "Export another output.")
    files = [folder / "saved_model.pb", *checkpoint_files(folder / "variables" / "variables")]
    return Backbone(
        name="hub",
        model=keras.Model(images, maps, name="hub"),
        preprocess=Preprocess(images.shape[1], mean=mean, scale=scale, resize=resize),
        stages={"body": (layer.name,)} if layer.weights else {},
        weights=Provenance(source=str(weights), sha256=hash_files(files)),
    )


def _size(layer: SavedModelLayer, size: int | None) -> int:
    height, width = layer.images.shape[1:3]
    fixed = height or width
    if size is None and fixed is None:
        fail("hub.size", "a size, since this SavedModel takes any", "none", "Give the one that it was trained on.")
    chosen = size or fixed
    if {height, width} - {None, chosen}:
        fail("hub.size", f"{height} x {width}, as the SavedModel takes", f"{chosen} x {chosen}", "Leave size out.")
    return int(chosen)
