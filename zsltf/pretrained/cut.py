"""A network in two: what nothing trained reaches, and the rest."""

from collections.abc import Collection
from typing import Any

import keras

__all__ = ["cut"]


def cut(model: keras.Model, trained: Collection[str]) -> tuple[keras.Model | None, keras.Model]:
    """Split a functional model below its lowest trained layers, both parts sharing its layers.

    upper(lower(x)) is model(x), and lower gives the same for the same x as long as only `trained` layers change: it can
    be called with training=False, and what it gives can be kept.

    Args:
        model: a flat functional model with one input.
        trained: names of the layers that train, or that draw random numbers and should go on doing so.

    Returns:
        lower and upper; lower is None where nothing but the input lies below.
    """
    nodes = [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]
    above: set[int] = set()  # ids of the tensors that a trained layer reaches
    crossing: dict[int, Any] = {}  # tensors below that something above takes, in the graph's order
    for node in nodes:
        if node.operation.name in trained or any(id(tensor) in above for tensor in node.input_tensors):
            above.update(id(tensor) for tensor in node.output_tensors)
            crossing |= {id(tensor): tensor for tensor in node.input_tensors if id(tensor) not in above}
    crossing |= {id(tensor): tensor for tensor in model.outputs if id(tensor) not in above}
    if any(tensor is taken for tensor in crossing.values() for taken in model.inputs):
        return None, model
    tensors = list(crossing.values())
    edge = tensors[0] if len(tensors) == 1 else tensors
    return keras.Model(model.input, edge, name="lower"), keras.Model(edge, model.output, name="upper")
