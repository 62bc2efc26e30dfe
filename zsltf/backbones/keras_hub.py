"""Any image backbone of KerasHub, from a preset (extra: zsltf[keras-hub])."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from zsltf.backbones._keras_hub_network import copied, flat, maps, stages
from zsltf.checks import check_choice, fail
from zsltf.data.decode import Resize
from zsltf.layers.keras_hub import import_keras_hub
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, Provenance
from zsltf.pretrained.weights import hash_files

__all__ = ["keras_hub"]


def keras_hub(
    weights: str | Path,
    *,
    size: int | None = None,
    mean: Sequence[float] | None = None,
    scale: Sequence[float] | None = None,
    resize: Resize | None = None,
    tokens: Literal["patches", "class"] = "patches",
) -> Backbone:
    """ViT, CLIP's image tower, ResNet and the other image backbones of KerasHub.

    A convolutional network's maps come as they are; a transformer's patch tokens (B, T, D) as maps (B, g, g, D), or its
    class token as (B, 1, 1, D); the embedding of an image tower such as CLIP's as (B, 1, 1, D). Images are resized
    bilinearly, whatever the preset's converter does. Stages are the levels of a pyramid or groups of a transformer's
    blocks; a network whose layers can't be saved one by one is one stage, "body".

    Args:
        weights: a preset's name ("vit_base_patch16_224_imagenet", "kaggle://...", "hf://...") or its folder.
        size: height and width in pixels; by default the preset's.
        mean: per-channel mean in pixels that is subtracted; by default that of the preset's image converter.
        scale: per-channel divisor in pixels; by default that of the preset's image converter.
        resize: how an image gets to size x size; by default as in the preset's image converter, or "stretch".
        tokens: of a transformer "patches", whose mean is the feature, or "class".

    Raises:
        ImportError: if keras-hub is missing.
        ValueError: if there is no such preset, it is not of images, or it doesn't say how to prepare them.
    """
    check_choice("keras_hub.tokens", tokens, ("patches", "class"))
    library, preset = import_keras_hub(), str(weights)
    tower, converter = _tower(library, preset, size), _converter(library, preset)
    graph = flat(library, tower)
    chosen = _size(graph, size, converter)
    preprocess = _preprocess(chosen, converter, mean, scale, resize)
    network = copied(graph, tower, chosen)
    model = keras.Model(network.input, maps(network, tower, tokens), name="keras_hub")
    files = sorted(Path(preset).glob("*.weights.h5")) if Path(preset).is_dir() else []
    return Backbone(
        name="keras_hub",
        model=model,
        preprocess=preprocess,
        stages=stages(model, tower),
        weights=Provenance(source=preset, sha256=hash_files(files) if files else ""),
    )


def _tower(library: Any, preset: str, size: int | None) -> Any:
    """The preset's backbone; one that is for one size only is made for `size`."""
    try:
        tower = library.models.Backbone.from_preset(preset)
        if size and len(tower.inputs) == 1 and tower.inputs[0].shape[1] not in (None, size):
            tower = library.models.Backbone.from_preset(preset, image_shape=(size, size, 3))
    except Exception as error:  # noqa: BLE001 (from a wrong name to a failed download)
        reason = str(error).partition("\n")[0][:300]
        fix = "Check the name and the size; offline, save_to_preset(FOLDER) elsewhere and give the FOLDER."
        fail("keras_hub", "a preset of KerasHub, or its folder", f"'{preset}' ({reason})", fix)
    return tower


def _converter(library: Any, preset: str) -> Any | None:
    """What prepares images for the preset, if it says that."""
    try:
        return library.layers.ImageConverter.from_preset(preset)
    except (OSError, ValueError):
        return None


def _size(graph: keras.Model, size: int | None, converter: Any | None) -> int:
    height, width = graph.input_shape[1:3]
    proposed = size or height or (getattr(converter, "image_size", None) or (None,))[0]
    if proposed is None:
        fail("keras_hub.size", "a size, since this preset takes any", "none", "Give the one that it was trained on.")
    if {height, width} - {None, proposed}:
        fail("keras_hub.size", f"{height} x {width}, as the preset takes", f"{proposed} x {proposed}", "Leave it out.")
    return int(proposed)


def _preprocess(
    size: int,
    converter: Any | None,
    mean: Sequence[float] | None,
    scale: Sequence[float] | None,
    resize: Resize | None,
) -> Preprocess:
    """The converter computes pixels * its scale + its offset."""
    if converter is None and (mean is None or scale is None):
        expected = "a preset with an image converter, or mean and scale"
        fail("keras_hub", expected, "neither", "Give the mean and scale that it was trained with.")
    factor = np.broadcast_to(1.0 if (factor := getattr(converter, "scale", None)) is None else factor, 3)
    offset = np.broadcast_to(0.0 if (offset := getattr(converter, "offset", None)) is None else offset, 3)
    crop, pad = (getattr(converter, f"{way}_to_aspect_ratio", False) for way in ("crop", "pad"))
    policy: Resize = "crop" if crop else "pad" if pad else "stretch"
    mean = (-offset / factor).tolist() if mean is None else mean
    return Preprocess(size, mean=mean, scale=scale or (1 / factor).tolist(), resize=resize or policy)
