import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.photo_set import PhotoSource
from zsltf.data.toy import toy_classes


def source(drawn, **options):
    return PhotoSource(images=drawn / "images", classes=drawn / "attributes.csv", **options)


@pytest.fixture
def all_seen(drawn, tmp_path):
    """The drawn set's table without the column split, and a partitions file with two columns."""
    lines = [line.split(",") for line in (drawn / "attributes.csv").read_text("utf-8").splitlines()]
    table, partitions = tmp_path / "attributes.csv", tmp_path / "partitions.csv"
    table.write_text("\n".join(",".join([line[0], *line[2:]]) for line in lines), "utf-8")
    rows = [f"{line[0]},{'seen' if i % 2 else 'unseen'},{line[1]}" for i, line in enumerate(lines[1:])]
    partitions.write_text("\n".join(["class,every_other,drawn", *reversed(rows)]), "utf-8")
    return table, partitions


def test_a_users_photos_under_the_tables_split(drawn):
    (photos,) = source(drawn).sets()
    table = ClassTable.from_csv(drawn / "attributes.csv")
    assert list(photos.partitions) == ["split"]
    np.testing.assert_array_equal(photos.partitions["split"].seen, table.seen)
    assert len(photos.images) == 24 * 5
    for path, label in zip(photos.images.paths, photos.images.y, strict=True):
        assert path.startswith(f"{table.names[label]}/")


def test_partitions_come_from_a_file_in_any_row_order(drawn, all_seen):
    table, partitions = all_seen
    (photos,) = PhotoSource(images=drawn / "images", classes=table, partitions=partitions).sets()
    assert list(photos.partitions) == ["every_other", "drawn"]
    np.testing.assert_array_equal(photos.partitions["every_other"].seen, np.arange(24) % 2 == 1)
    expected = ClassTable.from_csv(drawn / "attributes.csv")
    np.testing.assert_array_equal(photos.partitions["drawn"].seen, expected.seen)
    np.testing.assert_array_equal(photos.partitions["drawn"].semantics, expected.semantics)


def test_the_split_column_is_the_first_partition_and_so_what_ships(drawn, all_seen):
    (photos,) = source(drawn, partitions=all_seen[1], random_partitions=2).sets()
    assert list(photos.partitions) == ["split", "every_other", "drawn", "random 0", "random 1"]


def test_random_partitions_differ_and_stay_the_same(drawn):
    (photos,), (again,), (more,) = (source(drawn, random_partitions=n).sets() for n in (4, 4, 6))
    masks = [photos.partitions[f"random {i}"].seen for i in range(4)]
    for i, mask in enumerate(masks):
        assert (~mask).sum() == 24 // 4
        np.testing.assert_array_equal(mask, again.partitions[f"random {i}"].seen)
        np.testing.assert_array_equal(mask, more.partitions[f"random {i}"].seen)
    assert len({mask.tobytes() for mask in masks}) == 4


def test_without_photos_pictures_are_drawn_once_and_kept(private_cache, monkeypatch):
    drawings = []

    def draw(folder, seed):
        drawings.append(seed)
        folder.mkdir(parents=True)
        classes = toy_classes(seed)
        lines = ["class,split,a", *(f"{n},{'seen' if s else 'unseen'},{i}" for i, (n, s) in _numbered(classes))]
        (folder / "attributes.csv").write_text("\n".join(lines), "utf-8")
        for name in classes.names:
            (folder / "images" / name).mkdir(parents=True)
            (folder / "images" / name / "0.png").write_bytes(b"")

    monkeypatch.setattr("zsltf.data.photo_set.draw_folder", draw)
    monkeypatch.setenv("ZSLTF_CACHE", str(private_cache / "photo_set"))
    for _ in range(2):
        sets = PhotoSource(drawn=(3, 4)).sets()
    assert drawings == [3, 4]
    assert [list(photos.partitions) for photos in sets] == [["drawn 3"], ["drawn 4"]]
    assert sets[0].partitions["drawn 3"].names == toy_classes(3).names


def _numbered(classes):
    return enumerate(zip(classes.names, classes.seen, strict=True))


def test_photos_and_table_belong_together(drawn):
    for given, missing in (("images", "classes"), ("classes", "images")):
        with pytest.raises(ValueError, match=rf"received --{given} alone\. Add --{missing}\."):
            PhotoSource(**{given: drawn}).sets()


def test_a_table_without_unseen_classes_needs_partitions(drawn, all_seen):
    with pytest.raises(ValueError, match=r"expected unseen classes to test on, received none\. Add a column split .*"):
        PhotoSource(images=drawn / "images", classes=all_seen[0]).sets()


@pytest.mark.parametrize(
    ("options", "name"), [({"random_partitions": -1}, "random_partitions"), ({"drawn": ()}, "drawn")]
)
def test_numbers_out_of_range_are_refused(options, name):
    with pytest.raises(ValueError, match=rf"^{name}: expected .* or more, received .*\. Start from the default"):
        PhotoSource(**options)


def test_missing_attributes_are_filled_in_by_each_partitions_seen_classes(drawn, all_seen):
    table, partitions = all_seen
    lines = [line.split(",") for line in table.read_text("utf-8").splitlines()]
    lines[2][1] = "-1"
    table.write_text("\n".join(map(",".join, lines)), "utf-8")
    (photos,) = PhotoSource(images=drawn / "images", classes=table, partitions=partitions, missing="mean").sets()
    for classes in photos.partitions.values():
        others = classes.seen & (np.arange(24) != 1)
        assert classes.semantics[1, 0] == pytest.approx(classes.semantics[others, 0].mean(), rel=1e-5)
