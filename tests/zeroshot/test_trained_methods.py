"""What the methods that are trained by gradients compute, beyond what every method keeps."""

import numpy as np
import pytest

from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.training.compatibility import fit_parts
from zsltf.training.descent import Descent
from zsltf.zeroshot.class_normalized_mlp import ClassNormalizedMLP
from zsltf.zeroshot.dem import DEM
from zsltf.zeroshot.devise import DeViSE
from zsltf.zeroshot.latem import LATEM
from zsltf.zeroshot.softmax import Softmax
from zsltf.zeroshot.two_tower import TwoTower

SHORT = Descent(epochs=3)


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    return features.select(classes.seen[features.y]), classes


def test_one_map_is_devise(problem):
    train, classes = problem
    parts = LATEM(maps=1).parts(train, classes)
    parts.embed.set_weights([np.zeros((32, 8))])  # where DeViSE begins
    fitted = fit_parts(parts, SHORT, train, classes)
    expected = DeViSE(descent=SHORT).fit(train, classes)
    np.testing.assert_allclose(fitted.embed.get_weights()[0], expected.embed.get_weights()[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(fitted.score(train.x), expected.score(train.x), rtol=1e-4, atol=1e-5)


def test_softmax_ships_the_scale_that_it_learned(problem):
    train, classes = problem
    fitted = Softmax(initial_scale=5.0, descent=Descent(learning_rate=0.05)).fit(train, classes)
    assert fitted.similarity.scale != pytest.approx(5.0, abs=0.1)
    a = train.x @ fitted.embed.get_weights()[0]
    cosines = (a @ classes.semantics.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(classes.semantics, axis=1)
    np.testing.assert_allclose(fitted.score(train.x), fitted.similarity.scale * cosines, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", [ClassNormalizedMLP(hidden=16, descent=SHORT), DEM(hidden=16, descent=SHORT)])
def test_the_last_layer_is_rectified_where_features_are(problem, method):
    train, classes = problem
    for features, lowest in ((train.with_x(np.abs(train.x)), True), (train, False)):
        vectors = np.asarray(method.fit(features, classes).class_vectors)
        if isinstance(method, DEM):
            vectors = vectors + features.x.mean(axis=0)
        assert (vectors >= -1e-5).all() == lowest


def test_dem_scores_by_distance_to_where_its_network_puts_the_class(problem):
    train, classes = problem
    fitted = DEM(hidden=16, descent=SHORT).fit(train, classes)
    places = np.asarray(fitted.class_vectors) + train.x.mean(axis=0)
    expected = -((train.x[:, None] - places) ** 2).sum(axis=2)
    np.testing.assert_allclose(fitted.score(train.x), expected, rtol=1e-3)


def test_without_class_normalisation_it_is_a_plain_network(problem):
    train, classes = problem
    fitted = ClassNormalizedMLP(hidden=16, normalize=False, descent=SHORT).fit(train, classes)
    first, first_bias, second, second_bias, last, last_bias = fitted.project.get_weights()
    hidden = np.maximum(np.maximum(classes.semantics @ first + first_bias, 0) @ second + second_bias, 0)
    np.testing.assert_allclose(fitted.class_vectors, hidden @ last + last_bias, rtol=1e-3, atol=1e-4)


def test_the_first_class_vectors_have_a_length_of_about_one(problem):
    train, classes = problem
    project = ClassNormalizedMLP(hidden=256).parts(train, classes).project
    for _ in range(50):
        vectors = project(classes.semantics, training=True)
    assert 0.5 < float(np.linalg.norm(vectors, axis=1).mean()) < 2


@pytest.mark.parametrize("loss", ["infonce", "siglip"])
@pytest.mark.parametrize("hidden", [0, 16])
def test_two_towers_meet_in_one_space(problem, toy_features, loss, hidden):
    train, classes = problem
    features, _ = toy_features
    method = TwoTower(width=12, hidden=hidden, loss=loss, descent=Descent(learning_rate=1e-2, epochs=60))
    fitted = method.fit(train, classes)
    a, b = np.asarray(fitted.embed(features.x)), np.asarray(fitted.class_vectors)
    assert (a.shape[1], b.shape) == (12, (16, 12))
    cosines = (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(fitted.score(features.x), fitted.similarity.scale * cosines, rtol=1e-3, atol=1e-3)
    assert unseen_accuracy(fitted.score(features.x), features.y, classes.seen) > 0.8


def test_a_loss_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"TwoTower\.loss: expected one of infonce, siglip, received 'nce'\. Did you"):
        TwoTower(loss="nce")


def test_two_towers_begin_with_the_published_scale_and_offset(problem):
    train, classes = problem
    parts = {loss: TwoTower(loss=loss).parts(train, classes) for loss in ("infonce", "siglip")}
    starts = {loss: (part.similarity.scale, float(part.similarity.offset)) for loss, part in parts.items()}
    assert starts["siglip"] == pytest.approx((10.0, -10.0))
    assert starts["infonce"] == pytest.approx((1 / 0.07, 0.0))
    assert [part.similarity.offset.trainable for part in parts.values()] == [False, True]
