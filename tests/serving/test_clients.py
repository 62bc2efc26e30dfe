"""The typed clients against a server of the kit, over both protocols."""

import asyncio
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving.local_server import running

from zsltf.data.classes import ClassTable
from zsltf.prediction import open_artifact
from zsltf.serving.calls import classify, classify_arrays, embed, open_vocabulary, project, table
from zsltf.serving.client import AsyncGrpcClient, AsyncRestClient, GrpcClient, RestClient, ServerError
from zsltf.serving.config import config_of
from zsltf.serving.server import ServerOptions

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), dtype=np.uint8)


class Blocking:
    """An asynchronous client, called as a plain one."""

    def __init__(self, make):
        self.make = make

    def run(self, call):
        async def once():
            async with self.make() as client:
                return await client.run(call)

        return asyncio.run(once())


@pytest.fixture(params=["rest", "async rest", "grpc", "async grpc"])
def client_of(request, shapes):
    """Options -> a client of this kind."""
    kinds = {"rest": RestClient, "async rest": AsyncRestClient, "grpc": GrpcClient, "async grpc": AsyncGrpcClient}
    address = shapes.grpc if "grpc" in request.param else shapes.rest

    def make(**options):
        kind = kinds[request.param]
        options = {"timeout": 120, **options}
        if "async" in request.param:
            return Blocking(lambda: kind(address, "shapes", **options))
        opened.append(kind(address, "shapes", **options))
        return opened[-1]

    opened = []
    yield make
    for client in opened:
        client.close()


@pytest.fixture(scope="module")
def artifact(finished):
    return open_artifact(finished / "export" / "saved_model")


def test_photos_are_classified_by_name(client_of, artifact, drawn):
    photos = sorted((drawn / "images").rglob("*.png"))[:3]
    found = client_of().run(classify(photos))
    pixels = np.stack([np.asarray(Image.open(photo).convert("RGB")) for photo in photos])
    expected = artifact(pixels)
    for one, scores, probabilities in zip(found, expected["scores"], expected["probabilities"], strict=True):
        np.testing.assert_allclose(one.scores, scores, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(one.probabilities, probabilities, rtol=1e-4, atol=1e-6)
        assert one.label in (artifact.card.names[scores.argmax()], "none of these")


def test_arrays_and_their_embedding(client_of, artifact):
    found = client_of().run(classify_arrays(IMAGES))
    np.testing.assert_allclose([one.scores for one in found], artifact(IMAGES)["scores"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(client_of().run(embed(IMAGES)), artifact.embed(IMAGES), rtol=1e-5, atol=1e-6)


def test_a_class_is_added_by_open_vocabulary(client_of, artifact):
    """By its attributes, through the served model alone."""
    built_in = client_of().run(table())
    assert built_in.names == artifact.card.names
    row = np.asarray(artifact.card.semantics[:1], np.float32)
    new = artifact.with_classes(
        ClassTable(names=("yak",), semantics=row, seen=np.zeros(1, bool), columns=artifact.card.columns)
    )
    vectors = np.concatenate([built_in.class_vectors, client_of().run(project(row))])
    outputs = client_of().run(open_vocabulary(IMAGES, vectors, np.append(built_in.class_bias, 0)))
    np.testing.assert_allclose(outputs["scores"], new(IMAGES)["scores"], rtol=1e-4, atol=1e-4)


def test_versions_and_labels_are_chosen(client_of):
    by = ({"version": 1}, {"label": "stable"})
    np.testing.assert_array_equal(*(client_of(**one).run(classify_arrays(IMAGES))[0].scores for one in by))
    for chosen, status in (({"version": 9}, ("404", "NOT_FOUND")), ({"label": "no"}, ("400", "INVALID_ARGUMENT"))):
        with pytest.raises(ServerError) as refused:
            client_of(**chosen).run(classify_arrays(IMAGES))
        assert refused.value.status in status


def test_what_the_server_refuses_is_told_in_its_words(client_of):
    with pytest.raises(ServerError, match=r"decode|image|Unknown|Invalid"):
        client_of().run(classify([b"no photo"]))


def test_bad_calls_do_not_leave_the_machine():
    with pytest.raises(ValueError, match="images: expected one or more, received none"):
        classify([])
    with pytest.raises(ValueError, match=r"images: expected uint8 in 0\.\.255, received float64"):
        classify_arrays(np.zeros((1, 2, 2, 3)))
    with pytest.raises(ValueError, match=r"class_bias: expected shape \(2,\), received shape \(1,\)"):
        open_vocabulary(IMAGES, np.zeros((2, 4)), np.zeros(1))


def test_the_readmes_example_runs(shapes, drawn, tmp_path, monkeypatch, capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "RestClient" in block]
    monkeypatch.chdir(tmp_path)
    Image.open(min((drawn / "images").rglob("*.png"))).save("photo.jpg")
    exec(block.replace("http://127.0.0.1:8501", shapes.rest).replace('"animals"', '"shapes"'), {})
    label, probability = capsys.readouterr().out.rsplit(maxsplit=1)
    assert "_" in label or label == "none of these"
    assert 0 < float(probability) <= 1


@pytest.mark.parametrize("file", ["model.onnx", "model.tflite"])
def test_files_of_other_formats_are_served(finished, file):
    path = finished / "export" / file
    artifact = open_artifact(path)
    with running(config_of([f"shapes={path}"]), ServerOptions(rest_port=0, grpc_port=0)) as addresses:
        clients = (RestClient(addresses.rest, "shapes", timeout=120), GrpcClient(addresses.grpc, "shapes", timeout=120))
        for client in clients:
            found = client.run(classify_arrays(IMAGES[:1]))[0]
            np.testing.assert_allclose(found.scores, artifact(IMAGES[:1])["scores"][0], rtol=1e-5, atol=1e-5)
            outputs = client.run(open_vocabulary(IMAGES[:1], artifact.class_vectors[:5], artifact.class_bias[:5]))
            np.testing.assert_allclose(outputs["scores"][0], found.scores[:5], rtol=1e-4, atol=1e-4)
            client.close()
