"""A class that a running server never had, by its attributes, on real photos: both protocols, and the v1 loader."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from serving.local_server import running

from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.serving.calls import classify_arrays, open_vocabulary, project, table
from zsltf.serving.client import GrpcClient, RestClient
from zsltf.serving.config import config_of
from zsltf.serving.server import ServerOptions

NEW = "chimpanzee"


@pytest.fixture(scope="module")
def animals(test_data, tmp_path_factory):
    """A folder for TensorFlow Serving: EfficientNet-Lite0 and ESZSL, trained on real photos."""
    root, data = tmp_path_factory.mktemp("animals"), test_data / "animals"
    photos = ("--images", str(data / "images"), "--classes", str(data / "attributes.csv"))
    network = ("--backbone", "efficientnet_lite0", "--shuffles", "0")
    assert main(["run", "zero_shot", *photos, *network, "--out", str(root / "run"), "method:eszsl"]) == 0
    kit = ("--format", "serving", "--name", "animals", "--out", str(root / "kit"))
    assert main(["export", str(root / "run"), *kit]) == 0
    return root / "kit"


def by_session(version, signature, inputs):
    """What a session makes of the SavedModel."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(version))
        found = loaded.signature_def[signature]
        fed = {found.inputs[name].name: value for name, value in inputs.items()}
        return session.run({name: info.name for name, info in found.outputs.items()}, fed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow advises against its v1 loader
def test_a_class_is_added_to_a_running_server(animals, test_data):
    attributes = ClassTable.from_csv(test_data / "animals" / "attributes.csv")
    row = attributes.semantics[[attributes.names.index(NEW)]]
    photos = sorted((test_data / "animals" / "images" / NEW).iterdir())[:20]
    images = [np.asarray(Image.open(photo).convert("RGB"))[None] for photo in photos]
    with (
        running(config_of([str(animals)]), ServerOptions(rest_port=0, grpc_port=0)) as addresses,
        RestClient(addresses.rest, "animals", timeout=120) as rest,
        GrpcClient(addresses.grpc, "animals", timeout=120) as grpc,
    ):
        whole = rest.run(table())
        new = whole.names.index(NEW)
        others = [i for i in range(len(whole.names)) if i != new]
        vectors = np.concatenate([whole.class_vectors[others], rest.run(project(row))])
        bias = np.append(whole.class_bias[others], whole.class_bias[new])
        calls = [open_vocabulary(image, vectors, bias) for image in images]
        built_in = np.stack([grpc.run(classify_arrays(image))[0].scores for image in images])
        answers = [[client.run(call)["scores"] for call in calls] for client in (rest, grpc)]
    session = [by_session(animals / "models/animals/1", call.signature, call.inputs)["scores"] for call in calls]
    for found in answers:
        np.testing.assert_allclose(np.concatenate(found), np.concatenate(session), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.concatenate(found), built_in[:, [*others, new]], rtol=1e-4, atol=1e-4)
