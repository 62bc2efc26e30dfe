"""A backbone as the report names it."""

from typing import Any

from zsltf.pretrained.backbone import Backbone

__all__ = ["describe_backbone"]


def describe_backbone(backbone: Backbone) -> dict[str, Any]:
    """The key `backbone` of report.json."""
    return {
        "name": backbone.name,
        "weights": backbone.weights.source,
        "sha256": backbone.weights.sha256,
        "licence": backbone.weights.licence,
        "feature_size": backbone.feature_size,
        "input_size": backbone.preprocess.size,
        "resize": backbone.preprocess.resize_policy,
    }
