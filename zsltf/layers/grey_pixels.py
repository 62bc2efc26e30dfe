"""Pictures as rows of numbers, for models that were trained on such rows."""

import keras
from keras import layers

from zsltf.layers.preprocess import Preprocess

__all__ = ["grey_pixels"]


def grey_pixels(height: int, width: int) -> tuple[keras.Sequential, Preprocess]:
    """From a picture to its grey values in [0, 1], row by row, and what prepares pictures of any size for it.

    Args:
        height: of the pictures that the rows are of, in pixels; others are fitted in, with black around them.
        width: of them.
    """
    side = max(height, width)
    above, left = (side - height) // 2, (side - width) // 2
    steps = (
        keras.Input((side, side, 3)),
        layers.Cropping2D(((above, side - height - above), (left, side - width - left))),
        layers.Reshape((height * width, 3)),
        layers.GlobalAveragePooling1D(data_format="channels_first"),  # of red, green and blue
    )
    return keras.Sequential(steps, name="pixels"), Preprocess(side, scale=(255.0,) * 3, resize="pad")
