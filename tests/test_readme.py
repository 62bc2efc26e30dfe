"""The README's examples run."""

import re
import shlex
from pathlib import Path

import keras
import numpy as np
import pytest
import tyro
from PIL import Image

import zsltf.cli
from zsltf.backbones.vgg import vgg16
from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.pretrained.resized import resized
from zsltf.training.episodic import EpisodicTraining

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def example(word):
    """The Python block that has this word."""
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if word in block]
    return block


def commands():
    """Every command line of zsltf's that is written out, as words."""
    lines = re.sub(r"\\\n +", "", README).splitlines()
    written = [re.split(r"  +#", line.strip())[0] for line in lines if line.startswith("    zsltf ")]
    return [shlex.split(line)[1:] for line in written if "..." not in line]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_line_has_the_options_that_it_names(words, monkeypatch):
    started = []
    monkeypatch.setattr(zsltf.cli, "_start", lambda *given: started.append(given) or 0)
    for command in ("_predict", "_ls"):
        monkeypatch.setattr(zsltf.cli, command, lambda *_: 0)
    assert main(words) == 0
    for script, program, arguments in started:
        tyro.cli(zsltf.cli._module(script).Config, prog=program, args=arguments)


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


def test_a_prototypical_network_learns_from_base_classes_and_reads_others(toy_features):
    features, table = toy_features
    seen = table.seen[features.y]
    held_out = np.isin(features.y, np.flatnonzero(table.seen)[:6])
    novel, rows = np.flatnonzero(~table.seen), features.y[~seen]
    others = features.select(~seen).with_y(np.searchsorted(novel, rows))
    inputs = keras.Input(features.x.shape[1:])
    given = {
        "base": features.select(seen & ~held_out),
        "validation": features.select(seen & held_out),
        "network": keras.Model(inputs, keras.layers.Dense(16)(inputs)),
        "support": others.select(np.arange(len(others)) % 4 == 0),
        "classes": table.select(novel).with_seen(np.ones(len(novel), bool)),
        "EpisodicTraining": EpisodicTraining,
    }
    few = "PrototypicalNetwork(training=EpisodicTraining(steps=20, queries=2))"
    exec(example("PrototypicalNetwork").replace("PrototypicalNetwork()", few), given)
    test = others.select(np.arange(len(others)) % 4 > 0)
    assert (given["classifier"].score(test.x).argmax(axis=1) == test.y).mean() > 2 / len(novel)
