import colorsys
import random
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
import tyro
from PIL import Image
from tensorflow.python.framework import op_def_registry

from zsltf.data.augment import Augmentation
from zsltf.data.augment_policy import rand_augment
from zsltf.layers.preprocess import Preprocess

EVERYTHING = Augmentation(
    crop_scale=(0.3, 1.0),
    flip=True,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    hue=0.1,
    rand_augment=1,
    erasing=0.5,
    mixup=0.4,
    cutmix=1.0,
)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def keep(pixels):
    return pixels


def outputs(augmentation, image, count, first=0):
    """The image under `count` seeds; its size is the network's."""
    augment = tf.function(augmentation.image_function(len(image), keep))
    return np.stack([augment(tf.constant(image), tf.constant([first, i])) for i in range(count)])


def mixed(augmentation, images, labels, count):
    mix = tf.function(augmentation.batch_function())
    pairs = [mix(tf.constant(images), tf.constant(labels), tf.constant([0, i])) for i in range(count)]
    return [(x.numpy(), y.numpy()) for x, y in pairs]


@pytest.fixture(scope="module")
def everything():
    return EVERYTHING.image_function(24, Preprocess(24).resize)


@pytest.fixture(scope="module")
def compiled(everything):
    return tf.function(everything, [tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((2,), tf.int64)])


class TestPurity:
    images = tuple(noise(20 + i, 40 - i, 3, seed=i) for i in range(10))

    def run(self, augment, order, seed=7, parallel=1, deterministic=True):
        def read(index):
            pixels = tf.numpy_function(lambda i: self.images[i], [index], tf.uint8, stateful=False)
            return index, augment(tf.ensure_shape(pixels, (None, None, 3)), tf.stack([tf.cast(seed, tf.int64), index]))

        dataset = tf.data.Dataset.from_tensor_slices(np.array(order, np.int64))
        dataset = dataset.map(read, num_parallel_calls=parallel, deterministic=deterministic)
        return {int(index): pixels.numpy() for index, pixels in dataset}

    def test_same_bits_in_any_order_and_in_parallel(self, compiled):
        order = list(range(10))
        one_by_one = self.run(compiled, order)
        for again in (
            self.run(compiled, order, parallel=8, deterministic=False),
            self.run(compiled, [8, 5, 3, 2], parallel=4),
            self.run(EVERYTHING.image_function(24, Preprocess(24).resize), order, parallel=2),
        ):
            for index, pixels in again.items():
                np.testing.assert_array_equal(pixels, one_by_one[index])

    def test_another_seed_gives_other_pixels(self, compiled):
        one, other = (self.run(compiled, range(10), seed=seed) for seed in (7, 8))
        assert all((one[i] != other[i]).mean() > 0.1 for i in range(10))

    def test_batches_too(self):
        x, y = noise(6, 8, 8, 3).astype(np.float32), np.eye(6, dtype=np.float32)
        mix = EVERYTHING.batch_function()
        seeds = tf.data.Dataset.range(12).map(lambda i: tf.stack([i, i]))
        one, other = (
            [(a.numpy(), b.numpy()) for a, b in seeds.map(partial(mix, x, y), num_parallel_calls=parallel)]
            for parallel in (1, 6)
        )
        for (a, b), (c, d) in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, c)
            np.testing.assert_array_equal(b, d)
        assert len({b.tobytes() for _, b in one}) == 12

    def test_no_operation_holds_state(self, everything):
        for function, specs in (
            (everything, [tf.TensorSpec((None, None, 3), tf.uint8)]),
            (EVERYTHING.batch_function(), [tf.TensorSpec((None, 8, 8, 3)), tf.TensorSpec((None, 5))]),
        ):
            concrete = tf.function(function).get_concrete_function(*specs, tf.TensorSpec((2,), tf.int64))
            assert not [t for t in concrete.captured_inputs if t.dtype == tf.resource]
            graph = concrete.graph.as_graph_def()
            nodes = [*graph.node, *(node for inner in graph.library.function for node in inner.node_def)]
            known = [op_def_registry.get(node.op) for node in nodes]  # None: a function of this graph
            assert {op.name for op in known if op and op.is_stateful} <= {"Assert"}

    def test_a_step_draws_the_same_whatever_the_others_do(self):
        image = np.clip(noise(16, 16, 3), 20, 230)
        alone = outputs(Augmentation(flip=True), image, 20)
        brighter = outputs(Augmentation(flip=True, brightness=0.01), image, 20)
        np.testing.assert_allclose(brighter, alone, atol=2.56)

    def test_mixed_precision_changes_nothing(self, everything):
        x, y, seed = noise(24, 24, 3), np.eye(4, dtype=np.float32), tf.constant([1, 2])
        batch = noise(4, 8, 8, 3)
        before = [everything(x, seed), *EVERYTHING.batch_function()(batch, y, seed)]
        keras.config.set_dtype_policy("mixed_float16")
        try:
            augment, mix = EVERYTHING.image_function(24, keep), EVERYTHING.batch_function()
            after = [augment(x, seed), *mix(batch, y, seed)]
            step = rand_augment(1, 1.0)
            assert {step(tf.cast(x, tf.float32), tf.constant([0, i])).dtype for i in range(60)} == {tf.float32}
        finally:
            keras.config.set_dtype_policy("float32")
        for one, other in zip(before, after, strict=True):
            assert other.dtype == tf.float32
            np.testing.assert_array_equal(one, other)

    def test_pythons_chance_is_left_alone(self):
        before = random.getstate()
        EVERYTHING.image_function(24, keep)
        EVERYTHING.batch_function()
        assert random.getstate() == before


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("image", [noise(30, 20, 3), np.zeros((5, 9, 3)), np.full((40, 40, 3), 255), noise(1, 1, 3)])
def test_pixels_keep_their_range_type_and_size(everything, image, dtype):
    for seed in range(8):
        pixels = everything(tf.constant(image.astype(dtype)), tf.constant([1, seed]))
        assert pixels.dtype == tf.float32
        assert pixels.shape == (24, 24, 3)
        assert 0 <= pixels.numpy().min() <= pixels.numpy().max() <= 255
        np.testing.assert_array_equal(pixels, everything(tf.constant(image.astype(np.uint8)), tf.constant([1, seed])))


def test_nothing_on_changes_nothing():
    resize, pixels = Preprocess(16).resize, tf.constant(noise(20, 30, 3))
    augment = Augmentation.none().image_function(16, resize)
    np.testing.assert_array_equal(augment(pixels, tf.constant([0, 0])), resize(pixels))
    images, labels = noise(2, 4, 4, 3), np.array([0, 1])
    same = Augmentation.none().batch_function()(images, labels, tf.constant([0, 0]))
    assert same[0] is images
    assert same[1] is labels


def test_flip_mirrors_half_of_the_images():
    image = noise(6, 6, 3)
    mirrored = [(pixels == image[:, ::-1]).all() for pixels in outputs(Augmentation(flip=True), image, 400)]
    kept = [(pixels == image).all() for pixels in outputs(Augmentation(flip=True), image, 400)]
    assert np.logical_xor(mirrored, kept).all()
    assert abs(np.mean(mirrored) - 0.5) < 0.1  # four standard deviations


def test_pad_and_crop_is_a_slice_of_the_padded_image():
    image = noise(7, 7, 3) | 1  # no black of its own
    padded = np.pad(image, ((4, 4), (4, 4), (0, 0)))
    slices = {padded[y : y + 7, x : x + 7].tobytes(): (y, x) for y in range(9) for x in range(9)}
    drawn = [slices[pixels.astype(np.uint8).tobytes()] for pixels in outputs(Augmentation(padding=4), image, 200)]
    assert {y for y, _ in drawn} == {x for _, x in drawn} == set(range(9))


def test_random_crop_is_a_rectangle_of_the_image_stretched():
    height, width, size, scale, ratio = 40, 60, 64, (0.2, 0.7), (0.6, 1.5)
    y, x = np.mgrid[:height, :width]
    image = np.stack([4 * x, 4 * y, noise(height, width)], -1).astype(np.float32)
    augment = Augmentation(crop_scale=scale, crop_ratio=ratio).image_function(size, keep)
    shares = []
    for seed in range(30):
        pixels = augment(tf.constant(image), tf.constant([seed, 0])).numpy()
        left, wide = extent(pixels[size // 2, :, 0] / 4)
        top, high = extent(pixels[:, size // 2, 1] / 4)
        cut = Image.fromarray(image[top : top + high, left : left + wide, 2])
        assert cut.size == (wide, high)  # inside
        np.testing.assert_allclose(pixels[..., 2], cut.resize((size, size), Image.Resampling.BILINEAR), atol=0.01)
        shares.append(wide * high / (width * height))
        assert ratio[0] - 0.05 < wide / high < ratio[1] + 0.05  # whole pixels
    assert scale[0] - 0.03 < min(shares) < 0.3
    assert 0.55 < max(shares) < scale[1] + 0.03


def extent(line):
    """The start and the length of what was stretched to this line, if its pixel i was i."""
    inner = line[8:-8]  # no repeated edge
    step = (inner[-1] - inner[0]) / (len(inner) - 1)
    length = step * len(line)
    start = inner[0] + 0.5 - 8.5 * step
    assert abs(start - round(start)) < 0.01
    assert abs(length - round(length)) < 0.01
    return round(start), round(length)


def test_an_extreme_shape_is_taken_whole_where_no_rectangle_fits():
    image = noise(2, 90, 3)
    augment = Augmentation(crop_scale=(0.9, 1.0)).image_function(8, keep)
    expected = tf.image.resize(image, (8, 8))
    np.testing.assert_allclose(augment(tf.constant(image), tf.constant([0, 0])), expected, atol=1e-3)


def test_fixed_crop_scale_and_ratio_are_allowed():
    augment = Augmentation(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0)).image_function(8, keep)
    image = noise(8, 8, 3)
    np.testing.assert_array_equal(augment(tf.constant(image), tf.constant([0, 0])), image)


class TestJitter:
    image = np.random.default_rng(0).integers(90, 160, (8, 8, 3)).astype(np.float32)

    def test_brightness_shifts_all_pixels_alike(self):
        shifts = outputs(Augmentation(brightness=0.2), self.image, 100) - self.image
        assert np.ptp(shifts, (1, 2, 3)).max() < 1e-4
        shifts = shifts[:, 0, 0, 0]
        assert -51 <= shifts.min() < -40
        assert 40 < shifts.max() <= 51

    def test_contrast_stretches_about_the_mean(self):
        mean = self.image.mean((0, 1))
        stretched = (outputs(Augmentation(contrast=0.5), self.image, 100) - mean) / (self.image - mean)
        factors = np.median(stretched, (1, 2, 3))
        np.testing.assert_allclose(stretched, np.broadcast_to(factors[:, None, None, None], stretched.shape), rtol=0.01)
        assert 0.5 <= factors.min() < 0.6
        assert 1.4 < factors.max() <= 1.5

    def hsv(self, image):
        return np.array([colorsys.rgb_to_hsv(*pixel) for pixel in np.reshape(image, (-1, 3)) / 255])

    def test_hue_turns_all_pixels_alike(self):
        before = self.hsv(self.image)
        turns = []
        for pixels in outputs(Augmentation(hue=0.1), self.image, 20):
            after = self.hsv(pixels)
            np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-4)
            turn = (after[:, 0] - before[:, 0] + 0.5) % 1 - 0.5
            np.testing.assert_allclose(turn, turn[0], atol=1e-3)
            turns.append(turn[0])
        assert -0.101 < min(turns) < -0.05
        assert 0.05 < max(turns) < 0.101

    def test_saturation_changes_nothing_else(self):
        before = self.hsv(self.image)
        factors = []
        for pixels in outputs(Augmentation(saturation=0.4), self.image, 20):
            after = self.hsv(pixels)
            np.testing.assert_allclose(after[:, [0, 2]], before[:, [0, 2]], atol=1e-3)
            factors.append(np.median(after[:, 1] / before[:, 1]))
            np.testing.assert_allclose(after[:, 1], before[:, 1] * factors[-1], atol=1e-3)
        assert 0.6 <= min(factors) < 0.75
        assert 1.25 < max(factors) < 1.41


def test_erasing_fills_one_rectangle_in_a_share_of_the_images():
    image = np.full((30, 30, 3), 77, np.uint8)
    augmentation = Augmentation(erasing=0.3, erasing_area=(0.05, 0.25))
    changed = (outputs(augmentation, image, 300) != image).any(-1)
    erased = changed[changed.any((1, 2))]
    assert abs(len(erased) / 300 - 0.3) < 0.106  # four standard deviations
    for one in erased:
        rows, columns = np.flatnonzero(one.any(1)), np.flatnonzero(one.any(0))
        assert one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        # an edge within a pixel either way
        assert (len(rows) - 1) * (len(columns) - 1) / 900 <= 0.25
        assert (len(rows) + 1) * (len(columns) + 1) / 900 >= 0.05


class TestRandAugment:
    ramp = np.tile(np.arange(256, dtype=np.float32)[None, :, None], (32, 1, 3))

    def run(self, image, count, num_operations=1, magnitude=1.0):
        step = tf.function(rand_augment(num_operations, magnitude))
        return np.stack([step(tf.constant(image, tf.float32), tf.constant([3, i])) for i in range(count)])

    def test_shapes_need_not_be_square(self):
        image = noise(20, 33, 3)
        pixels = self.run(image, 40, num_operations=3)
        assert pixels.shape == (40, 20, 33, 3)
        assert 0 <= pixels.min() <= pixels.max() <= 255
        assert len({one.tobytes() for one in pixels}) > 35

    def test_one_of_fourteen_is_the_identity(self):
        image = np.clip(noise(12, 12, 3), 20, 200)  # neither equalized nor of full contrast
        same = (self.run(image, 280) == image).all((1, 2, 3))
        assert 5 <= same.sum() <= 36  # 20, four standard deviations

    def test_solarization_inverts_the_brightest(self):
        thresholds = []
        for pixels in self.run(self.ramp, 150, magnitude=0.4):
            turned = np.flatnonzero(pixels[0, :, 0] == 255 - np.arange(256))
            if len(turned) and (pixels[:, turned] == 255 - self.ramp[:, turned]).all():
                kept = np.delete(np.arange(256), turned)
                if (pixels[:, kept] == self.ramp[:, kept]).all():
                    thresholds.append(turned[0])
                    assert (np.diff(turned) == 1).all()
        assert len(thresholds) >= 3
        assert min(thresholds) >= 0.6 * 255

    def test_posterization_keeps_four_bits_or_more(self):
        coarse = [
            levels
            for pixels in self.run(self.ramp, 150)
            for levels in [np.unique(pixels)]
            if 16 <= len(levels) <= 128 and (np.diff(levels) == 256 // len(levels)).all()
        ]
        assert {len(levels) for levels in coarse} >= {16, 128}

    def test_rotations_go_to_thirty_degrees_either_way(self):
        y, x = np.mgrid[-32:33, -32:33]
        dot = np.repeat(255 * np.exp(-((x - 20) ** 2 + y**2) / 8)[..., None], 3, -1)
        angles = []
        for pixels in self.run(dot, 250)[..., 0]:
            weight = np.clip(pixels - np.median(pixels), 0, None) + 1e-6
            right, down = (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()
            angle = np.degrees(np.arctan2(down, right))
            if abs(angle) > 15 and abs(np.hypot(right, down) - 20) < 0.3:  # a shear or a shift would move it away
                angles.append(angle)
        assert -30.5 < min(angles) < -18
        assert 18 < max(angles) < 30.5

    def test_a_small_magnitude_is_a_small_change_though_not_in_keras(self):
        ours = np.abs(self.run(self.ramp, 150, magnitude=0.05) - self.ramp).mean((1, 2, 3))
        assert ours.max() < 14  # solarization: 14 of 256 values turn by at most 255
        theirs = keras.layers.RandAugment(factor=0.05, seed=0).solarization(self.ramp[None])
        assert np.abs(theirs - self.ramp).mean() > 60  # when this fails, try keras.layers.RandAugment again


class TestMixing:
    images = noise(5, 9, 9, 3, seed=1).astype(np.float32)
    labels = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 1]], np.float32)

    def shares_by_least_squares(self, pixels):
        basis = self.images.reshape(5, -1).T.astype(np.float64)
        return np.stack([np.linalg.lstsq(basis, one.ravel(), rcond=None)[0] for one in pixels])

    def shares_by_counting(self, pixels):
        own = (pixels[:, None] == self.images[None]).all(-1)  # (output, input, H, W)
        assert (own.sum(1) == 1).all()
        return own, own.mean((2, 3))

    def test_mixup_mixes_labels_as_pixels(self):
        weights = []
        for pixels, labels in mixed(Augmentation(mixup=0.8), self.images, self.labels, 20):
            shares = self.shares_by_least_squares(pixels)
            np.testing.assert_allclose(shares.sum(1), 1, atol=1e-4)
            assert (np.count_nonzero(np.abs(shares) > 1e-4, axis=1) <= 2).all()
            np.testing.assert_allclose(labels, shares @ self.labels, atol=1e-4)
            weights.extend(np.diag(shares))
        assert min(weights) < 0.2
        assert 0.35 < np.mean(weights) < 0.75  # 0.5, and 1 where an image meets itself

    def test_cutmix_mixes_labels_as_areas(self):
        areas = []
        for pixels, labels in mixed(Augmentation(cutmix=1.0), self.images, self.labels, 20):
            own, shares = self.shares_by_counting(pixels)
            np.testing.assert_allclose(labels, shares @ self.labels, atol=1e-6)
            for i in range(5):
                cut = ~own[i, i]
                rows, columns = np.flatnonzero(cut.any(1)), np.flatnonzero(cut.any(0))
                assert cut.sum() == len(rows) * len(columns)
            areas.extend(1 - np.diag(shares))
        assert max(areas) > 0.6

    def test_with_both_each_batch_takes_one(self):
        batches = mixed(Augmentation(mixup=1.0, cutmix=1.0), self.images, self.labels, 60)
        cut = sum((pixels == np.round(pixels)).all() for pixels, _ in batches)
        assert 14 <= cut <= 46  # four standard deviations

    @pytest.mark.parametrize("kind", ["mixup", "cutmix"])
    def test_a_tiny_alpha_gives_numbers(self, kind):
        images, labels = np.ones((500, 2, 2, 3), np.float32), np.ones((500, 1), np.float32)
        for pixels, rows in mixed(Augmentation(**{kind: 1e-3}), images, labels, 3):
            np.testing.assert_allclose(pixels, 1, atol=1e-6)
            np.testing.assert_allclose(rows, 1, atol=1e-6)

    def test_any_number_of_images_is_a_batch(self):
        dataset = tf.data.Dataset.from_tensor_slices((self.images, self.labels)).batch(2)
        mix = Augmentation(mixup=0.2, cutmix=1.0).batch_function()
        shapes = [(x.shape, y.shape) for x, y in dataset.map(lambda x, y: mix(x, y, tf.constant([0, 0])))]
        assert shapes == [((n, 9, 9, 3), (n, 4)) for n in (2, 2, 1)]

    def test_class_numbers_are_refused(self):
        message = r"^Labels of a batch to mix: expected rows \(B, C\), received shape \(5,\)\. Use tf.one_hot"
        with pytest.raises(ValueError, match=message):
            Augmentation(mixup=0.2).batch_function()(self.images, np.arange(5), tf.constant([0, 0]))


@pytest.mark.parametrize(
    ("augmentation", "size", "decoded"),
    [
        (Augmentation.none(), 224, 224),
        (Augmentation.cifar(), 32, 32),
        (Augmentation.light(), 224, 379),
        (Augmentation.strong(), 224, 448),
        (Augmentation(crop_scale=(0.08, 1.0)), 224, 448),
        (Augmentation(crop_scale=(1.0, 1.0)), 64, 64),
    ],
)
def test_photos_are_decoded_large_enough_for_the_smallest_crop(augmentation, size, decoded):
    assert augmentation.decode_size(size) == decoded


def test_what_is_on_is_said():
    assert not Augmentation.none().enabled
    assert not Augmentation(magnitude=0.9, crop_ratio=(1.0, 1.0), erasing_area=(0.1, 0.2)).enabled
    for preset in (Augmentation.light(), Augmentation.strong(), Augmentation.cifar()):
        assert preset.enabled
        assert not preset.mixes
    for one in ("brightness", "contrast", "saturation", "hue", "erasing"):
        assert Augmentation(**{one: 0.1}).enabled
    assert Augmentation(rand_augment=1).enabled
    for one in ("mixup", "cutmix"):
        assert Augmentation(**{one: 0.1}).mixes
        assert Augmentation(**{one: 0.1}).enabled


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"brightness": -0.1}, r"brightness: expected a number in \[0, 1\], received -0.1\. 0 switches it off\."),
        ({"contrast": 1.5}, r"contrast: expected a number in \[0, 1\], received 1.5"),
        ({"saturation": float("nan")}, r"saturation: expected a number in \[0, 1\], received nan"),
        ({"hue": 0.6}, r"hue: expected a number in \[0, 0.5\], received 0.6"),
        ({"erasing": 2}, r"erasing: expected a number in \[0, 1\], received 2"),
        ({"mixup": -1}, r"mixup: expected a number in \[0, 1\], received -1"),
        ({"cutmix": 1.1}, r"cutmix: expected a number in \[0, 1\], received 1.1"),
        ({"padding": -4}, r"padding: expected a whole number >= 0, received -4"),
        ({"padding": 1.5}, r"padding: expected a whole number >= 0, received 1.5"),
        ({"rand_augment": True}, r"rand_augment: expected a whole number >= 0, received True"),
        ({"magnitude": 0}, r"magnitude: expected 0 < smallest <= largest <= 1, received 0 to 0\. Try the default\."),
        ({"crop_scale": (0.5, 0.2)}, r"crop_scale: expected 0 < smallest <= largest <= 1, received 0.5 to 0.2"),
        ({"crop_scale": (0.0, 1.0)}, r"crop_scale: .* received 0 to 1"),
        ({"crop_scale": (0.5, 1.2)}, r"crop_scale: .* received 0.5 to 1.2"),
        ({"crop_ratio": (0.5, float("inf"))}, r"crop_ratio: expected 0 < smallest <= largest, received 0.5 to inf"),
        ({"erasing_area": (float("nan"), 0.5)}, r"erasing_area: .* received nan to 0.5"),
    ],
)
def test_values_outside_their_range_are_refused(options, message):
    with pytest.raises(ValueError, match=rf"^Augmentation\.{message}"):
        Augmentation(**options)


def test_two_kinds_of_crop_are_refused():
    with pytest.raises(ValueError, match=r"^Augmentation: expected one kind of crop, received crop_scale and padding"):
        Augmentation(crop_scale=(0.5, 1.0), padding=4)


def test_its_fields_are_options_of_a_command_line():
    options = ["--crop-scale", "0.5", "1", "--flip", "--hue", "0.1", "--rand-augment", "2"]
    expected = Augmentation(crop_scale=(0.5, 1.0), flip=True, hue=0.1, rand_augment=2)
    assert tyro.cli(Augmentation, args=options) == expected
    assert tyro.cli(Augmentation, args=[], default=Augmentation.strong()) == Augmentation.strong()
