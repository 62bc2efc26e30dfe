"""`zsltf run finetune`: its run folder, what it refuses, and a training that is killed and resumed."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from zsltf.cli import main
from zsltf.runs import RUN_FILES, Run
from zsltf.training.history import read_history

SMALL = ("--backbone", "conv4", "--weights", "random", "--size", "32", "--batch-size", "8")
SHORT = ("--head-epochs", "2", "--epochs", "2")


def arguments(images, out, *more):
    return ["run", "finetune", "--data", str(images), *SMALL, "--out", str(out), *more]


def start(images, out, *more):
    return main(arguments(images, out, *SHORT, *more))


@pytest.fixture(scope="module")
def run(coloured, tmp_path_factory):
    """With all that goes with it."""
    folder = tmp_path_factory.mktemp("finetune")
    beside = ("--baseline", "--find-learning-rate", "show", "--tensorboard", str(folder / "events"))
    assert start(coloured, folder / "run", "--deterministic", *beside) == 0
    return Run(folder / "run")


def test_the_run_folder_is_complete_and_alone(run):
    assert {path.name for path in run.path.iterdir()} <= set(RUN_FILES)
    assert {path.name for path in run.path.parent.iterdir()} == {"run", "events"}
    report = run.read_json("report.json")
    assert report["recipe"] == "finetune"
    assert [row["phase"] for row in report["schedule"]] == ["head", "from block4", "all"]
    assert len(report["history"]) == 4
    assert report["history"] == read_history(run.path / "history.csv")
    assert report["test"]["images"] == 12
    assert (report["baseline"]["name"], len(report["baseline"]["history"])) == ("from scratch", 4)
    assert len(report["learning_rate_finder"]["rates"]) == len(report["learning_rate_finder"]["losses"])
    page = (run.path / "report.html").read_text("utf-8")
    assert "from scratch" in page
    assert "Learning-rate finder" in page


def test_the_settings_are_kept(run):
    settings = run.read_json("config.json")["settings"]
    assert settings["network"]["backbone"] == "conv4"
    assert settings["method"]["head_epochs"] == 2
    assert settings["method"]["training"]["deterministic"] is True
    assert settings["protocol"]["baseline"] is True


def test_its_model_exports(run, tmp_path):
    out = tmp_path / "export"
    assert main(["export", str(run.path), "--format", "onnx", "--out", str(out)]) == 0
    assert (out / "model.onnx").is_file()


def refused(capsys, *given):
    assert main(list(given)) == 1
    return " ".join(capsys.readouterr().err.split())


def test_a_test_part_is_needed(coloured, tmp_path, capsys):
    message = refused(capsys, *arguments(coloured / "train", tmp_path / "run", "--test", "0"))
    assert "split: expected images for the test, received none. Give --test a share" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", [("--pcgrad",), ("--uncertainty",), ("--task-weights", "2")])
def test_options_for_several_heads_are_refused(coloured, tmp_path, capsys, option):
    message = refused(capsys, *arguments(coloured, tmp_path / "run", *option))
    assert "expected several heads whose losses they weigh, received one head" in message
    assert "zsltf run multitask" in message


def test_a_broken_file_stops_it_if_asked(coloured, tmp_path, capsys):
    shutil.copytree(coloured, tmp_path / "images")
    path = next((tmp_path / "images").rglob("*.png"))
    path.write_bytes(b"not an image")
    given = arguments(tmp_path / "images", tmp_path / "run", "--on-corrupt", "error")
    assert str(path.relative_to(tmp_path / "images")) in refused(capsys, *given)
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "run.training").exists()


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(coloured, tmp_path, capsys):
    out = tmp_path / "run"
    steep = ("--schedule", "lp_ft", "--fine-tune-rate", "1e30", "--batch-norm", "train", "--optimizer", "sgd")
    message = refused(capsys, *arguments(coloured, out, *SHORT, *steep))
    assert "expected a finite number" in message
    assert "in phase 'all'" in message
    assert f"{out}.training holds the training up to its last whole epoch" in message
    assert not out.exists()
    assert [row["phase"] for row in read_history(tmp_path / "run.training" / "history.csv")] == ["head", "head"]


def test_an_unfinished_training_is_refused_resumed_or_replaced(coloured, tmp_path, capsys, monkeypatch):
    out, place = tmp_path / "run", tmp_path / "run.training"

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("zsltf.reports.transfer.golden_batch", stop)
        assert start(coloured, out) == 130  # stopped when everything but the run folder is done
    assert "--resume goes on from there" in " ".join(capsys.readouterr().err.split())
    assert place.is_dir()
    assert not out.exists()
    message = refused(capsys, *arguments(coloured, out, *SHORT))
    assert f"{place}: expected no unfinished training, received one. Pass --resume" in message
    message = refused(capsys, *arguments(coloured, out, *SHORT, "--seed", "1", "--resume"))
    assert "resume: expected the settings of the checkpoint, received other" in message
    before = read_history(place / "history.csv")
    assert start(coloured, out, "--resume") == 0
    assert read_history(out / "history.csv") == before  # seconds too: nothing was trained again
    assert not place.exists()
    place.mkdir()
    (place / "state.npz").write_bytes(b"of another training")
    assert start(coloured, out, "--overwrite") == 0
    assert read_history(out / "history.csv") != before
    assert not place.exists()


def killed_after(command, history, rows):
    """Start the command, and kill it once the history has so many rows."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and len(read_history(history) if history.is_file() else []) < rows:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode


@pytest.mark.slow
def test_killed_with_sigkill_it_ends_with_the_same_weights(coloured, tmp_path):
    options = ("--head-epochs", "4", "--epochs", "6", "--padding", "3", "--flip", "--batch-norm", "train")
    weights = []
    for name, kills in {"whole": (), "killed": (2, 5, 9)}.items():
        out = tmp_path / name
        command = [
            sys.executable,
            "-m",
            "zsltf",
            *arguments(coloured, out, *options, "--ema", "0.9", "--deterministic"),
        ]
        for rows in kills:
            assert killed_after([*command, "--resume"], tmp_path / f"{name}.training" / "history.csv", rows) == -9
        finished = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
        assert len(read_history(out / "history.csv")) == 10
        weights.append(Run(out).classifier().get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "killed"}


@pytest.mark.slow
def test_the_accuracies_that_are_claimed(tmp_path):
    given = ("--size", "96", "--schedule", "head_only", "--baseline")
    assert main(["run", "finetune", *given, "--out", str(tmp_path / "run")]) == 0
    report = Run(tmp_path / "run").read_json("report.json")
    assert report["test"]["mean_class_accuracy"] == pytest.approx(1.00, abs=0.02)
    assert report["baseline"]["mean_class_accuracy"] == pytest.approx(0.59, abs=0.15)  # rounding grows in 240 steps
