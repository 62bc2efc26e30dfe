"""A layer of KerasHub, in a form that loads again."""

import inspect
from typing import Any, Self

import keras
import tensorflow as tf

__all__ = ["KerasHubLayer", "import_keras_hub"]


def import_keras_hub() -> Any:
    """The package, which an extra installs.

    Raises:
        ImportError: if it is missing.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError(
            "KerasHub's networks need keras-hub. Install it with: pip install 'zsltf[keras-hub]'"
        ) from error
    return keras_hub


@keras.saving.register_keras_serializable("zsltf")
class KerasHubLayer(keras.layers.Layer):
    """Does what a layer of KerasHub does.

    Several of those layers can't be made from their own configuration, since that holds what their constructor does not
    take, or lacks what it takes. Here it holds the constructor's arguments; and where KerasHub is missing, loading says
    how to install it.

    Args:
        layer: of KerasHub.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**{"name": layer.name, "dtype": layer.dtype_policy, **kwargs})
        self.layer, self.built = layer, layer.built
        for part in layer._flatten_layers():
            for attribute, value in vars(part).items():
                if isinstance(value, tf.Tensor):  # a graph would capture it, and ONNX take it for one more input
                    vars(part)[attribute] = keras.ops.convert_to_numpy(value)

    def call(self, *inputs: Any, **options: Any) -> Any:
        return self.layer(*inputs, **options)

    def get_config(self) -> dict[str, Any]:
        layer = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": {**layer, "config": _arguments(self.layer)}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """From the constructor's arguments of KerasHub's layer."""
        import_keras_hub()
        return cls(keras.saving.deserialize_keras_object(config.pop("layer")), **config)


def _arguments(layer: keras.layers.Layer) -> dict[str, Any]:
    """The configuration, less what no constructor takes, and what the layer's own takes besides and keeps as it is."""
    taken = {name for kind in type(layer).__mro__ for name in _parameters(kind)}
    kept = {name: vars(layer).get(name) for name in _parameters(type(layer))}
    plain = {name: value for name, value in kept.items() if isinstance(value, bool | int | float | str | tuple | list)}
    return plain | {name: value for name, value in layer.get_config().items() if name in taken}


def _parameters(kind: Any) -> list[str]:
    return list(inspect.signature(kind.__init__).parameters)
