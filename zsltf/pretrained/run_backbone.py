"""The backbone of a run: its network without what its recipe put on the pooled features."""

from pathlib import Path
from typing import Any

import keras

from zsltf.checks import fail
from zsltf.classifier import Classifier
from zsltf.pretrained.backbone import Backbone, Provenance
from zsltf.runs import opened

__all__ = ["open_backbone", "run_backbone"]


def open_backbone(path: Path) -> Backbone:
    """That of a run folder, or of a saved Classifier by itself.

    Raises:
        ValueError: if there is none, or its network has no backbone.
    """
    with opened(path) as run:
        told = run.read_json("report.json").get("backbone", {})
        weights = Provenance(source=str(path), sha256=run.digest(), licence=told.get("licence") or "")
        return run_backbone(run.classifier(), weights, name=told.get("name") or "backbone")


def run_backbone(classifier: Classifier, weights: Provenance, *, name: str = "backbone") -> Backbone:
    """What lies below the average of the feature maps, whatever recipe trained it; the layers are shared, not copied.

    Args:
        classifier: from images.
        weights: where the Classifier comes from.
        name: of the backbone.

    Raises:
        ValueError: if the Classifier takes features, or its network averages no feature maps.
    """
    fix = "Give a run of finetune, linear_probe or zero_shot, for one."
    if classifier.preprocess is None:
        fail(weights.source, "a Classifier from images", "one from features", fix)
    found = _averaged(classifier.embed) or _first_maps(classifier.embed, classifier.preprocess.size)
    if found is None:
        fail(weights.source, "a network whose feature maps are averaged", "another network", fix)
    model = keras.Model(*found, name=name)
    weighted = tuple(layer.name for layer in model.layers if layer.weights)
    return Backbone(name=name, model=model, preprocess=classifier.preprocess, stages={"all": weighted}, weights=weights)


def _averaged(model: keras.Model) -> tuple[Any, Any] | None:
    """Input and maps of the layer that `Backbone.features` ends with, in the model or in one inside it."""
    pools = [layer for layer in model.layers if layer.name == "pool"]
    if pools and isinstance(pools[0], keras.layers.GlobalAveragePooling2D):
        return model.input, pools[0].input
    inside = (_averaged(layer) for layer in model.layers if isinstance(layer, keras.Model))
    return next((found for found in inside if found is not None), None)


def _first_maps(model: keras.Model, size: int) -> tuple[Any, Any] | None:
    """The same of a backbone on whose maps a method works."""
    inside = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    shapes = [(layer.input_shape[1:], len(layer.output_shape)) for layer in inside]
    found = [layer for layer, shape in zip(inside, shapes, strict=True) if shape == ((size, size, 3), 4)]
    return (found[0].input, found[0].output) if found else None
