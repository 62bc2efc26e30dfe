"""Few-shot discriminant analysis against explicit inverses, and why it is shrunk that much."""

import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.episodes import Episodes
from zsltf.data.features import Features
from zsltf.fewshot.discriminant import Discriminant
from zsltf.solvers.statistics import Statistics
from zsltf.solvers.whitening import shrunk


@pytest.fixture
def sets(toy_features):
    features, classes = toy_features
    new = features.select(~classes.seen[features.y])
    return features.select(classes.seen[features.y]), new.with_y(new.y - 12), classes.select(np.arange(12, 16))


def centred(scores):
    return scores - np.asarray(scores).mean(axis=-1, keepdims=True)


def expected(base, new, shrinkage, covariance):
    """By the inverse of the covariance, without centring or unit length: neither changes what is measured here."""
    of_base, own = (Statistics.of_batches([(part.x, part.y)], part.y.max() + 1) for part in (base, new))
    share = {"base": 1.0, "support": 0.0, "both": len(base) / (len(base) + len(new))}[covariance]
    inverse = np.linalg.inv(shrunk(share * of_base.within() + (1 - share) * own.within(), shrinkage))
    apart = new.x[:, None] - own.means
    return -0.5 * np.einsum("qcd,de,qce->qc", apart, inverse, apart)


@pytest.mark.parametrize("covariance", ["base", "support", "both"])
def test_scores_are_those_of_the_inverse_covariance(sets, covariance):
    base, new, classes = sets
    learner = Discriminant(shrinkage=0.3, covariance=covariance, unit_norm=False).learn(base)
    scores = learner.fit(new, classes).score(new.x)
    wanted = centred(expected(base, new, 0.3, covariance))
    np.testing.assert_allclose(centred(scores), wanted, atol=1e-3 * wanted.std())
    together = learner.logits(new.x[None], new.y[None], new.x[None], 4)[0]
    np.testing.assert_allclose(centred(together), wanted, atol=1e-3 * wanted.std())


def test_without_base_it_is_the_supports_own(sets):
    base, new, classes = sets
    learner = Discriminant(shrinkage=0.3, unit_norm=False).without_base()
    wanted = centred(expected(base, new, 0.3, "support"))
    np.testing.assert_allclose(centred(learner.fit(new, classes).score(new.x)), wanted, atol=1e-3 * wanted.std())
    together = learner.logits(new.x[None], new.y[None], new.x[None], 4)[0]
    np.testing.assert_allclose(centred(together), wanted, atol=1e-3 * wanted.std())


def test_the_unit_length_is_in_the_classifier(sets):
    base, new, classes = sets
    learner = Discriminant(shrinkage=0.5).learn(base)
    scores = learner.fit(new, classes).score(new.x)
    stretched = base.x.mean(axis=0) + 3 * (new.x - base.x.mean(axis=0))
    np.testing.assert_allclose(learner.fit(new, classes).score(stretched), scores, atol=1e-3 * scores.std())


@pytest.fixture
def wide():
    """24 classes in 300 dimensions, 12 examples each whose lengths differ; they spread along all directions alike."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(24), 12)
    x = (rng.normal(size=(24, 300))[y] + 2 * rng.normal(size=(288, 300))) * rng.lognormal(0, 0.3, (288, 1))
    return Features(x=x.astype(np.float32), y=y)


def accuracy(learner, features):
    right = []
    for episode in Episodes(ways=5, shots=1, queries=8).draw(features.y, 60):
        inputs = features.x[episode.support][None], episode.support_y[None], features.x[episode.query][None]
        right.append((np.asarray(learner.logits(*inputs, 5))[0].argmax(axis=1) == episode.query_y).mean())
    return np.mean(right)


def test_the_shrinkage_is_chosen_on_base_and_serves_one_shot_of_other_classes(wide):
    base, new = wide.select(wide.y < 16), wide.select(wide.y >= 16)
    chosen = Discriminant().learn(base)
    assert chosen.shrinkage >= 0.9
    little, long = Discriminant(shrinkage=0.1), Discriminant(shrinkage=0.1, unit_norm=False)
    reached = [accuracy(learner, new) for learner in (chosen, little.learn(base), long.learn(base))]
    assert reached[0] > reached[1] + 0.02
    assert reached[1] > reached[2] + 0.02


def test_too_few_base_classes_leave_the_default(sets):
    base, *_ = sets
    assert Discriminant().learn(base.select(base.y < 3)).shrinkage == 0.9


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r"Discriminant\.shrinkage: expected a share in \(0, 1\], received 0"):
        Discriminant(shrinkage=0.0)


def test_a_class_table_of_names_alone_is_enough(sets):
    base, new, _ = sets
    names = ClassTable(names=tuple("abcd"), semantics=np.zeros((4, 0), np.float32), seen=np.ones(4, bool))
    assert Discriminant(shrinkage=0.9).learn(base).fit(new, names).names == tuple("abcd")
