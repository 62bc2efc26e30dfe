"""What a client asks of a served zsltf model: the signature, its inputs, and how to read the answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float, UInt8

from zsltf.checks import check_shape, fail

__all__ = ["Call", "Prediction", "Table", "classify", "classify_arrays", "embed", "open_vocabulary", "project", "table"]

T = TypeVar("T")
Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Call(Generic[T]):
    """One request; a client runs it."""

    signature: str
    inputs: Tensors
    read: Callable[[Tensors], T]
    """Outputs to what the caller wants of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Of one image."""

    label: str
    """The best class, or "none of these" where the model has a threshold and the image is below it."""
    scores: Float[np.ndarray, " C"]
    probabilities: Float[np.ndarray, " C"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """The built-in classes."""

    names: tuple[str, ...]
    class_vectors: Float[np.ndarray, "C *K"]
    class_bias: Float[np.ndarray, " C"]


def classify(images: Sequence[bytes | Path]) -> Call[list[Prediction]]:
    """Encoded images (JPEG, PNG, GIF, BMP, WebP): a fraction of the bytes of arrays, and of the time to read them.

    Args:
        images: contents of files, or paths of files on this machine.
    """
    if isinstance(images, bytes | str | Path):
        fail("images", "a list of bytes or pathlib.Paths", type(images).__name__, "Write [Path('photo.jpg')] for one.")
    if not images:
        fail("images", "one or more", "none", "Give encoded images, or paths of such.")
    for i, image in enumerate(images):
        if not isinstance(image, bytes | Path):
            received = f"{type(image).__name__} {image!r:.50}"
            fail(f"images[{i}]", "bytes or a pathlib.Path", received, "Write Path('photo.jpg') for a file.")
    encoded = [image.read_bytes() if isinstance(image, Path) else image for image in images]
    return Call(signature="from_bytes", inputs={"encoded": np.array(encoded, object)}, read=_predictions)


def classify_arrays(images: UInt8[np.ndarray, "B H W 3"]) -> Call[list[Prediction]]:
    """Decoded images."""
    return Call(signature="serving_default", inputs={"images": _checked(images)}, read=_predictions)


def open_vocabulary(
    images: UInt8[np.ndarray, "B H W 3"], class_vectors: Float[np.ndarray, "C *K"], class_bias: Float[np.ndarray, " C"]
) -> Call[Tensors]:
    """Scores and probabilities (B, C) of the caller's classes; `project` makes vectors of semantics."""
    vectors, bias = np.asarray(class_vectors, np.float32), np.asarray(class_bias, np.float32)
    check_shape("class_bias", bias, (len(vectors),), "Give one bias a row of class_vectors.")
    inputs = {"images": _checked(images), "class_vectors": vectors, "class_bias": bias}
    return Call(signature="open_vocabulary", inputs=inputs, read=lambda outputs: outputs)


def embed(images: UInt8[np.ndarray, "B H W 3"]) -> Call[np.ndarray]:
    """What class vectors are compared with (B, K)."""
    return Call(signature="embed", inputs={"images": _checked(images)}, read=lambda outputs: outputs["embedding"])


def project(semantics: Float[np.ndarray, "C A"]) -> Call[np.ndarray]:
    """Class vectors of rows of semantics, for models that have such a signature."""
    inputs = {"semantics": np.asarray(semantics, np.float32)}
    return Call(signature="project", inputs=inputs, read=lambda outputs: outputs["class_vectors"])


def table(rows: Sequence[int] = ()) -> Call[Table]:
    """The built-in classes of these rows, by default all: names, vectors and bias."""

    def read(outputs: Tensors) -> Table:
        names = tuple(name.decode("utf-8") for name in outputs["names"])
        return Table(names=names, class_vectors=outputs["class_vectors"], class_bias=outputs["class_bias"])

    return Call(signature="table", inputs={"rows": np.array(rows, np.int32)}, read=read)


def _predictions(outputs: Tensors) -> list[Prediction]:
    columns = (outputs[name] for name in ("label", "scores", "probabilities"))
    return [
        Prediction(label=label.decode("utf-8"), scores=scores, probabilities=probabilities)
        for label, scores, probabilities in zip(*columns, strict=True)
    ]


def _checked(images: UInt8[np.ndarray, "B H W 3"]) -> np.ndarray:
    check_shape("images", images, (None, None, None, 3), "Give a batch of RGB images.")
    if images.dtype != np.uint8:
        fail("images", "uint8 in 0..255", str(images.dtype), "Don't normalise: the model does.")
    return images
