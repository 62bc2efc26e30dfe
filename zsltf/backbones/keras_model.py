"""Any Keras model of the user's, as a backbone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from zsltf.checks import fail
from zsltf.data.decode import Resize
from zsltf.files import sha256
from zsltf.layers.preprocess import Preprocess
from zsltf.pretrained.backbone import Backbone, Provenance

__all__ = ["keras_model"]


def keras_model(
    weights: keras.Model | str | Path,
    *,
    stages: Mapping[str, Sequence[str]] | None = None,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    scale: Sequence[float] = (1.0, 1.0, 1.0),
    resize: Resize = "stretch",
) -> Backbone:
    """A model from images (B, size, size, 3) to maps (B, h, w, D), in memory or in a .keras file (safe mode).

    Args:
        weights: the model or its file.
        stages: stage name -> layer names, from the image upwards; by default one stage "body".
        mean: per-channel mean in pixels that the model wants subtracted.
        scale: per-channel divisor in pixels that the model wants.
        resize: how an image gets to size x size.

    Raises:
        ValueError: if the model takes or gives something else.
    """
    if isinstance(weights, keras.Model):
        model, source = weights, Provenance(source=f"the model {weights.name}")
    else:
        path = Path(weights)
        if path.suffix != ".keras" or not path.is_file():
            fail(
                "keras_model", "a .keras file", f"'{weights}'", "Give the path of a saved model: --weights FILE.keras."
            )
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        source = Provenance(source=str(weights), sha256=sha256(path))
    taken, given = model.input_shape, model.output_shape
    if len(taken) != 4 or taken[1] is None or taken[1] != taken[2] or taken[3] != 3 or len(given) != 4:
        shapes = f"{taken} to {given}"
        fail(
            "keras_model", "(batch, size, size, 3) to (batch, h, w, D)", shapes, "Cut its head and fix its input size."
        )
    whole = [layer.name for layer in model.layers if layer.weights]
    return Backbone(
        name=model.name,
        model=model,
        preprocess=Preprocess(taken[1], mean=mean, scale=scale, resize=resize),
        stages=stages or {"body": whole},
        weights=source,
    )
