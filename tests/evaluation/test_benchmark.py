"""The benchmark's protocol: nothing of the test reaches the choice, and the figures are those of its rules."""

from dataclasses import replace

import numpy as np
import pytest

from zsltf.data.benchmark_set import BenchmarkSet
from zsltf.evaluation.benchmark import benchmark_folds, benchmark_row, find_sets, run_benchmark
from zsltf.evaluation.zero_shot import ZeroShotProtocol
from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.training.selection import fit_prepared
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.gaussian_generation import GaussianGeneration


@pytest.fixture
def data(toy_features):
    """Classes 0 to 8 train, 9 to 11 validate, 12 to 15 are unseen; every fifth image of a seen class tests."""
    features, classes = toy_features
    rows, y = np.arange(160), features.y
    held = (rows % 5 == 0) & (y < 12)
    return BenchmarkSet(
        name="toy",
        features=features,
        classes=classes,
        train=rows[(y < 9) & ~held],
        val=rows[(y >= 9) & (y < 12) & ~held],
        trainval=rows[(y < 12) & ~held],
        test_seen=rows[held],
        test_unseen=rows[y >= 12],
    )


def test_folds_pretend_that_the_validation_classes_are_unseen(data):
    folds = list(benchmark_folds(data, num_repeats=2))
    assert len(folds) == 2
    for fold in folds:
        assert fold.classes.names == data.classes.names[:12]
        assert fold.classes.seen.tolist() == [True] * 9 + [False] * 3
        assert set(fold.train.y) == set(range(9))
        assert np.bincount(fold.validation.y).tolist() == [2] * 9 + [8] * 3  # a fifth of 8, and all
        for part in (fold.train, fold.validation):
            np.testing.assert_array_equal(part.x[0], data.features.x[(data.features.x == part.x[0]).all(axis=1)][0])
    assert (folds[0].tested != folds[1].tested).any()


def test_the_test_images_and_unseen_rows_are_not_looked_at_before_the_end(data, monkeypatch):
    protocol = ZeroShotProtocol(shuffles=0)
    outcome = run_benchmark(ESZSL(), data, protocol)
    x = data.features.x.copy()
    x[np.concatenate([data.test_seen, data.test_unseen])] = 0.5
    semantics = np.where(data.classes.seen[:, None], data.classes.semantics, 7.0)
    poisoned = BenchmarkSet(
        name="toy",
        features=data.features.with_x(x),
        classes=data.classes.with_semantics(semantics),
        **{name: getattr(data, name) for name in ("train", "val", "trainval", "test_seen", "test_unseen")},
    )
    other = run_benchmark(ESZSL(), poisoned, protocol)
    assert other.choice == outcome.choice
    assert other.classifier.gamma == pytest.approx(outcome.classifier.gamma)


def test_the_report_counts_the_benchmarks_images(data):
    report = run_benchmark(ESZSL(), data, ZeroShotProtocol(shuffles=0)).report
    assert report.confusion.sum() == len(data.test_seen) + len(data.test_unseen)
    assert report.unseen_accuracy > 0.9
    seen, unseen, best = report.oracle
    assert best == pytest.approx(2 * seen * unseen / (seen + unseen))
    assert best >= max(report.harmonic_mean, report.uncalibrated[2]) - 1e-9


def test_folds_leave_out_the_seen_classes_test_images_that_the_benchmarks_own_parts_hold(data):
    seen = data.features.y < 12
    whole = replace(data, train=np.flatnonzero(data.features.y < 9), val=np.flatnonzero(seen & (data.features.y >= 9)))
    assert np.isin(data.test_seen, np.concatenate([whole.train, whole.val])).all()
    for fold, clean in zip(benchmark_folds(whole), benchmark_folds(data), strict=True):
        np.testing.assert_array_equal(fold.data.x, clean.data.x)
        np.testing.assert_array_equal(fold.tested, clean.tested)
        np.testing.assert_array_equal(fold.classes.seen, clean.classes.seen)


def test_each_repeat_draws_other_images_by_the_seed_and_its_number(data):
    first, later = (list(benchmark_folds(data, num_repeats=3, seed=seed)) for seed in (5, 6))
    assert len({fold.tested.tobytes() for fold in first}) == 3
    for fold, same in zip(first[1:], later, strict=False):
        np.testing.assert_array_equal(fold.tested, same.tested)


def test_the_final_fit_is_on_trainval(data):
    outcome = run_benchmark(ESZSL(), data, ZeroShotProtocol(shuffles=0))
    train = data.features.select(data.trainval)
    np.testing.assert_array_equal(outcome.train.x, train.x)
    refitted = fit_prepared(outcome.choice.method, outcome.choice.preparation, train, data.classes)
    scores = refitted.score(outcome.test.x)
    reached = unseen_accuracy(scores, outcome.test.y, data.classes.seen)
    assert outcome.report.unseen_accuracy == pytest.approx(reached)
    lifted = outcome.report.scores - np.where(data.classes.seen, -outcome.classifier.gamma, 0.0)
    assert np.corrcoef(lifted.ravel(), scores.ravel())[0, 1] > 1 - 1e-6


@pytest.mark.parametrize("search", [True, False])
def test_the_protocols_seed_reaches_the_fit(data, search):
    for seed in (0, 4):
        protocol = ZeroShotProtocol(search=search, shuffles=0, repeats=1, seed=seed)
        assert run_benchmark(GaussianGeneration(), data, protocol).choice.method.seed == seed


def test_sets_are_found_by_their_paths_below_the_root(tmp_path):
    for name in ("A/CUB", "B/CUB"):
        (tmp_path / name).mkdir(parents=True)
        for file in ("res101.mat", "att_splits.mat"):
            (tmp_path / name / file).touch()
    assert find_sets(tmp_path) == {name: tmp_path / name for name in ("A/CUB", "B/CUB")}
    assert find_sets(tmp_path / "A" / "CUB") == {"CUB": tmp_path / "A" / "CUB"}


def test_a_row_has_the_accuracy_without_classes_that_the_backbone_knew(data):
    outcome = run_benchmark(ESZSL(), data, ZeroShotProtocol(search=False, shuffles=0, repeats=1))
    report = replace(outcome.report, unseen_per_class=np.r_[np.full(12, np.nan), 1.0, 0.5, 0.25, 0.75])
    names = data.classes.names
    for known, expected in ((None, None), ((), 0.625), ((names[12], names[14]), 0.625), (names[12:14], 0.5)):
        row = benchmark_row("eszsl", replace(data, known_to_backbone=known), replace(outcome, report=report), 0)
        assert row["new_to_backbone"] == expected
        assert row["known_to_backbone"] == (None if known is None else list(known))
