"""What every layer keeps; a new file is picked up by itself."""

import keras
import numpy as np
import pytest

from zsltf.discovery import names, plugin_type

ARGUMENTS = {
    "attribute_attention": {"num_attributes": 4},
    "attribute_embedding": {"semantics": np.eye(4, 5)},
    "block_log_softmax": {"widths": (2, 4)},
    "novelty_gate": {"num_classes": 5},
    "preprocess": {"size": 16, "mean": (1.0, 2.0, 3.0)},
    "radial_basis": {"num_points": 5, "rate": 0.5},
    "simplex_mixture": {"num_points": 5},
    "sparse_code": {"atoms": 5, "penalty": 0.1, "iterations": 5},
    "unit_blocks": {"widths": (2, 4), "scale": 3.0},
    "weighted_vote": {"weights": (0.5, 1.0)},
}
SHAPES = {"preprocess": (20, 24, 3)}
SCORES = {"bilinear", "learned_cosine"}  # of embeddings and class vectors
NAMES = sorted(set(names("layers")) - {"keras_hub", "saved_model"})  # made of others' networks: tests/backbones
pytestmark = pytest.mark.parametrize("name", NAMES)


def build(name):
    layer = plugin_type("layers", name)(**ARGUMENTS.get(name, {}))
    inputs = keras.Input(SHAPES.get(name, (6,)))
    return keras.Model(inputs, layer(inputs, keras.ops.eye(4, 6)) if name in SCORES else layer(inputs))


def sample(name, batch):
    return np.random.default_rng(0).uniform(0, 255, (batch, *SHAPES.get(name, (6,)))).astype(np.float32)


def test_symbolic_shape_is_the_eager_shape_for_any_batch(name):
    model = build(name)
    for batch in (1, 3):
        assert model(sample(name, batch)).shape == (batch, *model.output_shape[1:])


def test_saves_and_loads_in_safe_mode(name, tmp_path):
    model, x = build(name), sample(name, 2)
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(0.5, 2, size=weight.shape) for weight in model.get_weights()])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(x), model(x))


def test_runs_under_half_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert np.isfinite(np.asarray(build(name)(sample(name, 2)), np.float32)).all()
    finally:
        keras.config.set_dtype_policy("float32")
