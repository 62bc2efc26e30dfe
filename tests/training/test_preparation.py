import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.embeds import linear
from zsltf.training.preparation import Preparation
from zsltf.zeroshot.eszsl import ESZSL

RNG = np.random.default_rng(0)


def problem(count=30, width=8, seed=0):
    rng = np.random.default_rng(seed)
    classes = ClassTable(
        names=tuple("abcdef"), semantics=3 + rng.normal(size=(6, 4)), seen=np.array([1, 1, 1, 1, 0, 0], bool)
    )
    x = 5 + rng.normal(size=(count, width)) @ rng.normal(size=(width, width))
    return Features(x=x.astype(np.float32), y=np.arange(count) % 4), classes


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def aligned(x, reference):
    """Components have no sign."""
    return x * np.sign(np.sum(x * reference, axis=0))


def test_by_default_nothing_is_done():
    train, classes = problem()
    prepared = Preparation().fit(train, classes)
    np.testing.assert_array_equal(prepared.apply(train).x, train.x)
    np.testing.assert_array_equal(prepared.apply_classes(classes).semantics, classes.semantics)


@pytest.mark.parametrize("unit_norm", [False, True])
@pytest.mark.parametrize("centre", [False, True])
def test_centre_and_norm_are_those_of_training(centre, unit_norm):
    train, classes = problem()
    test, _ = problem(seed=1)
    prepared = Preparation(centre=centre, unit_norm=unit_norm).fit(train, classes)
    x = test.x - train.x.mean(axis=0) if centre else test.x
    np.testing.assert_allclose(prepared.apply(test).x, unit(x) if unit_norm else x, rtol=1e-4, atol=1e-5)
    assert prepared.apply(test).y is test.y
    np.testing.assert_array_equal(prepared.apply_classes(classes).semantics, classes.semantics)


NORMALISED = {
    "none": lambda s, seen: s,
    "l2": lambda s, seen: unit(s),
    "sqrt": lambda s, seen: unit(s) * np.sqrt(s.shape[1]),
    "centred": lambda s, seen: unit(s - seen.mean(axis=0)),
    "z-score": lambda s, seen: (s - seen.mean(axis=0)) / seen.std(axis=0),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_semantics_are_normalised_by_the_seen_classes(name):
    train, classes = problem()
    received = Preparation(semantics=name).fit(train, classes).apply_classes(classes)
    expected = NORMALISED[name](classes.semantics, classes.semantics[:4])
    np.testing.assert_allclose(received.semantics, expected, rtol=1e-4, atol=1e-5)
    assert received.names == classes.names


@pytest.mark.parametrize("name", ["l2", "sqrt", "centred"])
def test_each_of_several_tables_is_normalised_for_itself(name):
    train, classes = problem()
    other = ClassTable(
        names=classes.names, semantics=100 * RNG.normal(size=(6, 5)), seen=classes.seen, columns=(*"vwxyz",)
    )
    received = Preparation(semantics=name).fit(train, both := classes.beside(other)).apply_classes(both).semantics
    blocks = [Preparation(semantics=name).fit(train, table).apply_classes(table) for table in (classes, other)]
    expected = np.concatenate([unit(block.semantics) for block in blocks], axis=1) / np.sqrt(2)
    np.testing.assert_allclose(received, expected * (3 if name == "sqrt" else 1), rtol=1e-4, atol=1e-5)


def test_a_column_that_no_seen_class_tells_apart_keeps_its_unit():
    train, classes = problem()
    semantics = classes.semantics.copy()
    semantics[:4, 1], semantics[4, 1] = 2.0, 5.0
    table = classes.with_semantics(semantics)
    received = Preparation(semantics="z-score").fit(train, table).apply_classes(table).semantics
    np.testing.assert_allclose(received[:5, 1], [0, 0, 0, 0, 3], atol=1e-6)


@pytest.mark.parametrize("components", [None, 3])
def test_whitened_features_vary_alike_in_every_direction_within_classes(components):
    train, classes = problem(count=200)
    x = Preparation(components=components, shrinkage=1e-6).fit(train, classes).apply(train).x.astype(np.float64)
    centred = x - np.array([x[train.y == c].mean(axis=0) for c in range(4)])[train.y]
    np.testing.assert_allclose(centred.T @ centred / len(x), np.eye(x.shape[1]), atol=2e-2)


def test_shrunk_all_the_way_whitening_only_changes_the_unit():
    train, classes = problem(count=200)
    x = Preparation(shrinkage=1.0).fit(train, classes).apply(train).x
    ratio = np.linalg.norm(x[1:] - x[0], axis=1) / np.linalg.norm(train.x[1:] - train.x[0], axis=1)
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-4)


@settings(deadline=None, max_examples=12)
@given(st.sampled_from([(30, 8), (6, 20), (12, 12)]), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_components_are_scikit_learns_up_to_sign(shape, components, seed):
    train, classes = problem(*shape, seed)
    test, _ = problem(9, shape[1], seed + 1)
    pca = PCA(components, svd_solver="full").fit(train.x.astype(np.float64))
    for centre in (False, True):  # components are of centred features either way
        prepared = Preparation(centre=centre, components=components).fit(train, classes)
        expected = pca.transform(test.x.astype(np.float64))
        received = prepared.apply(test).x
        np.testing.assert_allclose(aligned(received, expected), expected, atol=2e-3 * np.abs(expected).max())


def test_after_components_comes_the_norm():
    train, classes = problem()
    prepared = Preparation(centre=True, components=3, unit_norm=True).fit(train, classes)
    expected = unit(PCA(3).fit_transform(train.x.astype(np.float64)))
    np.testing.assert_allclose(aligned(prepared.apply(train).x, expected), expected, atol=1e-4)


def test_more_components_than_the_rank_keep_all_there_are():
    train, classes = problem(6, 20)
    x = Preparation(components=64).fit(train, classes).apply(train).x
    assert x.shape == (6, 5)  # centring costs one
    centred = train.x - train.x.mean(axis=0)
    np.testing.assert_allclose(x @ x.T, centred @ centred.T, rtol=1e-3, atol=1e-2)  # distances are kept


@pytest.mark.parametrize("semantics", NORMALISED)
def test_unseen_semantics_and_test_features_are_not_looked_at(semantics):
    train, classes = problem()
    poisoned = classes.with_semantics(np.where(classes.seen[:, None], classes.semantics, 1e9))
    preparation = Preparation(centre=True, components=3, shrinkage=0.1, unit_norm=True, semantics=semantics)
    ours, theirs = preparation.fit(train, classes), preparation.fit(train, poisoned)
    for one, other in ((ours.features, theirs.features), (ours.semantics, theirs.semantics)):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


PREPARATIONS = [
    Preparation(),
    Preparation(centre=True),
    Preparation(unit_norm=True),
    Preparation(centre=True, components=3, unit_norm=True),
    Preparation(shrinkage=0.1, semantics="l2"),
    Preparation(components=3, shrinkage=0.5, semantics="z-score"),
    Preparation(centre=True, semantics="centred"),
]


def two_towers(train, classes):
    """A Classifier with a project of its own."""
    project = linear(RNG.normal(size=(4, 5)))
    return Classifier(linear(RNG.normal(size=(train.x.shape[1], 5))), classes, project=project, opens_by=("semantics",))


@pytest.mark.parametrize("fit", [ESZSL().fit, two_towers])
@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_raw_features_through_the_wrapped_classifier_are_prepared_ones_through_the_inner(fit, preparation):
    train, classes = problem()
    test, _ = problem(seed=1)
    prepared = preparation.fit(train, classes)
    inner = fit(prepared.apply(train), prepared.apply_classes(classes))
    wrapped = prepared.wrap(inner, classes)
    expected = inner.score(prepared.apply(test).x)
    np.testing.assert_allclose(wrapped.score(test.x), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_array_equal(wrapped.classes.semantics, classes.semantics)  # raw, as the user wrote them
    new = ClassTable(names=("g",), semantics=RNG.normal(size=(1, 4)), seen=np.zeros(1, bool))
    opened = inner.with_classes(prepared.apply_classes(new)).score(prepared.apply(test).x)
    np.testing.assert_allclose(
        wrapped.with_classes(new).score(test.x), opened, rtol=1e-4, atol=1e-4 * np.abs(opened).max()
    )


def test_the_wrapped_classifier_is_saved_with_its_preparation(tmp_path):
    train, classes = problem()
    prepared = PREPARATIONS[-1].fit(train, classes)
    wrapped = prepared.wrap(ESZSL().fit(prepared.apply(train), prepared.apply_classes(classes)), classes)
    wrapped.save(tmp_path / "model.keras")
    loaded = Classifier.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.score(train.x), wrapped.score(train.x))
    np.testing.assert_array_equal(loaded.project_semantics(classes.semantics), wrapped.class_vectors)


@pytest.mark.parametrize("value", [0.0, 1.5])
def test_features_that_never_differ_have_no_components(value):
    train, classes = problem()
    with pytest.raises(
        ValueError, match=r"Features\.x: expected features that differ, .*Check the backbone's weights\."
    ):
        Preparation(components=2).fit(train.with_x(np.full_like(train.x, value)), classes)


def test_a_zero_vector_has_no_direction_and_stays_zero():
    train, classes = problem()
    prepared = Preparation(unit_norm=True, semantics="l2").fit(train, classes)
    zero = Features(x=np.zeros((1, 8), np.float32), y=np.zeros(1, int))
    np.testing.assert_array_equal(prepared.apply(zero).x, np.zeros((1, 8)))


def test_long_features_are_prepared_in_parts_alike():
    train, classes = problem()
    prepared = Preparation(centre=True, unit_norm=True, semantics="centred").fit(train, classes)
    long = Features(x=np.tile(train.x, (400, 1)), y=np.tile(train.y, 400))  # 12000 rows
    np.testing.assert_allclose(prepared.apply(long).x, np.tile(prepared.apply(train).x, (400, 1)), atol=1e-6)
    assert isinstance(prepared.features, keras.Model)


def test_a_share_or_a_name_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"shrinkage: expected a share in \(0, 1\], received 0\. Start from 0\.1\."):
        Preparation(shrinkage=0.0)
    with pytest.raises(
        ValueError, match=r"semantics: expected one of .*, received 'zscore'\. Did you mean 'z-score'\?"
    ):
        Preparation(semantics="zscore")
