"""What a zero-shot method may be trained on."""

import numpy as np
import pytest

from zsltf.discovery import names, plugin_type
from zsltf.zeroshot.any_shot import AnyShot

METHODS = [plugin_type("zeroshot", name) for name in names("zeroshot") if name != "any_shot"]


@pytest.mark.parametrize("method", METHODS)
def test_images_of_unseen_classes_are_refused(method, toy_features):
    features, classes = toy_features
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
    with pytest.raises(ValueError, match=r"Features\.y: expected labels < 16, received 16"):
        method().fit(features.select(features.y < 12).with_y(np.repeat(np.arange(5, 17), 10)), classes)


def test_any_shot_learns_from_them(toy_features):
    features, classes = toy_features
    vectors = np.asarray(AnyShot(kappa=0.0).fit(features, classes).class_vectors)
    np.testing.assert_allclose(vectors[12], features.x[features.y == 12].mean(axis=0), rtol=1e-4, atol=1e-5)
