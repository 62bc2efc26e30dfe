from itertools import product

import numpy as np
import pytest

from zsltf.data.k_folds import k_folds

NAMES = ("ant", "bee", "cat")
Y = np.repeat(np.arange(3), [40, 20, 10])
GROUP = np.array([f"site {i}" for i in np.random.default_rng(0).integers(0, 14, 70)])
WAYS = list(product([None, GROUP], [True, False]))


@pytest.mark.parametrize(("group", "stratified"), WAYS)
def test_each_image_is_in_one_fold_and_each_class_in_every(group, stratified):
    folds = k_folds(Y, NAMES, num_folds=3, seed=1, group=group, stratified=stratified)
    assert sorted(np.concatenate(folds)) == list(range(70))
    assert all(np.bincount(Y[fold], minlength=3).all() for fold in folds)


@pytest.mark.parametrize("stratified", [True, False])
def test_no_group_is_in_two_folds(stratified):
    for fold in k_folds(Y, NAMES, num_folds=3, seed=1, group=GROUP, stratified=stratified):
        assert not set(GROUP[fold]) & set(np.delete(GROUP, fold))


@pytest.mark.parametrize(("group", "stratified"), WAYS)
def test_folds_follow_from_the_seed(group, stratified):
    def dealt(seed):
        return [fold.tolist() for fold in k_folds(Y, NAMES, num_folds=3, seed=seed, group=group, stratified=stratified)]

    assert dealt(1) == dealt(1)
    assert dealt(1) != dealt(2)


@pytest.mark.parametrize("y", [Y, np.eye(3, dtype=np.float32)[Y]], ids=["integers", "one-hot"])
def test_stratified_folds_share_out_each_class_evenly_and_plain_ones_all_images(y):
    for fold in k_folds(y, NAMES, num_folds=3, seed=0):
        assert np.abs(np.bincount(Y[fold]) - np.array([40, 20, 10]) / 3).max() < 1
    plain = [k_folds(y, NAMES, num_folds=2, seed=seed, stratified=False) for seed in range(10)]
    assert {len(fold) for folds in plain for fold in folds} == {35}
    assert len({np.bincount(Y[fold])[0] for folds in plain for fold in folds}) > 3  # of ant as they fall


@pytest.mark.parametrize("group", [None, GROUP])
def test_images_of_several_labels_are_dealt_too(group):
    y = (np.random.default_rng(1).random((70, 3)) < 0.4).astype(np.float32)
    folds = k_folds(y, NAMES, num_folds=3, group=group)
    assert sorted(np.concatenate(folds)) == list(range(70))
    assert all(y[fold].any(axis=0).all() for fold in folds)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: k_folds(Y, NAMES, num_folds=11),
            r"folds: expected at least 11 images of every class, received 10 of cat\. Add photos",
        ),
        (lambda: k_folds(Y, NAMES, num_folds=1), r"folds: expected 2 or more, received 1\. Start from 5"),
        (lambda: k_folds(Y, NAMES, num_folds=1, what="inner folds"), r"inner folds: expected 2 or more"),
        (lambda: k_folds(Y, NAMES, group=np.arange(70) % 4), r"groups: expected at least 5, received 4\. Use fewer"),
        (
            lambda: k_folds(Y, NAMES, num_folds=3, group=Y),
            r"folds: expected an image of every class in each, received none of \w+, \w+ in fold 0\. Use fewer folds",
        ),
    ],
)
def test_what_can_not_be_dealt_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
