import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from zsltf.data.classes import ClassTable
from zsltf.data.folder_images import read_folder


def draw(root, files):
    for i, file in enumerate(files):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 6), (i, 0, 0)).save(root / file)
    return root


@pytest.fixture
def parts(tmp_path):
    """Two classes in three parts."""
    names = [f"{part}/{name}/{i}.png" for part in ("val", "train", "test") for name in ("bee", "ant") for i in range(2)]
    return draw(tmp_path / "parts", names)


def table(names):
    return ClassTable(names=names, semantics=np.zeros((len(names), 1)), seen=np.ones(len(names), bool))


def test_every_folder_is_a_class_in_alphabetical_order(tmp_path):
    draw(tmp_path, ["bee/0.png", "ant/0.png", "ant/deep/1.png", ".hidden/0.png"])
    (tmp_path / "ant" / "notes.txt").touch()
    found = read_folder(tmp_path)
    assert found.classes.names == ("ant", "bee")
    assert found.classes.semantics.shape == (2, 0)
    assert found.classes.seen.all()
    assert found.images.names == ("ant/0.png", "ant/deep/1.png", "bee/0.png")
    np.testing.assert_array_equal(found.images.y, [0, 0, 1])
    assert found.parts is None
    assert (found.left_out, found.not_images) == ((), ("ant/notes.txt",))


def test_a_table_chooses_and_orders_the_classes(tmp_path):
    draw(tmp_path, ["bee/0.png", "ant/0.png", "fly/0.png"])
    found = read_folder(tmp_path, table(("fly", "ant")))
    assert found.images.names == ("fly/0.png", "ant/0.png")
    assert found.left_out == ("bee",)


def test_folders_of_parts_split_the_images(parts):
    (parts / "test" / "bee" / "notes.txt").touch()
    found = read_folder(parts)
    assert found.classes.names == ("ant", "bee")
    for name, label, part in zip(found.images.names, found.images.y, found.parts, strict=True):
        folder, of_class, _ = name.split("/")
        assert part == {"val": "validation"}.get(folder, folder)
        assert of_class == found.classes.names[label]
    assert len(found.images) == 12
    assert found.images.load(0, 6).shape == (6, 6, 3)
    assert (found.left_out, found.not_images) == ((), ("test/bee/notes.txt",))


def test_the_layout_of_tfds_image_folder_is_read_alike(parts):
    """TFDS's own reader is the independent route."""
    builder, found = tfds.ImageFolder(str(parts)), read_folder(parts)
    for split in ("train", "val", "test"):
        theirs = {
            example["image/filename"].decode().removeprefix(f"{parts}/"): (int(example["label"]), example["image"])
            for example in tfds.as_numpy(builder.as_dataset(split=split))
        }
        ours = [i for i, name in enumerate(found.images.names) if name.startswith(f"{split}/")]
        assert {found.images.names[i] for i in ours} == set(theirs)
        for i in ours:
            label, pixels = theirs[found.images.names[i]]
            assert label == found.images.y[i]
            np.testing.assert_array_equal(pixels, found.images.load(i, 6))


def test_a_class_may_be_called_train(tmp_path):
    draw(tmp_path, ["train/0.png", "bus/0.png", "test/0.png"])
    assert read_folder(tmp_path).classes.names == ("bus", "test", "train")


def test_a_table_may_leave_classes_of_the_parts_out(parts):
    found = read_folder(draw(parts, ["train/fly/0.png"]), table(("bee", "ant")))
    assert len(found.images) == 12
    assert "train/fly" in found.left_out


def test_parts_with_other_classes_are_refused(parts, tmp_path):
    draw(parts, ["test/fly/0.png"])
    with pytest.raises(ValueError, match=r"parts/test: expected the classes of train, received also fly\. Move them"):
        read_folder(parts)
    draw(parts, ["train/fly/0.png"])
    with pytest.raises(ValueError, match=r"parts/val: expected a folder for every class .*, received none for fly"):
        read_folder(parts)
    (parts / "val" / "fly").mkdir()
    with pytest.raises(ValueError, match=r"parts/val: expected an image in every class folder, received none in fly"):
        read_folder(parts)
    draw(parts, ["validation/ant/0.png"])
    with pytest.raises(ValueError, match=r"one folder a part, received test, train, val, validation\. Keep one"):
        read_folder(parts)


def test_folders_without_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"nothing: expected a folder with one folder a class, received no folder"):
        read_folder(tmp_path / "nothing")
    draw(tmp_path, ["0.png", "ant/0.png"])
    with pytest.raises(ValueError, match=r"a folder for each of two classes or more, received ant\. Put the images"):
        read_folder(tmp_path)
    with pytest.raises(ValueError, match=r"received none\. Put the images of each class in one"):
        read_folder(tmp_path / "ant")
