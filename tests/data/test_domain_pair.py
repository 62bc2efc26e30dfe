"""Source and target: read from folders, files and drawn styles, under one table."""

import numpy as np
import pytest
from PIL import Image

from zsltf.data.domain_pair import PairSource


def folder(root, classes, seed):
    rng = np.random.default_rng(seed)
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(root / name / f"{i}.png")
    return root


def test_two_folders_share_one_table(tmp_path):
    source = folder(tmp_path / "a", ("cat", "dog"), 0)
    target = folder(tmp_path / "b", ("dog", "cat"), 1)
    pair = PairSource(source=str(source), target=str(target)).load()
    assert pair.names == ("a", "b")
    assert pair.classes.names == ("cat", "dog")
    np.testing.assert_array_equal(pair.source.y, [0, 0, 1, 1])
    np.testing.assert_array_equal(pair.target.y, [0, 0, 1, 1])


def test_folders_of_one_name_are_told_apart_by_the_whole_path(tmp_path):
    given = [str(folder(tmp_path / site / "images", ("cat", "dog"), seed)) for seed, site in enumerate("ab")]
    assert PairSource(source=given[0], target=given[1]).load().names == tuple(given)


def test_domains_of_one_folder(tmp_path):
    for seed, domain in enumerate(("art", "photo", "sketch")):
        folder(tmp_path / "pacs" / domain, ("cat", "dog"), seed)
    pair = PairSource(domains=tmp_path / "pacs", source="photo", target="art").load()
    assert pair.names == ("photo", "art")
    assert {name.split("/")[0] for name in pair.target.names} == {"art"}


def test_files_of_pixels(tmp_path):
    for seed, name in enumerate(("one", "two")):
        x = np.random.default_rng(seed).integers(0, 255, (6, 8, 8), np.uint8)
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.arange(6) % 3)
    pair = PairSource(source=str(tmp_path / "one.npz"), target=str(tmp_path / "two.npz")).load()
    assert pair.classes.names == ("0", "1", "2")


def test_different_classes_are_named_and_refused_unless_asked_for(tmp_path):
    source = folder(tmp_path / "a", ("cat", "dog", "owl"), 0)
    target = folder(tmp_path / "b", ("dog", "cat", "yak"), 1)
    given = {"source": str(source), "target": str(target)}
    with pytest.raises(ValueError, match=r"received only in a: owl; only in b: yak. Add --shared-classes"):
        PairSource(**given).load()
    pair = PairSource(**given, shared_classes=True).load()
    assert pair.classes.names == ("cat", "dog")
    assert pair.left_out == ("owl", "yak")
    assert len(pair.source) == len(pair.target) == 4
    np.testing.assert_array_equal(pair.target.y, [0, 0, 1, 1])


def test_one_shared_class_is_too_few(tmp_path):
    source, target = folder(tmp_path / "a", ("cat", "dog"), 0), folder(tmp_path / "b", ("cat", "yak"), 1)
    with pytest.raises(ValueError, match="two classes or more that both have, received cat"):
        PairSource(source=str(source), target=str(target), shared_classes=True).load()


def test_source_and_target_are_two():
    with pytest.raises(ValueError, match="--target: expected another domain than --source, received plain"):
        PairSource(target="plain").load()


def test_an_unknown_domain_is_refused():
    with pytest.raises(ValueError, match="domain: expected one of coarse, noisy, pale, plain, received 'plian'"):
        PairSource(source="plian").load()
