"""Source examples as big as they weigh."""

import re

import numpy as np

from zsltf.reports.weight_map import weight_map


def test_an_example_of_more_weight_has_a_larger_disc_and_both_domains_are_named():
    rng = np.random.default_rng(0)
    source, target = rng.random((3, 2)), rng.random((4, 2))
    weights = np.array([0.25, 1.0, 4.0])
    drawing = weight_map(source, target, weights, ("photo & co", "sketch"), "t-SNE")
    assert "photo &amp; co, area = weight" in drawing
    assert "sketch" in drawing
    assert drawing == weight_map(source, target, weights, ("photo & co", "sketch"), "t-SNE")
    paths = re.findall(r'<path d="(M[^"]*C[^"]*)"', drawing)
    discs = [np.array(re.findall(r"[\d.]+", path), float) for path in paths]
    radii = [np.ptp(disc[::2]) / 2 for disc in discs]
    np.testing.assert_allclose(np.array(radii) ** 2 / radii[1] ** 2, weights, rtol=1e-4)
