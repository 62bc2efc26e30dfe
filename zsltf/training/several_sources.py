"""Train a network on batches of several labelled domains: how generalisation methods are trained."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras

from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains, check_same_classes
from zsltf.training.batch_norm import batch_norm_layers, mixed_batches, recalibrate
from zsltf.training.descent import Descent
from zsltf.training.headed_network import HeadedNetwork, labelled_loss, labelled_set
from zsltf.training.side_by_side import Step, descending, train_side_by_side

__all__ = ["Risk", "averaged", "generalizable", "mean_risk", "train_on_sources"]

Risk = Callable[[Sequence[Any], Any], Any]
"""Of each domain's batch (x, y, weights), and progress in [0, 1): a number."""


def generalizable(
    method: str, domains: Domains, classes: ClassTable, network: keras.Model | None, descent: Descent
) -> HeadedNetwork:
    """A copy of the network under a new head, as it starts; see HeadedNetwork.build.

    Raises:
        ValueError: also if a domain lacks a class that another has.
    """
    check_same_classes(domains.parts, classes)
    return HeadedNetwork.build(method, domains.pooled, classes, network, descent.seed)


def mean_risk(model: HeadedNetwork) -> Risk:
    """The mean over domains of each one's loss."""

    def risk(batches: Sequence[Any], _: Any) -> Any:
        return sum(labelled_loss(model.scores(x)[1], y, weights) for x, y, weights in batches) / len(batches)

    return risk


def train_on_sources(
    model: HeadedNetwork,
    risk: Risk,
    descent: Descent,
    domains: Domains,
    *,
    own: Sequence[keras.Variable] = (),
    after_step: Callable[[], None] | None = None,
    after_epoch: Callable[[int], None] | None = None,
) -> HeadedNetwork:
    """Descend on a risk; an epoch is a pass over the largest domain.

    Args:
        model: as it starts.
        risk: what is descended on.
        descent: Adam's settings; its batches are of each domain.
        domains: labelled examples.
        own: variables that the risk changes besides the model's.
        after_step: runs in the graph behind every step.
        after_epoch: is told the epoch, from 0 on.
    """
    descend = descending(risk, model.trainable_variables, descent)

    def step(batches: Sequence[Any], progress: Any) -> Any:
        value = descend(batches, progress)
        if after_step is not None:
            after_step()
        return value

    taken: Step = descend if after_step is None else step
    sets = sorted(map(labelled_set, domains.parts.values()), key=lambda arrays: len(arrays[0]), reverse=True)
    train_side_by_side(taken, [*model.variables, *own], descent, sets, after_epoch=after_epoch)
    return model


def averaged(model: HeadedNetwork, weights: Sequence[Any], domains: Domains, batch_size: int = 256) -> HeadedNetwork:
    """The model with these trained weights, under which BatchNorm that is not frozen is measured.

    Args:
        model: to change.
        weights: one array a trained variable.
        domains: on whose examples statistics are measured.
        batch_size: of examples of one domain.
    """
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    layers = [layer for layer in batch_norm_layers(model.network) if layer.trainable]
    if layers:
        every = (mixed_batches(part.counted().x, batch_size) for part in domains.parts.values())
        recalibrate(model.network, itertools.chain.from_iterable(every), layers)
    return model
