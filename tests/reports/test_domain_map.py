"""Two domains in the plane."""

import numpy as np
import pytest

from zsltf.reports.domain_map import domain_map, planes


def sample(count=30, width=6):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(count, width)), rng.normal(size=(count, width)) + 5])


def test_views_fill_the_square_and_part_what_is_apart():
    for view in planes(sample()).values():
        assert view.shape == (60, 2)
        np.testing.assert_allclose([view.min(axis=0), view.max(axis=0)], [[0, 0], [1, 1]], atol=1e-12)
        between = np.linalg.norm(view[:30].mean(axis=0) - view[30:].mean(axis=0))
        assert between > max(view[:30].std(), view[30:].std())


def test_few_examples_do():
    assert set(planes(sample(3))) == {"principal components", "t-SNE"}


@pytest.mark.parametrize("classes", [3, 12])
def test_the_drawing_names_both_domains(classes):
    view, domain = np.random.default_rng(0).random((40, 2)), np.repeat([0, 1], 20)
    drawing = domain_map(view, domain, np.arange(40) % classes, ("photo & co", "sketch"), "t-SNE, before")
    assert "photo &amp; co" in drawing
    assert "sketch" in drawing
    assert "t-SNE, before" in drawing
    assert drawing == domain_map(view, domain, np.arange(40) % classes, ("photo & co", "sketch"), "t-SNE, before")
