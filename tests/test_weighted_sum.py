import keras
import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.discovery import names, plugin_type
from zsltf.embeds import identity, linear
from zsltf.layers.preprocess import Preprocess
from zsltf.proof import prove
from zsltf.runs import Golden
from zsltf.similarities.cosine import Cosine
from zsltf.similarities.distance import Distance
from zsltf.similarities.max_over_maps import MaxOverMaps
from zsltf.weighted_sum import weighted_sum

RNG = np.random.default_rng()


@pytest.fixture
def members(toy_features):
    """One of each similarity, with a bias and a gamma, opening by semantics."""
    _, classes = toy_features
    to_attributes = linear(RNG.normal(size=(32, 8)), RNG.normal(size=8))
    to_features = linear(RNG.normal(size=(8, 32)))
    bias = RNG.normal(size=16)
    return [
        Classifier(to_attributes, classes, bias=bias).calibrate(gamma=0.3, scale=2.0),
        Classifier(identity(32), classes, project=to_features, similarity=Cosine(scale=3.0)),
        Classifier(to_attributes, classes, similarity=Distance(scale=0.5), gamma=1.0),
    ]


def centred(scores):
    return scores - scores.mean(axis=1, keepdims=True)


def test_scores_are_the_weighted_sum_but_for_a_number_of_each_image(members, toy_features):
    x, weights = toy_features[0].x, (0.5, 2.0, 0.1)
    expected = sum(weight * member.score(x) for weight, member in zip(weights, members, strict=True))
    got = weighted_sum(members, weights).score(x)
    np.testing.assert_allclose(centred(got), centred(expected), atol=1e-4 * expected.std())


def test_takes_new_classes_calibrates_and_saves_like_any_other(members, toy_features, tmp_path):
    features, classes = toy_features
    new = classes.select([0, 1])
    renamed = type(classes)(names=("new 1", "new 2"), semantics=new.semantics, seen=new.seen, columns=new.columns)
    summed = weighted_sum(members, (1.0, 2.0, 3.0)).with_classes(renamed)
    scores = summed.score(features.x)
    bias = np.asarray(summed.class_bias)
    np.testing.assert_allclose(scores[:, 16:], (scores - bias)[:, :2], rtol=1e-3, atol=1e-3)
    summed.calibrate(gamma=1.0, scale=0.5).save(tmp_path / "model.keras")
    loaded = Classifier.load(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.score(features.x), 0.5 * (scores - np.asarray(summed.seen)), rtol=1e-4, atol=1e-4)


def test_a_member_without_a_door_shuts_it(members, toy_features):
    _, classes = toy_features
    shut = Classifier(identity(32), classes, class_vectors=RNG.normal(size=(16, 32)), opens_by=())
    with pytest.raises(ValueError, match="opens by no door"):
        weighted_sum([*members, shut], (1.0,) * 4).with_classes(classes)


@pytest.mark.parametrize("exporter", names("exporters"))
def test_exports_as_one_file(members, exporter, tmp_path):
    images = keras.Input((24, 24, 3))
    network = keras.Model(images, keras.layers.Dense(32)(keras.layers.Flatten()(images[:, ::8, ::8])))
    preprocess = Preprocess(24, mean=(127.0,) * 3, scale=(128.0,) * 3)
    summed = weighted_sum(members, (1.0, 2.0, 3.0)).after(network, preprocess=preprocess)
    pictures = RNG.integers(0, 256, (7, 31, 45, 3), dtype=np.uint8)
    proofs = list(
        prove(
            plugin_type("exporters", exporter)(),
            summed,
            Golden(images=pictures, scores=summed.score(pictures)),
            tmp_path,
        )
    )
    assert all(proof.holds for proof in proofs), proofs


def test_refuses_what_it_cannot_add(members, toy_features):
    _, classes = toy_features
    maps = keras.Sequential([keras.Input((32,)), keras.layers.Reshape((4, 8))])
    with pytest.raises(ValueError, match="compare by dot, cosine or distance, received MaxOverMaps"):
        weighted_sum([members[0], Classifier(maps, classes, similarity=MaxOverMaps())], (1, 1))
    with pytest.raises(ValueError, match="members with the same names"):
        weighted_sum([members[0], Classifier(identity(8), classes.select(range(15)))], (1, 1))
    with pytest.raises(ValueError, match=r"members on the same features, received \(8,\) and \(32,\)"):
        weighted_sum([members[0], Classifier(identity(8), classes)], (1, 1))
    with pytest.raises(ValueError, match="on features, received one on images"):
        weighted_sum([members[0].on_images(Preprocess(24, mean=(0.0,) * 3))], (1,))
    with pytest.raises(ValueError, match="a weight for each"):
        weighted_sum(members, (1.0,))
    with pytest.raises(ValueError, match="weights"):
        weighted_sum(members, (1.0, np.nan, 1.0))
