import numpy as np
import pytest

from zsltf.solvers.discriminant import discriminant, softened
from zsltf.solvers.statistics import Statistics


@pytest.mark.parametrize("num_classes", [2, 7])
def test_the_softened_scores_vary_by_one_over_the_temperature(num_classes):
    rng = np.random.default_rng(0)
    y = np.arange(140) % num_classes
    x = 4 + rng.normal(size=(num_classes, 5))[y] + rng.normal(size=(140, 5))
    statistics = Statistics.of_batches([(x, y)], num_classes)
    kernel, bias = softened(statistics, 0.2, 0.5)
    scores = x @ kernel + bias
    assert np.sqrt(scores.var(axis=0).mean()) == pytest.approx(2.0)
    plain, plain_bias = discriminant(statistics, 0.2)
    ratio = scores.std() / (x @ plain.T + plain_bias).std()
    np.testing.assert_allclose(scores, ratio * (x @ plain.T + plain_bias), rtol=1e-6, atol=1e-9)
