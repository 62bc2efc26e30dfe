"""tf.functions to TFLite files of one graph each, in any precision."""

import contextlib
import csv
import io
import itertools
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from zsltf.artifacts.graph import save

if TYPE_CHECKING:
    from zsltf.exporters.tflite import TFLite

__all__ = ["convert", "worst_operators"]

_DEPRECATED = r"\s*Warning: tf.lite.Interpreter is deprecated"  # which TensorFlow itself calls
_PROBED = 16  # photos that operators are compared on


def convert(function: Any, options: "TFLite", *, integer: bool) -> bytes:
    """One tf.function to a file whose only entry is `entry`.

    Args:
        function: with named inputs and outputs.
        options: precision, batch, and for integers the photos and the operators that stay float32.
        integer: whether its arithmetic is of integers, or of float32 from lighter weights.
    """
    with _converter(function, options, integer=integer) as converter:
        if not integer:
            return converter.convert()
        if options.precision == "int8" and options.built_in_only:
            converter.inference_output_type = tf.uint8
        if not options.float_layers:
            return converter.convert()
        kept = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=list(options.float_layers))
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=lambda: (), debug_options=kept
        )
        return debugger.get_nondebug_quantized_model()


def worst_operators(function: Any, options: "TFLite") -> list[str]:
    """Operators of an integer file by what their outputs lose, in steps of their scale; those that lose most first."""
    photos = itertools.islice(_representative(options), _PROBED)
    with _converter(function, options, integer=True) as converter:
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=lambda: ([inputs["images"]] for _, inputs in photos)
        )
        debugger.run()
        table = io.StringIO()
        debugger.layer_statistics_dump(table)
    rows = list(csv.DictReader(io.StringIO(table.getvalue())))
    steps = {row["tensor_name"]: float(row["mean_squared_error"]) ** 0.5 / float(row["scale"]) for row in rows}
    return sorted(steps, key=lambda name: -steps[name])


@contextlib.contextmanager
def _converter(function: Any, options: "TFLite", *, integer: bool) -> Iterator[Any]:
    """Through a SavedModel, so that names are kept."""
    module = tf.Module()
    module.function = function
    module.captured = list(function.get_concrete_function().variables)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_DEPRECATED)
        save(module, Path(folder), {"entry": function})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["entry"])
        if options.precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if options.precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if integer:
            converter.representative_dataset = lambda: _representative(options)
        if integer and options.precision == "int16x8":
            in_16_bits = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            converter.target_spec.supported_ops = [in_16_bits, tf.lite.OpsSet.TFLITE_BUILTINS]
        yield converter


def _representative(options: "TFLite") -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    photos, batch = np.asarray(options.calibration), options.batch or 1
    for start in range(0, len(photos) - batch + 1, batch):
        yield "entry", {"images": photos[start : start + batch]}
