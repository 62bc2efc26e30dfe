"""Few-shot from files to a run folder: protocols, what is refused before slow work, what ships."""

import colorsys
import shutil

import numpy as np
import pytest
from PIL import Image

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.data.episodes import Episodes
from zsltf.data.images import ImageFolder
from zsltf.runs import Run

COUNT = 7


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """9 classes of 7 noisy pictures, each class of one hue; one file is broken."""
    root, rng = tmp_path_factory.mktemp("hues"), np.random.default_rng(0)
    for label in range(9):
        (root / f"hue_{label}").mkdir()
        colour = 150 * np.array(colorsys.hsv_to_rgb(label / 9, 1, 1))
        for number in range(COUNT):
            pixels = rng.integers(0, 60, (32, 32, 3)) + colour + rng.normal(0, 12, 3)
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / f"hue_{label}" / f"{number}.png")
    (root / "hue_0" / "x.png").write_bytes(b"not a picture")
    (root / "hue_0" / "notes.txt").write_text("no image")
    return root


def start(data, out, *more, method="method:nearest-class-mean"):
    backbone = ("--backbone", "mean_colour", "--weights", "random")
    episodes = ("--queries", "4", "--episodes", "40", "--ways", "3")
    return main(["run", "few_shot", "--data", str(data), *backbone, *episodes, "--out", str(out), *more, method])


def test_figures_are_those_of_episodes_scored_by_hand(photos, tmp_path, capsys):
    assert start(photos, tmp_path / "run", "--base", "4", "--shots", "2", "--seed", "3") == 0
    report = Run(tmp_path / "run").read_json("report.json")
    order = np.random.default_rng(0).permutation(9)
    novel = np.sort(order[4:])
    images = ImageFolder.read(photos, [f"hue_{label}" for label in range(9)])
    rows = [row for row, path in enumerate(images.paths) if not path.endswith("x.png") and images.y[row] in novel]
    x = np.stack([decode(photos / images.paths[row], 32).mean(axis=(0, 1)) for row in rows]) / 255
    reached = []
    for episode in Episodes(ways=3, shots=2, queries=4).draw(images.y[rows], 40, seed=3):
        means = np.stack([x[episode.support[episode.support_y == way]].mean(axis=0) for way in range(3)])
        nearest = ((x[episode.query][:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        reached.append(np.mean(nearest == episode.query_y))
    (main_row, reference) = report["methods"]
    assert main_row["mean"] == pytest.approx(np.mean(reached), abs=0.005)
    assert main_row["difference"] == pytest.approx(main_row["mean"] - reference["mean"])
    assert reference["difference"] is None
    assert report["protocol"] == "base classes apart"
    assert report["data"]["classes"] == {"base": 4, "novel": 5}
    assert {name.split("/")[-1] for name in report["data"]["skipped"]} == {"x.png"}
    assert [row["name"] for row in report["classes"]] != []
    assert {row["name"] for row in report["classes"]} == {f"hue_{label}" for label in novel}
    said = " ".join(capsys.readouterr().out.split())
    assert "base classes apart: 4 to learn from, 5 novel ones to test on; chance 0.333" in said
    assert "40 episodes say little: 600 are usual" in said
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert report["episodes"]["digest"] in page
    assert "Base classes apart" in page


def test_what_ships_knows_all_novel_classes_and_exports(photos, tmp_path):
    assert start(photos, tmp_path / "run", "--base", "4", method="method:simple-shot") == 0
    run = Run(tmp_path / "run")
    names = {row["name"] for row in run.read_json("report.json")["classes"]}
    assert set(run.classifier().names) == names
    for name in names:
        picture = decode(photos / name / "2.png", 32)[None]
        assert run.classifier().names[int(run.classifier().score(picture).argmax())] == name
    assert main(["export", str(tmp_path / "run"), "--format", "tflite"]) == 0
    assert "✓ holds" in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_a_photo_in_two_classes_is_listed(photos, tmp_path):
    shutil.copytree(photos, tmp_path / "photos")
    shutil.copy(photos / "hue_3" / "0.png", tmp_path / "photos" / "hue_5" / "copy.png")
    assert start(tmp_path / "photos", tmp_path / "run", "--base", "0") == 0
    (pair,) = Run(tmp_path / "run").read_json("report.json")["data"]["duplicates"]
    assert pair == "test hue_3/0.png = test hue_5/copy.png (0 of 64 bits differ)"
    page = (tmp_path / "run" / "report.html").read_text("utf-8").replace("<wbr>", "")
    assert pair in page.split("Nearly the same image in two classes (1)")[1]


def test_without_base_classes_all_are_novel(photos, tmp_path, capsys):
    assert start(photos, tmp_path / "run", "--base", "0", method="method:simple-shot") == 0
    report = Run(tmp_path / "run").read_json("report.json")
    assert report["protocol"] == "no base classes: all classes novel"
    assert len(report["classes"]) == 9
    assert "no base classes: all classes novel, 9 novel ones to test on" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("more", "method", "message"),
    [
        (("--base", "0"), "prototypical-network", "PrototypicalNetwork: expected base classes to learn from"),
        (("--base", "8"), "simple-shot", "two classes or more left to test on, received 8 and 0 of 9"),
        (("--base", "7"), "simple-shot", "expected at most the 2 classes of the set, received 3"),
        (("--shots", "4"), "simple-shot", "expected 8 examples a class for shots and queries"),
    ],
)
def test_what_can_not_be_is_refused_before_features_are_extracted(
    photos, tmp_path, capsys, monkeypatch, more, method, message
):
    def extract(*_, **__):
        raise AssertionError

    monkeypatch.setattr("zsltf.evaluation.few_shot_photos.extract_features", extract)
    assert start(photos, tmp_path / "run", *more, method=f"method:{method}") == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "message"), [("--ways", "Episodes.ways: expected 2 or more"), ("--episodes", "expected a number > 0")]
)
def test_numbers_that_make_no_test_are_refused(photos, tmp_path, capsys, option, message):
    with pytest.raises(SystemExit):
        start(photos, tmp_path / "run", option, "1" if option == "--ways" else "0")
    assert message in " ".join(capsys.readouterr().err.split())


def test_too_few_photos_are_named(photos, tmp_path, capsys):
    assert start(photos, tmp_path / "run", "--base", "0", "--queries", "7") == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "fewer in 8: hue_1 (7), hue_2 (7)" in told


def test_the_run_is_not_written_among_the_photos(photos, capsys):
    assert start(photos, photos / "run") == 1
    assert "expected a folder outside --data" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_the_accuracy_on_animals_that_is_claimed(test_data, tmp_path):
    data = test_data / "animals" / "images"
    for shots, least in (("1", 0.86), ("5", 0.94)):
        for base in ("27", "0"):
            out = tmp_path / f"{shots}_{base}"
            options = ("--data", str(data), "--base", base, "--shots", shots, "--out", str(out))
            assert main(["run", "few_shot", *options]) == 0
            assert Run(out).read_json("report.json")["methods"][0]["mean"] >= least


def test_a_method_that_has_no_network_to_train_says_so(photos, tmp_path, capsys):
    assert start(photos, tmp_path / "run", "--base", "4", method="method:prototypical-network") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "PrototypicalNetwork trains a network, and features have none: base classes taught nothing" in said
