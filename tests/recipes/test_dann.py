"""Domain adaptation from files to a run folder: figures, words, what ships, and what is refused before slow work."""

import numpy as np
import pytest
from PIL import Image

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.runs import Run

CLASSES = {"blue": (0, 0, 1), "green": (0, 1, 0), "red": (1, 0, 0)}


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    """Two domains of 3 classes with 10 noisy pictures each; the second is darker. One file is broken."""
    root, rng = tmp_path_factory.mktemp("domains"), np.random.default_rng(0)
    for domain, light in {"day": 1.0, "night": 0.6}.items():
        for name, colour in CLASSES.items():
            (root / domain / name).mkdir(parents=True)
            for number in range(10):
                pixels = light * (rng.integers(0, 90, (16, 16, 3)) + 110 * np.array(colour) + 20)
                Image.fromarray(pixels.astype(np.uint8)).save(root / domain / name / f"{number}.png")
    (root / "night" / "red" / "x.png").write_bytes(b"not a picture")
    return root


def start(domains, out, *more):
    backbone = ("--backbone", "mean_colour", "--weights", "random", "--units", "8")
    protocol = ("--seeds", "0", "1", "--steps", "6", "--test", "0.5", "--validation", "0.3")
    data = ("--domains", str(domains), "--source", "day", "--target", "night")
    return main(["run", "dann", *data, *backbone, *protocol, "--out", str(out), *more])


@pytest.fixture(scope="module")
def run(domains, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "dann"
    assert start(domains, out) == 0
    return Run(out)


def test_method_and_source_only_have_the_same_seeds_and_images(run):
    report = run.read_json("report.json")
    own, plain = report["methods"]
    assert (own["name"], plain["name"]) == ("DANN", "SourceOnly")
    assert len(own["accuracies"]) == len(plain["accuracies"]) == 2
    assert own["gain"] == pytest.approx(np.mean(np.subtract(own["accuracies"], plain["accuracies"])))
    assert plain["gain"] is None
    assert own["mean"] == pytest.approx(np.mean(own["accuracies"]))
    assert own["recalibrated"] is not None
    assert report["epochs"] == 6  # 21 images are one batch
    assert [row["name"] for row in report["criteria"]] == [
        "source risk", "target entropy", "weighted risk", "domain gap"
    ]  # fmt: skip
    assert {name.split("/")[-1] for name in report["data"]["skipped"]} == {"x.png"}
    assert report["data"]["images"] == {"source": 30, "target": 31}


def test_the_page_shows_both_domains_before_and_after(run):
    report, page = run.read_json("report.json"), (run.path / "report.html").read_text("utf-8")
    assert [view["features"] for view in report["maps"]["views"]] == [
        "As they come", "As they come", "Source only", "Source only", "DANN", "DANN"
    ]  # fmt: skip
    assert page.count("<svg") == 6
    assert len(report["maps"]["y"]) == 60
    assert report["notes"][0] in page
    assert "0 <bdi>blue</bdi>, 1 <bdi>green</bdi>, 2 <bdi>red</bdi>" in page


def test_what_ships_scores_images_as_the_first_seed_did_and_exports(run, domains):
    classifier, report = run.classifier(), run.read_json("report.json")
    assert classifier.names == tuple(CLASSES)
    told = next(note for note in report["notes"] if "seed 0, the first" in note)
    assert f"{report['methods'][0]['accuracies'][0]:.3f}" in told
    picture = decode(domains / "night" / "green" / "3.png", 16)[None]
    assert classifier.score(picture).shape == (1, 3)
    assert main(["export", str(run.path), "--format", "tflite"]) == 0
    assert "✓ holds" in (run.path / "report.html").read_text("utf-8")


def test_a_small_network_is_trained_on_the_images(domains, tmp_path, capsys):
    assert start(domains, tmp_path / "run", "--pixels", "16", "--filters", "8", "method:ada-bn") == 0
    report = Run(tmp_path / "run").read_json("report.json")
    assert report["backbone"]["name"] == "conv4"
    assert report["methods"][0]["recalibrated"] is not None
    classifier = Run(tmp_path / "run").classifier()
    assert classifier.preprocess.size == 16
    np.testing.assert_allclose(
        classifier.score(Run(tmp_path / "run").golden().images).sum(),
        float(Run(tmp_path / "run").golden().scores.sum()),
        rtol=1e-4,
    )
    assert "AdaBN" in capsys.readouterr().out


def test_source_only_by_itself_is_held_against_nothing(domains, tmp_path, capsys):
    assert start(domains, tmp_path / "run", "method:source-only") == 0
    assert len(Run(tmp_path / "run").read_json("report.json")["methods"]) == 1
    assert "nothing was adapted" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--source", "night"), "--target: expected another domain than --source, received night"),
        (("--target", "dusk"), "domain: expected one of day, night, received 'dusk'"),
        (("--test", "0.05"), "night, the smaller part: expected an image of each of 3 classes, received 2 of 31"),
    ],
)
def test_what_can_not_be_is_refused_before_features_are_extracted(
    domains, tmp_path, capsys, monkeypatch, more, message
):
    def extract(*_, **__):
        raise AssertionError

    monkeypatch.setattr("zsltf.evaluation.adaptation_starts.extract_features", extract)
    assert start(domains, tmp_path / "run", *more) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_the_run_is_not_written_among_the_images(domains, capsys):
    assert start(domains, domains / "run") == 1
    assert "expected a folder outside" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_the_accuracy_on_drawn_pictures_that_is_claimed(tmp_path):
    assert main(["run", "dann", "--out", str(tmp_path / "run")]) == 0
    report = Run(tmp_path / "run").read_json("report.json")
    own, plain = report["methods"]
    assert own["mean"] == pytest.approx(0.36, abs=0.03)
    assert plain["mean"] == pytest.approx(0.22, abs=0.03)
    assert report["chance"] == pytest.approx(0.11, abs=0.005)
