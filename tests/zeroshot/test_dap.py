import numpy as np
import pytest
from scipy.special import expit, logit

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.solvers.linear_heads import linear_heads
from zsltf.zeroshot.dap import DAP


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    return features.select(classes.seen[features.y]), features.select(~classes.seen[features.y]), classes


def test_the_dot_product_ranks_as_the_product_of_bernoulli_terms_does(problem):
    train, test, classes = problem
    scores = DAP(calibrate=False).fit(train, classes).score(test.x)
    attributes = classes.semantics  # 0 and 1 already
    heads = linear_heads(train.x, attributes[train.y], train.weights, 1e-3)
    p, prior = expit(test.x @ heads[:-1] + heads[-1]), attributes[:12].mean(axis=0)
    product = np.stack([np.prod(np.where(a > 0, p / prior, (1 - p) / (1 - prior)), axis=1) for a in attributes], axis=1)
    np.testing.assert_allclose(
        scores - scores[:, :1], np.log(product) - np.log(product[:, :1]), atol=1e-2 * np.log(product).std()
    )


def test_what_most_seen_classes_have_says_little(problem):
    """With four classes fewer, the attributes' shares among the seen classes are not alike."""
    _, test, classes = problem
    unequal = classes.with_seen(np.isin(np.arange(16), [0, 1, 2, 3, 6, 7, 9, 10]))
    features = Features(x=classes.semantics @ np.random.default_rng(0).normal(size=(8, 32)), y=np.arange(16))
    train = features.select(unequal.seen)
    prior = classes.semantics[unequal.seen].mean(axis=0)
    assert np.ptp(prior) > 0.2
    heads = linear_heads(train.x, classes.semantics[train.y], train.weights, 1e-3)
    expected = (test.x @ heads[:-1] + heads[-1] - logit(prior)) @ classes.semantics.T
    scores = DAP(calibrate=False).fit(train, unequal).score(test.x)
    np.testing.assert_allclose(scores, expected, atol=1e-2 * expected.std())


def test_an_attribute_whose_classifier_is_wrong_elsewhere_says_nothing_for_or_against_a_class(problem, monkeypatch):
    train, _, classes = problem
    dropped = np.arange(8) == 3

    def calibration(z, targets, weights):
        return np.where(dropped, 0.0, 1.0), np.full(8, 5.0)

    monkeypatch.setattr("zsltf.zeroshot.dap.platt", calibration)
    logits = np.asarray(DAP().fit(train, classes).embed(train.x))
    np.testing.assert_allclose(logits[:, 3], 0, atol=1e-5)
    assert (np.abs(logits[:, ~dropped]).mean(axis=0) > 0.1).all()


def test_attributes_are_brought_to_the_unit_range_of_the_seen_classes(problem):
    train, test, classes = problem
    moved = classes.with_semantics(7 * classes.semantics - 3)
    expected = DAP().fit(train, classes)
    fitted = DAP().fit(train, moved)
    np.testing.assert_allclose(fitted.class_vectors, classes.semantics, atol=1e-6)
    np.testing.assert_allclose(fitted.score(test.x), expected.score(test.x), atol=1e-2)


def test_an_attribute_that_does_not_carry_over_is_left_out_by_calibration():
    """Attribute 0 is in the features; attribute 1 is dealt to the classes by lot."""
    rng = np.random.default_rng(0)
    real, lot = np.arange(20) % 2, rng.permutation(np.arange(20) % 2)
    y = np.repeat(np.arange(20), 10)
    x = np.concatenate([real[y, None] + 0.1 * rng.normal(size=(200, 1)), rng.normal(size=(20, 30))[y]], axis=1)
    classes = ClassTable(
        names=tuple(map(str, range(20))), semantics=np.stack([real, lot], axis=1), seen=np.ones(20, bool)
    )
    train = Features(x=x.astype(np.float32), y=y)
    spread = np.asarray(DAP().fit(train, classes).embed(train.x)).std(axis=0)
    plain = np.asarray(DAP(calibrate=False).fit(train, classes).embed(train.x)).std(axis=0)
    assert spread[1] < 0.3 * spread[0]
    assert plain[1] > 0.5 * plain[0]


def test_an_attribute_that_every_seen_class_has_says_nothing(problem):
    train, test, classes = problem
    more = ClassTable(
        names=classes.names, semantics=np.concatenate([classes.semantics, np.ones((16, 1))], axis=1), seen=classes.seen
    )
    np.testing.assert_allclose(DAP().fit(train, more).score(test.x), DAP().fit(train, classes).score(test.x), atol=1e-2)


def test_zero_is_refused():
    with pytest.raises(ValueError, match=r"DAP\.penalty: expected a number > 0, received 0"):
        DAP(penalty=0)
