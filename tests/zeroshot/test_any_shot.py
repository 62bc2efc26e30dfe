import numpy as np
import pytest

from zsltf.zeroshot.any_shot import AnyShot


def fitted(toy_features, kappa):
    features, classes = toy_features
    train = features.select(classes.seen[features.y]).select(np.arange(4, 120))
    return train, AnyShot(kappa=kappa).fit(train, classes)


@pytest.mark.parametrize("kappa", [0.0, 3.0])
def test_a_mean_counts_by_its_photos_and_the_attributes_by_kappa(toy_features, kappa):
    _, classes = toy_features
    train, classifier = fitted(toy_features, kappa)
    expected = classifier.project_semantics(classes.semantics)
    for c, (vector, prior) in enumerate(zip(np.asarray(classifier.class_vectors), expected, strict=True)):
        photos = train.x[train.y == c]
        rows = np.concatenate([photos.sum(axis=0)[None], kappa * prior[None]])
        wanted = rows.sum(axis=0) / (len(photos) + kappa) if len(photos) else prior
        np.testing.assert_allclose(vector, wanted, rtol=1e-4, atol=1e-5)


def test_a_new_class_comes_by_photos_by_attributes_or_by_both(toy_features, tmp_path):
    _, classes = toy_features
    _, classifier = fitted(toy_features, 3.0)
    photos, semantics = toy_features[0].x[-5:], classes.semantics[-1]
    mean, prior = photos.mean(axis=0), classifier.project_semantics(semantics[None])[0]
    classifier.save(tmp_path / "model.keras")
    for one in (classifier, type(classifier).load(tmp_path / "model.keras")):
        both = one.with_photos("new", photos, semantics)
        np.testing.assert_allclose(both.class_vectors[-1], (5 * mean + 3 * prior) / 8, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(one.with_photos("new", photos).class_vectors[-1], mean, rtol=1e-4, atol=1e-5)
        assert both.classes.semantics[-1].tolist() == semantics.tolist()


def test_photos_of_a_class_help_from_none_to_many(toy_features):
    features, classes = toy_features
    reached = []
    for shots in (0, 1, 8):
        train = features.select(features.y < 12 + (np.arange(len(features)) < 120 + shots))
        vector = np.asarray(AnyShot(kappa=3.0).fit(train, classes).class_vectors)[12]
        truth = features.x[features.y == 12].mean(axis=0)
        reached.append(vector @ truth / np.linalg.norm(vector) / np.linalg.norm(truth))
    assert reached == sorted(reached)


def test_a_negative_kappa_is_refused():
    with pytest.raises(ValueError, match=r"AnyShot\.kappa: expected a number of photos >= 0, received -1"):
        AnyShot(kappa=-1.0)
