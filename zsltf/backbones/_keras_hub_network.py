"""A backbone of KerasHub as a network of layers that can be saved, frozen and named one by one."""

import math
import warnings
from collections import Counter
from itertools import pairwise
from typing import Any, Literal

import keras
import numpy as np

from zsltf.checks import fail
from zsltf.layers.keras_hub import KerasHubLayer

__all__ = ["copied", "flat", "maps", "stages"]

_GROUPS = 4  # stages that a transformer's blocks make


def flat(library: Any, tower: Any) -> keras.Model:
    """Images to features, layer by layer as far as that is known of the kind."""
    network = getattr(tower, "vision_encoder", tower)
    outputs = network.outputs
    if hasattr(tower, "vision_projection"):
        outputs = [tower.vision_projection(tower.vision_pooler(outputs[0]))]
    elif isinstance(network, library.models.ViTBackbone):
        outputs = [_blocks(network.get_layer("vit_encoder"))]
    images = network.inputs[0]
    if len(network.inputs) != 1 or len(outputs) != 1 or len(images.shape) != 4 or images.shape[-1] != 3:
        shapes = f"{network.input_shape} to {network.output_shape}"
        fail("keras_hub", "a backbone from images (B, h, w, 3) to one output", shapes, "Choose another preset.")
    return keras.Model(images, outputs[0])


def _blocks(encoder: Any) -> Any:
    """What ViT's encoder does, block by block."""
    x = encoder.dropout(encoder.input)
    for block in encoder.encoder_layers:
        x = block(x)
    return encoder.layer_norm(x)


def copied(graph: keras.Model, tower: Any, size: int) -> keras.Model:
    """The same network for images of one size, or the tower as one layer where KerasHub's layers can't be saved."""
    images = keras.Input((size, size, 3))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            copy = keras.models.clone_model(graph, input_tensors=images, clone_function=_again)
            copy.set_weights(graph.get_weights())
        pixels = np.random.default_rng(0).normal(size=(1, size, size, 3)).astype(np.float32)
        same = np.allclose(copy(pixels), graph(pixels), rtol=1e-4, atol=1e-4)
    except Exception:  # noqa: BLE001 (a configuration that doesn't load fails in every way)
        same = False
    if same:
        return copy
    if len(tower.inputs) > 1:
        fail("keras_hub", "a network whose layers can be saved", type(tower).__name__, "Choose another preset.")
    inputs = dict.fromkeys(tower.input, images) if isinstance(tower.input, dict) else images
    return keras.Model(images, KerasHubLayer(tower)(inputs))


def _again(layer: keras.layers.Layer) -> keras.layers.Layer:
    if type(layer).__module__.startswith("keras_hub."):
        return KerasHubLayer.from_config(KerasHubLayer(layer).get_config())
    return type(layer).from_config(layer.get_config())


def maps(network: keras.Model, tower: Any, tokens: Literal["patches", "class"]) -> Any:
    """Its output as maps; tokens (B, T, D) are those of patches, row by row, after the class token and other extras."""
    output = network.output
    if len(output.shape) == 4:
        return output
    if len(output.shape) == 2:
        return keras.layers.Reshape((1, 1, output.shape[-1]), name="maps")(output)
    size = network.input_shape[1]
    count = output.shape[1] or network(np.zeros((1, size, size, 3), np.float32)).shape[1]
    patch = np.ravel(getattr(getattr(tower, "vision_encoder", tower), "patch_size", size))[0]
    side = min(size // int(patch), math.isqrt(count))  # fewer where patches are merged on the way
    extras = count - side**2
    if tokens == "class" and not extras:
        fail("keras_hub.tokens", "'patches', since there is no class token", "'class'", "Leave it out.")
    cropping, shape = ((0, count - 1), (1, 1)) if tokens == "class" else ((extras, 0), (side, side))
    kept = keras.layers.Cropping1D(cropping, name="tokens")(output)
    return keras.layers.Reshape((*shape, output.shape[-1]), name="maps")(kept)


def stages(model: keras.Model, tower: Any) -> dict[str, list[str]]:
    """The levels of the tower's pyramid, or groups of its blocks with what lies before and after them."""
    layers = [layer for layer in model.layers if layer.weights]
    names = [layer.name for layer in layers]
    pyramid = getattr(tower, "pyramid_outputs", {})
    blocks = Counter(type(layer.layer) for layer in layers if isinstance(layer, KerasHubLayer))
    kind, count = next(iter(blocks.most_common(1)), (None, 0))
    if pyramid and len(layers) > 1:
        return _levels(names, [(level, keras.Model(tower.inputs, end)) for level, end in pyramid.items()])
    if count > 1:
        return _groups(names, [i for i, layer in enumerate(layers) if type(getattr(layer, "layer", None)) is kind])
    return {"body": names}


def _levels(names: list[str], levels: list[tuple[str, keras.Model]]) -> dict[str, list[str]]:
    """Each layer in the lowest level that it leads to; what leads to none is in the last."""
    staged: dict[str, list[str]] = {}
    for level, network in sorted(levels, key=lambda pair: len(pair[1].layers)):
        below = {layer.name for layer in network.layers} - {name for stage in staged.values() for name in stage}
        if stage := [name for name in names if name in below]:
            staged[level] = stage
    done = {name for stage in staged.values() for name in stage}
    staged[next(reversed(staged))] += [name for name in names if name not in done]
    return staged


def _groups(names: list[str], blocks: list[int]) -> dict[str, list[str]]:
    """ "embedding", "blocks1" to "blocks4" at the most, and "top"."""
    starts = [int(group[0]) for group in np.array_split(blocks, min(_GROUPS, len(blocks)))]
    cuts = [0, *starts, blocks[-1] + 1, len(names)]
    titles = ["embedding", *(f"blocks{i}" for i in range(1, len(starts) + 1)), "top"]
    cut = {title: names[begin:end] for title, (begin, end) in zip(titles, pairwise(cuts), strict=True)}
    return {title: stage for title, stage in cut.items() if stage}
