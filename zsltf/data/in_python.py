"""Python called from a tf.data pipeline, and how the process leaves it."""

import atexit
import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

__all__ = ["in_python"]


def in_python(function: Callable[..., Any], inputs: Sequence[Any], dtype: Any) -> Any:
    """What a pure Python function makes of some tensors, as a step of a pipeline.

    An iterator that is left half read waits for the calls under way; once the interpreter has gone they never end. So
    at the end of the process iterators that only an error or a cycle still holds are let go while it is there.

    Args:
        function: of NumPy arrays and scalars; called from several threads.
        inputs: its arguments.
        dtype: of the array that it returns, whose shape is unknown; for a list of arrays a list.
    """
    return tf.numpy_function(function, inputs, dtype, stateful=False)


@atexit.register
def _let_go() -> None:
    sys.last_value = sys.last_traceback = None
    vars(sys).pop("last_exc", None)  # Python 3.12
    gc.collect()
