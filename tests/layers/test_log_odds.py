import numpy as np
from scipy.special import logit

from zsltf.layers.log_odds import LogOdds


def test_they_are_the_logits_beyond_the_priors():
    p, prior = np.array([[0.2, 0.5, 0.9]], np.float32), [0.1, 0.5, 0.5]
    np.testing.assert_allclose(LogOdds(prior)(p), logit(p) - logit(prior), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        LogOdds(margin=1e-3)(np.array([[0.0, 1.0]])), [[logit(1e-3), logit(1 - 1e-3)]], rtol=1e-4
    )
