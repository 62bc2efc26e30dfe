import json
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsltf import __version__
from zsltf.artifacts.card import Card
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.embeds import linear
from zsltf.layers.preprocess import Preprocess

CARD = Card(
    names=("a", "b"),
    seen=(True, False),
    columns=("x", "y", "z"),
    semantics=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    gamma=0.5,
    activation="softmax",
    opens_by=("semantics",),
    project=True,
    size=32,
    resize="pad",
    mean=(1.0, 2.0, 3.0),
    scale=(4.0, 5.0, 6.0),
    channels="bgr",
    threshold=0.25,
)


def classifier(**options):
    """From images: the mean colour is the embedding."""
    classes = ClassTable(
        names=("a", "b"), semantics=np.eye(2, 3), seen=np.array([True, False]), columns=("x", "y", "z")
    )
    images = keras.Input((32, 32, 3))
    embed = keras.Model(images, keras.layers.GlobalAveragePooling2D()(images))
    preprocess = Preprocess(32, resize="pad", mean=(1, 2, 3), scale=(4, 5, 6), channels="bgr")
    return Classifier(embed, classes, preprocess=preprocess, reject_below=0.25, **options)


NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).filter(str.strip)


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True), st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_comes_back_from_json_with_any_name(names, gamma):
    rows = tuple((gamma,) * 3 for _ in names)
    card = replace(CARD, names=tuple(names), seen=(True,) * len(names), semantics=rows, gamma=gamma)
    text = card.to_json()
    assert "\n" not in text
    assert Card.from_json(text, "file") == card
    assert Card.from_json(text.encode(), "file") == card
    assert json.loads(text)["names"] == names


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ["cow", "cow"]},
        {"names": ["cow", "two\nlines"]},
        {"names": ["cow", "\u001b[31mred"]},
        {"threshold": "x"},
        {"photo_level": [1]},
        {"opens_by": 5},
        {"opens_by": "semantics"},
        {"opens_by": ["door"]},
        {"semantics": {}},
        {"semantics": [[1e300] * 3, [0] * 3]},
        {"semantics": [[float("nan")] * 3, [0] * 3]},
    ],
)
def test_what_no_card_says_is_refused(wrong):
    with pytest.raises(ValueError, match=r"^file: expected a card as zsltf writes it, received a damaged one \("):
        Card.from_json(json.dumps({**asdict(CARD), **wrong}), "file")


def test_a_deep_card_is_refused():
    with pytest.raises(ValueError, match=r"^file: expected a card as zsltf writes it, received a damaged one \("):
        Card.from_json("[" * 10**5, "file")


def test_fields_of_later_versions_are_left_alone():
    assert Card.from_json(json.dumps({**asdict(CARD), "later": [1, 2]}), "file") == CARD


def test_the_card_of_a_classifier_says_what_its_numbers_mean():
    card = Card.of(classifier(gamma=0.5, project=keras.Sequential([keras.Input((3,)), keras.layers.Identity()])))
    assert card == replace(CARD, zsltf=__version__)
    plain = Card.of(classifier(opens_by=("photos",), activation="sigmoid"))
    assert (plain.project, plain.gamma, plain.activation, plain.opens_by) == (False, 0.0, "sigmoid", ("photos",))


def test_a_classifier_from_features_is_refused():
    features = Classifier(linear(np.eye(3)), classifier().classes)
    with pytest.raises(
        ValueError, match=r"export: expected a Classifier from images, received one from features\. Put it"
    ):
        Card.of(features)
