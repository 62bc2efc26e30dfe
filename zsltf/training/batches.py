"""Batches of training examples whose order and augmentation are functions of the seed, the epoch and the image."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from jaxtyping import Int

from zsltf.data.augment import Augmentation
from zsltf.data.corrupt import fail_corrupt
from zsltf.data.in_python import in_python
from zsltf.data.pipeline import IN_TURN, prefetched
from zsltf.layers.preprocess import Preprocess
from zsltf.training.activations import Activations
from zsltf.training.examples import Examples

__all__ = ["Stream", "epoch_order"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """A tf.data pipeline of (x, targets, weights) over examples; x are pixels (B, size, size, 3) in [0, 255].

    Args:
        examples: what to read.
        preprocess: its resizing brings images to the network's size.
        targets: labels of a batch to what the losses compare.
        augmentation: of training images.
        views: the number of different augmentations that an image goes through; None is a new one every epoch.
        batch_size: images a batch; the last one of an epoch may have fewer.
        seed: of order and augmentation.
        drop_remainder: leave out the last batch of an epoch if it isn't full.
        multiple: what a batch that is watched is a multiple of: the number of devices that share it.
    """

    examples: Examples
    preprocess: Preprocess
    targets: Callable[[Any], Any]
    augmentation: Augmentation
    batch_size: int
    seed: int
    views: int | None = None
    drop_remainder: bool = False
    multiple: int = 1
    skipped: dict[int, str] = field(default_factory=dict)
    """Filled while the images are read: index -> reason, for each that can't be decoded; its weight counts as 0."""

    def check_decoded(self) -> None:
        """Refuse what could not be decoded, if the examples say so or nothing else is left.

        TensorFlow's own error, at the first such image, names no file: this one belongs after it.
        """
        if self.skipped and (self.examples.on_corrupt == "error" or len(self.skipped) == len(self.examples)):
            fail_corrupt(list(self.skipped.values()))

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        whole, rest = divmod(len(self.examples), self.batch_size)
        return whole + bool(rest and not self.drop_remainder)

    def epochs(self, first: int, last: int, activations: Activations | None = None) -> Any:
        """Shuffled batches of the epochs first, ..., last - 1, from images or from their activations."""
        batches = self._augmented() if activations is None else self._activations(activations, self.drop_remainder)

        def epoch_of(epoch: Any) -> Any:
            return batches(tf.data.Dataset.from_tensor_slices(self.order(epoch)), epoch)

        return self._piped(tf.data.Dataset.range(first, last).flat_map(epoch_of))

    def in_order(self, view: int | None = None) -> Any:
        """Unshuffled batches of images, all of them; augmented as in this view, or not at all."""
        read = self._reader(Augmentation() if view is None else self.augmentation)
        return self._piped(read(self._rows(), view or 0))

    def watched(self, activations: Activations | None) -> Any:
        """What validation reads: images in order, or their activations; a short batch filled up with the weight 0."""
        batches = self.in_order() if activations is None else self.activations_in_order(activations)
        return batches if self.multiple == 1 else batches.map(self._filled)

    def _filled(self, x: Any, targets: Any, weights: Any) -> Any:
        """A batch and repetitions that don't count; Keras divides the sum of losses by the number of images, so that
        the others count for them."""
        count, last = len(self.examples), len(self.examples) % self.batch_size
        missing = -tf.shape(weights)[0] % self.multiple

        def repeated(values: Any) -> Any:
            return tf.concat([values, tf.repeat(values[:1], missing, axis=0)], axis=0)

        more = tf.concat([weights, tf.zeros([missing])], axis=0) * (count + -last % self.multiple) / count
        return repeated(x), tf.nest.map_structure(repeated, targets), more

    def activations_in_order(self, activations: Activations) -> Any:
        """Unshuffled batches of the first view's activations."""
        return self._piped(self._activations(activations)(self._rows(), tf.constant(0, tf.int64)))

    def order(self, epoch: Any) -> Any:
        """The order (N,) in which an epoch takes the images."""
        return epoch_order(len(self.examples), self.seed, epoch)

    def _rows(self) -> Any:
        return tf.data.Dataset.from_tensor_slices(tf.range(len(self.examples)))

    def _augmented(self) -> Callable[[Any, Any], Any]:
        read, mix = self._reader(self.augmentation, self.drop_remainder), self.augmentation.batch_function()

        def batches(rows: Any, epoch: Any) -> Any:
            taken = read(rows, epoch if self.views is None else epoch % self.views)
            if not self.augmentation.mixes:
                return taken
            return taken.enumerate().map(lambda step, batch: mixed(_seed(self.seed, 1, epoch, step), *batch))

        def mixed(seed: Any, x: Any, targets: Any, weights: Any) -> Any:
            x, target = mix(x, targets[0], seed)
            return x, (target,), weights

        return batches

    def _reader(self, augmentation: Augmentation, drop_remainder: bool = False) -> Callable[[Any, Any], Any]:
        """A function of rows and a view: images decoded in parallel and batched, in the order of the rows."""
        if self.examples.images.one_size and not augmentation.draws:
            return self._reader_of_batches(drop_remainder)
        size, labels = self.preprocess.size, tf.constant(self.examples.images.y)
        weights, augment = tf.constant(self.examples.weights), augmentation.image_function(size, self.preprocess.resize)

        def loaded(rows: Any) -> Any:
            if not self.examples.images.one_size:
                return rows.map(decoded, **IN_TURN)
            many = rows.batch(self.batch_size).map(decoded, **IN_TURN)
            return many.unbatch().apply(tf.data.experimental.assert_cardinality(len(self.examples)))

        def decoded(rows: Any) -> Any:
            return rows, self._pixels(rows, augmentation.decode_size(size))

        def read(row: Any, pixels: Any, view: Any) -> Any:
            good = tf.size(pixels) > 0
            seed = _seed(self.seed, 0, view, row)
            x = tf.cond(good, lambda: augment(pixels, seed), lambda: tf.zeros((size, size, 3)))
            return tf.ensure_shape(x, (size, size, 3)), labels[row], weights[row] * tf.cast(good, tf.float32)

        def batches(rows: Any, view: Any) -> Any:
            images = loaded(rows).map(lambda row, pixels: read(row, pixels, view), **IN_TURN)
            full = images.batch(self.batch_size, drop_remainder=drop_remainder)
            return full.map(lambda x, y, weight: (x, self.targets(y), weight))

        return batches

    def _reader_of_batches(self, drop_remainder: bool) -> Callable[[Any, Any], Any]:
        """The same for images of one size for which nothing is drawn one by one: no step is taken for one image."""
        size, answers = self.preprocess.size, self._answers(self.examples.weights)

        def read(rows: Any) -> Any:
            x = tf.ensure_shape(self.preprocess.resize(self._pixels(rows, size)), (None, size, size, 3))
            return x, *answers(rows)

        return lambda rows, _: rows.batch(self.batch_size, drop_remainder=drop_remainder).map(read, **IN_TURN)

    def _pixels(self, rows: Any, size: int) -> Any:
        """The decoded image of a row (H, W, 3), or of several rows (B, H, W, 3) where all are of one size."""

        def load(rows: np.ndarray) -> np.ndarray:
            found = np.stack([self._load(int(row), size) for row in np.atleast_1d(rows)])
            return found.reshape(*np.shape(rows), *found.shape[1:])

        shape = self._load(0, size).shape if self.examples.images.one_size else (None, None, 3)
        return tf.ensure_shape(in_python(load, [rows], tf.uint8), (*rows.shape, *shape))

    def _load(self, row: int, size: int) -> np.ndarray:
        try:
            return self.examples.images.load(row, size, self.preprocess.resize_policy)
        except ValueError as error:
            self.skipped[row] = str(error)
            if self.examples.on_corrupt == "error":
                raise
            return np.zeros((0, 0, 3), np.uint8)

    def _activations(self, activations: Activations, drop_remainder: bool = False) -> Callable[[Any, Any], Any]:
        gather, views = activations.gather(), len(activations.values)
        known = self.examples.weights.copy()
        known[list(self.skipped)] = 0
        answers = self._answers(known)

        def batches(rows: Any, epoch: Any) -> Any:
            full = rows.batch(self.batch_size, drop_remainder=drop_remainder)
            return full.map(lambda rows: (gather(epoch % views, rows), *answers(rows)))

        return batches

    def _answers(self, weights: np.ndarray) -> Callable[[Any], tuple[Any, Any]]:
        """A function of rows (B,): their targets and weights."""
        labels, known = tf.constant(self.examples.images.y), tf.constant(weights)
        return lambda rows: (self.targets(tf.gather(labels, rows)), tf.gather(known, rows))

    def _piped(self, dataset: Any) -> Any:
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        return prefetched(dataset).with_options(options)


def epoch_order(count: int, seed: int, epoch: Any) -> Int[np.ndarray, " N"]:
    """A permutation of 0, ..., count - 1 for this seed and epoch (a TensorFlow tensor)."""
    return tf.random.experimental.stateless_shuffle(tf.range(count), seed=_seed(seed, 2, epoch))


def _seed(seed: int, *numbers: Any) -> Any:
    """Two numbers (2,) that stand for all of these."""
    folded = tf.constant((seed, 0), tf.int32)
    for number in numbers:
        folded = tf.random.fold_in(folded, tf.cast(number, tf.int32))
    return folded
