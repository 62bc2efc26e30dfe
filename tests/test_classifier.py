import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.special import expit, softmax

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.embeds import linear
from zsltf.layers.centre import centring
from zsltf.layers.preprocess import Preprocess
from zsltf.similarities.cosine import Cosine
from zsltf.similarities.distance import Distance
from zsltf.similarities.dot import Dot
from zsltf.similarities.relation import Relation

ROOT = Path(__file__).parents[1]
D, A, K = 5, 3, 4
RNG = np.random.default_rng(0)
KERNEL, SHIFT, PROJECT = RNG.normal(size=(D, K)), RNG.normal(size=K), RNG.normal(size=(A, K))
X = RNG.normal(size=(7, D)).astype(np.float32)
SIMILARITIES = {
    "dot": (Dot, lambda a, b, scale: scale * a @ b.T),
    "cosine": (Cosine, lambda a, b, scale: scale * (1 - cdist(a, b, "cosine"))),
    "distance": (Distance, lambda a, b, scale: -scale * cdist(a, b, "sqeuclidean")),
}


def table(names="abcd", seen=(1, 0, 1, 1), seed=1, columns=("x", "y", "z")):
    semantics = np.random.default_rng(seed).normal(size=(len(names), len(columns)))
    return ClassTable(
        names=tuple(names), semantics=semantics, seen=np.array(seen[: len(names)], bool), columns=tuple(columns)
    )


def projection():
    layer = keras.layers.Dense(K, use_bias=False)
    model = keras.Sequential([keras.Input((A,)), layer], name="project")
    layer.set_weights([PROJECT])
    return model


def classifier(similarity="dot", scale=1.0, **changes):
    """Everything that a Classifier may have, but images."""
    options = {
        "project": projection(),
        "similarity": SIMILARITIES[similarity][0](scale, name="similarity"),
        "bias": np.array([0.5, -1, 0, 2]),
        "gamma": 0.75,
        "opens_by": ("semantics", "photos"),
    }
    return Classifier(linear(KERNEL, SHIFT), table(), **{**options, **changes})


def expected(classes, similarity="dot", scale=1.0, bias=(0.5, -1, 0, 2), gamma=0.75, x=X):
    """The one equation in NumPy."""
    b = np.append(bias, np.zeros(len(classes) - len(bias)))
    scores = SIMILARITIES[similarity][1](x @ KERNEL + SHIFT, classes.semantics @ PROJECT, scale)
    return scores + b - gamma * classes.seen


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(sorted(SIMILARITIES)), st.floats(0.01, 100), st.floats(-5, 5), st.integers(0, 2**32 - 1))
def test_logits_are_the_one_equation(similarity, scale, gamma, seed):
    x = np.random.default_rng(seed).normal(size=(3, D)).astype(np.float32)
    scores = classifier(similarity, scale, gamma=gamma).score(x)
    np.testing.assert_allclose(
        scores, expected(table(), similarity, scale, gamma=gamma, x=x), rtol=1e-4, atol=1e-4 * scale
    )


def test_plain_parts_are_the_defaults():
    embed = keras.Sequential([keras.Input((A,)), keras.layers.Identity()])
    model = Classifier(embed, table())
    x = RNG.normal(size=(2, A)).astype(np.float32)
    np.testing.assert_allclose(model.score(x), x @ table().semantics.T, rtol=1e-5)
    assert (model.gamma, model.opens_by, model.activation) == (0.0, ("semantics",), "softmax")
    np.testing.assert_array_equal(model.class_vectors, table().semantics)


def test_the_table_comes_back_as_it_went_in():
    classes = classifier().classes
    assert (classes.names, classes.columns) == (("a", "b", "c", "d"), ("x", "y", "z"))
    np.testing.assert_array_equal(classes.semantics, table().semantics)
    np.testing.assert_array_equal(classes.seen, table().seen)


@pytest.mark.parametrize("count", [1, 3, 4, 11])
def test_any_classes_are_scored_by_their_vectors_and_bias(count):
    model, classes = classifier(), table("klmnopqrstu"[:count], np.zeros(11))
    scores = model.logits(X, model.project_semantics(classes.semantics), np.zeros(count, np.float32))
    np.testing.assert_allclose(scores, expected(classes, bias=()), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_score_does_not_depend_on_the_batch(batch_size):
    model = classifier()
    np.testing.assert_allclose(model.score(X, batch_size), np.concatenate([model(x[None]) for x in X]), rtol=1e-5)


def test_images_are_preprocessed_first():
    images = RNG.integers(0, 256, (3, 9, 8, 3)).astype(np.uint8)
    pool = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.GlobalAveragePooling2D()], name="embed")
    preprocess = Preprocess(4, scale=(255.0,) * 3)
    model = Classifier(pool, table(columns=("r", "g", "b")), preprocess=preprocess)
    mean = np.mean(preprocess(images), axis=(1, 2))
    np.testing.assert_allclose(model.score(images), mean @ table(columns=("r", "g", "b")).semantics.T, rtol=1e-5)


def test_probabilities_of_softmax_sum_to_one_and_sigmoid_is_one_by_one():
    logits = RNG.normal(size=(6, 4)).astype(np.float32) * 30
    soft = np.asarray(classifier().probabilities(logits))
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(soft, softmax(logits, axis=1), atol=1e-6)
    np.testing.assert_allclose(classifier(activation="sigmoid").probabilities(logits), expit(logits), atol=1e-6)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_with_classes_adds_unseen_classes_by_their_semantics(similarity):
    model, new = classifier(similarity), table("ef", (1, 1), seed=2)
    opened = model.with_classes(new)
    assert opened.classes.names == tuple("abcdef")
    np.testing.assert_array_equal(opened.classes.seen, [1, 0, 1, 1, 0, 0])  # the caller's `seen` is not training's
    both = table().concatenate(new.with_seen(np.zeros(2, bool)))
    np.testing.assert_allclose(opened.score(X), expected(both, similarity), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(opened.score(X)[:, :4], model.score(X))
    assert model.classes.names == tuple("abcd")
    assert opened.opens_by == model.opens_by
    assert opened.with_classes(table("g", seed=3)).classes.names == tuple("abcdefg")


def test_with_photos_adds_the_mean_embedding():
    model = classifier("distance")
    opened = model.with_photos("e", X[:3], semantics=np.array([1.0, 2, 3]))
    a = X @ KERNEL + SHIFT
    np.testing.assert_allclose(opened.score(X)[:, -1], -np.sum((a - a[:3].mean(axis=0)) ** 2, axis=1), atol=1e-4)
    np.testing.assert_array_equal(opened.score(X)[:, :4], model.score(X))
    assert opened.classes.names[-1] == "e"
    assert not opened.classes.seen[-1]
    np.testing.assert_array_equal(opened.classes.semantics[-1], [1, 2, 3])
    np.testing.assert_array_equal(model.with_photos("e", X[:1]).classes.semantics[-1], [0, 0, 0])


def test_extended_takes_class_vectors_as_they_are():
    vectors = RNG.normal(size=(2, K)).astype(np.float32)
    opened = classifier(opens_by=()).extended(("e", "f"), vectors)  # no door: the caller made the vectors
    np.testing.assert_allclose(opened.score(X)[:, 4:], (X @ KERNEL + SHIFT) @ vectors.T, rtol=1e-4, atol=1e-5)
    assert opened.classes.names == tuple("abcdef")


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(sorted(SIMILARITIES)), st.floats(-5, 5), st.floats(0.01, 100))
def test_calibrate_takes_gamma_off_seen_classes_then_scales(similarity, gamma, scale):
    model = classifier(similarity)
    calibrated = model.calibrate(gamma=gamma, scale=scale)
    wanted = scale * (model.score(X) - gamma * table().seen)
    np.testing.assert_allclose(calibrated.score(X), wanted, rtol=1e-4, atol=1e-4 * scale)
    assert calibrated.gamma == pytest.approx(scale * (0.75 + gamma))
    again = calibrated.calibrate(gamma=-scale * gamma, scale=1 / scale)
    np.testing.assert_allclose(again.score(X), model.score(X), rtol=1e-3, atol=1e-3)


def test_calibrate_keeps_what_a_similarity_has_learnt():
    relation = Relation(8)
    relation.build((None, K), (None, K))
    model = Classifier(linear(KERNEL, SHIFT), table(), project=projection(), similarity=relation, gamma=0.75)
    wanted = 3 * (model.score(X) - 0.5 * table().seen)
    np.testing.assert_allclose(model.calibrate(gamma=0.5, scale=3).score(X), wanted, rtol=1e-4, atol=1e-4)


def test_class_bias_is_bias_minus_gamma_seen_and_a_new_class_has_none():
    opened = classifier().with_classes(table("e", seed=2))
    np.testing.assert_allclose(opened.class_bias, [0.5 - 0.75, -1, -0.75, 2 - 0.75, 0])


def test_after_puts_a_model_before_the_embedding():
    centre = keras.Sequential([keras.Input((D,)), centring(np.arange(D))])
    model = classifier()
    composed = model.after(centre, project=None)
    np.testing.assert_allclose(composed.score(X + np.arange(D, dtype=np.float32)), model.score(X), atol=1e-4)
    assert composed.project is None
    np.testing.assert_array_equal(composed.class_vectors, model.class_vectors)  # what is kept is not computed anew
    assert (composed.gamma, composed.opens_by) == (model.gamma, model.opens_by)


def test_a_backbone_goes_before_the_embedding_with_its_preprocessing():
    pool = keras.Sequential([keras.Input((4, 4, 5)), keras.layers.GlobalAveragePooling2D()], name="backbone")
    images = RNG.normal(size=(2, 4, 4, D)).astype(np.float32)
    composed = classifier().after(pool)
    np.testing.assert_allclose(composed.score(images), classifier().score(images.mean(axis=(1, 2))), atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda: classifier().with_classes(table("ad", seed=2)),
            r"each once, received \['a', 'd'\]\. Rename or remove rows",
        ),
        (
            lambda: classifier().with_classes(table("e", columns=("x", "y", "w"))),
            r"class rows: expected 3 semantic columns as in training, received 3 \(differing: w, z\)\. Use the tr",
        ),
        (
            lambda: classifier().with_classes(table("e", columns=("x", "y"))),
            r"class rows: expected 3 semantic columns as in training, received 2 \(differing: z\)",
        ),
        (lambda: classifier().with_classes(table("e", columns=("x", "z", "y"))), r"differing: their order\)"),
        (lambda: classifier().with_photos("a", X), r"each once, received \['a'\]\. Rename or remove rows"),
        (
            lambda: classifier().with_photos("e", X, np.zeros(2)),
            r"semantics: expected shape \(1, 3\), received shape \(1, 2",
        ),
        (
            lambda: classifier(opens_by=("photos",)).with_classes(table("e")),
            r"new class: expected a Classifier that opens by semantics, received one that opens by photos\. Use an",
        ),
        (
            lambda: classifier(opens_by=("semantics",)).with_photos("e", X),
            r"expected a Classifier that opens by photos, received one that opens by semantics\. Use another method\.",
        ),
        (
            lambda: classifier(opens_by=()).with_photos("e", X),
            r"opens by photos, received one that opens by no door: it has to be fitted again\.",
        ),
        (lambda: classifier().extended(("e",), np.zeros((1, K + 1))), r"vectors: expected shape \(1, 4\), .*\(1, 5\)"),
        (lambda: classifier().extended(("e", "f"), np.zeros((1, K))), r"vectors: expected shape \(2, 4\), .*\(1, 4\)"),
        (
            lambda: classifier(bias=np.zeros(1)),
            r"Classifier\.bias: expected shape \(4,\), received shape \(1,\)\. Give one",
        ),
        (
            lambda: classifier(class_vectors=np.zeros((3, K))),
            r"class_vectors: expected shape \(4, 4\), received shape \(3, 4",
        ),
        (
            lambda: classifier(class_vectors=np.full((4, K), np.nan)),
            r"class_vectors: expected finite numbers, received nan",
        ),
        (lambda: classifier(bias=np.full(4, np.inf)), r"Classifier\.bias: expected finite numbers, received inf"),
        (lambda: classifier(activation="softmx"), r"Classifier\.activation: .*Did you mean 'softmax'\?"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        change()


def everything():
    """A Classifier for each similarity, a sigmoid one, and one of images after edits."""
    models = {name: classifier(name, 3.0) for name in SIMILARITIES}
    models["sigmoid"] = classifier(activation="sigmoid", opens_by=())
    pool = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.GlobalAveragePooling2D(), centring(np.ones(3))])
    images = Classifier(pool, table(), preprocess=Preprocess(4, mean=(1, 2, 3), channels="bgr"), opens_by=("photos",))
    models["images"] = images.with_photos("e é/中", np.ones((2, 6, 6, 3), np.uint8)).calibrate(gamma=1.5, scale=0.1)
    return models


def test_saved_models_score_the_same_bits_here_and_elsewhere(tmp_path):
    images = RNG.integers(0, 256, (3, 9, 8, 3)).astype(np.uint8)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "images.npy", images)
    for name, model in everything().items():
        model.save(tmp_path / f"{name}.keras")
        x = images if name == "images" else X
        np.save(tmp_path / f"{name}.scores.npy", model.score(x))
        loaded = Classifier.load(tmp_path / f"{name}.keras")
        np.testing.assert_array_equal(loaded.score(x), model.score(x))
        for part in ("names", "columns", "gamma", "opens_by", "activation"):
            assert getattr(loaded, part) == getattr(model, part)
        for part in ("semantics", "seen", "class_vectors", "bias"):
            np.testing.assert_array_equal(getattr(loaded, part), getattr(model, part))
    code = (
        "import sys, pathlib, numpy as np; from zsltf.classifier import Classifier\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "for path in folder.glob('*.keras'):\n"
        "    x = np.load(folder / ('images.npy' if path.stem == 'images' else 'x.npy'))\n"
        "    scores = Classifier.load(path).score(x)\n"
        "    np.testing.assert_array_equal(scores, np.load(folder / f'{path.stem}.scores.npy'))\n"
        "    print(path.stem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 5


def test_a_loaded_classifier_still_opens(tmp_path):
    classifier().save(tmp_path / "model.keras")
    loaded, new = Classifier.load(tmp_path / "model.keras"), table("ef", seed=2)
    np.testing.assert_array_equal(loaded.with_classes(new).score(X), classifier().with_classes(new).score(X))
    np.testing.assert_array_equal(loaded.with_photos("e", X).score(X), classifier().with_photos("e", X).score(X))


def test_another_model_is_not_a_classifier(tmp_path):
    projection().save(tmp_path / "model.keras")
    with pytest.raises(
        ValueError, match=r"model\.keras: expected a saved Classifier, received Sequential\. Give the model"
    ):
        Classifier.load(tmp_path / "model.keras")


def test_linear_is_a_dense_layer():
    np.testing.assert_allclose(linear(KERNEL, SHIFT)(X), X @ KERNEL + SHIFT, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(linear(KERNEL)(X), X @ KERNEL, rtol=1e-4, atol=1e-5)
    assert len(linear(KERNEL).weights) == 1
