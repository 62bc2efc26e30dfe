"""The variables of a Keras model in a TensorFlow checkpoint or a SavedModel, without running its graph."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["checkpoint_files", "read_checkpoint"]

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_SEED = "seed_generator_state"  # of Dropout and the like: no weight


def checkpoint_files(prefix: Path) -> list[Path]:
    """The files of a checkpoint, the index first; none if there is no checkpoint."""
    return [path for end in ("index", "data-*") for path in sorted(prefix.parent.glob(f"{prefix.name}.{end}"))]


def read_checkpoint(prefix: Path) -> list[tuple[str, np.ndarray]]:
    """Name and value of each weight, in the order of the model's layers.

    It reads what tf.train.Checkpoint writes of a model of Keras 2 or 3, `save_weights` of Keras 2, and SavedModels of
    both.

    Raises:
        ValueError: if it holds something else.
    """
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        nodes = TrackableObjectGraph.FromString(reader.get_tensor(_GRAPH)).nodes if reader.has_tensor(_GRAPH) else []
        weights = next(filter(None, (_weights(nodes, i) for i in _breadth_first(nodes))), [])
        if not weights:
            raise ValueError("a checkpoint without the layers of a Keras model")
        return [(name, reader.get_tensor(key)) for key, name in weights]
    except (tf.errors.OpError, RuntimeError) as error:
        raise ValueError(f"a damaged checkpoint ({error})") from error


def _weights(nodes: Any, index: int) -> list[tuple[str, str]]:
    """Key and name of each weight below, if this object is a Keras model."""
    children = {child.local_name: child.node_id for child in nodes[index].children}
    whole = children.get("variables", children.get("_operations"))
    layers = [node for name, node in children.items() if name.startswith("layer_with_weights-")]
    seen: set[int] = set()
    pairs = [pair for node in (layers if whole is None else [whole]) for pair in _variables(nodes, node, seen)]
    return [(key, name) for key, name in pairs if not name.endswith(_SEED)]


def _variables(nodes: Any, index: int, seen: set[int]) -> Iterator[tuple[str, str]]:
    """Key and name of each variable below, depth first."""
    if index in seen:
        return
    seen.add(index)
    for attribute in nodes[index].attributes:
        yield attribute.checkpoint_key, attribute.full_name
    for child in nodes[index].children:
        if child.local_name != "optimizer":
            yield from _variables(nodes, child.node_id, seen)


def _breadth_first(nodes: Any) -> Iterator[int]:
    """Indices of all objects, the root first."""
    queue, seen = ([0] if nodes else []), {0}
    for index in queue:
        yield index
        new = [child.node_id for child in nodes[index].children if child.node_id not in seen]
        seen.update(new)
        queue.extend(dict.fromkeys(new))
