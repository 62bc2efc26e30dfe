import numpy as np
from scipy.stats import norm
from sklearn.linear_model import Ridge

from zsltf.zeroshot.gfzsl import GFZSL


def test_scores_are_log_densities_of_measured_and_of_regressed_gaussians(toy_features):
    features, classes = toy_features
    train = features.select(classes.seen[features.y]).select(np.arange(5, 120))
    fitted = GFZSL(mean_ridge=3.0, variance_ridge=7.0, shrinkage=0.4).fit(train, classes)
    x, s = train.x.astype(float), classes.semantics.astype(float)
    counts = np.bincount(train.y)
    means = np.stack([x[train.y == c].mean(axis=0) for c in range(12)])
    own = np.stack([x[train.y == c].var(axis=0) for c in range(12)])
    pooled = np.average(own, axis=0, weights=counts)
    log_variance = np.log(0.6 * own + 0.4 * pooled)
    centre, level = x.mean(axis=0), np.average(log_variance, axis=0, weights=counts)
    regressions = [
        offset + Ridge(alpha=ridge, fit_intercept=False).fit(s[:12], target - offset, sample_weight=counts).predict(s)
        for target, offset, ridge in ((means, centre, 3.0), (log_variance, level, 7.0))
    ]
    mean, variance = (
        np.concatenate([seen, all_[12:]]) for seen, all_ in zip((means, log_variance), regressions, strict=True)
    )
    density = norm(mean[None], np.exp(variance / 2)[None]).logpdf(features.x[:, None]).sum(axis=2)
    expected = density + 0.5 * x.shape[1] * np.log(2 * np.pi)
    np.testing.assert_allclose(fitted.score(features.x), expected, rtol=1e-4, atol=1e-3)


def test_a_feature_that_never_varies_does_not_decide(toy_features):
    features, classes = toy_features
    constant = features.with_x(np.concatenate([features.x, np.ones((160, 1), np.float32)], axis=1))
    train, test = constant.select(classes.seen[features.y]), constant.select(~classes.seen[features.y])
    with_one = GFZSL().fit(train, classes).score(test.x)
    without = GFZSL().fit(train.with_x(train.x[:, :-1]), classes).score(test.x[:, :-1])
    np.testing.assert_array_equal(with_one.argmax(axis=1), without.argmax(axis=1))
