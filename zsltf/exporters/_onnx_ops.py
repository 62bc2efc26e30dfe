"""TensorFlow ops that tf2onnx lacks or trips over."""

from typing import Any

import numpy as np

__all__ = ["HANDLERS"]


def _erfc(graph: Any, node: Any, *_: Any) -> None:
    """1 - erf(x), which the exact gelu has and ONNX has no name for."""
    node.type = "Erf"
    one = graph.make_const(f"{node.name}/one", np.float32(1))
    difference = graph.insert_new_node_on_output("Sub", node.output[0], name=f"{node.name}/difference")
    graph.replace_inputs(difference, [one.output[0], node.output[0]])


def _add(graph: Any, node: Any, *_: Any) -> None:
    """A constant without axes gets one: tf2onnx takes what is added to a convolution for a bias and asks its length."""
    node.type = "Add"
    for index, operand in enumerate(node.inputs):
        if operand.is_const() and graph.get_rank(node.input[index]) == 0 and graph.get_rank(node.output[0]) != 0:
            value = operand.get_tensor_value(as_list=False).reshape(1)
            vector = graph.make_const(f"{node.name}/operand{index}", value)
            graph.replace_input(node, node.input[index], vector.output[0], index)


HANDLERS: dict[str, tuple[Any, list[str]]] = {"Erfc": (_erfc, []), "AddV2": (_add, [])}
"""For tf2onnx's `custom_op_handlers`."""
