"""A TensorFlow SavedModel as a layer that trains, saves itself whole and loads in safe mode."""

import base64
import inspect
import re
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras
import tensorflow as tf

from zsltf.checks import fail
from zsltf.layers._computation import check_computation

__all__ = ["SavedModelLayer"]

_LARGEST = 2**29  # bytes that a compressed graph may become
_FIX = "Export one function from images to one tensor."


@keras.saving.register_keras_serializable("zsltf")
class SavedModelLayer(keras.layers.Layer):
    """Images (batch, height, width, 3) to what a SavedModel makes of them.

    The graph, without the values of its variables, is part of the configuration: a saved model needs no other file. The
    variables are the layer's weights. What is called is the SavedModel itself, with `training` if it takes that, or
    else its signature `serving_default`, which does the same in training and afterwards. The graph reads its variables
    by itself, so `stateless_call` can't replace them.

    Args:
        graph: saved_model.pb, compressed by zlib, in base64: `of` makes it.

    Raises:
        ValueError: if the graph takes or gives something else, or might do more than compute.
    """

    def __init__(self, graph: str, *, name: str = "saved_model", trainable: bool = True) -> None:
        super().__init__(name=name, dtype="float32")
        self.graph = graph
        self._module = _restore(graph)  # it must outlive its functions
        self._function, concrete = _entry(self._module)
        self.images, self._modes = _images(concrete), _modes(self._function, concrete)
        with keras.name_scope(name):
            self.parameters = [_parameter(i, variable) for i, variable in enumerate(_variables(concrete))]
        self.trainable, self.built = trainable, True  # Keras tells the variables that there are

    @classmethod
    def of(cls, folder: Path, name: str = "saved_model") -> Self:
        """The SavedModel in a folder, with the values of its variables.

        Raises:
            ValueError: if the folder is damaged, too.
        """
        graph = base64.b64encode(zlib.compress((folder / "saved_model.pb").read_bytes())).decode("ascii")
        layer, module = cls(graph, name=name), _load(folder)
        for parameter, variable in zip(layer.parameters, _variables(_entry(module)[1]), strict=True):
            parameter.assign(variable)
        return layer

    def call(self, images: Any, training: bool | None = None) -> Any:
        images = tf.cast(images, self.images.dtype)
        wanted = bool(training) and self.trainable
        options = {"training": wanted and True in self._modes} if self._modes else {}
        (outputs,) = tf.nest.flatten(self._function(images, **options))
        return outputs

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "graph": self.graph}


def _restore(graph: str) -> Any:
    """The module without the values of its variables, once it is known to compute only."""
    try:
        decompress = zlib.decompressobj()
        content = decompress.decompress(base64.b64decode(graph, validate=True), _LARGEST)
    except (ValueError, zlib.error) as error:
        fail(
            "SavedModelLayer.graph",
            "a compressed saved_model.pb",
            f"a damaged one ({error})",
            "Use SavedModelLayer.of.",
        )
    if not decompress.eof:
        fail(
            "SavedModelLayer.graph", f"a whole graph of at most {_LARGEST} bytes", "another", "Use SavedModelLayer.of."
        )
    check_computation(content)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "saved_model.pb").write_bytes(content)
        return _load(Path(folder), tf.saved_model.LoadOptions(experimental_skip_checkpoint=True))


def _load(folder: Path, options: Any = None) -> Any:
    try:
        return tf.saved_model.load(str(folder), options=options)
    except Exception as error:  # noqa: BLE001 (TensorFlow raises of every kind on a damaged SavedModel)
        fail(str(folder), "a SavedModel that loads", f"a damaged one ({str(error)[:300]})", "Export it again.")


def _entry(module: Any) -> tuple[Any, Sequence[Any]]:
    """What is called, and its concrete functions."""
    if callable(module):
        return module.__call__, module.__call__.concrete_functions
    if "serving_default" not in module.signatures:
        fail("SavedModel", "one to call, or its signature 'serving_default'", f"{[*module.signatures]}", _FIX)
    return module.signatures["serving_default"], [module.signatures["serving_default"]]


def _images(concrete: Sequence[Any]) -> Any:
    """The spec of the images that it takes."""
    arguments = [tf.nest.flatten(function.structured_input_signature) for function in concrete]
    specs = [next((value for value in values if isinstance(value, tf.TensorSpec)), None) for values in arguments]
    fits = [spec for spec in specs if spec is not None and spec.shape.is_compatible_with((7, None, None, 3))]
    if not fits or any(len(tf.nest.flatten(function.structured_outputs)) != 1 for function in concrete):
        ends = "; ".join(f"{one.structured_input_signature} to {one.structured_outputs}" for one in concrete)
        fail("SavedModel", "images (batch, height, width, 3) to one tensor, for any batch", ends or "nothing", _FIX)
    return fits[0]


def _modes(function: Any, concrete: Sequence[Any]) -> frozenset[bool]:
    """The values that `training` can take; none where there is no such argument."""
    names = [] if function is concrete[0] else list(inspect.signature(function).parameters)
    index = names.index("training") if "training" in names else None
    values = [None if index is None else one.structured_input_signature[0][index] for one in concrete]
    if any(value is not True and _assigns(one) for value, one in zip(values, concrete, strict=True)):
        expected = "a function that leaves its variables alone when it does not train"
        fail("SavedModel", expected, "one that may assign them", "Trace it for training=True and for training=False.")
    either = any(isinstance(value, tf.TensorSpec) for value in values)
    modes = frozenset((True, False) if either else (value for value in values if isinstance(value, bool)))
    if modes == {True}:
        fail("SavedModel", "a function that takes training=False", "training=True alone", "Trace it for both.")
    return modes


def _assigns(function: Any) -> bool:
    """Whether a branch of it assigns variables: neither TFLite nor ONNX could say that."""
    graph = function.graph.as_graph_def()
    nodes = (node for nodes in (graph.node, *(part.node_def for part in graph.library.function)) for node in nodes)
    return any(node.op.startswith("Assign") for node in nodes)


def _variables(concrete: Sequence[Any]) -> list[tf.Variable]:
    """Each variable that a function uses, in the graph's order."""
    return list({id(variable): variable for function in concrete for variable in function.variables}.values())


def _parameter(number: int, variable: tf.Variable) -> keras.Variable:
    """The same variable as Keras sees it, under a name of its own."""
    variable.assign(tf.zeros(variable.shape, variable.dtype))  # its value comes with the weights
    name = re.sub(r"\W+", "_", variable.name.partition(":")[0])
    return keras.Variable(variable, trainable=variable.trainable, dtype=variable.dtype.name, name=f"{number}_{name}")
