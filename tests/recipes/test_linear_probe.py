"""The probe from files to a run folder: who scores whom, what is left out, and what ships."""

import csv
import shutil

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.data.images import ImageFolder
from zsltf.data.k_folds import k_folds
from zsltf.runs import Run

NAMES = ("blue", "green", "red")
FIXED = ("--no-search", "--method.inverse-penalty", "30")


def start(data, out, *more):
    backbone = ("--backbone", "mean_colour", "--weights", "random", "--folds", "3")
    return main(["run", "linear_probe", "--data", str(data), *backbone, "--out", str(out), *map(str, more)])


def mean_colours(paths):
    return np.stack([decode(path, 32).mean(axis=(0, 1)) for path in paths]) / 255


def folds_of(run):
    with (run / "cross_validation.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def photos(coloured, tmp_path):
    """8 pictures of each of 3 colours; a file of blue and one of red are broken."""
    folder = tmp_path / "photos"
    shutil.copytree(coloured / "train", folder)
    for broken in ("blue/3.png", "red/0.png"):
        (folder / broken).write_bytes(b"not a picture")
    return folder


def table(photos, path, **columns):
    """A CSV of the pictures; each column is a function of the number of a line."""
    files = sorted(photos.glob("*/*.png"))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", *columns])
        for i, photo in enumerate(files):
            writer.writerow([photo, photo.parent.name, *(column(i) for column in columns.values())])
    return path


def expected_scores(photos, folds, weight):
    """Of each readable picture by scikit-learn, from the pictures of the other folds."""
    files = sorted(photos.glob("*/*.png"))
    good = np.array([file.stat().st_size > 100 for file in files])
    x = mean_colours([file for file, is_good in zip(files, good, strict=True) if is_good])
    y = np.array([NAMES.index(file.parent.name) for file in files])[good]
    fold = np.empty(len(files), int)
    for number, rows in enumerate(folds):
        fold[rows] = number
    scores = np.empty((len(x), 3))
    for number in range(len(folds)):
        tested = fold[good] == number
        model = LogisticRegression(C=30, tol=1e-8, max_iter=10_000)
        model.fit(x[~tested], y[~tested], sample_weight=weight[good][~tested])
        scores[tested] = model.decision_function(x[tested])
    return scores, y, fold[good]


def test_groups_and_weights_stay_with_their_pictures_when_files_are_skipped(photos, tmp_path):
    group, weight = np.arange(24) // 2 % 8, 1 + np.arange(24) % 5
    data = table(photos, tmp_path / "table.csv", group=lambda i: f"s{group[i]}", weight=lambda i: weight[i])
    assert start(data, tmp_path / "run", *FIXED) == 0
    report = Run(tmp_path / "run").read_json("report.json")
    assert {name.split("photos/")[1] for name in report["data"]["skipped"]} == {"blue/3.png", "red/0.png"}
    folds = k_folds(np.repeat(np.arange(3), 8), NAMES, num_folds=3, group=np.array([f"s{number}" for number in group]))
    scores, y, fold = expected_scores(photos, folds, weight)
    likelihood = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    found = report["test"]["negative_log_likelihood"]
    assert found == pytest.approx(-likelihood[np.arange(22), y].mean(), rel=1e-4)
    rows = folds_of(tmp_path / "run")
    assert [int(row["images"]) for row in rows] == np.bincount(fold).tolist()
    for number, row in enumerate(rows):
        right = (scores.argmax(axis=1) == y) & (fold == number)
        shares = [
            right[(y == label) & (fold == number)].sum() / ((y == label) & (fold == number)).sum() for label in range(3)
        ]
        assert float(row["accuracy"]) == pytest.approx(np.mean(shares))


def test_the_model_that_ships_is_fitted_on_all_pictures(coloured, tmp_path, capsys):
    assert start(coloured / "train", tmp_path / "run", *FIXED) == 0
    assert "mean" in capsys.readouterr().out
    images = ImageFolder.read(coloured / "train", NAMES)
    files = [coloured / "train" / path for path in images.paths]
    model = LogisticRegression(C=30, tol=1e-8, max_iter=10_000).fit(mean_colours(files), images.y)
    scores = Run(tmp_path / "run").classifier().score(np.stack([decode(file, 32) for file in files]))
    np.testing.assert_allclose(scores, model.decision_function(mean_colours(files)), atol=1e-3)
    notes = " ".join(Run(tmp_path / "run").read_json("report.json")["notes"])
    assert "scored by the one of 3 classifiers that was fitted without its fold" in notes
    assert "one more, fitted on all images" in notes
    assert "fitted without its fold" in (tmp_path / "run" / "report.html").read_text("utf-8")
    assert main(["export", str(tmp_path / "run"), "--format", "tflite"]) == 0


def test_settings_are_chosen_and_told(coloured, tmp_path):
    assert start(coloured / "train", tmp_path / "run") == 0
    rows = folds_of(tmp_path / "run")
    assert len(rows) == 3
    assert {float(row["inverse_penalty"]) for row in rows} <= {10.0**k for k in range(-3, 4)}
    assert Run(tmp_path / "run").read_json("report.json")["test"]["mean_class_accuracy"] == 1.0


def refused(capsys, data, tmp_path, *more):
    out = tmp_path / "run"
    assert start(data, out, *more) == 1
    assert not out.exists()
    return " ".join(capsys.readouterr().err.split())


def test_a_test_part_is_refused_rather_than_ignored(coloured, tmp_path, capsys):
    data = table(coloured / "train", tmp_path / "table.csv", split=lambda i: "test" if i % 4 == 0 else "train")
    assert "probe: expected every image in a fold, received a test part" in refused(capsys, data, tmp_path)
    told = refused(capsys, coloured / "train", tmp_path, "--validation", "0.2")
    assert "probe: expected folds without a validation part, received some. Set --validation 0" in told


def test_several_labels_an_image_are_refused(coloured, tmp_path, capsys):
    data = tmp_path / "table.csv"
    files = sorted((coloured / "train").glob("*/*.png"))
    rows = [f"{file},{file.parent.name}{';red' if i % 2 else ''}\n" for i, file in enumerate(files)]
    data.write_text("path,label\n" + "".join(rows))
    assert "a single 1 a row of one-hot labels, received 2 for image 1" in refused(capsys, data, tmp_path)


def test_one_hot_labels_are_classes(coloured, tmp_path):
    images = ImageFolder.read(coloured / "train", NAMES)
    x = np.stack([images.load(row, 32) for row in range(len(images))])
    reports = []
    for name, y in (("integers", images.y), ("one_hot", np.eye(3, dtype=np.float32)[images.y])):
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
        assert start(tmp_path / f"{name}.npz", tmp_path / name, *FIXED) == 0
        reports.append(Run(tmp_path / name).read_json("report.json")["test"])
    assert reports[0]["negative_log_likelihood"] == pytest.approx(reports[1]["negative_log_likelihood"], rel=1e-6)
    assert not reports[1]["multi_label"]


def test_unseen_classes_are_neither_trained_on_nor_demanded(coloured, tmp_path):
    classes = tmp_path / "classes.csv"
    classes.write_text("class,split,cold\nblue,seen,1\ngreen,unseen,1\nred,seen,0\n")
    assert start(coloured / "train", tmp_path / "run", *FIXED, "--classes", classes) == 0
    assert Run(tmp_path / "run").classifier().names == ("blue", "red")
    assert Run(tmp_path / "run").read_json("report.json")["test"]["images"] == 16


@pytest.mark.slow
def test_the_accuracy_on_photos_that_is_claimed(test_data, tmp_path):
    out = tmp_path / "run"
    assert main(["run", "linear_probe", "--data", str(test_data / "animals" / "images"), "--out", str(out)]) == 0
    assert [int(row["images"]) for row in folds_of(out)] == [376] * 5
    test = Run(out).read_json("report.json")["test"]
    assert test["images"] == 1880
    assert test["mean_class_accuracy"] >= 0.90
