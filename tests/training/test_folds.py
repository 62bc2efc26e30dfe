from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.training.folds import class_disjoint_folds, hold_out, image_folds


def problem(num_classes, num_seen, per_class, seed=0):
    """Examples of seen classes; path i tells example i, x its class."""
    rng = np.random.default_rng(seed)
    seen = np.zeros(num_classes, bool)
    seen[rng.permutation(num_classes)[:num_seen]] = True
    classes = ClassTable(
        names=tuple(f"class {i}" for i in range(num_classes)), semantics=np.arange(num_classes)[:, None], seen=seen
    )
    y = rng.permutation(np.repeat(np.flatnonzero(seen), per_class))
    return Features(x=y[:, None].astype(np.float32), y=y, paths=tuple(str(i) for i in range(len(y)))), classes


@settings(deadline=None)
@given(st.lists(st.integers(2, 12), min_size=1, max_size=5), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_hold_out_takes_the_share_of_each_class_at_least_one_and_not_all(counts, share, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    mask = hold_out(y, share, seed)
    for label, count in enumerate(counts):
        held = int(mask[y == label].sum())
        assert 1 <= held <= count - 1
        assert abs(held - share * count) <= 0.5 or held in (1, count - 1)
    np.testing.assert_array_equal(hold_out(y, share, seed), mask)


def test_hold_out_is_drawn_anew_for_each_seed_and_each_example_alike():
    y = np.repeat([0, 1], 10)
    masks = np.array([hold_out(y, 0.2, seed) for seed in range(400)])
    assert (masks.sum(axis=1) == 4).all()
    np.testing.assert_allclose(masks.mean(axis=0), 0.2, atol=0.09)  # 4.5 standard deviations


def test_a_single_image_of_a_class_cannot_be_held_out():
    with pytest.raises(
        ValueError, match=r"images: expected at least 2 images of every class, received 1 of class 3\. Add"
    ):
        hold_out(np.array([0, 0, 3]), 0.2, 0)


@settings(deadline=None)
@given(st.integers(4, 9), st.integers(0, 3), st.integers(2, 6), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_each_seen_class_is_pretended_unseen_once_a_repeat_and_no_other_enters(
    num_seen, unseen, per_class, num_folds, seed
):
    train, classes = problem(num_seen + unseen, num_seen, per_class, seed)
    seen_names = {name for name, seen in zip(classes.names, classes.seen, strict=True) if seen}
    folds = list(class_disjoint_folds(train, classes, num_folds=num_folds, num_repeats=2, seed=seed % 1000))
    assert len(folds) == 2 * min(num_folds, num_seen // 2)
    hidden = Counter(
        name for fold in folds for name, s in zip(fold.classes.names, fold.classes.seen, strict=True) if not s
    )
    assert hidden == Counter(list(seen_names) * 2)
    for fold in folds:
        assert set(fold.classes.names) == seen_names
        assert (~fold.classes.seen).sum() >= 2
        for part in (fold.train, fold.validation):  # a label is still the row of its class
            np.testing.assert_array_equal(fold.classes.semantics[part.y], part.x)
            assert [fold.classes.names[label] for label in part.y] == [f"class {x:g}" for x in part.x[:, 0]]
        assert fold.classes.seen[fold.train.y].all()
        assert sorted(fold.train.paths + fold.validation.paths) == sorted(train.paths)
        assert set(fold.validation.y) == set(range(num_seen))  # hidden classes and the others, as in a real test
        assert set(fold.train.y) == set(np.flatnonzero(fold.classes.seen))


def test_the_share_of_the_other_classes_is_held_out():
    train, classes = problem(10, 10, 10)
    for fold in class_disjoint_folds(train, classes, share=0.3):
        counts = np.bincount(fold.validation.y, minlength=10)
        np.testing.assert_array_equal(counts, np.where(fold.classes.seen, 3, 10))


def test_folds_follow_from_the_seed():
    train, classes = problem(8, 8, 4)

    def hidden(seed):
        return [
            (tuple(fold.classes.seen), fold.validation.paths)
            for fold in class_disjoint_folds(train, classes, seed=seed)
        ]

    assert hidden(1) == hidden(1)
    assert hidden(1) != hidden(2)


def test_fewer_than_four_seen_classes_are_too_few():
    train, classes = problem(6, 3, 4)
    with pytest.raises(
        ValueError, match=r"classes: expected at least 4 seen classes to choose settings on, received 3\."
    ):
        next(class_disjoint_folds(train, classes))


def test_an_example_of_an_unseen_class_is_refused():
    train, classes = problem(6, 6, 4)
    with pytest.raises(ValueError, match=r"Features\.y: expected examples of seen classes, received some of class 0"):
        next(class_disjoint_folds(train, classes.with_seen(np.arange(6) > 0)))


@settings(deadline=None)
@given(st.lists(st.integers(6, 12), min_size=1, max_size=5), st.integers(2, 6), st.integers(0, 1000))
def test_image_folds_test_each_example_once_and_split_each_class_evenly(counts, num_folds, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    train = Features(x=y[:, None] * 1.0, y=y, paths=tuple(str(i) for i in range(len(y))))
    classes = problem(len(counts), len(counts), 1)[1]
    folds = image_folds(train, classes, num_folds=num_folds, seed=seed)
    assert len(folds) == num_folds
    assert sorted(path for fold in folds for path in fold.validation.paths) == sorted(train.paths)
    for fold in folds:
        assert fold.classes is classes
        assert sorted(fold.train.paths + fold.validation.paths) == sorted(train.paths)
        tested = np.bincount(fold.validation.y, minlength=len(counts))
        assert (np.abs(tested - np.array(counts) / num_folds) < 1).all()
    again = image_folds(train, classes, num_folds=num_folds, seed=seed)
    assert [fold.validation.paths for fold in again] == [fold.validation.paths for fold in folds]


def test_image_folds_keep_groups_whole():
    train, classes = problem(3, 3, 12)
    group = np.random.default_rng(2).integers(0, 8, len(train))
    for fold in image_folds(train, classes, num_folds=3, group=group):
        assert not set(group[fold.tested]) & set(group[~fold.tested])


def test_a_class_too_rare_for_inner_folds_is_named_with_a_way_out():
    train, classes = problem(3, 3, 2)
    with pytest.raises(
        ValueError, match=r"inner folds \(--no-search needs none\): expected at least 3 images of every"
    ):
        image_folds(train, classes, num_folds=3)
