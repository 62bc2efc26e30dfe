"""The benchmark's recipe on a small set in its layout: rows, what is kept, and what is refused."""

import csv
import json
import shutil

import numpy as np
import pytest
from scipy.io import savemat

from zsltf.cli import main


@pytest.fixture(scope="module")
def places(toy_features):
    """Classes 0 to 8 train, 9 to 11 validate, 12 to 15 are unseen; every fifth image of a seen class tests."""
    rows, y = np.arange(1, 161), toy_features[0].y
    held = (rows % 5 == 0) & (y < 12)
    return {
        "train_loc": rows[(y < 9) & ~held],
        "val_loc": rows[(y >= 9) & (y < 12) & ~held],
        "trainval_loc": rows[(y < 12) & ~held],
        "test_seen_loc": rows[held],
        "test_unseen_loc": rows[y >= 12],
    }


def write(folder, places, features, classes):
    folder.mkdir(parents=True)
    savemat(folder / "res101.mat", {"features": features.x.T, "labels": features.y[:, None] + 1})
    savemat(folder / "att_splits.mat", {"att": classes.semantics.T, **{k: v[:, None] for k, v in places.items()}})


@pytest.fixture(scope="module")
def root(tmp_path_factory, places, toy_features):
    root = tmp_path_factory.mktemp("root")
    write(root / "data" / "TOY", places, *toy_features)
    return root


def run(root, out, *more):
    return main(["run", "gbu", "--root", str(root), "--out", str(out), "--shuffles", "1", *map(str, more)])


@pytest.fixture(scope="module")
def done(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("gbu") / "out"
    assert run(root, out, "--methods", "sae", "ridge") == 0
    return out


def test_a_row_says_what_was_chosen_and_reached_and_on_which_split(done):
    rows = json.loads((done / "results.json").read_text())
    assert [(row["set"], row["method"]) for row in rows] == [("data/TOY", "ridge"), ("data/TOY", "sae")]
    for row in rows:
        assert row["unseen_accuracy"] > 0.9
        assert len(row["split"]) == 16
        assert row["oracle"]["harmonic_mean"] >= row["calibrated"]["harmonic_mean"] - 1e-9
        assert row["published"] == {"unseen": None, "generalized": None, "recalled": False}
    with (done / "results.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [float(row["unseen_accuracy"]) for row in table] == [row["unseen_accuracy"] for row in rows]
    assert json.loads(table[1]["settings"]) == rows[1]["settings"]


def test_the_page_shows_every_method(done):
    page = (done / "report.html").read_text("utf-8")
    assert page.count("<bdi>ridge</bdi>") == page.count("<bdi>sae</bdi>") == 2


def test_rows_that_are_there_are_kept_and_others_added(done, root, capsys):
    before = json.loads((done / "results.json").read_text())
    assert run(root, done, "--methods", "sae", "eszsl") == 0
    after = json.loads((done / "results.json").read_text())
    assert [row["method"] for row in after] == ["eszsl", "ridge", "sae"]
    assert after[1:] == before
    printed = capsys.readouterr().out
    assert "data/TOY eszsl: " in printed
    assert "TOY sae: " not in printed
    assert run(root, done, "--methods", "sae", "--runs", "2") == 0  # one of which is there
    assert capsys.readouterr().out.count("TOY sae: ") == 1
    rows = json.loads((done / "results.json").read_text())
    assert [(row["method"], row["seed"]) for row in rows] == [("eszsl", 0), ("ridge", 0), ("sae", 0), ("sae", 1)]


def test_what_can_not_be_run_is_refused_before_any_work(root, tmp_path, capsys):
    assert run(root, tmp_path / "out", "--methods", "eszl") == 1
    assert "received 'eszl'. Did you mean 'eszsl'?" in capsys.readouterr().err
    (tmp_path / "data" / "LONE").mkdir(parents=True)
    (tmp_path / "data" / "LONE" / "att_splits.mat").write_bytes(b"")
    assert run(tmp_path / "data", tmp_path / "out") == 1
    assert "received splits without features: LONE. Put the features beside the splits." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_text("mine")
    assert run(tmp_path / "none", tmp_path / "out") == 1  # before it looks for sets
    assert "received Not a directory" in capsys.readouterr().err


def test_a_row_is_run_again_when_features_or_split_changed(places, toy_features, tmp_path, capsys):
    features, classes = toy_features
    given = (tmp_path / "data", tmp_path / "out", "--methods", "eszsl", "--no-search", "--repeats", 1)
    noisy = features.with_x(features.x + 9 * np.random.default_rng(0).normal(size=features.x.shape).astype(np.float32))
    fewer = {**places, "test_unseen_loc": places["test_unseen_loc"][1:]}
    reached = []
    for now, split in ((features, places), (noisy, places), (noisy, fewer), (noisy, fewer)):
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        write(tmp_path / "data" / "TOY", split, now, classes)
        assert run(*given) == 0
        (row,) = json.loads((tmp_path / "out" / "results.json").read_text())
        reached.append((row["data"], row["split"], row["unseen_accuracy"]))
    assert reached[0][1] == reached[1][1]
    assert reached[0][0] != reached[1][0]
    assert reached[0][2] > reached[1][2]
    assert reached[1][1] != reached[2][1]
    assert reached[2] == reached[3]
    assert capsys.readouterr().out.count("TOY eszsl: ") == 3


def test_sets_of_the_same_folder_name_are_kept_apart(places, toy_features, tmp_path):
    features, classes = toy_features
    for number, name in enumerate("AB"):
        split = {**places, "test_unseen_loc": places["test_unseen_loc"][number:]}
        write(tmp_path / "data" / name / "CUB", split, features, classes)
    for _ in range(2):
        assert run(tmp_path / "data", tmp_path / "out", "--methods", "eszsl", "--no-search", "--repeats", 1) == 0
    rows = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [row["set"] for row in rows] == ["A/CUB", "B/CUB"]
    assert rows[0]["published"]["unseen"] == 53.9
    assert rows[0]["split"] != rows[1]["split"]


def test_methods_that_draw_run_five_times_and_closed_forms_once(places, toy_features, tmp_path):
    write(tmp_path / "data" / "TOY", places, *toy_features)
    given = ("--methods", "gaussian_generation", "eszsl", "--no-search", "--repeats", 1)
    assert run(tmp_path / "data", tmp_path / "out", *given, "--seed", 2) == 0
    rows = json.loads((tmp_path / "out" / "results.json").read_text())
    seeds = [("eszsl", 2), *(("gaussian_generation", seed) for seed in range(2, 7))]
    assert [(row["method"], row["seed"]) for row in rows] == seeds
    assert run(tmp_path / "data", tmp_path / "out", *given, "--runs", 0) == 1


@pytest.mark.slow
def test_the_accuracy_on_hand_made_features_that_is_claimed(test_data, tmp_path):
    out = tmp_path / "out"
    given = ("--methods", "eszsl", "kernel_ridge")
    assert main(["run", "gbu", "--root", str(test_data / "xlsa17"), "--out", str(out), "--shuffles", "0", *given]) == 0
    eszsl, kernel_ridge = json.loads((out / "results.json").read_text())
    assert eszsl["unseen_accuracy"] == pytest.approx(0.303, abs=0.01)
    assert kernel_ridge["unseen_accuracy"] >= 0.32
    for row in (eszsl, kernel_ridge):
        assert row["calibrated"]["harmonic_mean"] >= max(0.12, 1.7 * row["uncalibrated"]["harmonic_mean"])
