"""The linear probe against the gradient of its own objective."""

import numpy as np
import pytest
from scipy.special import softmax

from zsltf.transfer.linear_probe import LinearProbe


@pytest.mark.parametrize("num_classes", [2, 5])
def test_the_gradient_is_zero_at_the_solution(toy_features, num_classes):
    features, classes = toy_features
    train, known = features.select(features.y < num_classes), classes.select(np.arange(num_classes))
    fitted = LinearProbe(inverse_penalty=0.1).fit(train, known.with_seen(np.ones(num_classes, bool)))
    size = train.x.shape[1]
    kernel = (fitted.score(np.eye(size, dtype="float32")) - fitted.score(np.zeros((1, size), "float32"))).T
    error = softmax(fitted.score(train.x).astype(np.float64), axis=1) - np.eye(num_classes)[train.y]
    penalty = 2 * kernel if num_classes == 2 else kernel  # one row of scikit-learn's is the difference of our two
    np.testing.assert_allclose(0.1 * error.T @ train.x + penalty, 0, atol=1e-3)
    np.testing.assert_allclose(error.sum(axis=0), 0, atol=1e-3)


def test_a_penalty_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"LinearProbe\.inverse_penalty: expected a number > 0, received -1"):
        LinearProbe(inverse_penalty=-1)
