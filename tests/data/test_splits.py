import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.data.k_folds import k_folds
from zsltf.data.splits import Split, split_by_fold, split_by_fraction, split_by_part

NAMES = ("ant", "bee", "cat")
Y = np.repeat(np.arange(3), [40, 20, 10])
GROUP = np.array([f"site {i}" for i in np.random.default_rng(0).integers(0, 14, 70)])


def is_partition(split, count):
    return sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(count))


def sides(split, group):
    """How many parts each group is in."""
    return {name: sum(name in group[rows] for rows in split.parts().values()) for name in np.unique(group)}


def test_fractions_are_of_each_class_and_the_same_for_a_seed():
    split = split_by_fraction(Y, validation=0.1, test=0.2, seed=3)
    assert is_partition(split, 70)
    for rows, counts in ((split.test, [8, 4, 2]), (split.validation, [4, 2, 1]), (split.train, [28, 14, 7])):
        np.testing.assert_array_equal(np.bincount(Y[rows]), counts)
    again, other = (split_by_fraction(Y, validation=0.1, test=0.2, seed=seed) for seed in (3, 4))
    np.testing.assert_array_equal(split.test, again.test)
    np.testing.assert_array_equal(split.validation, again.validation)
    assert set(split.test) != set(other.test)


@pytest.mark.parametrize("group", [None, np.arange(70) // 2])
def test_one_hot_labels_are_split_as_integers(group):
    splits = [split_by_fraction(y, seed=3, group=group) for y in (Y, np.eye(3, dtype=np.float32)[Y])]
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(splits[0], part), getattr(splits[1], part))


def test_a_share_of_zero_is_no_part():
    split = split_by_fraction(Y, validation=0, test=0)
    assert list(split.parts()) == ["train"]
    assert len(split.validation) == len(split.test) == 0
    assert list(split_by_fraction(Y, validation=0.2, test=0).parts()) == ["train", "validation"]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(3, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_three_images_of_a_class_suffice_for_three_parts(counts, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    split = split_by_fraction(y, validation=0.1, test=0.1, seed=seed)
    split.check_classes(y, [f"class {i}" for i in range(len(counts))])
    assert is_partition(split, len(y))


def test_an_empty_class_is_named_with_its_part():
    y = np.array([0] * 9 + [1])
    with pytest.raises(ValueError, match=r"split validation: expected an image of every class, received none of bee\."):
        split_by_fraction(y, validation=0.3, test=0).check_classes(y, NAMES[:2])
    split = split_by_part(["train", "train", "train", "test"])
    with pytest.raises(ValueError, match=r"split test: .* received none of ant, cat\. Add photos"):
        split.check_classes(np.array([0, 1, 2, 1]), NAMES)
    with pytest.raises(ValueError, match=r"split train: .* received none of cat\."):
        split.check_classes(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]], np.float32), NAMES)


@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_on_one_side_and_classes_are_shared_out(seed):
    split = split_by_fraction(Y, validation=0.2, test=0.3, seed=seed, group=GROUP)
    assert is_partition(split, 70)
    assert set(sides(split, GROUP).values()) == {1}
    split.check_groups(GROUP)
    split.check_classes(Y, NAMES)
    for rows, share in ((split.test, 0.3), (split.validation, 0.2)):
        np.testing.assert_allclose(np.bincount(Y[rows]) / np.bincount(Y), share, atol=0.15)


def test_groups_of_one_class_are_shared_out_class_by_class():
    y = np.repeat(np.arange(5), 40)
    pairs = np.arange(200) // 2
    split = split_by_fraction(y, validation=0.2, test=0.1, group=pairs)
    np.testing.assert_array_equal(np.bincount(y[split.test]), [4] * 5)
    np.testing.assert_array_equal(np.bincount(y[split.validation]), [8] * 5)
    split.check_groups(pairs)


def test_a_class_in_two_mixed_groups_gets_one_on_each_side():
    y = np.array([0, 2, 2, 1, 2, 2] + [0, 0, 1, 1] * 5)
    group = np.array([0] * 3 + [1] * 3 + [2 + i // 4 for i in range(20)])
    split = split_by_fraction(y, validation=0, test=0.3, group=group)
    split.check_classes(y, NAMES)


def test_groups_of_several_labels_are_on_one_side_too():
    y = (np.random.default_rng(1).random((70, 3)) < 0.4).astype(np.float32)
    split = split_by_fraction(y, validation=0.2, test=0.2, group=GROUP)
    assert is_partition(split, 70)
    assert set(sides(split, GROUP).values()) == {1}
    split.check_classes(y, NAMES)
    ungrouped = split_by_fraction(y, validation=0.2, test=0.2)
    assert (len(ungrouped.train), len(ungrouped.validation), len(ungrouped.test)) == (42, 14, 14)


def test_a_column_says_the_parts_and_missing_ones_are_carved_out_of_training():
    split = split_by_part(["test", "train", "validation", "train"])
    np.testing.assert_array_equal(split.train, [1, 3])
    np.testing.assert_array_equal(split.validation, [2])
    np.testing.assert_array_equal(split.test, [0])
    column = np.where(np.arange(70) % 5 == 0, "test", "train")
    carved = split_by_part(list(column)).carve(Y, validation=0.25, test=0.5)
    np.testing.assert_array_equal(carved.test, np.arange(0, 70, 5))
    np.testing.assert_array_equal(np.bincount(Y[carved.validation]), [8, 4, 2])
    assert is_partition(carved, 70)


def test_a_group_that_crosses_is_named():
    split = split_by_part(["train", "train", "validation", "test"])
    split.check_groups(None)
    split.check_groups(np.array(["p1", "p1", "p2", "p3"]))
    with pytest.raises(ValueError, match=r"each group in one part, received 'p2' in train and test\."):
        split.check_groups(np.array(["p1", "p2", "p3", "p2"]))


def test_a_fold_is_the_test_part_and_validation_comes_from_the_others():
    folds = k_folds(Y, NAMES, num_folds=5, seed=7, group=GROUP)
    for number, fold in enumerate(folds):
        split = split_by_fold(Y, NAMES, number, num_folds=5, validation=0.25, seed=7, group=GROUP)
        np.testing.assert_array_equal(split.test, fold)
        assert is_partition(split, 70)
        assert len(split.validation)
        split.check_groups(GROUP)
    assert not len(split_by_fold(Y, NAMES, 0, num_folds=5).validation)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: split_by_fold(Y, NAMES, 5), r"fold: expected a number from 0 to 4, received 5"),
        (lambda: split_by_fraction(Y, test=0.2, group=np.zeros(70)), r"groups: expected at least 2, received 1"),
        (lambda: split_by_fraction(Y, validation=0.5, test=0.5), r"validation \+ test < 1, received 0\.5 \+ 0\.5"),
        (
            lambda: split_by_fraction(Y, validation=-0.1),
            r"split\.validation: expected a share in \[0, 1\), received -0",
        ),
        (lambda: split_by_fraction(Y, test=1.0), r"split\.test: expected a share in \[0, 1\), received 1"),
        (lambda: split_by_part(["test"]), r"images for training, received none"),
        (
            lambda: Split(train=np.array([0, 1]), validation=np.array([2]), test=np.array([1, 3])),
            r"each image in one part, received image 1 in train and test",
        ),
    ],
)
def test_what_can_not_be_split_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
