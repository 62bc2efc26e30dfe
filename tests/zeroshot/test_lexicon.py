"""Words from slots: posteriors, several realisations, and words that training never had."""

import itertools

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.words import word_table
from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.training.descent import Descent
from zsltf.zeroshot.lexicon import Lexicon

UNITS = ("a", "b", "c")
SPELLINGS = ["".join(units) for length in (2, 3) for units in itertools.product(UNITS, repeat=length)]


def problem(words, seen, repeats=8, noise=0.2):
    """Features: a noisy code of one realisation's unit for each slot, blanks included."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(3, 4, 6))
    table = word_table(words, UNITS, seen)
    x, y = [], []
    for label, spellings in enumerate(words.values()):
        for spelling in (spellings[i % len(spellings)] for i in range(repeats)):
            slots = [*(UNITS.index(unit) for unit in spelling), *[3] * (3 - len(spelling))]
            x.append(np.concatenate([codes[slot, unit] for slot, unit in enumerate(slots)]))
            y.append(label)
    x = np.array(x) + noise * rng.normal(size=(len(x), 18))
    return Features(x=x.astype(np.float32), y=np.array(y)), table


@pytest.fixture(scope="module")
def plain():
    words = {spelling: [list(spelling)] for spelling in SPELLINGS}
    return problem(words, np.random.default_rng(2).permutation(len(words)) % 3 > 0)


def test_words_without_training_images_are_read_by_their_units(plain):
    features, words = plain
    train = features.select(words.seen[features.y])
    fitted = Lexicon(descent=Descent(learning_rate=3e-2, epochs=150)).fit(train, words)
    assert unseen_accuracy(fitted.score(features.x), features.y, words.seen) > 0.95  # chance 1 in 12


def test_with_one_slot_it_is_a_softmax_head():
    words = {unit: [[unit]] for unit in UNITS}
    features, table = problem(words, [True] * 3)
    fitted = Lexicon(prior=False).fit(features, table)
    kernel, bias = fitted.embed.get_weights()
    expected = log_softmax(features.x @ kernel + bias, axis=1)[:, :3]
    np.testing.assert_allclose(fitted.score(features.x), expected, rtol=1e-4, atol=1e-4)


def test_the_score_is_the_sum_of_log_posteriors_over_priors(plain):
    features, words = plain
    train = features.select(words.seen[features.y])
    fitted = Lexicon().fit(train, words)
    kernel, bias, log_prior = fitted.embed.get_weights()
    logits = features.x @ kernel + bias
    log_p = np.concatenate([log_softmax(logits[:, i : i + 4], axis=1) for i in (0, 4, 8)], axis=1)
    np.testing.assert_allclose(fitted.score(features.x), (log_p - log_prior) @ words.semantics.T, rtol=1e-3, atol=1e-3)
    counted = words.semantics[train.y].mean(axis=0)
    np.testing.assert_allclose(np.exp(log_prior), counted, atol=0.02)


def test_which_realisation_an_image_shows_need_not_be_known():
    """Every word has two spellings that share nothing; unseen words do as well."""
    swap = str.maketrans("abc", "bca")
    words = {s: [list(s), list(s.translate(swap))[::-1]] for s in SPELLINGS if len(s) == 3}
    features, table = problem(words, np.random.default_rng(2).permutation(len(words)) % 3 > 0, repeats=12)
    train = features.select(table.seen[features.y])
    fitted = Lexicon(variants=2, descent=Descent(learning_rate=3e-2, epochs=60)).fit(train, table)
    scores = fitted.score(features.x)
    log_p = np.asarray(fitted.embed(features.x))
    rows = table.semantics.reshape(-1, 2, 12)
    np.testing.assert_allclose(scores, logsumexp(np.einsum("nk,cvk->ncv", log_p, rows), axis=2), rtol=1e-3, atol=1e-3)
    assert unseen_accuracy(scores, features.y, table.seen) > 0.5  # some words' second spelling is another's first


def test_a_table_of_another_shape_is_refused(plain):
    features, words = plain
    with pytest.raises(ValueError, match=r"Lexicon\.variants: expected a table of 2 realisations with the same"):
        Lexicon(variants=2).fit(features, words)
    with pytest.raises(ValueError, match=r"Lexicon\.hidden: expected 0 or more units, received -1"):
        Lexicon(hidden=-1)


def test_the_prior_of_a_slot_is_smoothed_by_its_own_units():
    """Three units in the first slot, two in the second."""
    semantics = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 1, 1, 0]], np.float32)
    table = ClassTable(names=("a", "b", "c"), semantics=semantics, seen=np.ones(3, bool), blocks=(3, 2))
    train = Features(x=np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32), y=np.array([0, 0, 1, 2]))
    *_, log_prior = Lexicon(descent=Descent(epochs=1)).fit(train, table).embed.get_weights()
    expected = [2.5 / 5.5, 1.5 / 5.5, 1.5 / 5.5, 3.5 / 5, 1.5 / 5]
    np.testing.assert_allclose(np.exp(log_prior), expected, rtol=1e-5)


@pytest.mark.parametrize("cell", [0.5, -1.0, 1.0], ids=["a share", "a sign", "two units"])
def test_attributes_are_no_words(plain, cell):
    features, words = plain
    rows = words.semantics.copy()
    rows[0, int(rows[0, :4].argmin())] = cell
    with pytest.raises(ValueError, match=r"Lexicon: expected words: .* Words go through zsltf run lexicon;"):
        Lexicon().fit(features, words.with_semantics(rows))
