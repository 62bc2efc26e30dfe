import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from zsltf.solvers.softmax_regression import softmax_regression


@pytest.mark.parametrize("num_classes", [2, 3])
def test_the_softmax_of_its_scores_is_the_models_probability(num_classes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 4)).astype(np.float32), np.arange(40) % num_classes
    model = LogisticRegression(C=3.0, tol=1e-8)
    kernel, bias = softmax_regression(model, x, y, rng.uniform(1, 2, 40))
    assert kernel.shape == (num_classes, 4)
    np.testing.assert_allclose(softmax(x @ kernel.T + bias, axis=1), model.predict_proba(x.astype(float)), atol=1e-9)
