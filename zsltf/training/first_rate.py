"""A learning rate for the first phase of a training, by a sweep on the very model that it will train."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from zsltf.training.checkpoints import Checkpoints
from zsltf.training.job import TrainingJob
from zsltf.training.learning_rate_finder import LearningRateRange, find_learning_rate
from zsltf.training.network import Network
from zsltf.training.options import TrainingOptions
from zsltf.training.penalties import Penalty
from zsltf.training.phases import Phase
from zsltf.training.setup import Data, checked

__all__ = ["sweep_first_phase"]


def sweep_first_phase(
    network: Network, data: Data, phases: Sequence[Phase], options: TrainingOptions, penalties: Sequence[Penalty] = ()
) -> LearningRateRange:
    """Try rising rates, a batch each, as `find_learning_rate` does; the network ends as it was, to the bit.

    Its arguments are those of `zsltf.training.engine.train`; activations are not cached.
    """
    frozen = [(layer, layer.trainable) for layer in network.model._flatten_layers(include_self=False)]
    with tempfile.TemporaryDirectory(prefix="zsltf.") as place:
        data = checked(network, data, options)
        job = TrainingJob(network, data, phases, options, penalties, Checkpoints(Path(place)), None)
        job.begin(resume=False)
        job.network.freeze(phases[0])
        model = job.compiled(phases[0], cached=False)
        sweep = find_learning_rate(model, job.stream.epochs(0, phases[0].epochs))
    for layer, trainable in frozen:  # the outer ones first: they set those within
        layer.trainable = trainable
    return sweep
