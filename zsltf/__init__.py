"""zsltf: transfer learning and zero-shot learning in Keras, for models that leave the lab.

`data` -> `pretrained`, `backbones` -> `zeroshot`, `fewshot`, `transfer` -> `Classifier` -> `evaluation` -> `Run` ->
`exporters`, `delivery` -> `prediction`. The core types are here by name and imported when they are first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zsltf.artifacts.artifact import Artifact
    from zsltf.classifier import Classifier
    from zsltf.data.classes import ClassTable
    from zsltf.data.features import Features
    from zsltf.pretrained.backbone import Backbone
    from zsltf.runs import Run

__version__ = "0.1.0"
__all__ = ["Artifact", "Backbone", "ClassTable", "Classifier", "Features", "Run"]

_HOMES = {
    "Artifact": "zsltf.artifacts.artifact",
    "Backbone": "zsltf.pretrained.backbone",
    "ClassTable": "zsltf.data.classes",
    "Classifier": "zsltf.classifier",
    "Features": "zsltf.data.features",
    "Run": "zsltf.runs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zsltf' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
