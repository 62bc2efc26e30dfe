"""A network that converts in seconds, with every door, and pictures for it."""

from pathlib import Path

import keras
import numpy as np
from PIL import Image

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode, fitted
from zsltf.layers.preprocess import Preprocess
from zsltf.similarities.cosine import Cosine

SIZE = 24
NAMES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")
COLUMNS = ("wings", "long_legs", "fur", "s3")
SEED = 7


def classifier(table: ClassTable | None = None, **options) -> Classifier:
    """Seven classes of which three are unseen, with four columns of semantics; options are the Classifier's."""
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    images = keras.Input((SIZE, SIZE, 3))
    maps = keras.layers.Conv2D(12, 5, strides=2, activation="relu")(images)
    x = keras.layers.Dense(6)(keras.layers.GlobalAveragePooling2D()(maps))
    semantics = keras.Input((len(COLUMNS),))
    own = ClassTable(names=NAMES, semantics=rng.normal(size=(7, 4)), seen=np.arange(7) < 4, columns=COLUMNS)
    settings = {
        "project": keras.Model(semantics, keras.layers.Dense(6)(semantics)),
        "opens_by": ("semantics", "photos"),
    }
    return Classifier(
        keras.Model(images, x),
        table or own,
        preprocess=Preprocess(SIZE, mean=(127.0,) * 3, scale=(60.0,) * 3),
        similarity=Cosine(scale=6.0),
        **{**settings, "bias": rng.normal(size=7) / 9, "gamma": 0.2, **options},
    )


def pictures(folder: Path, count: int = 4) -> list[Path]:
    """PNG files of smooth colours, of every size."""
    rng = np.random.default_rng(SEED)
    sizes = [(24, 24), (61, 90), (130, 47), (13, 19), (300, 200)]
    paths = []
    for i in range(count):
        small = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        path = folder / f"picture {i}.png"
        Image.fromarray(small).resize(sizes[i % len(sizes)], Image.Resampling.BICUBIC).save(path)
        paths.append(path)
    return paths


def batch(path: Path, runtime: str) -> np.ndarray:
    """A picture as the runtime's files take it."""
    image = decode(path, SIZE)
    return (fitted(image, SIZE, "stretch") if runtime == "litert" else image)[None]


def probabilities(model: Classifier, path: Path, runtime: str) -> np.ndarray:
    """What Keras says of a picture."""
    return np.asarray(model.probabilities(model.logits(batch(path, runtime), model.class_vectors, model.class_bias)))[0]
