"""One training under way: what it holds, and how it goes from phase to phase."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zsltf.checks import check_finite
from zsltf.training.activation_cache import cached_activations
from zsltf.training.activations import Activations
from zsltf.training.batch_norm import batch_norm_layers, recalibrate
from zsltf.training.batches import Stream
from zsltf.training.checkpoints import Checkpoints, TrainingState, Values, restore, values_of
from zsltf.training.epochs import REMEDY, Epochs, FiniteLoss, phase_is_over
from zsltf.training.freeze_proof import freeze_proof
from zsltf.training.history import write_history
from zsltf.training.network import Network
from zsltf.training.optimizer_state import averaged, optimizer_state, restore_optimizer_state
from zsltf.training.optimizers import kernels
from zsltf.training.options import TrainingOptions
from zsltf.training.penalties import Penalty, toward_start
from zsltf.training.phase_model import NOT_FINITE, PhaseModel
from zsltf.training.phases import Phase
from zsltf.training.scalars import ScalarLog
from zsltf.training.setup import Data, check_same, describe, stream_of
from zsltf.training.timeline import Timeline

__all__ = ["TrainingJob"]


class TrainingJob:
    """See `zsltf.training.engine.train` for the arguments; `log` gets every epoch's figures."""

    def __init__(
        self,
        network: Network,
        data: Data,
        phases: Sequence[Phase],
        options: TrainingOptions,
        penalties: Sequence[Penalty],
        checkpoints: Checkpoints,
        log: ScalarLog | None,
    ) -> None:
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.fingerprint = describe(network, data, phases, options)
        self.fingerprint |= {"penalties": [[p.name, p.weight] for p in penalties], "devices": replicas}
        self.network = network if options.precision == "float32" else network.with_precision(options.precision)
        self.phases, self.options, self.checkpoints, self.log = tuple(phases), options, checkpoints, log
        self.stream = stream_of(self.network, data.train, data, options, replicas=replicas)
        self.validation: Stream | None = None
        if data.validation is not None:
            self.validation = stream_of(self.network, data.validation, data, options, replicas=replicas)
        self.penalties = (*penalties, *toward_start(self.network.backbone.model, options.l2_sp, options.l2_new))
        self.weighting = options.objectives.weighting(len(network.heads))
        own = self.weighting.variables if self.weighting else []
        self.variables = [*self.network.model.variables, *own]
        self.optimizer: Values = {}

    @property
    def timeline(self) -> Timeline:
        """The schedule in steps, as far as it is known."""
        return Timeline(
            network=self.network,
            phases=self.phases,
            steps_per_epoch=self.stream.steps,
            history=self.state.history,
        )

    def begin(self, *, resume: bool) -> None:
        """Start afresh, or take up what the checkpoints hold."""
        self.state = TrainingState(fingerprint=self.fingerprint)
        if not (resume and self.checkpoints.found):
            self._write_start()
            return
        self.state, weights, self.optimizer = self.checkpoints.read()
        check_same(self.state.fingerprint, self.fingerprint)
        restore(self.variables, self.checkpoints.read_start(min(self.state.phase, len(self.phases) - 1)))
        restore(self.variables, weights)

    def run_phase(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Freeze, compile, fit, prove."""
        phase = self.phases[self.state.phase]
        self.network.freeze(phase)
        activations, watched = self._activations(phase)
        model = self.compiled(phase, cached=activations is not None)
        if not phase_is_over(self.state, phase, self.options):
            self._fit(model, phase, activations, watched, callbacks)
        if phase.batch_norm == "recalibrate":
            self._recalibrate(phase, None if self.stream.augmentation.enabled else activations)
        self.optimizer = optimizer_state(model.optimizer)
        self._end_phase(phase)

    def finish(self) -> None:
        """Put the best epoch's weights, or the averaged ones, into the network."""
        row = self.state.best if self.options.keep == "best" else None
        if row is None:
            phase = self.phases[-1]
            restore(self.variables, averaged(values_of(self.variables), self.optimizer))
        else:
            number = next(i for i, p in enumerate(self.phases) if p.name == self.state.history[row]["phase"])
            phase = self.phases[number]
            restore(self.variables, self.checkpoints.read_start(number))
            restore(self.variables, self.checkpoints.read_best(row))
        if phase.batch_norm == "recalibrate":
            self.network.freeze(phase)
            self._recalibrate(phase, None)

    def _activations(self, phase: Phase) -> tuple[Activations | None, Activations | None]:
        """Of the training and the validation images, where the phase can train from them."""
        lower, _ = self.network.cut(phase)
        streams = [stream for stream in (self.stream, self.validation) if stream is not None]
        found, note = cached_activations(streams, lower, phase.epochs, self.options.cache)
        del self.state.notes[self.state.phase :]
        self.state.notes.append(f"{phase.name}: {note}")
        train, validation = [*found, None, None][:2]
        return train, validation

    def _model(self, phase: Phase, *, cached: bool) -> PhaseModel:
        return PhaseModel(
            self.network, phase, self.options.objectives, self.penalties, weighting=self.weighting, cached=cached
        )

    def compiled(self, phase: Phase, *, cached: bool) -> PhaseModel:
        """The phase under way, with its optimizer as it was left."""
        model, timeline, number = self._model(phase, cached=cached), self.timeline, self.state.phase
        born = timeline.born(number)
        optimizer: Any = self.options.optimization.build(
            timeline.course(number),
            rates=timeline.shares(number),
            decayed=kernels(model.trainable_variables),
            born=born,
        )
        if self.options.precision == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
        restore_optimizer_state(optimizer, self.optimizer, strict=self.state.epoch > 0)
        model.compile(optimizer=optimizer, jit_compile=self.options.jit_compile)
        return model

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
        watch = [FiniteLoss(epochs)] if self.options.jit_compile else []
        try:
            model.fit(
                self.stream.epochs(first + self.state.epoch, first + phase.epochs, activations),
                epochs=phase.epochs,
                initial_epoch=self.state.epoch,
                steps_per_epoch=self.stream.steps,
                validation_data=seen,
                shuffle=False,
                verbose=0,
                callbacks=[*callbacks, *swap, *watch, epochs],
            )
        except tf.errors.InvalidArgumentError as error:
            if NOT_FINITE not in str(error):
                raise
            epochs.fail_not_finite()

    def after_epoch(self, model: PhaseModel, row: dict[str, Any], *, best: bool) -> None:
        """Note an epoch, and write all that it changed to disk.

        Raises:
            ValueError: if a weight is not finite; the checkpoint of the epoch before stays.
        """
        weights, optimizer = self._changing(), optimizer_state(model.optimizer)
        for key, value in weights.items():
            check_finite(f"weight '{key}' after epoch {row['epoch'] + 1}, phase '{row['phase']}'", value, REMEDY)
        self.state.history.append(row)
        self.state.epoch += 1
        if best:
            self.state.best = len(self.state.history) - 1
            self.checkpoints.write_best(self.state.best, averaged(weights, optimizer))
        self.checkpoints.write(self.state, weights, optimizer)
        write_history(self.checkpoints.folder / "history.csv", self.state.history)
        if self.log is not None:
            self.log.write(row)

    def _end_phase(self, phase: Phase) -> None:
        start = self.checkpoints.read_start(self.state.phase)
        self.state.proofs.append(freeze_proof(self.network, phase, start))
        self.state.phase, self.state.epoch = self.state.phase + 1, 0
        if self.state.phase < len(self.phases):
            self._write_start()
        else:
            self.checkpoints.write(self.state, values_of(self.variables), self.optimizer)

    def _write_start(self) -> None:
        self.checkpoints.write_start(self.state.phase, values_of(self.variables))
        self.checkpoints.write(self.state, {}, self.optimizer)

    def _changing(self) -> Values:
        """All but the weights that training leaves alone."""
        still = {id(w) for layer in self.network.model.layers if not layer.trainable_weights for w in layer.weights}
        return values_of(self.variables, leaving_out=still)

    def _recalibrate(self, phase: Phase, activations: Activations | None) -> None:
        """On images that are not augmented."""
        model, stages = self._model(phase, cached=activations is not None), self.network.stages
        layers = [self.network.model.get_layer(name) for s in phase.trained(list(stages)) for name in stages[s]]
        dataset = self.stream.in_order() if activations is None else self.stream.activations_in_order(activations)
        recalibrate(model, dataset, [norm for layer in layers for norm in batch_norm_layers(layer)])
