"""EfficientNet-Lite0 on real photos in the browser, with both runtimes: Keras' answers, transfer and milliseconds."""

import time
from urllib.parse import urlsplit

import keras
import numpy as np
import pytest
from web.browser import chromium
from web.model_folder import write_folder
from web.web_server import served

from zsltf.backbones.efficientnet_lite import efficientnet_lite0
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode, fitted
from zsltf.similarities.cosine import Cosine

ANIMALS = ("bison", "chimpanzee", "flamingo", "hedgehog", "hippopotamus", "koala", "lion", "panda", "tiger", "zebra")
MEGABYTES = 12


@pytest.fixture(scope="module")
def animals(test_data):
    """{name: its photos}."""
    folder = test_data / "animals" / "images"
    return {name: sorted((folder / name).iterdir()) for name in ANIMALS}


@pytest.fixture(scope="module")
def classifier(animals):
    """Each class is the mean of five photos' features, of which the classes' mean is taken off."""
    backbone = efficientnet_lite0()
    features = backbone.features()
    rows = [features.predict_on_batch(backbone.preprocess(batch(photos[20:25]))) for photos in animals.values()]
    means = np.stack([row.mean(axis=0) for row in rows])
    centre = means.mean(axis=0)
    x = keras.Input(features.input_shape[1:])
    embed = keras.Model(x, keras.layers.Rescaling(1.0, (-centre).tolist())(features(x)))
    names = tuple(animals)
    table = ClassTable(names=names, semantics=np.zeros((len(names), 1)), seen=np.ones(len(names), bool))
    return Classifier(
        embed,
        table,
        preprocess=backbone.preprocess,
        similarity=Cosine(scale=10.0),
        class_vectors=(means - centre).astype(np.float32),
        opens_by=("photos",),
    )


def batch(photos):
    return np.stack([fitted(decode(path, 224), 224, "stretch") for path in photos])


@pytest.mark.parametrize("runtime", ["onnxruntime-web", "litert"])
def test_the_likeliest_class_is_keras(runtime, classifier, animals, packages, tmp_path, capsys):
    folder = write_folder(classifier, tmp_path / "web", runtime, packages, "float16")
    photos = [path for paths in animals.values() for path in paths[:2]]
    scores = classifier.score(batch(photos))
    with served(folder) as server, chromium(tmp_path / "chromium") as page:
        begun = time.perf_counter()
        page.open(server.address)
        loaded = time.perf_counter() - begun
        page.add_photos(photos)
        own = {path: size for path, size in server.sent.items() if not path.startswith("/runtime/")}
        milliseconds = [int(text.rpartition(", ")[2].removesuffix(" ms")) for text in page.texts(".photo .file")]
        with capsys.disabled():
            print(  # noqa: T201 (a figure for the log)
                f"\n{runtime}: {np.median(milliseconds):.0f} ms an image (median of {len(photos)}), loaded in "
                f"{loaded:.1f} s, {sum(own.values()) / 1e6:.1f} MB besides "
                f"{(sum(server.sent.values()) - sum(own.values())) / 1e6:.1f} MB of runtime"
            )
        assert page.answers() == [classifier.names[i] for i in scores.argmax(axis=1)]
        assert sum(own.values()) <= MEGABYTES * 1e6
        assert {urlsplit(url).hostname for url in page.requests()} == {"127.0.0.1"}
