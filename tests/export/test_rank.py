"""zsltf rank backbones: a table of what is at hand, a CSV, and what is refused."""

import csv

import numpy as np
import pytest
from PIL import Image

from zsltf.cli import main


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three colours of six noisy pictures; one file is broken."""
    root, rng = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    for label, name in enumerate(("blue", "green", "red")):
        (root / name).mkdir()
        for number in range(6):
            pixels = rng.integers(0, 120, (24, 24, 3)) + 100 * np.eye(3, dtype=int)[label]
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{number}.png")
    (root / "red" / "x.png").write_bytes(b"not a picture")
    return root


def told(text):
    return " ".join(text.split())


def test_lists_what_is_at_hand_best_first_and_names_the_rest(photos, tmp_path, capsys):
    only = ("--only", "mean_colour", "conv4", "mobilenet_v2")
    assert main(["rank", "backbones", str(photos), *only, "--csv", str(tmp_path / "ranking.csv")]) == 0
    printed = told(capsys.readouterr().out)
    assert "Backbones by LogME on 18 images of 3 classes" in printed
    assert "Left out conv4: nobody published weights" in printed
    assert "Left out mobilenet_v2: https://" in printed
    assert "x.png" in printed
    assert "resnet" not in printed
    with (tmp_path / "ranking.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["name"] == "mean_colour"
    assert float(row["h_score"]) > 1
    assert row["leep"] == ""
    (tmp_path / "mine.csv").write_text("mine")
    assert main(["rank", "backbones", str(photos), *only, "--csv", str(tmp_path / "mine.csv")]) == 1
    assert "expected a new file, or an earlier ranking to replace" in told(capsys.readouterr().err)
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_file_of_the_user_ranks_a_backbone_without_published_weights(photos, tmp_path, capsys):
    from zsltf.backbones.conv4 import conv4

    conv4(None).model.save_weights(tmp_path / "conv4.weights.h5")
    given = f"conv4={tmp_path / 'conv4.weights.h5'}"
    options = ("--only", "conv4", "mean_colour", "--per-class", "3")
    assert main(["rank", "backbones", str(photos), *options, "--weights", given]) == 0
    printed = told(capsys.readouterr().out)
    assert "on 8 images of 3 classes" in printed  # three of each, of which one is broken
    assert "conv4" in printed
    assert "Left out" not in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--only", "mean_color"), "Did you mean 'mean_colour'?"),
        (("--weights", "conv4"), "--weights: expected NAME=FILE, received conv4"),
        (("--weights", "conv5=x"), "Did you mean 'conv4'?"),
        (("--per-class", "-1"), "per_class: expected a number >= 0"),
        (("--only", "mobilenet_v2"), "backbones: expected one whose weights are at hand, received https://"),
    ],
)
def test_bad_input_is_refused(photos, capsys, options, message):
    assert main(["rank", "backbones", str(photos), *options]) == 1
    assert message in told(capsys.readouterr().err)


def test_a_folder_that_is_none_is_refused(tmp_path, capsys):
    assert main(["rank", "backbones", str(tmp_path / "nothing")]) == 1
    assert "nothing" in told(capsys.readouterr().err)
    with pytest.raises(SystemExit):
        main(["rank", "heads", str(tmp_path)])
    assert "backbones" in told(capsys.readouterr().err)


def test_help_says_what_each_score_means(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["rank", "--help"])
    assert stopped.value.code == 0
    assert "--per-class" in capsys.readouterr().out
