"""The README's examples run."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from zsltf.backbones.vgg import vgg16
from zsltf.data.classes import ClassTable
from zsltf.pretrained.resized import resized

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def example(word):
    """The Python block that has this word."""
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if word in block]
    return block


@pytest.fixture
def pictures(drawn):
    """Images (N, 48, 48, 3) and their classes."""
    table = ClassTable.from_csv(drawn / "attributes.csv")
    paths = [path for name in table.names for path in sorted((drawn / "images" / name).iterdir())]
    images = np.stack([np.asarray(Image.open(path)) for path in paths])
    return images, np.array([table.names.index(path.parent.name) for path in paths]), table


def test_an_attribute_embedding_on_vgg16_learns_and_opens(drawn, pictures, tmp_path, monkeypatch):
    images, labels, table = pictures
    monkeypatch.chdir(tmp_path)
    (tmp_path / "attributes.csv").write_bytes((drawn / "attributes.csv").read_bytes())
    keras.utils.set_random_seed(0)
    small = example("AttributeEmbedding").replace('vgg16("imagenet")', "network").replace("224", "48")
    small = small.replace('"adam"', "keras.optimizers.Adam(0.01)").replace("epochs=10", "epochs=20, verbose=0")
    seen = table.seen[labels]
    rows = np.cumsum(table.seen) - 1
    given = {
        "network": resized(vgg16("random"), 48),
        "train_images": images[seen].astype(np.float32),
        "train_labels": rows[labels[seen]],
    }
    exec(small, given)
    history = given["model"].history.history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    opened = keras.saving.load_model(tmp_path / "unseen.keras", safe_mode=True)
    hidden = np.flatnonzero(~table.seen)
    predicted = hidden[np.asarray(opened(images[~seen].astype(np.float32))).argmax(axis=1)]
    assert (predicted == labels[~seen]).mean() > 1.5 / len(hidden)
