"""Drawn classes in several styles."""

import numpy as np
import pytest

from zsltf.data.domain_folders import read_domains
from zsltf.data.toy_domains import draw_domains, drawn_domains, toy_domain_classes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return draw_domains(tmp_path_factory.mktemp("toy") / "domains", images=2, size=32)


def test_every_class_is_in_every_domain_and_no_picture_twice(folder):
    found, classes = read_domains(folder), toy_domain_classes()
    assert found.names == classes.names
    counts = np.zeros((4, 9), int)
    np.add.at(counts, (found.domain, found.images.y), 1)
    assert (counts == 2).all()
    assert len({found.images.digest(row) for row in range(len(found))}) == len(found)


def test_a_class_is_told_by_its_colour_and_its_shape():
    classes = toy_domain_classes()
    assert len(np.unique(classes.semantics, axis=0)) == 9
    row = classes.semantics[classes.names.index("green_ring")]
    assert [column for column, value in zip(classes.columns, row, strict=True) if value] == ["green", "ring"]


def test_the_same_seed_draws_the_same(folder, tmp_path):
    again, other = (
        draw_domains(tmp_path / "a", images=2, size=32),
        draw_domains(tmp_path / "b", seed=1, images=2, size=32),
    )
    digests = [[read_domains(root).images.digest(row) for row in range(72)] for root in (folder, again, other)]
    assert digests[0] == digests[1]
    assert not set(digests[0]) & set(digests[2])


def test_they_are_kept_in_the_cache(private_cache, monkeypatch):
    found = drawn_domains()
    assert found.images.root.is_relative_to(private_cache)
    monkeypatch.setattr("zsltf.data.toy_domains.draw_domains", None)
    assert len(drawn_domains()) == len(found) == 4 * 9 * 30
