"""The page at / of the server: its own files and nothing else, and what it asks of the models."""

import base64
import http.client
import json
from urllib.parse import urlsplit

import keras
import numpy as np
import pytest
import tensorflow as tf
from serving.local_server import models_config, post, running

from zsltf.artifacts.card import Card
from zsltf.classifier import Classifier
from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.data.decode import fitted
from zsltf.data.text_semantics import TextSemantics
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.tflite import TFLite
from zsltf.layers.preprocess import Preprocess
from zsltf.runs import Run
from zsltf.serving.page import Page
from zsltf.serving.sentences import Sentences
from zsltf.serving.server import ServerOptions

FILES = {"index.html": b"<!doctype html><title>The page</title>", "page.js": b"export {};", "page.css": b"body {}"}
OPTIONS = ServerOptions(rest_port=0, grpc_port=None, largest_request=2**20)
MODELS = {"saved_model": "saved_model", "onnx": "model.onnx", "tflite": "model.tflite"}


class Words(tf.Module):
    """A text encoder: an angle a text."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, strings):
        angles = tf.cast(tf.strings.to_hash_bucket_fast(strings, 1000), tf.float32)[:, None] * tf.range(1.0, 5.0)
        return tf.sin(angles)


class Encoder:
    """As a plug-in of text_encoders."""

    def encode(self, sentences):
        rows = Words()(tf.constant(list(sentences))).numpy()
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def told(*names):
    """Classes by their names."""
    classes = ClassTable(names=names, semantics=np.zeros((len(names), 0), np.float32), seen=np.ones(len(names), bool))
    return TextSemantics().table(classes, Encoder().encode)


@pytest.fixture(scope="module")
def by_text(tmp_path_factory):
    """A Classifier whose semantics are text vectors, and its file."""
    images = keras.Input((24, 24, 3))
    embed = keras.Model(images, keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(images)))
    classifier = Classifier(embed, told("cow", "horse"), preprocess=Preprocess(24, scale=(255.0,) * 3))
    path = tmp_path_factory.mktemp("text") / "told.onnx"
    Onnx().write(classifier, path)
    return classifier, path


@pytest.fixture(scope="module")
def closed(by_text, tmp_path_factory):
    """A file whose classes can't be edited."""
    path = tmp_path_factory.mktemp("closed") / "closed.tflite"
    TFLite(built_in_only=True).write(by_text[0], path)
    return path


@pytest.fixture(scope="module")
def server(finished, by_text, closed, half_plus_two):
    """Address of a server with the page, of models in every format, with and without cards."""
    bases = {name: finished / "export" / file for name, file in MODELS.items()}
    others = {"half_plus_two": half_plus_two.parent, "closed": closed}
    config = models_config({**others, **bases, "told": by_text[1]})
    page = Page(files=FILES, sentences=Sentences(Encoder()))
    with running(config, OPTIONS, page=page) as addresses:
        yield addresses.rest


def ask(url, path, method="GET", body=None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def read(url, path):
    status, headers, content = ask(url, path)
    assert status == 200
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(content)


def numbers(packed):
    return np.frombuffer(base64.b64decode(packed["data"]), "<f4").reshape(packed["shape"])


@pytest.mark.parametrize(
    ("path", "file", "kind"),
    [
        ("/", "index.html", "text/html"),
        ("/index.html", "index.html", "text/html"),
        ("/page.js", "page.js", "text/javascript"),
        ("/page.css?x=1", "page.css", "text/css"),
    ],
)
def test_the_page_is_shown_with_headers_that_close_it(server, path, file, kind):
    status, headers, content = ask(server, path)
    assert (status, content) == (200, FILES[file])
    assert headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers
    status, headers, content = ask(server, path, "HEAD")
    assert (status, content, headers["Content-Length"]) == (200, b"", str(len(FILES[file])))


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/page.py", "GET"),
        ("/model/", "GET"),
        ("/../page.js", "GET"),
        ("/%2e%2e/%2e%2e/etc/passwd", "GET"),
        ("/model/..%2f..%2fpage.js", "GET"),
        ("//page.js", "GET"),
        ("/", "POST"),
        ("/model/sentence", "GET"),
        ("/model/model.json", "POST"),
    ],
)
def test_nothing_else_is_shown(server, path, method):
    status, _, content = ask(server, path, method)
    assert status == 404
    assert content == b"<html><body><h1>Not Found</h1></body></html>"


def test_without_the_page_there_is_what_tensorflow_serving_has(by_text):
    with running(models_config({"told": by_text[1]}), OPTIONS) as addresses:
        for path in ("/", "/page.js", "/model/model.json", "/model/models.json"):
            assert ask(addresses.rest, path)[0] == 404


def test_the_models_that_the_page_can_run_are_listed(server):
    assert read(server, "/model/models.json") == [*MODELS, "told"]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_described_whatever_its_format(server, finished, name):
    model, classifier = read(server, f"/model/model.json?model={name}"), Run(finished).classifier()
    assert (model["format"], model["name"], model["runtime"]) == (1, name, "server")
    assert (model["files"], model["runtime_files"], model["sentences"]) == ({}, {}, False)
    card = Card.from_json(json.dumps(model["card"]), name)
    assert card.names == classifier.names
    np.testing.assert_array_equal(numbers(model["class_vectors"]), classifier.class_vectors)
    np.testing.assert_array_equal(numbers(model["class_bias"]), classifier.class_bias)


def test_the_first_model_is_described_where_none_is_named(server):
    assert read(server, "/model/model.json")["name"] == "saved_model"
    assert read(server, "/model/model.json?model=told")["sentences"] is True


@pytest.mark.parametrize("name", ["unicorn", "half_plus_two", "closed", "../told", "x" * 1000])
def test_a_model_that_is_none_of_the_page_is_told(server, name):
    status, headers, content = ask(server, f"/model/model.json?model={name}")
    assert (status, headers["Content-Type"]) == (404, "application/json; charset=utf-8")
    assert json.loads(content)["error"].startswith(f"No model {name!r:.80} that the page can show: it takes exports")


@pytest.mark.parametrize("name", MODELS)
def test_classes_of_the_page_are_scored_as_keras_does(server, finished, name):
    """By the calls that the page makes."""
    classifier, image = Run(finished).classifier(), Run(finished).golden().images[:1]
    model = read(server, f"/model/model.json?model={name}")
    semantics = np.array(model["card"]["semantics"][:2], np.float32)[:, ::-1]
    status, answer = post(
        server, f"{name}:predict", {"signature_name": "project", "inputs": {"semantics": semantics.tolist()}}
    )
    assert status == 200, answer
    new = np.array(answer["outputs"], np.float32)
    np.testing.assert_allclose(new, classifier.project.predict_on_batch(semantics), atol=1e-5)
    call = {"signature_name": "embed", "inputs": {"images": image.tolist()}}
    status, answer = post(server, f"{name}:predict", call)
    assert status == 200, answer
    expected = np.asarray(classifier.embedding(image))
    np.testing.assert_allclose(answer["outputs"], expected, atol=2e-4 * expected.std())
    table = {
        "class_vectors": np.concatenate([numbers(model["class_vectors"]), new]).tolist(),
        "class_bias": [*numbers(model["class_bias"]).tolist(), 0.0, 0.0],
    }
    call = {"signature_name": "open_vocabulary", "inputs": {"images": image.tolist(), **table}}
    status, answer = post(server, f"{name}:predict", call)
    assert status == 200, answer
    classes = classifier.classes
    added = ClassTable(names=("x", "y"), semantics=semantics, seen=np.zeros(2, bool), columns=classes.columns)
    expected = classifier.with_classes(added).score(image)
    np.testing.assert_allclose(answer["outputs"]["scores"], expected, atol=5e-4 * expected.std())


def test_embed_takes_images_of_any_size_in_one_call(server, finished):
    images = Run(finished).golden().images
    call = {"signature_name": "embed", "inputs": {"images": images.tolist()}}
    rows = [post(server, f"{name}:predict", call)[1]["outputs"] for name in MODELS]
    np.testing.assert_allclose(rows[1], rows[0], atol=1e-4 * np.std(rows[0]))
    np.testing.assert_allclose(rows[2], rows[0], atol=1e-3 * np.std(rows[0]))


def say(server, sentence, model="told"):
    status, _, content = ask(server, "/model/sentence", "POST", json.dumps({"model": model, "sentence": sentence}))
    return status, json.loads(content)


def test_a_sentence_becomes_semantics_as_zsltf_classes_makes_them(server, by_text):
    status, answer = say(server, "  It has\nstripes.")
    assert status == 200
    text = TextSemantics(templates=("{}",))
    expected = text.new_classes(("It has stripes.",), Encoder().encode, by_text[0].columns)
    np.testing.assert_allclose(answer["semantics"], expected.semantics[0], atol=1e-6)
    image = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3), dtype=np.uint8)
    table = read(server, "/model/model.json?model=told")
    vectors = [*numbers(table["class_vectors"]).tolist(), answer["semantics"]]  # it has no project
    inputs = {"images": image.tolist(), "class_vectors": vectors, "class_bias": [0.0] * 3}
    _, scored = post(server, "told:predict", {"signature_name": "open_vocabulary", "inputs": inputs})
    named = ClassTable(names=("zebra",), semantics=expected.semantics, seen=[False], columns=expected.columns)
    scores = by_text[0].with_classes(named).score(fitted(image[0], 24, "stretch")[None])
    np.testing.assert_allclose(scored["outputs"]["scores"], scores, atol=5e-5 * scores.std())


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            {"model": "told", "sentence": " \n"},
            400,
            "sentence: expected 1 to 2000 characters, received 0. Say what",
        ),
        ({"model": "told", "sentence": "x" * 2001}, 400, "sentence: expected 1 to 2000 characters, received 2001."),
        (
            {"model": "onnx", "sentence": "x"},
            400,
            "model: expected one whose semantics are text vectors of length 4",
        ),
        ({"model": "unicorn", "sentence": "x"}, 404, "No model 'unicorn' that the page can show"),
        ({"model": "told"}, 400, 'Expected {"model": NAME, "sentence": TEXT}'),
        ({"model": "told", "sentence": ["x"]}, 400, 'Expected {"model": NAME, "sentence": TEXT}'),
        ([], 400, 'Expected {"model": NAME, "sentence": TEXT}'),
        (b"{", 400, 'Expected {"model": NAME, "sentence": TEXT}'),
        (b"[" * 10**5, 400, 'Expected {"model": NAME, "sentence": TEXT}'),
        (b"x" * (2**20 + 1), 413, "Maximum request body size 1048576 exceeded"),
    ],
    ids=range(10),
)
def test_a_sentence_that_is_none_is_told(server, body, status, message):
    content = body if isinstance(body, bytes) else json.dumps(body)
    got, headers, answer = ask(server, "/model/sentence", "POST", content)
    assert (got, headers["Content-Type"]) == (status, "application/json; charset=utf-8")
    assert json.loads(answer)["error"].startswith(message)


def test_a_sentence_is_one_of_the_requests_that_are_counted(by_text):
    options = ServerOptions(rest_port=0, grpc_port=None, most_requests=1, timeout=1.0)
    held = Sentences(Encoder())
    with running(models_config({"told": by_text[1]}), options, page=Page(files=FILES, sentences=held)) as addresses:
        connection = http.client.HTTPConnection(urlsplit(addresses.rest).netloc, timeout=120)
        connection.putrequest("POST", "/model/sentence")
        connection.putheader("Content-Length", "10")
        connection.endheaders()
        connection.send(b"{")  # and nothing more
        statuses = [say(addresses.rest, "x")[0] for _ in range(3)]
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)) == (504, {"error": "Timed out"})
        connection.close()
        assert 429 in statuses
        assert say(addresses.rest, "It has stripes.")[0] == 200


def test_a_server_without_an_encoder_says_so(by_text):
    with running(models_config({"told": by_text[1]}), OPTIONS, page=Page(files=FILES)) as addresses:
        assert read(addresses.rest, "/model/model.json")["sentences"] is False
        status, answer = say(addresses.rest, "x")
        assert status == 400
        assert answer["error"].startswith("This server has no text encoder: start it with encoder:NAME")


def test_a_server_without_models_for_the_page_lists_none(half_plus_two):
    with running(models_config({"m": half_plus_two.parent}), OPTIONS, page=Page(files=FILES)) as addresses:
        assert read(addresses.rest, "/model/models.json") == []
        assert ask(addresses.rest, "/model/model.json")[0] == 404


@pytest.mark.parametrize("without", [("--no-page",), ("--rest-port", "None")])
def test_an_encoder_without_a_page_is_refused(tmp_path, capsys, without):
    assert main(["serve", str(tmp_path), *without, "encoder:hub", "--model", "words"]) == 1
    assert "encoder: expected the page, which it is for, received none. Leave --no-page and" in capsys.readouterr().err


def test_an_encoder_that_does_not_load_is_told_before_any_model(tmp_path, capsys):
    assert main(["serve", str(tmp_path), "encoder:onnx-text", "--tokenizer", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err
