"""Whole networks at 224 pixels, their BatchNorm statistics far from 0 and 1, in every format."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.images import ImageFolder
from zsltf.discovery import names, plugin_type
from zsltf.pretrained.choice import BackboneChoice
from zsltf.proof import prove
from zsltf.reports.classification import golden_batch
from zsltf.runs import Golden
from zsltf.training.batch_norm import batch_norm_layers

pytestmark = pytest.mark.slow
NETWORKS = ("resnet50", "vgg16", "mobilenet_v2", "efficientnet_lite0", "convnext_tiny")


def build(name, folder):
    """The network with random weights and seven classes, which knows what photos are like."""
    rng, backbone = np.random.default_rng(0), BackboneChoice(backbone=name, weights="random").build()
    for norm in batch_norm_layers(backbone.model):
        norm.momentum = 0.0
        norm.gamma.assign(rng.uniform(0.5, 1.5, norm.gamma.shape))
        norm.beta.assign(rng.normal(0, 0.3, norm.beta.shape))
    backbone.model(backbone.preprocess(photos(folder, backbone.preprocess, 16)), training=True)
    vectors = rng.normal(size=(7, backbone.feature_size)).astype(np.float32)
    table = ClassTable(names=tuple("abcdefg"), semantics=rng.normal(size=(7, 5)), seen=np.arange(7) < 4)
    return Classifier(backbone.features(), table, preprocess=backbone.preprocess, class_vectors=vectors, opens_by=())


def photos(folder, preprocess, count):
    """Of many classes, as the golden batch of a run has them."""
    files = sorted((folder / "animals" / "images").glob("*/*.jpg"))[::31]
    images = ImageFolder(root=folder, paths=tuple(map(str, files)), y=np.zeros(len(files), int))
    return golden_batch(images, preprocess, count)


@pytest.fixture(scope="module", params=NETWORKS)
def classifier(request, test_data):
    return build(request.param, test_data)


@pytest.fixture(scope="module")
def golden(classifier, test_data):
    images = photos(test_data, classifier.preprocess, 7)
    return Golden(images=images, scores=classifier.score(images))


@pytest.mark.parametrize("name", names("exporters"))
def test_every_format_says_what_keras_says(classifier, golden, name, tmp_path):
    exporter = plugin_type("exporters", name)()
    proofs = list(prove(exporter, classifier, golden, tmp_path))
    assert all(proof.holds for proof in proofs), proofs
    if name == "saved_model":
        weights = sum(4 * int(np.prod(variable.shape)) for variable in classifier.variables)
        assert proofs[0].megabytes <= 1.05 * weights / 1e6


VGG16 = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_networks import build
from zsltf.exporters.onnx import Onnx
Onnx().write(build("vgg16", Path(sys.argv[3])), Path(sys.argv[1]))
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def test_vgg16_becomes_onnx_in_eight_gigabytes(test_data, tmp_path):
    if sys.platform != "linux":
        pytest.skip("reads the peak from /proc")
    arguments = (tmp_path / "vgg16.onnx", Path(__file__).parent, test_data)
    done = subprocess.run(
        [sys.executable, "-c", VGG16, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    kilobytes = int(done.stdout.strip().splitlines()[-1])
    assert kilobytes <= 8e6, f"{kilobytes / 1e6:.1f} GB at most"
