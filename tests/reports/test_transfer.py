"""A fine-tuning's run folder: what ships is what was tested, and the report holds what was done."""

import dataclasses

import numpy as np
import pytest
from training.problems import CLASSES, FAST, examples

from zsltf.backbones.conv4 import conv4
from zsltf.data.collection import Collection
from zsltf.data.labelled import LabelledImages
from zsltf.data.leakage import Twins
from zsltf.data.splits import Split
from zsltf.evaluation.transfer import transfer
from zsltf.heads.attributes import AttributeHead
from zsltf.reports.transfer import write_transfer_run
from zsltf.runs import RUN_FILES, Run
from zsltf.training.learning_rate_finder import LearningRateRange
from zsltf.transfer.fine_tune import FineTune

METHOD = FineTune(schedule="head_only", head_epochs=2, training=FAST)
SPLIT = Split(train=np.arange(18), validation=np.arange(18, 24), test=np.arange(24, 36))
SWEEP = LearningRateRange(rates=np.geomspace(1e-5, 1e-1, 9), losses=np.array([2, 2, 1.9, 1.5, 1, 0.8, 0.9, 1, 4.0]))


@pytest.fixture(scope="module")
def labelled():
    return LabelledImages(images=examples(36).images, classes=CLASSES, split=SPLIT, left_out=("notes",))


@pytest.fixture(scope="module")
def outcome(labelled):
    return transfer(METHOD, conv4(None, size=32), labelled)


@pytest.fixture(scope="module")
def written(outcome, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    other = dataclasses.replace(outcome, seconds=12.5)
    config = {"images": {"data": "photos/"}, "seed": 0}
    report = write_transfer_run(folder, outcome, recipe="finetune", config=config, baseline=other, sweep=SWEEP)
    return Run(folder), report


def test_the_folder_is_a_run(written):
    run, report = written
    assert {path.name for path in run.path.iterdir()} <= set(RUN_FILES)
    assert run.read_json("report.json") == report
    assert run.read_json("config.json")["settings"]["images"] == {"data": "photos/"}


def test_what_ships_is_what_was_tested(written, outcome):
    run, report = written
    scores = run.classifier().score(outcome.test.pixels)
    assert (scores.argmax(axis=1) == outcome.test.y).mean() == pytest.approx(report["test"]["accuracy"])
    golden = run.golden()
    np.testing.assert_allclose(run.classifier().score(golden.images), golden.scores, rtol=1e-5)


def test_the_report_holds_what_was_done(written, outcome, read_page):
    run, report = written
    assert report["data"]["source"] == "photos/"
    assert report["data"]["images"] == {"train": 18, "validation": 6, "test": 12}
    assert report["data"]["folders_left_out"] == ["notes"]
    assert report["backbone"]["name"] == "conv4"
    assert [row["phase"] for row in report["schedule"]] == ["head"]
    assert report["history"] == outcome.training.state.history
    assert report["proofs"] == outcome.training.state.proofs
    assert report["notes"] == outcome.training.state.notes
    assert report["seconds"] == outcome.seconds
    assert (report["baseline"]["name"], report["baseline"]["seconds"]) == ("from scratch", 12.5)
    assert report["baseline"]["accuracy"] == report["test"]["accuracy"]
    assert report["learning_rate_finder"]["suggestion"] == SWEEP.suggestion
    page = read_page(run.path / "report.html")
    for text in ("from scratch", "Learning-rate finder", "photos/", "notes"):
        assert text in page.text


def test_without_a_baseline_and_a_sweep_there_are_none(outcome, tmp_path, read_page):
    report = write_transfer_run(tmp_path, outcome, recipe="finetune", config={})
    assert (report["baseline"], report["learning_rate_finder"]) == (None, None)
    assert report["data"]["source"] == "drawn pictures"
    assert "from scratch" not in read_page(tmp_path / "report.html").text


def test_what_was_left_out_and_what_looks_alike_is_listed(outcome, tmp_path, read_page):
    twins = (Twins(first="image 1", second="image 30", distance=3),)
    odd = dataclasses.replace(
        outcome,
        labelled=dataclasses.replace(outcome.labelled, near_duplicates=twins),
        skipped={"image 7": "truncated"},
    )
    report = write_transfer_run(tmp_path, odd, recipe="finetune", config={})
    assert report["data"]["skipped"] == {"image 7": "truncated"}
    assert report["data"]["duplicates"] == [{"first": "image 1", "second": "image 30", "distance": 3}]
    assert ["image 7", "truncated"] in read_page(tmp_path / "report.html").rows()


def test_classes_that_had_no_photo_are_spoken_of(labelled, tmp_path, read_page):
    seen, unseen = CLASSES.select([0, 1]), CLASSES.with_seen(np.arange(3) < 2).select([2])
    y = examples(36).images.y % 2
    hidden = Collection(images=examples(6).images.with_y(np.zeros(6, int)), classes=unseen)
    given = dataclasses.replace(labelled, images=labelled.images.with_y(y), classes=seen, unseen=hidden)
    outcome = transfer(dataclasses.replace(METHOD, head=AttributeHead()), conv4(None, size=32), given)
    report = write_transfer_run(tmp_path, outcome, recipe="finetune", config={})
    found = outcome.zero_shot
    assert report["notes"][-1] == (
        f"classes without a training image (blue): accuracy 1.000 among themselves (chance 1.000); among all classes "
        f"seen {found.seen:.3f}, unseen {found.unseen:.3f}, harmonic mean {found.harmonic_mean:.3f}"
    )
    assert "classes without a training image (blue)" in read_page(tmp_path / "report.html").text
    assert Run(tmp_path).classifier().names == CLASSES.names
    assert [row["name"] for row in report["test"]["classes"]] == ["red", "green"]
