"""The page in its other home: a server that answers TensorFlow Serving's REST protocol."""

from contextlib import contextmanager

import numpy as np
import pytest
from serving.local_server import models_config, running
from web.browser import chromium
from web.model_folder import PAGE
from web.small_network import NAMES, batch, classifier, pictures, probabilities

from zsltf.data.classes import ClassTable
from zsltf.data.text_semantics import TextSemantics
from zsltf.exporters.onnx import Onnx
from zsltf.serving.page import Page
from zsltf.serving.page_files import page_files
from zsltf.serving.sentences import Sentences
from zsltf.serving.server import ServerOptions

MODELS = ("first model", "second")
SENTENCE = "A furry thing."
NONSENSE = "Words that nobody knows."


class Encoder:
    """As a plug-in of text_encoders: a random direction a text."""

    def encode(self, sentences):
        if NONSENSE in sentences:
            raise ValueError("no <b>words</b> known")
        rows = [np.random.default_rng(list(sentence.encode())).normal(size=4) for sentence in sentences]
        return np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def model():
    """Its classes' semantics are text vectors."""
    of_names = ClassTable(names=NAMES, semantics=np.zeros((7, 0)), seen=np.arange(7) < 4)
    table = TextSemantics().table(of_names, Encoder().encode)
    return classifier(photo_level=9.0, table=table)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    """Starts the server."""
    path = tmp_path_factory.mktemp("served") / "model.onnx"
    Onnx().write(model, path)
    page = Page(files=page_files(PAGE), sentences=Sentences(Encoder()))

    @contextmanager
    def serve():
        with running(models_config(dict.fromkeys(MODELS, path)), ServerOptions(rest_port=0), page=page) as addresses:
            yield addresses.rest

    return serve


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("photos"), 3)


def likeliest(model, photos):
    return [model.names[probabilities(model, path, "server").argmax()] for path in photos]


def names(page):
    return page.run("return [...document.querySelectorAll('#table bdi')].map((name) => name.textContent)")


def test_a_sentence_makes_a_class(window, model, photos, served):
    with served() as address:
        window.open(address)
        window.add_photos(photos)
        assert window.answers() == likeliest(model, photos)
        window.click("#add")
        window.click("#ways input[value=sentence]")
        window.write("#name", "yak")
        window.write("#sentence", NONSENSE)
        window.click("#confirm")
        window.wait(lambda: window.text("#refusal") == "The server refuses: no <b>words</b> known")
        window.write("#sentence", "")
        window.click("#confirm")
        window.wait(lambda: window.text("#refusal") == "The sentence is empty: write what the class looks like.")
        assert names(window) == list(NAMES)
        window.write("#sentence", SENTENCE)
        window.click("#confirm")
        window.wait(lambda: "Added “yak”" in window.text("#status"))
        new = TextSemantics(templates=("{}",)).new_classes((SENTENCE,), Encoder().encode, model.columns)
        assert window.answers() == likeliest(model.with_classes(new), photos)


def test_a_class_by_photos(window, model, photos, served):
    with served() as address:
        window.open(address)
        window.add_photos(photos)
        window.click("#add")
        window.click("#ways input[value=photos]")
        window.write("#name", "yak")
        window.choose("#examples", photos[:1])
        window.wait(lambda: window.all("#example-list li"))
        window.click("#confirm")
        window.wait(lambda: "Added “yak”" in window.text("#status"))
        assert window.answers() == likeliest(model.with_photos("yak", batch(photos[0], "server")), photos)
        assert window.answers()[0] == "yak"


def test_another_of_the_servers_models(window, served):
    with served() as address:
        window.open(address)
        assert window.text("h1") == MODELS[0]
        assert window.texts("#models option") == list(MODELS)
        assert "Photos are sent to the server of this page." in window.text("#lead")
        window.find("#models select").send_keys(MODELS[1])
        window.wait(lambda: window.text("h1") == MODELS[1])


def test_a_server_that_is_gone_is_told_and_the_table_stays(window, model, photos, served):
    with served() as address:
        window.open(address)
        window.add_photos(photos[:1])
        told = window.answers()
    window.choose("#files", photos[1:2])
    window.wait(lambda: "can't be classified: The server can't be reached" in window.text("#warning"))
    assert "none of these" not in window.text("#status")
    assert window.texts(".photo h3")[1] == "not classified"
    assert (window.answers(), names(window)) == (told, list(NAMES))
