import json
import re

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    recall_score,
    roc_auc_score,
)

from zsltf.evaluation.classification import evaluate_classification
from zsltf.evaluation.classification_summary import describe_classification

NAMES = ("bird", "cat", "dog", "eel")


def scored(count=120, seed=0, shares=(0.5, 0.3, 0.15, 0.05)):
    """Labels of uneven classes, every class present, and logits that lean to the truth."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(4), rng.choice(4, count - 4, p=shares)])
    return y, rng.normal(size=(count, 4)) + 1.5 * (y[:, None] == np.arange(4))


def multi_label(count=80, seed=1):
    rng = np.random.default_rng(seed)
    y = (rng.random((count, 4)) < (0.5, 0.3, 0.2, 0.1)).astype(np.float32)
    y[0] = 1
    return y, 2 * rng.normal(size=(count, 4)) + 3 * y - 2


def test_one_class_an_image_against_scikit_learn():
    y, scores = scored()
    report, predicted = evaluate_classification(scores, y, NAMES), scores.argmax(axis=1)
    probabilities = softmax(scores, axis=1)
    assert report.accuracy == pytest.approx(accuracy_score(y, predicted))
    assert report.mean_class_accuracy == pytest.approx(balanced_accuracy_score(y, predicted))
    np.testing.assert_allclose(report.sensitivity, recall_score(y, predicted, average=None))
    np.testing.assert_array_equal(report.confusion, confusion_matrix(y, predicted))
    np.testing.assert_allclose(report.auroc, roc_auc_score(y, probabilities, multi_class="ovr", average=None))
    assert report.negative_log_likelihood == pytest.approx(log_loss(y, probabilities))
    one_hot = np.eye(4)[y]
    assert report.brier_score == pytest.approx(((probabilities - one_hot) ** 2).sum(axis=1).mean())
    top = probabilities.max(axis=1)
    assert report.reliability.count.sum() == len(y)
    assert np.nansum(report.reliability.confidence * report.reliability.count) == pytest.approx(top.sum())
    assert np.nansum(report.reliability.accuracy * report.reliability.count) == (y == predicted).sum()


def test_labels_as_integers_or_one_hot_are_the_same():
    y, scores = scored()
    plain = describe_classification(evaluate_classification(scores, y, NAMES))
    assert describe_classification(evaluate_classification(scores, np.eye(4)[y], NAMES)) == plain


def test_several_labels_an_image_against_scikit_learn():
    y, scores = multi_label()
    report, probabilities = evaluate_classification(scores, y, NAMES, activation="sigmoid"), expit(scores)
    assert report.confusion is None
    np.testing.assert_allclose(report.average_precision, average_precision_score(y, probabilities, average=None))
    np.testing.assert_allclose(report.auroc, roc_auc_score(y, probabilities, average=None))
    np.testing.assert_allclose(report.sensitivity, recall_score(y, scores > 0, average=None))
    assert report.accuracy == pytest.approx(accuracy_score(y, scores > 0))
    assert report.chance == pytest.approx(y.mean())
    columns = range(4)
    assert report.negative_log_likelihood == pytest.approx(
        np.mean([log_loss(y[:, c], probabilities[:, c]) for c in columns])
    )
    assert report.brier_score == pytest.approx(sum(brier_score_loss(y[:, c], probabilities[:, c]) for c in columns))
    assert report.reliability.count.sum() == y.size


def test_the_baselines_of_a_constant_answer():
    y, scores = scored()
    report = evaluate_classification(scores, y, NAMES)
    constant = np.full(len(y), np.bincount(y).argmax())
    assert report.chance == balanced_accuracy_score(y, constant) == 0.25
    assert report.majority == accuracy_score(y, constant)
    elsewhere = evaluate_classification(scores, y, NAMES, train_images=np.array([5, 20, 30, 4]))
    assert elsewhere.majority == pytest.approx((y == 2).mean())


def test_rare_classes_have_less_than_half_the_average_class():
    y, scores = scored()
    report = evaluate_classification(scores, y, NAMES)
    assert report.rare.tolist() == [count < len(y) / 8 for count in np.bincount(y)]
    trained = evaluate_classification(scores, y, NAMES, train_images=np.array([10, 100, 100, 26]))
    assert trained.rare.tolist() == [True, False, False, True]
    told = describe_classification(trained)
    assert told["rare_sensitivity"] == pytest.approx(trained.sensitivity[[0, 3]].mean())
    assert [row["train_images"] for row in told["classes"]] == [10, 100, 100, 26]


def test_worst_mistakes_are_the_wrong_images_of_highest_loss():
    y, scores = scored()
    mistakes = evaluate_classification(scores, y, NAMES).mistakes(5)
    probabilities = softmax(scores, axis=1)
    of_truth = probabilities[np.arange(len(y)), y]
    wrong = [i for i in np.argsort(of_truth) if scores[i].argmax() != y[i]]
    assert [mistake.index for mistake in mistakes] == wrong[:5]
    first = mistakes[0]
    assert first.truth == (NAMES[y[first.index]],)
    assert first.truth_probability == pytest.approx(of_truth[first.index])
    assert first.loss == pytest.approx(-np.log(of_truth[first.index]))
    assert first.ranking[0] == (NAMES[scores[first.index].argmax()], pytest.approx(probabilities[first.index].max()))
    assert [p for _, p in first.ranking] == pytest.approx(sorted(probabilities[first.index])[:0:-1])


def test_a_perfect_classifier_makes_no_mistake():
    y = np.arange(4)
    report = evaluate_classification(50 * np.eye(4), y, NAMES)
    assert report.mistakes() == []
    assert (report.accuracy, report.mean_class_accuracy) == (1.0, 1.0)


def test_mistakes_of_several_labels_and_of_none():
    y = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]])
    scores = np.array([[3.0, -5, -3, -3], [-3, 4, -3, -3], [9, -9, -9, -9]])
    first, second = evaluate_classification(scores, y, NAMES, activation="sigmoid").mistakes()
    assert (first.index, first.truth, first.truth_probability) == (0, ("bird", "cat"), pytest.approx(expit(-5)))
    assert (second.index, second.truth) == (1, ())
    assert np.isnan(second.truth_probability)


def test_a_class_without_a_test_image_has_no_figures_and_counts_in_no_mean():
    y, scores = scored()
    report = evaluate_classification(scores[y != 3], y[y != 3], NAMES)
    told = describe_classification(report)
    assert told["classes"][3] == {
        "name": "eel",
        "test_images": 0,
        "train_images": None,
        "rare": True,
        "sensitivity": None,
        "specificity": pytest.approx(report.specificity[3]),
        "auroc": None,
        "average_precision": None,
    }
    assert told["mean_class_accuracy"] == pytest.approx(report.sensitivity[:3].mean())
    assert told["chance"] == 0.25  # a blind answer may be the class without a test image, too


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_description_is_plain_json(activation):
    y, scores = scored() if activation == "softmax" else multi_label()
    told = describe_classification(evaluate_classification(scores, y, NAMES, activation=activation, bins=5))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert len(told["reliability"]["count"]) == 5


def test_one_class_alone():
    told = describe_classification(evaluate_classification(np.ones((3, 1)), np.zeros(3, int), ["only"]))
    assert (told["accuracy"], told["auroc"], told["expected_calibration_error"]) == (1.0, None, 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.array([0, 4])}, "y: expected labels from 0 to 3, received 4. Give rows of the ClassTable."),
        ({"y": np.array([0, -1])}, "y: expected labels from 0 to 3, received -1"),
        ({"y": np.zeros(0, int)}, "y: expected test images, received none. Hold some out."),
        ({"y": np.zeros(3, int)}, "scores: expected shape (3, 4), received shape (2, 4)"),
        (
            {"y": np.ones((2, 4))},
            'y: expected one class an image, received rows with none or several. Pass activation="sig',
        ),
        ({"y": np.full((2, 4), 0.5), "activation": "sigmoid"}, "y: expected rows of 0 and 1, received 0.5. Give hard"),
        ({"y": np.ones((2, 3))}, "y: expected shape (2, 4), received shape (2, 3)"),
        ({"scores": np.full((2, 4), np.nan)}, "scores: expected finite numbers, received nan at (0, 0)"),
        ({"train_images": np.ones(3)}, "train_images: expected shape (4,), received shape (3,)"),
        ({"activation": "sigmoids"}, "activation: expected one of sigmoid, softmax, received 'sigmoids'. Did you mean"),
    ],
)
def test_bad_input(change, message):
    arguments = {"scores": np.zeros((2, 4)), "y": np.array([0, 1]), "names": NAMES, **change}
    with pytest.raises(ValueError, match=re.escape(message)):
        evaluate_classification(**arguments)
