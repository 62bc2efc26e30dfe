import numpy as np
import pytest

from zsltf.layers.learned_cosine import LearnedCosine


def test_it_is_the_scaled_cosine_up_to_a_scale_of_100():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)
    layer = LearnedCosine(20.0)
    expected = 20 * (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(layer(a, b), expected, rtol=1e-4, atol=1e-5)
    assert layer.scale == pytest.approx(20, rel=1e-5)
    layer.log_scale.assign(9.0)
    assert layer.scale == 100
    assert np.abs(layer(a, a)).max() == pytest.approx(100, rel=1e-5)
    assert len(layer.trainable_weights) == 1


def test_a_scale_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"LearnedCosine\.initial_scale: expected a number > 0, received 0"):
        LearnedCosine(0.0)


def test_an_offset_is_trained_only_where_it_is_asked_for():
    a = np.eye(3, dtype=np.float32)
    shifted = LearnedCosine(10.0, initial_offset=-10.0)
    np.testing.assert_allclose(shifted(a, a), 10 * a - 10, atol=1e-4)
    assert len(shifted.trainable_weights) == 2
