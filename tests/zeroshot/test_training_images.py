"""What a zero-shot method may be trained on."""

from dataclasses import replace

import numpy as np
import pytest

from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type
from zsltf.training.preparation import Preparation
from zsltf.zeroshot.any_shot import AnyShot
from zsltf.zeroshot.lexicon import Lexicon

METHODS = [plugin_type("zeroshot", name) for name in names("zeroshot") if name != "any_shot"]


def table_for(method, classes):
    """Lexicon reads words: here of one unit each."""
    width = len(classes.columns)
    return classes.with_semantics(np.eye(width)[np.arange(len(classes)) % width]) if method is Lexicon else classes


@pytest.mark.parametrize("method", METHODS)
def test_images_of_unseen_classes_are_refused(method, toy_features):
    features, classes = toy_features
    classes = table_for(method, classes)
    wanted = r"examples of seen classes, received some of class 12, class 13, marked unseen\. Keep features\.select"
    some = features.select(features.y < 14)
    with pytest.raises(ValueError, match=wanted):
        method().fit(some, classes)
    if hasattr(method, "fit_grid"):
        with pytest.raises(ValueError, match=wanted):
            next(method().fit_grid(some, classes, features.x))


@pytest.mark.parametrize("method", METHODS)
def test_a_label_that_is_no_row_is_refused(method, toy_features):
    features, classes = toy_features
    classes = table_for(method, classes)
    with pytest.raises(ValueError, match=r"Features\.y: expected labels < 16, received 16"):
        method().fit(features.select(features.y < 12).with_y(np.repeat(np.arange(5, 17), 10)), classes)


def test_any_shot_learns_from_them(toy_features):
    features, classes = toy_features
    vectors = np.asarray(AnyShot(kappa=0.0).fit(features, classes).class_vectors)
    np.testing.assert_allclose(vectors[12], features.x[features.y == 12].mean(axis=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["conse", "gaussian_generation", "gfzsl", "iap", "sse"])
def test_identical_images_of_a_class_are_as_good_as_one(name, toy_features):
    features, classes = toy_features
    train = Features(x=np.repeat(features.x[:120:10], 3, axis=0), y=np.repeat(np.arange(12), 3))
    scores = plugin_type("zeroshot", name)().fit(train, classes).score(train.x)
    assert np.isfinite(scores).all()
    assert (scores[:, :12].argmax(axis=1) == train.y).mean() > 0.5
    whitened = Preparation(shrinkage=0.1).fit(train, classes).apply(train)
    assert np.isfinite(whitened.x).all()


@pytest.mark.parametrize("name", ["conse", "dap", "iap", "sse"])
def test_two_seen_classes_are_needed(name, toy_features):
    features, classes = toy_features
    with pytest.raises(ValueError, match="of two seen classes or more, received 1"):
        plugin_type("zeroshot", name)().fit(features.select(features.y == 0), classes)


@pytest.mark.parametrize("method", METHODS)
def test_a_class_whose_images_weigh_nothing_is_as_one_without_images(method, toy_features):
    features, classes = toy_features
    classes = table_for(method, classes)
    train = features.select(features.y < 12)
    counts = train.y != 3
    fitted = method()
    if hasattr(fitted, "descent"):
        fitted = replace(fitted, descent=replace(fitted.descent, epochs=2))
    weightless = replace(train, sample_weight=counts.astype(np.float32))
    expected = fitted.fit(train.select(counts), classes).score(features.x)
    np.testing.assert_allclose(fitted.fit(weightless, classes).score(features.x), expected, rtol=1e-3, atol=1e-3)
