import numpy as np
import tensorflow as tf

from zsltf.data.image_array import ImageArray
from zsltf.data.images import image_dataset
from zsltf.data.pipeline import IN_TURN, prefetched


def test_every_element_comes_in_its_turn():
    numbers = prefetched(tf.data.Dataset.range(100).map(lambda n: 2 * n, **IN_TURN))
    np.testing.assert_array_equal([int(n) for n in numbers], 2 * np.arange(100))


def test_no_tuner_holds_up_the_end():
    images = ImageArray(pixels=np.zeros((3, 8, 8, 3), np.uint8), y=np.zeros(3, int))
    for dataset in (prefetched(tf.data.Dataset.range(3)), image_dataset(images, lambda pixels: pixels, size=8)):
        assert dataset.options().autotune.enabled is False
