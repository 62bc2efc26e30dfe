import numpy as np
import pytest
from scipy.special import log_softmax

from zsltf.losses.contrastive import InfoNCE, SigLIP


def sample():
    rng = np.random.default_rng(0)
    return np.array([0, 2, 2, 1], np.int32), rng.normal(size=(4, 3)).astype(np.float32)


def test_info_nce_is_the_cross_entropy_of_both_ways():
    y, scores = sample()
    rows, columns = log_softmax(scores, axis=1), log_softmax(scores, axis=0)
    expected = [-(rows[i, c] + columns[i, c]) / 2 for i, c in enumerate(y)]
    np.testing.assert_allclose(InfoNCE().call(y, scores), expected, rtol=1e-5)


def test_equal_scores_cost_the_logarithm_of_the_choices():
    loss = InfoNCE().call(np.array([0, 1, 2, 0], np.int32), np.zeros((4, 3), np.float32))
    np.testing.assert_allclose(loss, (np.log(3) + np.log(4)) / 2, rtol=1e-6)


def test_siglip_is_a_logistic_loss_for_each_pair():
    y, scores = sample()
    sign = np.where(y[:, None] == np.arange(3), -1, 1)
    expected = np.log1p(np.exp(sign * scores)).sum(axis=1)
    np.testing.assert_allclose(SigLIP().call(y, scores), expected, rtol=1e-5)


@pytest.mark.parametrize("loss", [InfoNCE(), SigLIP()])
def test_the_order_of_the_batch_does_not_matter(loss):
    y, scores = sample()
    order = np.array([2, 0, 3, 1])
    np.testing.assert_allclose(loss.call(y[order], scores[order]), np.asarray(loss.call(y, scores))[order], rtol=1e-5)
