"""The quickstart's own claims, from the drawn pictures to three exported files."""

import json

import pytest

from zsltf.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart") / "run"
    assert main(["run", "zero_shot", "--shuffles", "20", "--out", str(folder), "method:eszsl"]) == 0
    return folder


def test_unseen_combinations_are_recognised_and_the_controls_fail(run):
    figures = json.loads((run / "report.json").read_text())["spread"]["drawn"]
    assert figures["unseen_accuracy"]["mean"] == pytest.approx(0.91, abs=0.015)
    assert figures["mean_colour"]["max"] <= 0.4
    assert figures["shuffled"]["mean"] <= 1.5 * figures["chance"]["mean"]


def test_what_is_chosen_by_default_does_no_worse(tmp_path):
    assert main(["run", "zero_shot", "--shuffles", "0", "--out", str(tmp_path / "run")]) == 0
    figures = json.loads((tmp_path / "run" / "report.json").read_text())["spread"]["drawn"]
    assert figures["unseen_accuracy"]["mean"] == pytest.approx(0.925, abs=0.015)


def test_three_formats_agree_with_keras(run):
    assert main(["export", str(run), "--format", "all"]) == 0
    proofs = json.loads((run / "export.json").read_text())
    assert {proof["format"] for proof in proofs} == {"SavedModel", "TFLite", "Onnx"}
    assert all(proof["difference"] <= proof["tolerance"] for proof in proofs)
    assert "model.onnx" in (run / "report.html").read_text()
