"""Label efficiency on a toy whose unlabelled examples tell what labels alone can't."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from zsltf.data.collection import named_classes
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.evaluation.label_efficiency import (
    PROBE,
    RAW,
    SCRATCH,
    TUNING,
    probe_weights,
    run_label_efficiency,
)
from zsltf.evaluation.label_protocol import LabelProtocol, LabelTask, labelled_rows
from zsltf.evaluation.label_summary import label_means, label_sentences, verdict
from zsltf.selftaught.autoencoder import Autoencoder
from zsltf.training.descent import Descent
from zsltf.training.encoders import frame, residual_encoder

CLASSES = named_classes(("a", "b", "c"))


def examples(seed, count):
    """Classes differ in one loud plane out of 40 noisy coordinates."""
    rng, y = np.random.default_rng(seed), np.arange(count) % 3
    plane = np.linalg.qr(np.random.default_rng(9).normal(size=(40, 2)))[0]
    centres = 6 * np.array([[1, 0], [-0.5, 0.87], [-0.5, -0.87]])
    x = (centres[y] + rng.normal(size=(count, 2))) @ plane.T + 2 * rng.normal(size=(count, 40))
    return Features(x=x.astype(np.float32), y=y)


@pytest.fixture(scope="module")
def task():
    unlabelled = examples(2, 300).unlabelled()
    return LabelTask(train=examples(0, 120), test=examples(1, 150), classes=CLASSES, unlabelled=unlabelled)


@pytest.fixture(scope="module")
def measured(task):
    method = Autoencoder(size=2, hidden=(), descent=Descent(epochs=60, learning_rate=0.01))
    protocol = LabelProtocol(shares=(0.01, 1.0), steps=60)
    told = []
    found = run_label_efficiency(
        {"AE": method}, task, protocol, lambda seed: residual_encoder(task.unlabelled.x, 16, seed), announce=told.append
    )
    assert told == found[0]
    return found


def test_there_is_a_row_for_each_method_use_share_and_seed(measured):
    rows, encoders = measured
    assert {(row["method"], row["use"]) for row in rows} == {
        (RAW, PROBE), (SCRATCH, TUNING), ("AE", PROBE), ("AE", TUNING)
    }  # fmt: skip
    assert len(rows) == 4 * 2 * 3
    assert {row["labels"] for row in rows} == {3, 120}
    assert encoders["AE"].output_shape == (None, 2)


def test_pretraining_helps_with_three_labels_and_the_words_say_so(measured):
    means = {(row["method"], row["use"], row["share"]): row for row in label_means(measured[0])}
    few = means["AE", PROBE, 0.01]
    assert few["accuracy"] > 0.9
    assert few["scratch"]["gain"] == pytest.approx(few["accuracy"] - means[SCRATCH, TUNING, 0.01]["accuracy"])
    assert few["raw"]["gain"] > 0.02
    assert means[RAW, PROBE, 1.0]["accuracy"] > 0.95
    assert means[RAW, PROBE, 1.0]["scratch"] is None
    told = label_sentences(list(means.values()))
    assert len(told) == 4
    assert told[0].startswith("AE, linear probe, against from scratch: ")


def test_a_probe_of_framed_embeddings_scores_them_as_they_are():
    data = examples(0, 60)
    mean, scale = frame(data.x)
    kernel, bias = probe_weights(data.x, data.y, data.weights, (mean, scale), 0.5)
    model = LogisticRegression(C=0.5, max_iter=10_000).fit((data.x - mean) * scale, data.y)
    scores = data.x @ kernel.T + bias
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, model.predict_proba((data.x - mean) * scale), atol=1e-3)


def test_labels_are_a_share_of_each_class_and_nested():
    y = np.repeat([0, 1, 2], [200, 30, 5])
    few, some, every = (labelled_rows(y, share, seed=1) for share in (0.01, 0.1, 1.0))
    np.testing.assert_array_equal(np.bincount(y[few]), [2, 1, 1])
    np.testing.assert_array_equal(np.bincount(y[some]), [20, 3, 1])
    assert set(few) <= set(some) <= set(every) == set(range(235))
    assert not np.array_equal(few, labelled_rows(y, 0.01, seed=2))


def gains(*differences):
    reference = np.array([0.5, 0.55, 0.6])
    rows = []
    for seed, base in enumerate(reference):
        shared = {"share": 0.1, "seed": seed, "labels": 10}
        rows.append({"method": SCRATCH, "use": TUNING, "accuracy": base, **shared})
        rows.append({"method": "M", "use": PROBE, "accuracy": base + differences[seed], **shared})
    return label_means(rows)


def test_verdicts_are_paired_and_say_negative_transfer():
    assert gains(0.1, 0.11, 0.09)[1]["scratch"]["verdict"] == "helps"
    assert gains(0.3, -0.2, 0.0)[1]["scratch"]["verdict"] == "not shown"
    worse = gains(-0.1, -0.11, -0.09)
    assert worse[1]["raw"] is None
    assert label_sentences(worse)[0] == (
        "M, linear probe, against from scratch: hurts (negative transfer) at 10 % of labels (-10.0 points)"
    )
    assert verdict((0.0, 0.1), 3) == "not shown"
    assert verdict((0.1, 0.1), 2) == "not shown"


def test_a_training_takes_the_steps_however_many_labels_there_are():
    protocol = LabelProtocol(steps=100, batch_size=20)
    for count in (3, 20, 50, 400):
        descent = protocol.descent(count, 0)
        assert 100 <= descent.epochs * max(1, count // 20) < 100 + count // 20 + 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shares": (0.0,)}, r"shares: expected numbers in \(0, 1\]"),
        ({"shares": ()}, "shares"),
        ({"seeds": ()}, "seeds: expected one or more"),
        ({"steps": 0}, "steps: expected a number > 0"),
        ({"learning_rate": 0.0}, "learning_rate: expected a number > 0"),
    ],
)
def test_a_protocol_that_measures_nothing_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        LabelProtocol(**wrong)


def test_a_class_without_labels_and_other_shapes_are_refused(task):
    few = task.train.select(task.train.y < 2)
    with pytest.raises(ValueError, match="expected an example of every class, received none of c"):
        LabelTask(train=few, test=task.test, classes=CLASSES, unlabelled=task.unlabelled)
    narrow = Unlabelled(x=task.unlabelled.x[:, :5])
    with pytest.raises(ValueError, match=r"target: expected shape \(M, 40\), received shape \(300, 5\)"):
        LabelTask(train=task.train, test=task.test, classes=CLASSES, unlabelled=narrow)
