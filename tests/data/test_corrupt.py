import numpy as np
import pytest
from PIL import Image

from zsltf.data.corrupt import check_decodable
from zsltf.data.images import ImageFolder


@pytest.fixture
def folder(tmp_path):
    for i in range(6):
        Image.fromarray(np.full((40, 40, 3), 40 * i, np.uint8)).save(tmp_path / f"{i}.jpg")
    return ImageFolder(root=tmp_path, paths=tuple(f"{i}.jpg" for i in range(6)), y=np.arange(6))


def test_images_that_can_be_decoded_pass(folder):
    check_decodable(folder)


def test_the_first_three_of_all_that_can_not_are_named(folder):
    for i in (1, 2, 4, 5):
        path = folder.root / f"{i}.jpg"
        path.write_bytes(path.read_bytes()[:-100] if i == 1 else b"no image")
    message = r"images: expected files that can be decoded, received 4 that can't: .*1\.jpg.*; .*2\.jpg.*; .*4\.jpg"
    with pytest.raises(ValueError, match=message) as caught:
        check_decodable(folder)
    assert "5.jpg" not in str(caught.value)
    assert str(caught.value).endswith("Replace them, or pass --on-corrupt skip.")
