import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from zsltf.backbones.conv4 import conv4
from zsltf.backbones.keras_model import keras_model
from zsltf.data import images as images_module
from zsltf.data.decode import decode
from zsltf.data.images import ImageFolder
from zsltf.pretrained import extract
from zsltf.pretrained.extract import extract_features

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def backbone():
    keras.utils.set_random_seed(0)
    return conv4(size=32)


@pytest.fixture
def folder(drawn, tmp_path):
    """3 classes of 5 pictures that a test may spoil."""
    for source in sorted((drawn / "images").iterdir())[:3]:
        shutil.copytree(source, tmp_path / "images" / source.name)
    return tmp_path / "images"


def read(folder):
    return ImageFolder.read(folder, sorted(path.name for path in folder.iterdir()))


def directly(backbone, images):
    """Each image on its own, through the parts."""
    model, preprocess = backbone.features(), backbone.preprocess
    pixels = (decode(images.root / path, preprocess.size, preprocess.resize_policy) for path in images.paths)
    return np.concatenate([model(preprocess(image[None])) for image in pixels])


@pytest.mark.parametrize("policy", ["stretch", "crop", "pad"])
def test_features_are_those_of_the_backbone_called_on_each_image(folder, tmp_path, backbone, policy):
    pool = conv4(size=32, resize=policy)
    pool.model.set_weights(backbone.model.get_weights())
    images = read(folder)
    wide = np.random.default_rng(0).integers(0, 256, (30, 90, 3)).astype(np.uint8)
    keras.utils.save_img(images.root / images.paths[0], wide, scale=False)
    found = extract_features(pool, images, batch_size=4, cache=tmp_path / "cache")
    expected = directly(pool, images)
    np.testing.assert_allclose(found.features.x, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_array_equal(found.features.y, images.y)
    assert found.features.paths == images.paths
    assert (found.cached, found.skipped) == (False, {})
    assert found.features.x.dtype == np.float32


def test_maps_average_to_the_features(folder, tmp_path, backbone):
    images, cache = read(folder), tmp_path / "cache"
    maps = extract_features(backbone, images, maps=True, cache=cache)
    pooled = extract_features(backbone, images, cache=cache)
    assert maps.features.x.shape == (15, 2, 2, 64)
    assert maps.key != pooled.key
    np.testing.assert_allclose(maps.features.x.mean(axis=(1, 2)), pooled.features.x, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_the_batch_size_does_not_matter(folder, tmp_path, backbone, batch_size):
    images = read(folder)
    found = extract_features(backbone, images, batch_size=batch_size, cache=tmp_path / "cache")
    np.testing.assert_allclose(found.features.x, directly(backbone, images), atol=1e-5)


def test_a_second_run_touches_no_image(folder, tmp_path, backbone, monkeypatch):
    images, cache = read(folder), tmp_path / "cache"
    first = extract_features(backbone, images, cache=cache)
    for path in images.paths:  # other bytes under the same name, size and time
        file = images.root / path
        status = file.stat()
        file.write_bytes(b"\0" * status.st_size)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    def refuse(*_):
        pytest.fail("an image was decoded")

    monkeypatch.setattr(images_module, "decode", refuse)
    second = extract_features(backbone, read(folder), cache=cache)
    assert (first.cached, second.cached) == (False, True)
    assert first.key == second.key
    np.testing.assert_array_equal(second.features.x, first.features.x)
    np.testing.assert_array_equal(second.features.y, first.features.y)
    assert second.features.paths == first.features.paths
    assert isinstance(second.features.x, np.memmap)


def test_the_same_network_built_again_finds_the_cache(folder, tmp_path, backbone):
    images, cache = read(folder), tmp_path / "cache"
    extract_features(backbone, images, cache=cache)
    again = conv4(size=32)
    again.model.set_weights(backbone.model.get_weights())
    assert extract_features(again, images, cache=cache).cached


def test_the_cache_directory_is_the_default(folder, backbone, private_cache):
    found = extract_features(backbone, read(folder))
    assert (private_cache / "features" / found.key / "x.npy").is_file()


def touch(folder):
    os.utime(read(folder).root / read(folder).paths[0], ns=(1, 1))


def grow(folder):
    file = folder / read(folder).paths[0]
    status = file.stat()
    file.write_bytes(file.read_bytes() + b"\0")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def rename(folder):
    file = folder / read(folder).paths[0]
    file.rename(file.with_stem("zzz"))


@pytest.mark.parametrize("change", [touch, grow, rename, lambda f: (f / read(f).paths[-1]).unlink()])
def test_another_time_size_name_or_number_of_files_is_extracted_anew(folder, tmp_path, backbone, change):
    first = extract_features(backbone, read(folder), cache=tmp_path / "cache")
    change(folder)
    second = extract_features(backbone, read(folder), cache=tmp_path / "cache")
    assert second.key != first.key
    assert not second.cached


def test_other_weights_preprocessing_or_maps_have_another_key(folder, tmp_path, backbone):
    images = read(folder)

    def key(backbone, **options):
        return extract_features(backbone, images, cache=tmp_path / "cache", **options).key

    other, crop, bigger = conv4(size=32), conv4(size=32, resize="crop"), conv4(size=48)
    weights = backbone.model.get_weights()
    crop.model.set_weights(weights)
    bigger.model.set_weights(weights)
    weights[0] = np.nextafter(weights[0], np.inf)
    other.model.set_weights(weights)
    keys = [key(backbone), key(other), key(crop), key(bigger), key(backbone, maps=True)]
    assert len(set(keys)) == len(keys)


def small_network(activation):
    images = keras.Input((8, 8, 3))
    return keras.Model(images, keras.layers.Conv2D(4, 3, activation=activation, name="conv")(images), name="small")


def test_another_architecture_with_the_same_weights_has_another_fingerprint():
    relu, tanh, again = small_network("relu"), small_network("tanh"), small_network("relu")
    for model in (tanh, again):
        model.set_weights(relu.get_weights())
    assert keras_model(relu).fingerprint != keras_model(tanh).fingerprint
    assert keras_model(relu).fingerprint == keras_model(again).fingerprint
    assert keras_model(relu).fingerprint != keras_model(again, scale=(2.0, 2.0, 2.0)).fingerprint


def test_a_model_of_mixed_precision_gives_float32_features(folder, tmp_path):
    images = keras.Input((8, 8, 3))
    half = keras.layers.Conv2D(4, 3, dtype="mixed_float16")(images)
    backbone, photos = keras_model(keras.Model(images, half), scale=(255.0,) * 3), read(folder)
    maps = extract_features(backbone, photos, maps=True, cache=tmp_path / "cache").features.x
    assert maps.dtype == np.float32
    assert maps.shape == (15, 6, 6, 4)
    pixels = decode(photos.root / photos.paths[3], 8)
    np.testing.assert_allclose(maps[3], backbone.model(backbone.preprocess(pixels[None]))[0], atol=5e-3)


def test_another_precision_is_extracted_anew_near_and_in_float32(folder, tmp_path, backbone):
    photos, cache = read(folder), tmp_path / "cache"
    exact = extract_features(backbone, photos, cache=cache)
    for cached in (False, True):
        half = extract_features(backbone, photos, precision="mixed_bfloat16", cache=cache)
        assert (half.cached, half.features.x.dtype) == (cached, np.float32)
    assert half.key != exact.key
    error = np.linalg.norm(half.features.x - exact.features.x) / np.linalg.norm(exact.features.x)
    assert 1e-4 < error < 0.05
    again = directly(backbone.with_precision("mixed_bfloat16"), photos)
    np.testing.assert_allclose(half.features.x, again, atol=0.01 * np.abs(again).max())


def spoil(folder, which=(0, 7, 14)):
    images = read(folder)
    for i in which:
        file = folder / images.paths[i]
        file.write_bytes(file.read_bytes()[:50] if i else b"")
    return read(folder)


def test_corrupt_files_are_left_out_and_named_then_and_from_the_cache(folder, tmp_path, backbone):
    images = spoil(folder)
    kept = [i for i in range(15) if i not in (0, 7, 14)]
    for cached in (False, True):
        found = extract_features(backbone, images, batch_size=4, cache=tmp_path / "cache")
        assert found.cached == cached
        assert set(found.skipped) == {images.paths[i] for i in (0, 7, 14)}
        assert all(path in reason and "Replace the file." in reason for path, reason in found.skipped.items())
        assert found.features.paths == tuple(images.paths[i] for i in kept)
        np.testing.assert_array_equal(found.features.y, images.y[kept])
    whole = directly(backbone, ImageFolder(root=folder, paths=found.features.paths, y=found.features.y))
    np.testing.assert_allclose(found.features.x, whole, atol=1e-5)


def test_a_replaced_corrupt_file_is_taken_in(folder, tmp_path, backbone):
    images = spoil(folder, (7,))
    extract_features(backbone, images, cache=tmp_path / "cache")
    shutil.copy(folder / images.paths[6], folder / images.paths[7])
    found = extract_features(backbone, read(folder), cache=tmp_path / "cache")
    assert found.skipped == {}
    np.testing.assert_allclose(found.features.x[7], found.features.x[6], atol=1e-6)


def test_on_corrupt_error_stops_with_the_file_and_leaves_no_cache(folder, tmp_path, backbone):
    images, cache = spoil(folder, (7,)), tmp_path / "cache"
    message = (
        rf"images: expected files that can be decoded, .*{Path(images.paths[7]).name}.*Replace them, or pass --on-c"
    )
    with pytest.raises(ValueError, match=message):
        extract_features(backbone, images, on_corrupt="error", cache=cache)
    assert list(cache.iterdir()) == []
    extract_features(backbone, images, cache=cache)
    with pytest.raises(ValueError, match=message):  # the cache doesn't hide them
        extract_features(backbone, images, on_corrupt="error", cache=cache)


def test_no_image_at_all_is_an_error_with_the_first_reason(folder, tmp_path, backbone):
    images = spoil(folder, range(15))
    with pytest.raises(
        ValueError, match=r"images: expected an image that can be decoded, received none\. First reason: "
    ):
        extract_features(backbone, images, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def interrupted(stream, error, after=2):
    def stops(*arguments):
        for number, batch in enumerate(stream(*arguments)):
            if number == after:
                raise error
            yield batch

    return stops


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interrupted_run_leaves_no_cache(folder, tmp_path, backbone, monkeypatch, error):
    monkeypatch.setattr(extract, "_stream", interrupted(extract._stream, error))
    with pytest.raises(type(error)):
        extract_features(backbone, read(folder), batch_size=4, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from zsltf.backbones.conv4 import conv4
from zsltf.data.images import ImageFolder
from zsltf.pretrained import extract

weights, folder, cache = map(Path, sys.argv[1:])
stream = extract._stream

def killed(*arguments):
    for number, batch in enumerate(stream(*arguments)):
        if number == 2:
            print("killed", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch

extract._stream = killed
names = sorted(path.name for path in folder.iterdir())
extract.extract_features(conv4(weights, size=32), ImageFolder.read(folder, names), batch_size=4, cache=cache)
"""


def test_a_run_that_was_killed_half_way_leaves_nothing_that_counts_as_a_cache(folder, tmp_path, backbone):
    cache, weights = tmp_path / "cache", tmp_path / "conv4.weights.h5"
    backbone.model.save_weights(weights)
    command = [sys.executable, "-c", KILLED, str(weights), str(folder), str(cache)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-9, "killed\n"), done.stderr
    (left,) = cache.iterdir()
    assert left.suffix == ".partial"
    assert (left / "x.npy").stat().st_size < 15 * 64 * 4
    for cached in (False, True):
        found = extract_features(backbone, read(folder), batch_size=4, cache=cache)
        assert found.cached == cached
        assert left.name.startswith(f".{found.key}.")  # it was this very cache
        np.testing.assert_allclose(found.features.x, directly(backbone, read(folder)), atol=1e-5)
