import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from zsltf.data.images import ImageFolder
from zsltf.evaluation.summary import describe_features, describe_outcome, partition_rows, spread
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_zero_shot
from zsltf.evaluation.zero_shot_report import evaluate_zero_shot, read_zero_shot
from zsltf.metrics.zero_shot import harmonic_mean
from zsltf.pretrained.extract import Extraction
from zsltf.zeroshot.eszsl import ESZSL


@pytest.fixture(scope="module")
def outcome(toy_features):
    return run_zero_shot(ESZSL(), *toy_features, ZeroShotProtocol(shuffles=3))


def test_a_partitions_row_is_its_report(outcome):
    (row,) = partition_rows({"mine": outcome}, {"mine": 0.3})
    report = outcome.report
    assert row["partition"] == "mine"
    assert row["unseen_classes"] == ["class 12", "class 13", "class 14", "class 15"]
    assert row["chance"] == 0.25
    assert row["mean_colour"] == 0.3
    assert row["shuffled"] == pytest.approx(sum(outcome.shuffled) / 3)
    for name in ("unseen_accuracy", "seen", "unseen", "harmonic_mean"):
        assert row[name] == getattr(report, name)
    assert row["uncalibrated"] == dict(zip(("seen", "unseen", "harmonic_mean"), report.uncalibrated, strict=True))
    assert row["area"] == report.curve.area
    assert row["split"] == outcome.split
    assert row["per_class"] == report.unseen_per_class[12:].tolist()
    assert row["choice"] == {
        "method": "ESZSL",
        "settings": asdict(outcome.choice.method),
        "preparation": asdict(outcome.choice.preparation),
        "fold_accuracy": outcome.choice.accuracy,
        "share": None,
    }


def test_what_was_not_measured_is_null(outcome):
    (row,) = partition_rows({"mine": replace(outcome, shuffled=[])}, {})
    assert row["shuffled"] is None
    assert row["mean_colour"] is None


def test_rows_and_descriptions_are_plain_json(outcome):
    for content in (partition_rows({"mine": outcome}, {"mine": 0.3}), describe_outcome(outcome)):
        assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_an_outcome_in_full(outcome):
    told, report = describe_outcome(outcome), outcome.report
    assert [row["name"] for row in told["classes"]] == list(report.classes.names)
    assert [row["seen"] for row in told["classes"]] == report.classes.seen.tolist()
    assert [row["test_images"] for row in told["classes"]] == np.bincount(outcome.test.y).tolist()
    assert [row["accuracy"] for row in told["classes"]] == pytest.approx(report.per_class)
    np.testing.assert_array_equal(told["confusion"], report.confusion)
    np.testing.assert_array_equal(told["curve"]["seen"], report.curve.seen)
    assert told["gamma"] == outcome.classifier.gamma
    assert told["scale"] == outcome.classifier.similarity.scale
    assert len(told["tried"]) == 10
    assert told["tried"][0]["fold_accuracy"] == outcome.choice.accuracy


def test_a_class_without_a_test_image_has_no_accuracy(outcome):
    test = outcome.test.select(outcome.test.y != 3)
    told = describe_outcome(replace(outcome, test=test, report=evaluate_zero_shot(outcome.classifier, test)))
    assert told["classes"][3] == {"name": "class 3", "seen": True, "accuracy": None, "test_images": 0}
    json.dumps(told, allow_nan=False)


def test_spread_is_mean_and_sample_deviation(outcome):
    rows = partition_rows({"a 0": outcome, "a 1": outcome, "a 2": outcome}, {"a 0": 0.1, "a 1": 0.2, "a 2": 0.6})
    for row, accuracy in zip(rows, (0.5, 0.6, 0.85), strict=True):
        row["unseen_accuracy"] = accuracy
    table = spread(rows)
    deviation = ((0.15**2 + 0.05**2 + 0.2**2) / 2) ** 0.5
    low, high = (0.65 + side * 4.302653 * deviation / 3**0.5 for side in (-1, 1))  # Student's t, 2 degrees of freedom
    ends = {"low": low, "high": min(high, 1.0)}
    assert table["unseen_accuracy"] == pytest.approx({"mean": 0.65, "sd": deviation, "min": 0.5, "max": 0.85} | ends)
    assert table["mean_colour"]["mean"] == pytest.approx(0.3)
    same = rows[0]["seen"]
    assert table["seen"] == pytest.approx({"mean": same, "low": same, "high": same, "sd": 0, "min": same, "max": same})


def test_spread_leaves_out_what_was_not_measured(outcome):
    rows = partition_rows({"a": replace(outcome, shuffled=[]), "b": outcome}, {})
    table = spread(rows)
    assert "mean_colour" not in table
    value = rows[1]["shuffled"]
    unknown = {"low": None, "high": None, "sd": None}
    assert table["shuffled"] == {"mean": value, **unknown, "min": value, "max": value}
    assert "shuffled" not in spread(rows[:1])


def test_features_are_described_with_everything_left_out(toy_features):
    images = ImageFolder(
        root=Path("photos"), paths=("a/1.jpg",), y=np.zeros(1, int), left_out=("b",), not_images=("a/x",)
    )
    extraction = Extraction(features=toy_features[0], key="abc", cached=True, skipped={"a/2.jpg": "broken"})
    assert describe_features(images, extraction) == {
        "folder": "photos",
        "images": 160,
        "size": 32,
        "cache_key": "abc",
        "skipped": {"a/2.jpg": "broken"},
        "not_images": ["a/x"],
        "folders_left_out": ["b"],
    }


def test_the_oracle_is_what_its_gamma_gives_and_no_other_gives_more(outcome):
    scores = outcome.report.scores
    noisy = scores + scores.std() * np.random.default_rng(0).normal(size=scores.shape)
    report = read_zero_shot(noisy, outcome.test.y, outcome.report.classes)
    (row,) = partition_rows({"mine": replace(outcome, report=report)}, {})
    oracle = row["oracle"]
    assert report.curve.at(oracle["gamma"]) == pytest.approx((oracle["seen"], oracle["unseen"]))
    assert oracle["harmonic_mean"] == harmonic_mean(report.curve.seen, report.curve.unseen).max()
    assert oracle["harmonic_mean"] > row["uncalibrated"]["harmonic_mean"]
