"""VGG16 under its head: what trains, what stays, and what is saved."""

import keras
import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.runs import Run

STAGES = ["block1", "block2", "block3", "block4", "block5"]


def start(data, out, *more):
    fast = ("--weights", "random", "--size", "32", "--batch-size", "8", "--head-epochs", "3")
    return main(["run", "vgg16_classifier", "--data", str(data), *fast, "--out", str(out), *map(str, more)])


@pytest.fixture(scope="module")
def run(coloured, tmp_path_factory):
    out = tmp_path_factory.mktemp("vgg16") / "run"
    assert start(coloured, out) == 0
    return Run(out)


def test_the_head_alone_trains_and_learns(run):
    report = run.read_json("report.json")
    (proof,) = report["proofs"]
    assert (proof["phase"], proof["frozen"], proof["moved"]) == ("head", STAGES, ["head"])
    losses = [row["loss"] for row in report["history"]]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_the_head_is_the_one_that_was_described(run):
    hidden, *others = [layer for layer in run.classifier().embed.layers if isinstance(layer, keras.layers.Dense)]
    assert not others
    assert hidden.kernel.shape == (512, 1024)
    assert hidden.activation is keras.activations.relu
    method = run.read_json("config.json")["settings"]["method"]
    assert (method["head"]["type"], method["head"]["units"], method["head"]["dropout"]) == ("VGGHead", 1024, 0.5)
    optimization = method["training"]["optimization"]
    assert (optimization["optimizer"], optimization["weight_decay"], optimization["momentum"]) == ("adamw", 0.0, 0.9)


def test_the_saved_model_reaches_on_the_files_what_is_reported(coloured, run):
    classifier, shares = run.classifier(), []
    for label, name in enumerate(classifier.names):
        files = sorted((coloured / "test" / name).iterdir())
        scores = classifier.score(np.stack([decode(path, 32) for path in files]))
        shares.append((scores.argmax(axis=1) == label).mean())
    assert run.read_json("report.json")["test"]["mean_class_accuracy"] == pytest.approx(np.mean(shares))


def test_it_goes_on_with_the_stages_below(coloured, tmp_path):
    out = tmp_path / "run"
    assert start(coloured, out, "--schedule", "fine_tune", "--epochs", 2, "--fine-tune-rate", 1e-3) == 0
    proofs = Run(out).read_json("report.json")["proofs"]
    assert [proof["moved"] for proof in proofs] == [["head"], ["block5", "head"], [*STAGES, "head"]]


def test_without_imagenets_weights_the_error_says_what_to_do(coloured, tmp_path, capsys, monkeypatch):
    def no_network(*_):
        raise OSError("no network")

    monkeypatch.setattr("zsltf.pretrained.fetch._download", no_network)
    for variable in ("ZSLTF_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "cache"))
    assert main(["run", "vgg16_classifier", "--data", str(coloured), "--out", str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5" in told
    assert "start from --weights random" in told
    assert {path.name for path in tmp_path.iterdir()} <= {"cache"}


@pytest.mark.slow
def test_the_accuracy_on_drawn_pictures_that_is_claimed(tmp_path):
    out = tmp_path / "run"
    assert main(["run", "vgg16_classifier", "--weights", "random", "--size", "64", "--out", str(out)]) == 0
    test = Run(out).read_json("report.json")["test"]
    assert test["mean_class_accuracy"] == pytest.approx(0.24, abs=0.02)
    assert test["chance"] == pytest.approx(0.17, abs=0.005)
