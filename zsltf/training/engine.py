"""The training engine: phases in turn, each proved, checkpointed after every epoch, resumed as if nothing had been."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zsltf.classifier import Classifier
from zsltf.training.activation_cache import cached_activations, why_not
from zsltf.training.batch_norm import batch_norm_layers, recalibrate
from zsltf.training.batches import Activations, Stream
from zsltf.training.checkpoints import Checkpoints, TrainingState, Values, restore, values_of
from zsltf.training.embedding_means import embedding_means
from zsltf.training.epochs import Epochs, phase_is_over
from zsltf.training.freeze_proof import freeze_proof
from zsltf.training.history import write_history
from zsltf.training.learning_rates import learning_rate_schedule
from zsltf.training.network import Network
from zsltf.training.optimizer_state import optimizer_state, restore_optimizer_state
from zsltf.training.optimizers import kernels
from zsltf.training.options import TrainingOptions
from zsltf.training.penalties import Penalty, l2_sp
from zsltf.training.phase_model import NOT_FINITE, PhaseModel
from zsltf.training.phases import Phase, check_phases
from zsltf.training.setup import Data, check_data, check_same, describe, stream_of
from zsltf.training.strategy import check_replicas

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
) -> Training:
    """Train the network's stages as the phases say, and leave the chosen weights in it.

    Between phases the model is compiled anew; moments and averages of variables that stay trainable, random numbers and
    the count of steps go on. After every epoch, all of that is on disk.

    Args:
        network: a backbone under heads; its weights are what training starts from.
        data: training images, and validation images if there are any.
        phases: the schedule.
        options: optimizer, batch size, stopping, precision, seed.
        penalties: R(theta) of the trained weights, added to the loss and logged apart from it.
        folder: for checkpoints and history.csv; by default a temporary one.
        resume: go on from the folder's checkpoint, if there is one.
        callbacks: further Keras callbacks, the same for every phase.

    Raises:
        ValueError: before slow work for a bad schedule, label or batch size, or a checkpoint of other settings; later
            for a loss that is not finite.
        RuntimeError: if a frozen stage changed, or a trained one did not.
    """
    options = options or TrainingOptions()
    check_phases(phases, list(network.stages))
    check_data(network, data, options)
    check_replicas(tf.distribute.get_strategy(), options.optimization)
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zsltf.")))
        job = _Job(network, data, tuple(phases), options, tuple(penalties), Checkpoints(place))
        job.begin(resume=resume)
        while job.state.phase < len(phases):
            job.run_phase(callbacks)
        job.finish()
        network.model.set_weights(job.network.model.get_weights())  # no more than itself, but in mixed precision
    return Training(network=network, stream=job.stream, state=job.state)


class _Job:
    """One training under way."""

    def __init__(
        self,
        network: Network,
        data: Data,
        phases: tuple[Phase, ...],
        options: TrainingOptions,
        penalties: tuple[Penalty, ...],
        checkpoints: Checkpoints,
    ) -> None:
        self.description = describe(network, data, phases, options)
        self.network = network if options.precision == "float32" else network.with_precision(options.precision)
        self.phases, self.options, self.checkpoints = phases, options, checkpoints
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.stream = stream_of(self.network, data.train, data, options, replicas=replicas)
        self.validation: Stream | None = None
        if data.validation is not None:
            self.validation = stream_of(self.network, data.validation, data, options, replicas=replicas)
        self.penalties = (*penalties, *self._l2_sp())
        self.weighting = options.objectives.weighting(len(network.heads))
        own = self.weighting.variables if self.weighting else []
        self.variables = [*self.network.model.variables, *own]
        self.optimizer: Values = {}

    def begin(self, *, resume: bool) -> None:
        """Start afresh, or take up what the checkpoints hold."""
        self.state = TrainingState(fingerprint=self.description)
        if not (resume and self.checkpoints.found):
            self._write_start()
            return
        self.state, weights, self.optimizer = self.checkpoints.read()
        check_same(self.state.fingerprint, self.description)
        restore(self.variables, self.checkpoints.read_start(min(self.state.phase, len(self.phases) - 1)))
        restore(self.variables, weights)

    def run_phase(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Freeze, compile, fit, prove."""
        phase = self.phases[self.state.phase]
        self.network.freeze(phase)
        with ExitStack() as stack:
            activations, watched = self._activations(phase, stack)
            model = self._compiled(phase, cached=activations is not None)
            if not phase_is_over(self.state, phase, self.options):
                self._fit(model, phase, activations, watched, callbacks)
            if phase.batch_norm == "recalibrate":
                self._recalibrate(phase, model, activations)
        self.optimizer = optimizer_state(model.optimizer)
        self._end_phase(phase)

    def finish(self) -> None:
        """Put the best epoch's weights, or the averaged ones, into the network."""
        row = self.state.best if self.options.keep == "best" else None
        if row is not None:
            phase = next(i for i, p in enumerate(self.phases) if p.name == self.state.history[row]["phase"])
            restore(self.variables, self.checkpoints.read_start(phase))
            restore(self.variables, self.checkpoints.read_best(row))
            if self.phases[phase].batch_norm == "recalibrate":
                self.network.freeze(self.phases[phase])
                self._recalibrate(self.phases[phase], self._model(self.phases[phase], cached=False), None)
        else:
            restore(self.variables, self._averaged(values_of(self.variables), self.optimizer))

    def _activations(self, phase: Phase, stack: ExitStack) -> tuple[Activations | None, Activations | None]:
        """Of the training and the validation images, where the phase can train from them."""
        lower, _ = self.network.cut(phase)
        policy = self.options.cache
        found: list[Activations | None] = [None, None]
        note = why_not(self.stream, phase.epochs, lower, policy)
        if note is None and lower is not None:
            kept, note = stack.enter_context(cached_activations(self.stream, lower, policy))
            found[0] = kept
            if kept is not None and self.validation is not None:
                found[1], _ = stack.enter_context(cached_activations(self.validation, lower, policy))
                found[0] = kept if found[1] is not None else None
        del self.state.notes[self.state.phase :]
        self.state.notes.append(f"{phase.name}: {note}")
        return found[0], found[1]

    def _model(self, phase: Phase, *, cached: bool) -> PhaseModel:
        return PhaseModel(
            self.network, phase, self.options.objectives, self.penalties, weighting=self.weighting, cached=cached
        )

    def _compiled(self, phase: Phase, *, cached: bool) -> PhaseModel:
        model, start = self._model(phase, cached=cached), self._steps_before(self.state.phase)
        shares = {
            weight.path: rate / phase.learning_rate
            for stage, rate in phase.rates(list(self.network.stages)).items()
            for weight in self.network.weights_of(stage, trainable=True)
        }
        optimizer: Any = self.options.optimization.build(
            self._course(phase, start), rates=shares, decayed=kernels(model.trainable_variables), born=self._born()
        )
        if self.options.precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
        restore_optimizer_state(optimizer, self.optimizer, strict=self.state.epoch > 0)
        model.compile(optimizer=optimizer, jit_compile=self.options.jit_compile)
        return model

    def _course(self, phase: Phase, start: int) -> Any:
        if phase.schedule == "plateau":
            return phase.learning_rate
        steps, warmup = phase.epochs * self.stream.steps, round(phase.warmup * self.stream.steps)
        return learning_rate_schedule(
            phase.schedule, peak=phase.learning_rate, steps=steps, warmup_steps=warmup, start=start
        )

    def _fit(
        self,
        model: PhaseModel,
        phase: Phase,
        activations: Activations | None,
        watched: Activations | None,
        callbacks: Sequence[keras.callbacks.Callback],
    ) -> None:
        first = sum(earlier.epochs for earlier in self.phases[: self.state.phase])
        validation = self.validation
        seen = None if validation is None else validation.watched(watched)
        epochs = Epochs(self, phase, first)
        swap = [keras.callbacks.SwapEMAWeights()] if self.options.optimization.ema else []
        try:
            model.fit(
                self.stream.epochs(first + self.state.epoch, first + phase.epochs, activations),
                epochs=phase.epochs,
                initial_epoch=self.state.epoch,
                steps_per_epoch=self.stream.steps,
                validation_data=seen,
                shuffle=False,
                verbose=0,
                callbacks=[*callbacks, *swap, epochs],
            )
        except tf.errors.InvalidArgumentError as error:
            if NOT_FINITE not in str(error):
                raise
            epochs.fail_not_finite()

    def after_epoch(self, model: PhaseModel, row: dict[str, Any], *, best: bool) -> None:
        """Note an epoch, and write all that it changed to disk."""
        self.state.history.append(row)
        self.state.epoch += 1
        weights, optimizer = self._changing(), optimizer_state(model.optimizer)
        if best:
            self.state.best = len(self.state.history) - 1
            self.checkpoints.write_best(self.state.best, self._averaged(weights, optimizer))
        self.checkpoints.write(self.state, weights, optimizer)
        write_history(self.checkpoints.folder / "history.csv", self.state.history)

    def _end_phase(self, phase: Phase) -> None:
        start = self.checkpoints.read_start(self.state.phase)
        self.state.proofs.append(freeze_proof(self.network, phase, start))
        self.state.phase, self.state.epoch = self.state.phase + 1, 0
        if self.state.phase < len(self.phases):
            self._write_start()
        else:
            self.checkpoints.write(self.state, self._changing(), self.optimizer)

    def _write_start(self) -> None:
        self.checkpoints.write_start(self.state.phase, values_of(self.variables))
        self.checkpoints.write(self.state, {}, self.optimizer)

    def _changing(self) -> Values:
        """All but the weights that training leaves alone."""
        still = {id(w) for layer in self.network.model.layers if not layer.trainable_weights for w in layer.weights}
        return values_of(self.variables, leaving_out=still)

    def _averaged(self, values: Values, optimizer: Values) -> Values:
        """The values, with moving averages in the place of weights that have one."""
        averages = {key.partition("/average/")[2]: value for key, value in optimizer.items() if "/average/" in key}
        return {key: averages.get(key.partition(" ")[2], value) for key, value in values.items()}

    def _recalibrate(self, phase: Phase, model: PhaseModel, activations: Activations | None) -> None:
        stages = self.network.stages
        trained = {name for stage in phase.trained(list(stages)) for name in stages[stage]}
        layers = [layer for layer in batch_norm_layers(self.network.backbone.model) if layer.name in trained]
        dataset = self.stream.in_order() if activations is None else self.stream.activations_in_order(activations)
        recalibrate(model, dataset, layers)

    def _steps_before(self, phase: int) -> int:
        """Batches before a phase."""
        names = {earlier.name for earlier in self.phases[:phase]}
        return self.stream.steps * sum(row["phase"] in names for row in self.state.history)

    def _born(self) -> dict[str, int]:
        """Path of each trained weight -> batches before the phase since which it has been training."""
        born: dict[str, int] = {}
        for number, phase in enumerate(self.phases[: self.state.phase + 1]):
            self.network.freeze(phase)
            paths = [weight.path for weight in self.network.model.trainable_weights]
            born = {path: born.get(path, self._steps_before(number)) for path in paths}
        return born

    def _l2_sp(self) -> list[Penalty]:
        """The options' penalties, around the weights that the backbone comes with."""
        weights = self.network.backbone.model.weights
        start = {weight.path: np.array(weight) for weight in weights} if self.options.l2_sp else {}
        both = l2_sp(start, alpha=self.options.l2_sp, beta=self.options.l2_new)
        return [penalty for penalty in both if penalty.weight]
