"""Everything that a training needs to go on as if it had never stopped, in files that are whole or absent."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from zsltf.checks import check_shape, fail
from zsltf.files import atomic_file

__all__ = ["Checkpoints", "TrainingState", "Values", "restore", "values_of"]

Values = dict[str, np.ndarray]
_STATE, _WEIGHTS, _OPTIMIZER = "state", "weights/", "optimizer/"


@dataclass(kw_only=True)
class TrainingState:
    """How far a training has come, as plain data."""

    fingerprint: dict[str, Any]
    """Of settings and data: a training is resumed under the same ones only."""
    phase: int = 0
    """Phases that are over."""
    epoch: int = 0
    """Epochs of the present phase that are over."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """A row an epoch."""
    best: int | None = None
    """The row whose weights were the best on the validation images."""
    proofs: list[dict[str, Any]] = field(default_factory=list)
    """Of the phases that are over: which stages stayed bit-equal, which moved."""
    notes: list[str] = field(default_factory=list)
    """Of each phase begun: where its activations were kept, or why they weren't."""


def values_of(variables: Sequence[keras.Variable], leaving_out: Collection[int] = ()) -> Values:
    """Copies, by number and path: the states of random numbers have no path of their own.

    Args:
        variables: of a network, always in the same order.
        leaving_out: ids of those to leave out.
    """
    kept = [(i, variable) for i, variable in enumerate(variables) if id(variable) not in leaving_out]
    return {f"{i:05d} {variable.path}": np.array(variable) for i, variable in kept}


def restore(variables: Sequence[keras.Variable], values: Mapping[str, np.ndarray]) -> None:
    """Put copies of some or all of these variables back.

    Raises:
        ValueError: if one has no counterpart, or another shape.
    """
    fix = "Resume with the same backbone, heads and classes."
    for key, value in values.items():
        number = int(key.partition(" ")[0])
        if number >= len(variables):
            fail("checkpoint", f"{len(variables)} variables", f"'{key}'", fix)
        check_shape(f"checkpoint, '{key}'", value, variables[number].shape, fix)
        variables[number].assign(value)


@dataclass(frozen=True)
class Checkpoints:
    """A folder: all weights once a phase, and after each epoch those that the phase changes.

    Every file is replaced at once, so a process may die at any moment: the folder then holds the state before the write
    or after it.

    Args:
        folder: made if it isn't there.
    """

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def found(self) -> bool:
        """Whether there is a state to resume from."""
        return (self.folder / "state.npz").is_file()

    def write_start(self, phase: int, weights: Values) -> None:
        """All weights at the start of a phase."""
        _write(self.folder / f"phase-{phase}.npz", weights)

    def read_start(self, phase: int) -> Values:
        """All weights at the start of a phase."""
        return _read(self.folder / f"phase-{phase}.npz")

    def write_best(self, row: int, weights: Values) -> None:
        """The weights that a phase changes, as they were after this row of the history."""
        _write(self.folder / f"best-{row}.npz", weights)

    def read_best(self, row: int) -> Values:
        """The weights that a phase changes, as they were after this row of the history."""
        return _read(self.folder / f"best-{row}.npz")

    def write(self, state: TrainingState, weights: Values, optimizer: Values) -> None:
        """Where the training stands; files that it has left behind go."""
        text = np.frombuffer(json.dumps(asdict(state)).encode(), np.uint8)
        arrays = {_WEIGHTS + name: value for name, value in weights.items()}
        arrays |= {_OPTIMIZER + name: value for name, value in optimizer.items()}
        _write(self.folder / "state.npz", {_STATE: text, **arrays})
        for path in self.folder.glob("best-*.npz"):
            if path.name != f"best-{state.best}.npz":
                path.unlink()

    def read(self) -> tuple[TrainingState, Values, Values]:
        """State, the weights that the present phase changes, and the optimizer's state.

        Raises:
            ValueError: if there is none, or a damaged one; so do the other readers.
        """
        arrays = _read(self.folder / "state.npz")
        state = TrainingState(**json.loads(arrays.pop(_STATE).tobytes()))
        return state, _part(arrays, _WEIGHTS), _part(arrays, _OPTIMIZER)


def _write(path: Path, arrays: Values) -> None:
    with atomic_file(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _read(path: Path) -> Values:
    if not path.is_file():
        fail(str(path), "a checkpoint to resume from", "none", "Start without --resume.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        fail(str(path), "a checkpoint as zsltf wrote it", f"a damaged one ({error})", "Start without --resume.")


def _part(arrays: Values, prefix: str) -> Values:
    return {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}
