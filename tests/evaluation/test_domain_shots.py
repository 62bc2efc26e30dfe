"""The any-shot head in a new domain: what is chosen comes from the source domains alone."""

import numpy as np
import pytest
from sklearn.preprocessing import normalize

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.evaluation.domain_shots import DomainShots, HeadChoice, choose_head, settled
from zsltf.training.preparation import Preparation
from zsltf.zeroshot.any_shot import AnyShot

CLASSES, IMAGES, WIDTH = 6, 8, 12


@pytest.fixture(scope="module")
def world():
    """Four domains: a class's features follow its semantics, a domain shifts them all."""
    rng = np.random.default_rng(0)
    semantics = rng.normal(size=(CLASSES, 4)).astype(np.float32)
    y = np.tile(np.repeat(np.arange(CLASSES), IMAGES), 4)
    domain = np.repeat(np.arange(4), CLASSES * IMAGES)
    x = (semantics @ rng.normal(size=(4, WIDTH)))[y] + 0.5 * rng.normal(size=(4, WIDTH))[domain]
    x = (x + 0.5 * rng.normal(size=x.shape)).astype(np.float32)
    classes = ClassTable(names=tuple("abcdef"), semantics=semantics, seen=np.arange(CLASSES) > 1)
    return Features(x=x, y=y), domain, classes


@pytest.fixture(scope="module")
def shots(world):
    features, domain, classes = world
    source = features.select((domain > 0) & classes.seen[features.y])
    choice = HeadChoice(method=AnyShot(), preparation=Preparation(), gamma=0.1)
    fitted = choice.fit(source, classes)
    return DomainShots.of(fitted, features.select(domain == 0), classes, most=5, seed=0)


def plain_recall(shots, n, kappa, gamma):
    """Class by class."""
    recall = []
    vectors = []
    for label, prior in enumerate(shots.prior):
        given = [a for a, y, place in zip(shots.a, shots.y, shots.order, strict=True) if y == label and place < n]
        vectors.append(prior if n == 0 else (np.sum(given, axis=0) + kappa * prior) / (n + kappa))
    for label in range(CLASSES):
        right = []
        for a, y, place in zip(shots.a, shots.y, shots.order, strict=True):
            if y == label and place >= shots.most:
                cosines = [a @ v / np.linalg.norm(a) / np.linalg.norm(v) for v in vectors]
                scores = [c - gamma * s * (n == 0) for c, s in zip(cosines, shots.seen, strict=True)]
                right.append(int(np.argmax(scores)) == label)
        recall.append(np.mean(right))
    return np.array(recall)


@pytest.mark.parametrize(("n", "kappa", "gamma"), [(0, 2.0, 0.1), (1, 2.0, 0.1), (5, 0.5, 0.0), (3, 0.0, 0.0)])
def test_recall_is_that_of_shrunk_means_by_the_cosine(shots, n, kappa, gamma):
    np.testing.assert_allclose(shots.recall(n, kappa, gamma), plain_recall(shots, n, kappa, gamma))


def test_every_gamma_at_once_is_each_by_itself(shots):
    gammas = np.linspace(-0.4, 0.4, 9)
    expected = [shots.recall(0, 1.0, gamma).mean() for gamma in gammas]
    np.testing.assert_allclose(shots.recall_without(gammas), expected)
    assert len(set(expected)) > 1


def test_what_is_tested_is_never_learnt_from_and_the_same_for_every_number(shots):
    counts = np.bincount(shots.y[shots.order >= shots.most])
    np.testing.assert_array_equal(counts, np.full(CLASSES, IMAGES - 5))
    for label in range(CLASSES):
        assert sorted(shots.order[shots.y == label]) == list(range(IMAGES))


def choose(source, domain, classes, seed=0):
    return choose_head(source, domain, classes, shots=(0, 1, 5), hidden=2, seed=seed)


def test_the_choice_does_not_look_at_the_new_domain_or_the_held_out_classes(world):
    features, domain, classes = world
    mask = (domain > 0) & classes.seen[features.y]
    first = choose(features.select(mask), domain[mask], classes)
    other = classes.with_semantics(np.where(classes.seen[:, None], classes.semantics, 9.0))
    assert choose(features.select(mask), domain[mask], other) == first
    assert first.method.kappa in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


def test_photos_that_say_little_are_trusted_little(world):
    """Under much noise within classes the prior counts as more photos than under none."""
    features, domain, classes = world
    mask = (domain > 0) & classes.seen[features.y]
    clean, rng = features.select(mask), np.random.default_rng(1)
    shifted = clean.x + 6 * rng.normal(size=(4, WIDTH))[domain[mask]].astype(np.float32)
    noisy = clean.x + 2 * rng.normal(size=clean.x.shape).astype(np.float32)
    far, near = (choose(clean.with_x(x), domain[mask], classes).method.kappa for x in (shifted, noisy))
    assert far < near


def test_the_training_head_is_the_seen_classes_vectors(world):
    features, domain, classes = world
    source = features.select((domain > 0) & classes.seen[features.y])
    for centre in (False, True):
        choice = HeadChoice(method=AnyShot(), preparation=Preparation(centre=centre, unit_norm=True), gamma=0.0)
        head, fitted = choice.head(source, classes), choice.fit(source, classes)
        expected = fitted.score(source.x)[:, classes.seen]
        received = normalize(source.x - head.offset) @ normalize(head.vectors).T
        np.testing.assert_allclose(received, expected, atol=1e-5)


def test_settled_takes_what_is_best_over_all_problems(shots):
    choice = settled(HeadChoice(method=AnyShot(), preparation=Preparation(), gamma=0.0), [shots, shots], (0, 1, 3))
    kappas = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
    reached = [shots.recall(1, kappa).mean() + shots.recall(3, kappa).mean() for kappa in kappas]
    assert choice.method.kappa == kappas[int(np.argmax(reached))]
    assert shots.recall(0, 0.0, choice.gamma).mean() == pytest.approx(
        shots.recall_without(np.linspace(-0.5, 0.5, 41)).max()
    )
    assert choice.preparation == Preparation()
