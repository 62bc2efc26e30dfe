import keras
import numpy as np
import pytest

from zsltf.layers.attribute_embedding import AttributeEmbedding
from zsltf.layers.bilinear import Bilinear


@pytest.fixture
def trained(toy_features):
    """A functional model with the layer, fitted on seen classes by Keras."""
    features, classes = toy_features
    keras.utils.set_random_seed(0)
    x = keras.Input((32,))
    layer = AttributeEmbedding(classes.semantics[:12], kernel_regularizer=keras.regularizers.L2(1e-4))
    model = keras.Model(x, layer(x))
    model.compile(
        keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
    )
    rows = features.y < 12
    model.fit(features.x[rows], features.y[rows], epochs=60, verbose=0)
    return model, layer


def test_scores_are_bilinear_and_attributes_stay(trained, toy_features):
    model, layer = trained
    features, classes = toy_features
    np.testing.assert_array_equal(layer.semantics, classes.semantics[:12])
    expected = features.x @ np.asarray(layer.kernel) @ classes.semantics[:12].T
    np.testing.assert_allclose(model(features.x), expected, rtol=1e-4, atol=1e-4)
    bilinear = Bilinear()
    bilinear.build((None, 32), (None, 8))
    bilinear.kernel.assign(layer.kernel)
    np.testing.assert_allclose(bilinear(features.x, classes.semantics[:12]), expected, rtol=1e-4, atol=1e-4)
    assert [weight.path.split("/")[-1] for weight in model.trainable_weights] == ["kernel"]


def test_it_recognises_classes_that_it_never_saw(trained, toy_features, tmp_path):
    model, layer = trained
    features, classes = toy_features
    opened = keras.Model(model.input, layer.with_classes(classes.semantics[12:])(model.input))
    rows = features.y >= 12
    accuracy = (np.asarray(opened(features.x[rows])).argmax(axis=1) == features.y[rows] - 12).mean()
    assert accuracy > 0.9  # chance 0.25
    opened.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(features.x), opened(features.x))


def test_what_is_no_table_is_refused(trained):
    with pytest.raises(ValueError, match=r"expected a row of attributes a class, received shape \(3,\)"):
        AttributeEmbedding(np.ones(3))
    with pytest.raises(ValueError, match="finite numbers"):
        AttributeEmbedding(np.array([[np.nan]]))
    with pytest.raises(ValueError, match=r"expected shape \(any, 8\), received shape \(2, 7\)"):
        trained[1].with_classes(np.ones((2, 7)))


@pytest.mark.parametrize("given", [np.ndarray.tolist, keras.ops.convert_to_tensor, np.asarray])
def test_semantics_may_be_lists_or_a_tensor(given):
    rows = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    layer = AttributeEmbedding(given(rows))
    np.testing.assert_array_equal(layer.semantics, rows)
    layer.build((None, 5))
    np.testing.assert_array_equal(layer.with_classes(given(rows[:2])).semantics, rows[:2])


def test_lists_of_different_lengths_and_a_layer_without_a_kernel_are_refused():
    with pytest.raises(ValueError, match="expected as many numbers for each class, received rows that differ"):
        AttributeEmbedding([[1.0, 2.0], [3.0]])
    with pytest.raises(ValueError, match=r"expected a layer that has W, received one that is not built\."):
        AttributeEmbedding(np.eye(3)).with_classes(np.eye(3))
