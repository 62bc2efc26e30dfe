"""Mostly small shapes, and large ones."""

import numpy as np

from zsltf.data import domain_pair
from zsltf.data.domain_folders import read_domains
from zsltf.data.domain_pair import PairSource
from zsltf.data.toy import draw_picture
from zsltf.data.toy_domains import toy_domain_classes
from zsltf.data.toy_sizes import draw_sizes, drawn_sizes


def test_one_in_eight_of_mostly_small_is_large_and_no_picture_comes_twice(monkeypatch, tmp_path):
    drawn = []

    def draw(name, rng, size):
        drawn.append(name)
        return draw_picture(name, rng, size)

    monkeypatch.setattr("zsltf.data.toy_sizes.draw_picture", draw)
    images = read_domains(draw_sizes(tmp_path / "sizes", images=8, size=16))
    assert images.domains == ("large", "mostly_small")
    counts = np.zeros((2, 9), int)
    np.add.at(counts, (images.domain, images.images.y), 1)
    assert (counts == 8).all()
    large = np.array([name.startswith("large") for name in drawn])
    assert (large[:72].sum(), large[72:].sum()) == (9, 72)
    assert len({images.images.digest(row) for row in range(len(images))}) == 144


def test_a_pair_of_them_is_drawn_where_it_is_asked_for(monkeypatch, tmp_path):
    images = read_domains(draw_sizes(tmp_path / "sizes", images=2, size=16))
    monkeypatch.setitem(domain_pair._DRAWN, "sizes", lambda: images)
    pair = PairSource(drawn="sizes", source="mostly_small", target="large").load()
    assert pair.classes.names == toy_domain_classes().names
    assert len(pair.source) == len(pair.target) == 18


def test_those_of_a_seed_are_drawn_once(monkeypatch, tmp_path):
    monkeypatch.setenv("ZSLTF_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "zsltf.data.toy_sizes.draw_sizes", lambda path, *, seed: draw_sizes(path, seed=seed, images=1, size=16)
    )
    first, again = drawn_sizes(3), drawn_sizes(3)
    assert len(first) == 18
    assert [first.images.digest(row) for row in range(18)] == [again.images.digest(row) for row in range(18)]
