import hashlib
from dataclasses import replace

import numpy as np
import pytest

from zsltf.data.features import Features
from zsltf.evaluation.zero_shot import ZeroShotProtocol, check_enough, run_zero_shot
from zsltf.evaluation.zero_shot_report import evaluate_zero_shot
from zsltf.training.preparation import Preparation
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.gaussian_generation import GaussianGeneration

QUICK = ZeroShotProtocol(shuffles=0)


@pytest.fixture(scope="module")
def toy(toy_features):
    """The toy problem, each example with its number as its path."""
    features, classes = toy_features
    return replace(features, paths=tuple(map(str, range(len(features))))), classes


@pytest.fixture(scope="module")
def outcome(toy):
    return run_zero_shot(ESZSL(), *toy, ZeroShotProtocol(shuffles=20))


@pytest.fixture(scope="module")
def report(outcome):
    return outcome.report


def numbers_in_test(outcome):
    """Numbers of the examples in the test set."""
    return np.array(list(map(int, outcome.test.paths)))


def parameters(outcome):
    """Everything that the Classifier consists of."""
    classifier = outcome.classifier
    arrays = [variable.numpy() for variable in (*classifier.embed.weights, *classifier.project.weights)]
    arrays += [classifier.class_vectors.numpy(), classifier.bias.numpy()]
    return [*arrays, np.float64(classifier.gamma), np.float64(classifier.similarity.scale)]


def assert_bit_equal(outcome, other):
    assert outcome.choice == other.choice
    for a, b in zip(parameters(outcome), parameters(other), strict=True):
        np.testing.assert_array_equal(a, b)


def with_garbage(features, rows):
    x = features.x.copy()
    x[rows] = 1e3 * np.random.default_rng(0).normal(size=x[rows].shape)
    return replace(features, x=x)


# --- what is learnt, and from what


def test_unseen_classes_are_recognised_and_not_without_their_attributes(outcome):
    assert outcome.report.chance == 0.25
    assert outcome.report.unseen_accuracy > 0.9
    assert len(outcome.shuffled) == 20
    assert 0.1 < np.mean(outcome.shuffled) < 0.4


def test_the_test_set_is_a_fifth_of_each_seen_class_and_all_unseen_images(toy, outcome):
    features, classes = toy
    counts = np.bincount(outcome.test.y, minlength=16)
    np.testing.assert_array_equal(counts, np.where(classes.seen, 2, 10))
    np.testing.assert_array_equal(outcome.test.x, features.x[numbers_in_test(outcome)])
    np.testing.assert_array_equal(outcome.test.y, features.y[numbers_in_test(outcome)])


def test_nothing_of_the_test_set_reaches_the_classifier(toy, outcome):
    """Neither images of unseen classes nor held-out ones of seen classes: garbage in their place changes no bit."""
    features, classes = toy
    assert_bit_equal(run_zero_shot(ESZSL(), with_garbage(features, numbers_in_test(outcome)), classes, QUICK), outcome)


def test_every_other_image_does(toy, outcome):
    features, classes = toy
    others = np.setdiff1d(np.arange(len(features)), numbers_in_test(outcome))
    assert len(others) == 12 * 8
    for row in others[::31]:
        changed = run_zero_shot(ESZSL(), with_garbage(features, [row]), classes, QUICK)
        assert not np.array_equal(parameters(changed)[0], parameters(outcome)[0])


def test_attributes_of_unseen_classes_are_for_the_test_only(toy, outcome):
    features, classes = toy
    semantics = classes.semantics.copy()
    semantics[~classes.seen] = np.random.default_rng(0).normal(size=semantics[~classes.seen].shape)
    other = run_zero_shot(ESZSL(), features, classes.with_semantics(semantics), QUICK)
    assert other.choice == outcome.choice
    (*mine, vectors, _, gamma, scale), (*others, changed, _, other_gamma, other_scale) = map(
        parameters, (outcome, other)
    )
    for a, b in zip(mine, others, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (gamma, scale) == (other_gamma, other_scale)
    np.testing.assert_array_equal(vectors[classes.seen], changed[classes.seen])
    assert not np.array_equal(vectors[~classes.seen], changed[~classes.seen])


def test_a_seed_reproduces_and_another_holds_out_other_images(toy, outcome):
    again = run_zero_shot(ESZSL(), *toy, ZeroShotProtocol(shuffles=20))
    assert_bit_equal(again, outcome)
    assert again.shuffled == outcome.shuffled
    np.testing.assert_array_equal(again.report.scores, outcome.report.scores)
    other = run_zero_shot(ESZSL(), *toy, ZeroShotProtocol(shuffles=0, seed=1))
    assert set(numbers_in_test(other)) != set(numbers_in_test(outcome))


def test_the_order_of_classes_does_not_matter(toy, outcome):
    features, classes = toy
    order = np.random.default_rng(0).permutation(16)
    rank = np.argsort(order)
    protocol = ZeroShotProtocol(search=False, shuffles=0)
    mine = run_zero_shot(ESZSL(), features, classes, protocol)
    other = run_zero_shot(ESZSL(), features.with_y(rank[features.y]), classes.select(order), protocol)
    assert mine.report.unseen_accuracy == pytest.approx(other.report.unseen_accuracy, abs=0.06)  # another hold-out


# --- choosing


def test_the_choice_is_the_best_of_what_was_tried(outcome):
    assert len(outcome.runners_up) == 9
    accuracies = [choice.accuracy for choice in (outcome.choice, *outcome.runners_up)]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len({(choice.method, choice.preparation) for choice in (outcome.choice, *outcome.runners_up)}) == 10


def test_without_search_the_settings_are_those_given(toy):
    method, preparation = ESZSL(feature_ridge=3.0), Preparation(centre=True)
    done = run_zero_shot(method, *toy, ZeroShotProtocol(search=False, preparation=preparation, shuffles=0))
    assert (done.choice.method, done.choice.preparation) == (method, preparation)
    assert done.runners_up == []
    assert done.shuffled == []


def test_without_search_the_seed_reaches_what_the_method_draws_unless_it_has_one_of_its_own(toy):
    def run(method, seed):
        return run_zero_shot(method, *toy, ZeroShotProtocol(search=False, shuffles=0, repeats=1, seed=seed)).choice

    assert run(GaussianGeneration(drawn=5), 3).method == GaussianGeneration(drawn=5, seed=3)
    assert run(GaussianGeneration(drawn=5, seed=7), 3).method == GaussianGeneration(drawn=5, seed=7)
    assert run(ESZSL(), 3).method == ESZSL()


def test_the_split_is_named_by_a_hash_of_who_is_in_which_part(toy, outcome):
    features, classes = toy
    tested = numbers_in_test(outcome)
    parts = {
        "train": np.setdiff1d(np.flatnonzero(classes.seen[features.y]), tested),
        "test_seen": tested[classes.seen[features.y[tested]]],
        "test_unseen": np.flatnonzero(~classes.seen[features.y]),
    }
    written = b"".join(name.encode() + rows.astype("<i8").tobytes() for name, rows in parts.items())
    assert outcome.split == hashlib.sha256(written).hexdigest()[:16]
    assert run_zero_shot(ESZSL(), *toy, QUICK).split == outcome.split
    assert run_zero_shot(ESZSL(), *toy, replace(QUICK, seed=1)).split != outcome.split


# --- the report against counting


def shares(scores, outcome, allowed):
    """Per class, the share of its test images whose best class among `allowed` is the right one."""
    y, right = outcome.test.y, {}
    for label in sorted(set(y.tolist())):
        rows = [i for i in range(len(y)) if y[i] == label]
        best = [max(allowed, key=lambda c, i=i: scores[i][c]) for i in rows]
        right[label] = sum(b == label for b in best) / len(rows)
    return right


def averages(scores, outcome, seen, allowed):
    right = shares(scores, outcome, allowed)
    mine, others = ([share for label, share in right.items() if seen[label] == s] for s in (True, False))
    return np.mean(mine), np.mean(others)


def test_figures_are_what_counting_gives(outcome, report):
    seen, scores = outcome.classifier.classes.seen, report.scores
    everything, unseen = range(16), np.flatnonzero(~seen).tolist()
    np.testing.assert_allclose(scores, outcome.classifier.score(outcome.test.x), rtol=1e-6)
    among_unseen = shares(scores, outcome, unseen)
    assert report.unseen_accuracy == pytest.approx(np.mean([among_unseen[label] for label in unseen]))
    s, u = averages(scores, outcome, seen, everything)
    assert (report.seen, report.unseen) == pytest.approx((s, u))
    assert report.harmonic_mean == pytest.approx(2 * s * u / (s + u))
    plain = scores.astype(np.float64) + report.gamma * seen
    s, u = averages(plain, outcome, seen, everything)
    assert report.uncalibrated == pytest.approx((s, u, 2 * s * u / (s + u)))
    right = shares(scores, outcome, everything)
    np.testing.assert_allclose(report.per_class, [right[label] for label in everything])
    confusion = np.zeros((16, 16), int)
    for label, row in zip(outcome.test.y, scores, strict=True):
        confusion[label, row.argmax()] += 1
    np.testing.assert_array_equal(report.confusion, confusion)


def test_the_curve_is_what_counting_gives_at_any_gamma(outcome, report):
    seen = outcome.classifier.classes.seen
    plain = report.scores.astype(np.float64) + report.gamma * seen
    middles = (report.curve.thresholds[1:] + report.curve.thresholds[:-1]) / 2
    for gamma in (-1e3, *middles[:: len(middles) // 8], 1e3):
        expected = averages(plain - gamma * seen, outcome, seen, range(16))
        np.testing.assert_allclose(report.curve.at(gamma), expected, atol=1e-12)


def test_the_shuffled_control_is_a_refit_with_rows_dealt_out_anew(toy, outcome):
    features, classes = toy
    train = features.select(np.setdiff1d(np.arange(len(features)), numbers_in_test(outcome)))
    for seed in (0, 7):
        order = np.random.default_rng(seed).permutation(16)
        wrong = classes.with_semantics(classes.semantics[order])
        prepared = outcome.choice.preparation.fit(train, wrong)
        fitted = outcome.choice.method.fit(prepared.apply(train), prepared.apply_classes(wrong))
        unseen = outcome.test.select(~classes.seen[outcome.test.y])
        scores = fitted.score(prepared.apply(unseen).x)
        right = scores[:, ~classes.seen].argmax(axis=1) == unseen.y - 12  # the unseen ones are the last four
        assert outcome.shuffled[seed] == pytest.approx(right.reshape(4, 10).mean())


def test_a_class_without_a_test_image_is_left_out_of_the_means(toy, outcome):
    test = outcome.test.select(~np.isin(outcome.test.y, [0, 15]))
    report = evaluate_zero_shot(outcome.classifier, test)
    assert np.isnan(report.per_class[[0, 15]]).all()
    assert report.seen == pytest.approx(np.mean(report.per_class[1:12]))
    assert report.unseen == pytest.approx(np.mean(report.per_class[12:15]))


# --- what is refused


@pytest.mark.parametrize(("seen", "unseen"), [(3, 13), (15, 1), (16, 0), (0, 16)])
def test_too_few_classes_are_refused(toy, seen, unseen):
    features, classes = toy
    message = (
        rf"classes: expected at least 4 seen and 2 unseen classes, received {seen} seen and {unseen} unseen\. Mark more"
    )
    with pytest.raises(ValueError, match=message):
        run_zero_shot(ESZSL(), features, classes.with_seen(np.arange(16) < seen), QUICK)


def test_too_few_images_are_refused_by_the_classes_name(toy):
    features, classes = toy
    few = features.select(np.setdiff1d(np.arange(160), [*range(17), *range(150, 160)]))
    message = r"images: expected .*, received class 0 \(0\), class 1 \(3\), class 15 \(0\)\. Add photos\."
    with pytest.raises(ValueError, match=message):
        run_zero_shot(ESZSL(), few, classes, QUICK)
    check_enough(np.concatenate([np.repeat(np.arange(12), 4), np.arange(12, 16)]), classes)


@pytest.mark.parametrize(
    ("protocol", "method", "message"),
    [
        (
            ZeroShotProtocol(),
            ESZSL(feature_ridge=2.0),
            r"method: expected its defaults, .*feature_ridge=2.0.*Add --no-sea",
        ),
        (
            ZeroShotProtocol(preparation=Preparation()),
            ESZSL(),
            r"preparation: expected its defaults, .*Add --no-search",
        ),
        (ZeroShotProtocol(shuffles=-1), ESZSL(), r"shuffles: expected a number >= 0, received -1"),
        (ZeroShotProtocol(seed=-1), ESZSL(), r"seed: expected 0 to 4294967295, received -1"),
    ],
)
def test_a_protocol_that_cannot_be_meant_is_refused(toy, protocol, method, message):
    with pytest.raises(ValueError, match=message):
        run_zero_shot(method, *toy, protocol)


def test_images_of_a_single_unseen_class_are_enough_to_score(toy, outcome):
    features, _ = toy
    one = Features(x=features.x[[0, 150]], y=features.y[[0, 150]])
    assert evaluate_zero_shot(outcome.classifier, one).unseen_accuracy in (0.0, 1.0)
