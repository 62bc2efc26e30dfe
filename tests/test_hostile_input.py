"""Files that somebody made to do harm, and folders that are not ours: refused with one message."""

import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.card import Card
from zsltf.backbones.mean_colour import mean_colour
from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.data.images import ImageFolder
from zsltf.data.photo_set import PhotoSource
from zsltf.exporters.tflite import TFLite
from zsltf.files import atomic_directory, atomic_file, check_writable
from zsltf.pretrained.extract import extract_features
from zsltf.pretrained.torch_file import read_state_dict

CARD = {
    "names": ["a", "b"],
    "seen": [True, False],
    "columns": ["x"],
    "semantics": [[1.0], [0.0]],
    "gamma": 0.0,
    "activation": "softmax",
    "opens_by": ["semantics"],
    "project": False,
    "size": 8,
    "resize": "stretch",
    "mean": [0.0, 0.0, 0.0],
    "scale": [1.0, 1.0, 1.0],
    "channels": "rgb",
}


def legacy(tensors):
    """A torch file in the legacy format around one pickle."""
    system = pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2)
    return b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001)) + system + tensors + pickle.dumps([], 2)


def test_a_deeply_nested_key_does_not_overflow_the_stack(tmp_path):
    (tmp_path / "deep.pth").write_bytes(legacy(b"\x80\x02}N" + b"\x85" * 1_000_000 + b"Ns."))
    with pytest.raises(ValueError, match="received more than 16 levels of nesting"):
        read_state_dict(tmp_path / "deep.pth")


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "EPS", "ICO"])
def test_only_the_listed_formats_are_decoded_whatever_the_name(tmp_path, kind):
    Image.new("RGB", (16, 16), "red").save(tmp_path / "photo.jpg", kind)
    with pytest.raises(ValueError, match="expected a JPEG, PNG, GIF, BMP or WebP image"):
        decode(tmp_path / "photo.jpg", 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 0}, "card.size: expected a number > 0"),
        ({"size": "8"}, "damaged one"),
        ({"resize": "squash"}, "card.resize: expected one of crop, pad, stretch"),
        ({"activation": "none"}, "card.activation: expected one of sigmoid, softmax"),
        ({"names": ["a"]}, "a name and a seen flag for every class"),
        ({"names": [1, 2]}, "a name and a seen flag for every class"),
        ({"semantics": [[1.0]]}, "a row of semantics for every class"),
        ({"names": None}, "a name and a seen flag for every class"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=rf"model\.onnx: expected a card as zsltf writes it, .*{message}"):
        Card.from_json(json.dumps({**CARD, **change}), "model.onnx")


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "{}", "null"])
def test_what_is_no_card_is_refused(text):
    with pytest.raises(ValueError, match=r"model\.onnx: expected a card as zsltf writes it, received a damaged one"):
        Card.from_json(text, "model.onnx")


def test_a_table_of_another_length_than_the_names_is_refused():
    def artifact(vectors, bias):
        nothing = {"built_in": None, "open_vocabulary": None, "run_project": None, "run_embed": None}
        card = Card.from_json(json.dumps(CARD), "file")
        return Artifact(card=card, class_vectors=np.zeros((vectors, 3)), class_bias=np.zeros(bias), **nothing)

    artifact(2, 2)
    for shape in ((3, 2), (2, 1)):
        with pytest.raises(ValueError, match=r"the file's class_.*: expected 2 rows, as its names, received"):
            artifact(*shape)


def test_a_huge_card_in_a_small_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("zsltf.exporters.tflite.opened", lambda path: None)
    with zipfile.ZipFile(tmp_path / "bomb.tflite", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zsltf.json", b" " * (2**26 + 1))
    with pytest.raises(ValueError, match="expected a card of at most 67108864 bytes, received a larger one"):
        TFLite.read(tmp_path / "bomb.tflite")


def test_a_damaged_archive_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("zsltf.exporters.tflite.opened", lambda path: None)
    path = tmp_path / "broken.tflite"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zsltf.json", json.dumps(CARD))
    content = bytearray(path.read_bytes())
    start = struct.unpack_from("<HH", content, 26)
    content[30 + sum(start) : 40 + sum(start)] = b"\xff" * 10
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected a TFLite file that zsltf wrote, received one without its card"):
        TFLite.read(path)


def test_a_folder_with_the_users_files_is_not_overwritten(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text("{}")
    check_writable(tmp_path / "run", overwrite=True, ours=("report.json", "samples"))
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"received also notes\.txt\. Move them, or choose another path"):
        check_writable(tmp_path / "run", overwrite=True, ours=("report.json", "samples"))


def test_what_appears_meanwhile_is_not_replaced(tmp_path):
    def write():
        with atomic_directory(tmp_path / "out") as staging:
            (staging / "ours").write_text("ours")
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "theirs").write_text("theirs")

    with pytest.raises(ValueError, match="received one that appeared meanwhile"):
        write()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "theirs"]


def test_a_link_stays_a_link_and_a_folder_a_folder(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with atomic_file(tmp_path / "link") as staging:
        staging.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(ValueError, match="expected a file to overwrite, received a folder or a device"),
        atomic_file(tmp_path / "folder"),
    ):
        pass


@pytest.mark.parametrize("name", ["x.npy", "record.json"])
@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY", b"{}"])
def test_a_damaged_cache_is_filled_again(drawn, tmp_path, name, content):
    names = sorted(path.name for path in (drawn / "images").iterdir())[:2]
    images, backbone = ImageFolder.read(drawn / "images", names), mean_colour()
    first = extract_features(backbone, images, cache=tmp_path)
    damaged = tmp_path / first.key / name
    expected = np.array(first.features.x)
    damaged.unlink() if content is None else damaged.write_bytes(content)
    second = extract_features(backbone, images, cache=tmp_path)
    assert not second.cached
    np.testing.assert_array_equal(second.features.x, expected)
    assert extract_features(backbone, images, cache=tmp_path).cached


def test_nothing_is_written_among_the_photos(drawn, capsys):
    inside = drawn / "images" / next((drawn / "images").iterdir()).name / "run"
    given = ("--images", drawn / "images", "--classes", drawn / "attributes.csv", "--out", inside)
    assert main(["run", "zero_shot", *map(str, given)]) == 1
    assert "out: expected a folder outside --images" in capsys.readouterr().err
    assert not inside.exists()


def test_partitions_of_drawn_pictures_are_refused_not_ignored(tmp_path):
    for options in ({"partitions": tmp_path / "partitions.csv"}, {"random_partitions": 2}):
        with pytest.raises(ValueError, match="partitions: expected none for drawn pictures"):
            PhotoSource(**options).sets()


def test_a_partition_called_split_does_not_replace_the_tables_own(drawn, tmp_path):
    rows = (drawn / "attributes.csv").read_text().splitlines()[1:]
    names = [row.split(",")[0] for row in rows]
    listed = tmp_path / "partitions.csv"
    listed.write_text(
        "class,split\n" + "".join(f"{name},{'seen' if i else 'unseen'}\n" for i, name in enumerate(names))
    )
    source = PhotoSource(images=drawn / "images", classes=drawn / "attributes.csv", partitions=listed)
    with pytest.raises(ValueError, match=r"expected a partition's name that is free, received 'split'\. Rename"):
        source.sets()
