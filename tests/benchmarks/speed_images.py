"""Images to features: the input pipeline beside the networks, extraction beside bare TensorFlow, bfloat16."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from speed_comparison import Comparison, in_turn
from speed_materials import Pictures, Scale, as_input, backbone, network
from speed_training import bare, one_hot

from zsltf.data.augment import Augmentation
from zsltf.data.image_array import ImageArray
from zsltf.data.images import Images
from zsltf.pretrained.backbone import Backbone, Precision
from zsltf.pretrained.extract import extract_features
from zsltf.training.batches import Stream
from zsltf.training.examples import Examples
from zsltf.training.phases import Phase

NETWORKS = ("resnet50", "efficientnet_lite0")


def pipeline(pictures: Pictures, scale: Scale) -> Iterator[Comparison]:
    """How fast images are decoded and batched, and how fast networks could take them, both with all threads."""
    big, megabytes = pictures.big(scale.images // 4, scale.megapixel_size)
    megapixels = np.prod(scale.megapixel_size) / 1e6
    kinds = {
        f"photos of {megapixels:.2g} megapixels, {megabytes:.1f} MB each": big,
        "small photos": pictures.files(4 * scale.images),
    }
    inputs = {kind: _speed(_reading(images, scale), len(images), scale) for kind, images in kinds.items()}
    for name in NETWORKS:
        for what, run in _uses(name, pictures, scale):
            speed = _speed(run, scale.batch_size, scale)
            for kind, read in inputs.items():
                yield Comparison(what=f"input pipeline, {kind}", ours=read, against=f"{name}, {what}", theirs=speed)


def extraction(pictures: Pictures, scale: Scale) -> Iterator[Comparison]:
    """Images in memory to features on disk and back, tracing included, as for the others."""
    images = pictures.array(scale.images, scale.size)
    for name in NETWORKS:
        network = backbone(name, scale.size)
        x = as_input(network, images)
        speeds = in_turn(
            {
                "ours": lambda network=network: extracted(network, images, pictures.scratch),
                "a bare `tf.function`": lambda network=network, x=x: bare_function(network, x, scale.batch_size),
                "`model.predict`": lambda network=network, x=x: network.features().predict(
                    x, batch_size=scale.batch_size, verbose=0
                ),
            },
            len(images),
            scale.rounds,
        )
        ours, *others = speeds
        for other in others:
            yield Comparison(
                what=f"extraction, {name}, {len(images)} images of {scale.size} px",
                ours=speeds[ours],
                against=other,
                theirs=speeds[other],
                wanted=0.95 if "tf.function" in other else None,
            )


def bfloat16(pictures: Pictures, scale: Scale) -> Iterator[Comparison]:
    """Extraction under mixed_bfloat16, and how far its features are from those of float32."""
    images = pictures.array(scale.images, scale.size)
    has = has_bfloat16()
    for name, weights in (("resnet50", "random"), ("efficientnet_lite0", "imagenet")):
        network = backbone(name, scale.size, weights)
        runs = {
            precision: lambda precision=precision, network=network: extracted(
                network, images, pictures.scratch, precision
            )
            for precision in ("mixed_bfloat16", "float32")
        }
        speeds = in_turn(runs, len(images), scale.rounds)
        half, whole = (run() for run in runs.values())
        yield Comparison(
            what=f"extraction in bfloat16, {name}",
            ours=speeds["mixed_bfloat16"],
            against="in float32",
            theirs=speeds["float32"],
            wanted=1.3 if has and name == "resnet50" else None,
            remark=f"{weights} weights, {difference(half, whole)}{'' if has else '; this CPU has no bfloat16'}",
        )


def extracted(backbone: Backbone, images: ImageArray, scratch: Path, precision: Precision = "float32") -> np.ndarray:
    """Features (N, D) that no cache had."""
    cache = scratch / "features"
    shutil.rmtree(cache, ignore_errors=True)
    return np.array(extract_features(backbone, images, precision=precision, cache=cache).features.x)


def bare_function(backbone: Backbone, x: np.ndarray, batch_size: int) -> np.ndarray:
    """Features (N, D) by a function made for it."""
    model = backbone.features()
    compute = tf.function(lambda pixels: model(pixels, training=False), reduce_retracing=True, autograph=False)
    parts = (x[i : i + batch_size] for i in range(0, len(x), batch_size))
    return np.concatenate([compute(tf.constant(part)).numpy() for part in parts])


def difference(found: np.ndarray, expected: np.ndarray) -> str:
    """Of features: relative error and cosine of the worst image and of the middle one."""
    lengths = np.linalg.norm(expected, axis=1)
    errors = np.linalg.norm(found - expected, axis=1) / lengths
    cosines = (found * expected).sum(axis=1) / (np.linalg.norm(found, axis=1) * lengths)
    return (
        f"relative error of a feature vector {np.median(errors):.1%} (largest {errors.max():.1%}), "
        f"cosine {np.median(cosines):.6f} (least {cosines.min():.6f})"
    )


def has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 (Linux on x86)."""
    path = Path("/proc/cpuinfo")
    words = set(path.read_text("utf-8").split()) if path.is_file() else set()
    return bool(words & {"avx512_bf16", "amx_bf16"})


def _speed(run: Callable[[], Any], images: int, scale: Scale) -> Sequence[float]:
    return in_turn({"": run}, images, scale.rounds)[""]


def _reading(images: Images, scale: Scale) -> Callable[[], Any]:
    """All images once, decoded, resized and batched, as for training."""
    stream = Stream(
        examples=Examples(images=images),
        preprocess=backbone("mean_colour", scale.size).preprocess,
        targets=lambda y: (y,),
        augmentation=Augmentation(),
        batch_size=scale.batch_size,
        seed=0,
    )
    return lambda: [None for _ in stream.epochs(0, 1)]


def _uses(name: str, pictures: Pictures, scale: Scale) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Inference and training of everything, on one batch."""
    net = network(name, scale.size)
    phase = Phase(name="all", epochs=1, learning_rate=1e-3, train_from=next(iter(net.stages)), batch_norm="train")
    model, images = bare(net, phase), pictures.array(scale.batch_size, scale.size)
    x, y = images.pixels.astype(np.float32), one_hot(images.y)
    infer = tf.function(lambda pixels: model(pixels, training=False))
    yield "inference", lambda: infer(tf.constant(x))
    yield "training of all", lambda: model.train_on_batch(x, y)
