"""Labels of target features, held against cosines computed one by one."""

import csv
import re

import numpy as np
import pytest

from zsltf.backbones.efficientnet_lite import efficientnet_lite0
from zsltf.classifier import Classifier
from zsltf.cli import main
from zsltf.data.folder_images import read_folder
from zsltf.pretrained.extract import extract_features

FILES = ("source_features", "source_labels", "target_features", "target_labels")
CLAIMED = {"art_painting": 0.58, "cartoon": 0.35, "sketch": 0.33}


def problem():
    """Three directions in five dimensions; the target's vectors are twenty times as long as the source's."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(3, 5))
    y, truth = np.repeat(np.arange(3), 4), np.array([2, 0, 1, 1, 0, 2, 2])
    x = directions[y] + 0.3 * rng.normal(size=(12, 5))
    target = 20 * (directions[truth] + 0.3 * rng.normal(size=(7, 5)))
    return dict(zip(FILES, (x, y, target, truth), strict=True))


@pytest.fixture
def start(tmp_path):
    """Run the recipe on these arrays, None for a file that is not given."""

    def run(*more, **changes):
        arguments = []
        for name, array in {**problem(), **changes}.items():
            if array is not None:
                np.save(tmp_path / f"{name}.npy", array)
                arguments += [f"--{name.replace('_', '-')}", str(tmp_path / f"{name}.npy")]
        return main(["run", "cosine_transfer", *arguments, "--out", str(tmp_path / "out"), *map(str, more)])

    return run


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_target_goes_to_the_mean_at_the_smallest_angle(start, tmp_path, capsys):
    assert start() == 0
    arrays = problem()
    means = [arrays["source_features"][arrays["source_labels"] == label].mean(axis=0) for label in range(3)]
    rows = table(tmp_path / "out" / "predictions.csv")
    assert len(rows) == 7
    for number, (row, vector, truth) in enumerate(
        zip(rows, arrays["target_features"], (2, 0, 1, 1, 0, 2, 2), strict=True)
    ):
        cosines = [vector @ mean / np.sqrt((vector @ vector) * (mean @ mean)) for mean in means]
        assert [float(row[f"score {label}"]) for label in range(3)] == pytest.approx(cosines, abs=1e-5)
        best = str(int(np.argmax(cosines)))
        assert (row["row"], row["label"], row["class"], row["truth"]) == (str(number), best, best, str(truth))
    right = np.array([row["label"] == row["truth"] for row in rows])
    truth = np.array([row["truth"] for row in rows])
    accuracy = np.mean([right[truth == label].mean() for label in "012"])
    assert f"accuracy, mean over classes: {accuracy:.3f}" in capsys.readouterr().out


def test_the_length_of_a_target_vector_does_not_matter(start, tmp_path):
    lengths = np.geomspace(1e-3, 1e3, 7)[:, None]
    assert start() == 0
    assert (
        start("--overwrite", "--out", tmp_path / "other", target_features=problem()["target_features"] * lengths) == 0
    )
    first, other = (table(tmp_path / folder / "predictions.csv") for folder in ("out", "other"))
    assert [row["class"] for row in first] == [row["class"] for row in other]


def test_without_labels_of_the_target_there_is_no_accuracy_and_no_truth(start, tmp_path, capsys):
    assert start(target_labels=None) == 0
    assert "accuracy" not in capsys.readouterr().out
    assert {row["truth"] for row in table(tmp_path / "out" / "predictions.csv")} == {""}


def test_classes_have_the_names_of_their_table(start, tmp_path):
    (tmp_path / "classes.csv").write_text("class\nowl\nlynx\nnewt\n", "utf-8")
    assert start("--classes", tmp_path / "classes.csv") == 0
    rows = table(tmp_path / "out" / "predictions.csv")
    assert [row["class"] for row in rows] == [("owl", "lynx", "newt")[int(row["label"])] for row in rows]
    assert {"score owl", "score lynx", "score newt"} < set(rows[0])


def test_the_classifier_that_is_written_says_the_same_and_takes_a_new_class(start, tmp_path):
    assert start() == 0
    classifier = Classifier.load(tmp_path / "out" / "classifier.keras")
    target = problem()["target_features"].astype(np.float32)
    rows = table(tmp_path / "out" / "predictions.csv")
    assert classifier.score(target).argmax(axis=1).tolist() == [int(row["label"]) for row in rows]
    assert classifier.with_photos("new", target[:1]).score(target[:1]).argmax() == 3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"target_features": np.ones((7, 4))},
            r"target_features.npy: expected shape \(any, 5\), received shape \(7, 4\)",
        ),
        (
            {"target_features": np.ones((0, 5))},
            r"target_features.npy: expected numbers of shape \(N, D\), N > 0, received",
        ),
        ({"target_features": np.array([["a"]])}, r"target_features.npy: expected numbers of shape \(N, D\)"),
        (
            {"target_features": np.eye(7, 5)},
            "target_features.npy: expected numbers other than 0 in every row, rec.* row 5",
        ),
        ({"source_features": np.full((12, 5), np.nan)}, "source_features.npy: expected finite numbers, received nan"),
        ({"source_labels": np.zeros(11, int)}, r"source_labels.npy: expected shape \(12,\), received shape \(11,\)"),
        ({"source_labels": np.full(12, -1)}, "source_labels.npy: expected integers >= 0, received int64, -1 for one"),
        ({"source_labels": np.full(12, "a")}, "source_labels.npy: expected integers >= 0, received <U1"),
        (
            {"source_labels": np.full(12, 7)},
            "source_labels.npy: expected labels 0 to 0, for so many there are, received 7",
        ),
        ({"target_labels": np.full(7, 3)}, "labels: expected rows 0 to 2 of the ClassTable, received 3 for image 0"),
    ],
)
def test_files_that_do_not_fit_are_named(start, tmp_path, capsys, changes, told):
    assert start(**changes) == 1
    assert re.search(told, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_a_missing_file_and_one_that_is_no_array_are_named(start, tmp_path, capsys):
    missing = tmp_path / "none.npy"
    assert start("--source-features", missing) == 1
    assert f"{missing}: expected a .npy file of a plain array, received No such file" in capsys.readouterr().err
    np.savez(tmp_path / "several.npz", a=np.zeros(3))
    assert start("--source-labels", tmp_path / "several.npz") == 1
    assert "several.npz: expected a .npy file, received a .npz file" in capsys.readouterr().err
    (tmp_path / "text.npy").write_text("1, 2, 3", "utf-8")
    assert start("--source-labels", tmp_path / "text.npy") == 1
    assert "text.npy: expected a .npy file of a plain array" in capsys.readouterr().err


def test_a_class_of_the_table_without_an_example_is_named(start, tmp_path, capsys):
    (tmp_path / "classes.csv").write_text("class\nowl\nlynx\nnewt\nyak\n", "utf-8")
    assert start("--classes", tmp_path / "classes.csv") == 1
    assert "expected an example of every class, received none of yak" in capsys.readouterr().err


def test_a_folder_is_replaced_only_if_it_is_an_earlier_answer_and_one_says_so(start, tmp_path, capsys):
    assert start() == 0
    before = (tmp_path / "out" / "predictions.csv").read_bytes()
    assert start(source_labels=np.arange(12) % 3) == 1
    assert "out: expected a path where nothing is yet, received an existing one" in capsys.readouterr().err
    assert (tmp_path / "out" / "predictions.csv").read_bytes() == before
    assert start("--overwrite", source_labels=np.arange(12) % 3) == 0
    assert (tmp_path / "out" / "predictions.csv").read_bytes() != before
    (tmp_path / "out" / "notes.txt").write_text("mine", "utf-8")
    assert start("--overwrite") == 1
    assert "received also notes.txt" in capsys.readouterr().err


@pytest.mark.slow
def test_the_accuracy_from_photos_to_other_domains_that_is_claimed(start, test_data, capsys):
    backbone, reached = efficientnet_lite0(), {}
    read = {
        domain: extract_features(backbone, read_folder(test_data / "pacs" / domain).images).features
        for domain in ("photo", *CLAIMED)
    }
    for domain in CLAIMED:
        arrays = (read["photo"].x, read["photo"].y, read[domain].x, read[domain].y)
        assert start("--overwrite", **dict(zip(FILES, arrays, strict=True))) == 0
        reached[domain] = float(re.search(r"classes: ([\d.]+)", capsys.readouterr().out).group(1))
    assert reached == pytest.approx(CLAIMED, abs=0.0055)  # both are rounded
