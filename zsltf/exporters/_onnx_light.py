"""ONNX graphs in fewer bits, and the memory that a conversion takes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from zsltf.exporters._onnx_table import TABLE

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["check_memory", "in_float16", "in_int8"]

_COPIES = 34
"""Bytes of memory that a conversion takes for a byte of weights, at most: VGG16 with its top took 20 GB for 0.55."""


def check_memory(classifier: "Classifier", gigabytes: float | None) -> None:
    """Refuse a conversion that the machine can't hold, before it begins.

    Args:
        classifier: what is to be converted.
        gigabytes: what may be taken; by default what Linux says is available, and elsewhere nothing is checked.

    Raises:
        MemoryError: if it needs more.
    """
    weights = sum(4 * int(np.prod(variable.shape)) for variable in classifier.variables)
    limit = _available() if gigabytes is None else gigabytes * 1e9
    needed = 1.5e9 + _COPIES * weights
    if limit is not None and needed > limit:
        raise MemoryError(
            f"the conversion to ONNX: expected about {needed / 1e9:.1f} GB of memory, received {limit / 1e9:.1f} GB. "
            "Export it on a larger machine, or to TFLite."
        )


def _available() -> float | None:
    facts = Path("/proc/meminfo")
    if not facts.is_file():
        return None
    lines = dict(line.split(":", 1) for line in facts.read_text("ascii").splitlines())
    return 1024.0 * int(lines["MemAvailable"].split()[0])


def in_float16(model: Any) -> Any:
    """Weights and arithmetic of the network in float16; inputs, outputs and what compares them stay float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    for node in model.graph.node:
        if node.op_type == "Resize" and len(node.input) == 4:
            node.input[1] = node.input[2] = ""  # empty tensors that the converter would cast into the graph
    compared = _comparison(model)
    light = convert_float_to_float16(model, keep_io_types=True, node_block_list=compared)
    casts = {node.output[0]: node.input[0] for node in light.graph.node if node.op_type == "Cast"}
    exact = {*TABLE, *(name for node in light.graph.node if node.name in compared for name in node.output)}
    for node in light.graph.node:  # what the comparison takes and gives need not go through float16 and back
        if node.op_type == "Cast" and casts.get(node.input[0]) in exact:
            node.input[0] = casts[node.input[0]]
    sorted_model = OnnxModel(light)
    sorted_model.prune_graph(allow_remove_graph_inputs=False)
    sorted_model.topological_sort()
    return sorted_model.model


def in_int8(model: Any, images: UInt8[np.ndarray, "N size size 3"], batch: int) -> Any:
    """The network in int8 by onnxruntime, its ranges measured on these images; the comparison stays float32.

    Normalisation goes into the convolutions first, and weights have 7 bits: with 8 a processor without VNNI
    instructions overflows.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = self._batches()

        def _batches(self) -> Iterator[dict[str, np.ndarray]]:
            for start in range(0, len(images) - batch + 1, batch):
                yield {"images": images[start : start + batch], **table}

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    shapes = {value.name: value.type.tensor_type.shape.dim for value in model.graph.input}
    table = {
        "class_vectors": np.ones((1, *(d.dim_value for d in list(shapes["class_vectors"])[1:])), np.float32),
        "class_bias": np.zeros(1, np.float32),
    }
    with tempfile.TemporaryDirectory() as folder:
        source, fused, target = (Path(folder, f"{name}.onnx") for name in ("float32", "fused", "int8"))
        onnx.save(model, source)
        quant_pre_process(source, fused, skip_symbolic_shape=True)
        quantize_static(
            fused,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_exclude=_comparison(onnx.load(fused)),
        )
        return onnx.load(target)


def _comparison(model: Any) -> list[str]:
    """Names of the nodes that the class inputs reach."""
    reached, names = set(TABLE), []
    for node in model.graph.node:
        if reached & set(node.input):
            reached.update(node.output)
            names.append(node.name)
    return names
