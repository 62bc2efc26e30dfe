"""The training engine: phases in turn, each proved, checkpointed after every epoch, resumed as if nothing had been."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from zsltf.classifier import Classifier
from zsltf.training.batches import Stream
from zsltf.training.checkpoints import Checkpoints, TrainingState
from zsltf.training.embedding_means import embedding_means
from zsltf.training.job import TrainingJob
from zsltf.training.network import Network
from zsltf.training.options import TrainingOptions
from zsltf.training.penalties import Penalty
from zsltf.training.phases import Phase, check_phases
from zsltf.training.scalars import ScalarLog
from zsltf.training.setup import Data, checked
from zsltf.training.strategy import check_replicas
from zsltf.training.timeline import check_rates

__all__ = ["Training", "train"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """What a training came to."""

    network: Network
    """With the chosen weights."""
    state: TrainingState
    """Its history has a row an epoch, its proofs a row a phase."""
    stream: Stream
    """Of the training images."""
    validation: Stream | None
    """Of the validation images."""

    def classifiers(self) -> dict[str, Classifier]:
        """One Classifier a head, from images."""
        means = embedding_means(self.network, self.stream)
        return {head: self.network.classifier(head, means[head]) for head in self.network.heads}


def train(
    network: Network,
    data: Data,
    phases: Sequence[Phase],
    options: TrainingOptions | None = None,
    *,
    penalties: Sequence[Penalty] = (),
    folder: Path | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    tensorboard: Path | None = None,
) -> Training:
    """Train the network's stages as the phases say, and leave the chosen weights in it.

    Between phases the model is compiled anew; moments and averages of variables that stay trainable, random numbers and
    the count of steps go on. After every epoch, all of that is on disk.

    Args:
        network: a backbone under heads; its weights are what training starts from. Keras constraints on them
            (`zsltf.training.penalties.constrain`) hold.
        data: training images, and validation images if there are any.
        phases: the schedule.
        options: optimizer, batch size, stopping, precision, seed.
        penalties: R(theta) of the trained weights, added to the loss and logged apart from it.
        folder: for checkpoints and history.csv; by default a temporary one.
        resume: go on from the folder's checkpoint, if there is one.
        callbacks: further Keras callbacks, the same for every phase.
        tensorboard: folder for the event files of its figures; none are written by default.

    Raises:
        ValueError: before slow work for a bad schedule, label or batch size, or a checkpoint of other settings; later
            for a loss or a weight that is not finite, or an image that can't be decoded.
        RuntimeError: if a frozen stage changed, or a trained one did not.
    """
    options = options or TrainingOptions()
    check_phases(phases, list(network.stages))
    data = checked(network, data, options)
    check_replicas(tf.distribute.get_strategy(), options)
    check_rates(network, phases)
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zsltf.")))
        log = ScalarLog(tensorboard) if tensorboard else None
        job = TrainingJob(network, data, phases, options, penalties, Checkpoints(place), log)
        for stream in filter(None, (job.stream, job.validation)):
            stack.callback(stream.check_decoded)
        job.begin(resume=resume)
        while job.state.phase < len(phases):
            job.run_phase(callbacks)
        job.finish()
        network.model.set_weights(job.network.model.get_weights())  # no more than itself, but in mixed precision
    return Training(network=network, stream=job.stream, validation=job.validation, state=job.state)
