"""Which score is that of an image's own class."""

from typing import Any

from keras import ops

from zsltf.checks import fail

__all__ = ["own_class"]


def own_class(y_true: Any, y_pred: Any) -> Any:
    """Labels (B,) or (B, 1) to 1 at each image's class and 0 elsewhere (B, C).

    A label that is no class gets NaN, and so does its loss, as with Keras's cross-entropy: no error leaves a compiled
    graph.

    Args:
        y_true: labels.
        y_pred: scores (B, C).

    Raises:
        ValueError: for labels that are one-hot already.
    """
    if len(y_true.shape) > 1 and y_true.shape[-1] not in (1, None):
        fail("labels", "shape (B,)", f"shape {tuple(y_true.shape)}", "Give class numbers: y.argmax(axis=-1).")
    labels, count = ops.cast(ops.reshape(y_true, (-1,)), "int32"), ops.shape(y_pred)[-1]
    known = ops.logical_and(labels >= 0, labels < count)
    return ops.where(known[:, None], ops.one_hot(labels, count, dtype=y_pred.dtype), float("nan"))
