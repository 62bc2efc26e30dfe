import numpy as np
from scipy.stats import norm

from zsltf.layers.append_one import AppendOne
from zsltf.layers.gaussian import GaussianVectors, Squares


def test_the_dot_product_is_the_log_density():
    rng = np.random.default_rng(0)
    x, mean, log_variance = rng.normal(size=(4, 5)), rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    a = np.asarray(AppendOne()(Squares()(x.astype(np.float32))))
    b = np.asarray(GaussianVectors()(np.concatenate([mean, log_variance], axis=1).astype(np.float32)))
    density = norm(mean, np.exp(log_variance / 2)).logpdf(x[:, None]).sum(axis=2)
    np.testing.assert_allclose(a @ b.T, density + 2.5 * np.log(2 * np.pi), rtol=1e-4, atol=1e-4)
