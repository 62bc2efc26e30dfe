import numpy as np
from scipy.stats import multivariate_normal

from zsltf.layers.novelty_gate import UngatedVectors, novelty_gate


def problem():
    rng = np.random.default_rng(0)
    centres, y = rng.normal(size=(3, 4)), np.repeat(np.arange(3), 40)
    a = centres[y] + rng.normal(size=(120, 4)) * np.array([0.1, 0.5, 1.0])[y, None]
    return a, y, rng.integers(1, 4, 120).astype(float), centres


def test_the_novelty_is_the_log_density_of_the_likeliest_gaussian():
    a, y, weights, centres = problem()
    gate = novelty_gate(a, y, weights, centres, familiar=0.9, strength=7.0)
    variances = [np.average(((a[y == c] - centres[c]) ** 2).mean(axis=1), weights=weights[y == c]) for c in range(3)]
    densities = np.stack([multivariate_normal(m, v).logpdf(a) for m, v in zip(centres, variances, strict=True)])
    expected = -densities.max(axis=0) - 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(np.asarray(gate.novelty(a.astype(np.float32)))[:, 0], expected, rtol=1e-3, atol=1e-3)


def test_the_share_of_training_images_passes_as_familiar():
    a, y, weights, centres = problem()
    layer = novelty_gate(a, y, weights, centres, familiar=0.8, strength=7.0)
    gate, novelty = np.asarray(layer(a.astype(np.float32))), np.asarray(layer.novelty(a.astype(np.float32)))[:, 0]
    np.testing.assert_allclose(gate[:, :4], a, rtol=1e-5)
    np.testing.assert_array_equal(gate[:, 4] > 0, novelty > layer.threshold)
    far = np.abs(novelty - layer.threshold) > 0.5 * novelty.std()
    np.testing.assert_allclose(np.abs(gate[far, 4]), 7.0, rtol=1e-3)
    assert 0.77 < weights[gate[:, 4] < 0].sum() / weights.sum() < 0.83
    assert (gate[:, 5] == 1).all()


def test_the_dot_product_is_minus_the_distance_but_for_the_images_own_norm():
    a, _, _, centres = problem()
    vectors = np.asarray(UngatedVectors()(centres.astype(np.float32)))
    terms = np.concatenate([a, np.full((120, 1), 9.0), np.ones((120, 1))], axis=1)
    expected = (a**2).sum(axis=1)[:, None] - ((a[:, None] - centres) ** 2).sum(axis=2)
    np.testing.assert_allclose(terms @ vectors.T, expected, atol=1e-4)
