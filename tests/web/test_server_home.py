"""The page in its other home: a server that answers TensorFlow Serving's REST protocol."""

import json
from contextlib import contextmanager
from functools import partial
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from web.browser import chromium
from web.model_folder import PAGE, description
from web.small_network import COLUMNS, NAMES, batch, classifier, pictures, probabilities
from web.web_server import Handler, serving

from zsltf.data.classes import ClassTable

MODELS = ("first model", "second")
SENTENCES = {"A furry thing.": [0.5, -0.25, 1.5, 0.125]}


class Server(Handler):
    """Answers by a Classifier in this process."""

    model = None  # given by the test

    def do_GET(self):  # noqa: N802 (http.server's name)
        parts = urlsplit(self.path)
        name = parse_qs(parts.query).get("model", MODELS)[0]
        if parts.path == "/model/models.json":
            self.answer(200, MODELS)
        elif parts.path == "/model/model.json":
            described = description(self.model, name, "server", {}, {})
            self.answer(200, {**described, "sentences": True})
        else:
            super().do_GET()

    def do_POST(self):  # noqa: N802 (http.server's name)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/model/sentence":
            assert asked["model"] in MODELS
            known = SENTENCES.get(asked["sentence"])
            self.answer(200, {"semantics": known}) if known else self.answer(400, {"error": "no <b>words</b> known"})
            return
        assert self.path in ("/v1/models/first%20model:predict", "/v1/models/second:predict")
        inputs = {key: np.array(value) for key, value in asked["inputs"].items()}
        self.answer(200, {"outputs": getattr(self, asked["signature_name"])(**inputs)})

    def open_vocabulary(self, images, class_vectors, class_bias):
        scores = self.model.logits(images.astype(np.uint8), np.float32(class_vectors), np.float32(class_bias))
        return {"scores": scores.numpy().tolist(), "probabilities": []}

    def embed(self, images):
        return self.model.embedding(images.astype(np.uint8)).numpy().tolist()

    def project(self, semantics):
        return self.model.project_semantics(semantics).tolist()

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def model():
    return classifier(photo_level=4.0)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@contextmanager
def running(model):
    with serving(partial(type("Bound", (Server,), {"model": model}), directory=str(PAGE))) as server:
        yield server


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("photos"), 3)


def likeliest(model, photos):
    return [model.names[probabilities(model, path, "server").argmax()] for path in photos]


def names(page):
    return page.run("return [...document.querySelectorAll('#table bdi')].map((name) => name.textContent)")


def test_a_sentence_makes_a_class(window, model, photos):
    with running(model) as server:
        window.open(server.address)
        window.add_photos(photos)
        assert window.answers() == likeliest(model, photos)
        window.click("#add")
        window.click("#ways input[value=sentence]")
        window.write("#name", "yak")
        window.write("#sentence", "Words that nobody knows.")
        window.click("#confirm")
        window.wait(lambda: window.text("#refusal") == "The server refuses: no <b>words</b> known")
        window.write("#sentence", "")
        window.click("#confirm")
        window.wait(lambda: window.text("#refusal") == "The sentence is empty: write what the class looks like.")
        assert names(window) == list(NAMES)
        window.write("#sentence", next(iter(SENTENCES)))
        window.click("#confirm")
        window.wait(lambda: "Added “yak”" in window.text("#status"))
        row = np.array([*SENTENCES.values()], np.float32)
        new = ClassTable(names=("yak",), semantics=row, seen=np.zeros(1, bool), columns=COLUMNS)
        assert window.answers() == likeliest(model.with_classes(new), photos)


def test_a_class_by_photos(window, model, photos):
    with running(model) as server:
        window.open(server.address)
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


def test_another_of_the_servers_models(window, model):
    with running(model) as server:
        window.open(server.address)
        assert window.text("h1") == MODELS[0]
        assert window.texts("#models option") == list(MODELS)
        assert "Photos are sent to the server of this page." in window.text("#lead")
        window.find("#models select").send_keys(MODELS[1])
        window.wait(lambda: window.text("h1") == MODELS[1])


def test_a_server_that_is_gone_is_told_and_the_table_stays(window, model, photos):
    with running(model) as server:
        window.open(server.address)
        window.add_photos(photos[:1])
        told = window.answers()
    window.choose("#files", photos[1:2])
    window.wait(lambda: "can't be classified: The server can't be reached" in window.text("#warning"))
    assert "none of these" not in window.text("#status")
    assert window.texts(".photo h3")[1] == "not classified"
    assert (window.answers(), names(window)) == (told, list(NAMES))
