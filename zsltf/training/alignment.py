"""Source labels, and a term that draws the domains together: how most adaptation methods are trained."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled, check_unlabelled
from zsltf.training.descent import Descent
from zsltf.training.headed_network import HeadedNetwork, labelled_loss, labelled_set
from zsltf.training.side_by_side import descending, train_side_by_side

__all__ = ["Alignment", "adaptable", "check_trainable", "train_aligned", "train_on_source"]

Alignment = Callable[[Any, Any, Any, Any, Any], Any]
"""Of the source's embeddings (B, K) and scores (B, C), the target's two, and progress in [0, 1): a number."""


def adaptable(
    method: str,
    source: Features,
    target: Unlabelled,
    classes: ClassTable,
    network: keras.Model | None,
    descent: Descent,
) -> HeadedNetwork:
    """A copy of the network under a new head, as it starts; see HeadedNetwork.build.

    Raises:
        ValueError: also if the target brings labels or has another shape.
    """
    check_unlabelled(method, target, source.x)
    return HeadedNetwork.build(method, source, classes, network, descent.seed)


def check_trainable(model: HeadedNetwork) -> None:
    """Refuse a network that can't move its embeddings: all of a method but its source's loss would be idle."""
    if not model.network.trainable_variables:
        fail("network", "one with weights to train", "none", "Give a network, such as embeds.adapter on vectors.")


def train_on_source(model: HeadedNetwork, descent: Descent, source: Features) -> HeadedNetwork:
    """On the source's loss alone."""

    def loss(batches: Sequence[Any], _: Any) -> Any:
        ((x, y, weights),) = batches
        return labelled_loss(model.scores(x)[1], y, weights)

    step = descending(loss, model.trainable_variables, descent)
    train_side_by_side(step, model.variables, descent, [labelled_set(source)])
    return model


def train_aligned(
    model: HeadedNetwork,
    alignment: Alignment,
    weight: float,
    descent: Descent,
    source: Features,
    target: Unlabelled,
    *,
    layer: keras.layers.Layer | None = None,
) -> HeadedNetwork:
    """On the source's loss plus weight times the alignment; a weight of 0 is the source's loss alone.

    Each domain goes through the network as a batch of its own, so that BatchNorm normalises it by its own statistics;
    what is stored is a mean over both.

    Args:
        model: as it starts.
        alignment: how far the domains are apart.
        weight: >= 0.
        descent: Adam's settings.
        source: labelled examples.
        target: examples without labels.
        layer: the alignment's own weights, built, which train along.

    Raises:
        ValueError: if the network has nothing to train: nothing would be drawn together.
    """
    if not weight:
        return train_on_source(model, descent, source)
    check_trainable(model)

    def loss(batches: Sequence[Any], progress: Any) -> Any:
        (x, y, weights), (other,) = batches
        embeddings, scores = model.scores(x)
        return labelled_loss(scores, y, weights) + weight * alignment(
            embeddings, scores, *model.scores(other), progress
        )

    own, all_own = ([], []) if layer is None else (layer.trainable_variables, layer.variables)
    step = descending(loss, [*model.trainable_variables, *own], descent)
    train_side_by_side(step, [*model.variables, *all_own], descent, [labelled_set(source), (target.x,)])
    return model
