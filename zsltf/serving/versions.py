"""The versions of one model under a base path: what should be loaded, what is, and how it changes hands."""

import asyncio
import enum
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from zsltf.serving.batching import Batcher, BatchingOptions
from zsltf.serving.servable import Servable, is_saved_model
from zsltf.serving.status import RequestError

__all__ = ["Model", "Policy", "State", "Version"]

_LOG = logging.getLogger("zsltf.serving")


class State(enum.IntEnum):
    """As tensorflow_serving/apis/get_model_status.proto numbers them."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Which versions under the base path are served: the latest few, all, or specific ones."""

    latest: int | None = 1
    """How many; None with `specific` empty is all."""
    specific: tuple[int, ...] = ()

    def aspired(self, there: list[int]) -> list[int]:
        """Of the versions on disk, ascending."""
        if self.specific:
            return [number for number in there if number in self.specific]
        return there if self.latest is None else there[-self.latest :]


@dataclass(kw_only=True, eq=False)
class Version:
    """One numbered version and where it is in its life."""

    number: int
    path: Path
    state: State = State.START
    error: str = ""
    servable: Servable | None = None
    batchers: dict[str, Batcher] = field(default_factory=dict)
    """Of signatures whose requests can be joined."""
    content: tuple[tuple[str, int, int], ...] = ()
    """Names, sizes and times of the files that were there when it was loaded."""
    in_flight: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def used(self) -> Iterator[Servable]:
        """It isn't unloaded meanwhile."""
        if self.servable is None:
            raise RequestError(grpc.StatusCode.UNAVAILABLE, f"Version {self.number} is being unloaded")
        self.in_flight += 1
        try:
            yield self.servable
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()


class Model:
    """The versions of a model; all but loading and running happens in one event loop.

    Args:
        name: that requests give.
        base_path: a folder of version folders, or one file or SavedModel, which is version 1.
        policy: which versions to serve.
        labels: label -> version.
        batching: options of the queues, or None.
        executor: where versions run.
        loader: where they are loaded: other threads, for a load must not keep requests waiting.
        opened: loads a version and replays its recorded requests.
    """

    def __init__(
        self,
        name: str,
        base_path: Path,
        policy: Policy,
        labels: dict[str, int],
        batching: BatchingOptions | None,
        executor: Executor,
        loader: Executor,
        opened: Callable[[Path], Servable],
    ) -> None:
        self.name, self.base_path, self.policy, self.labels = name, base_path, policy, labels
        self.versions: dict[int, Version] = {}
        self._batching, self._executor, self._loader, self._opened = batching, executor, loader, opened
        self._changing = asyncio.Lock()

    @property
    def available(self) -> list[Version]:
        """Ascending."""
        ready = (version for version in self.versions.values() if version.state is State.AVAILABLE)
        return sorted(ready, key=lambda version: version.number)

    async def refresh(self) -> None:
        """Load what should be served and isn't, then unload what shouldn't: the other way round, requests would fail.

        A version that failed is tried again once its files have changed. A base path that can't be reached changes
        nothing: a disk may be away for a while.
        """
        async with self._changing:
            try:
                there = await asyncio.get_running_loop().run_in_executor(self._loader, _numbered, self.base_path)
            except OSError as error:
                _LOG.warning("Could not find base path %s for servable %s: %s", self.base_path, self.name, error)
                return
            aspired = self.policy.aspired(sorted(there))
            for number in aspired:
                await self._load(number, there[number])
            if any(self.versions[number].state is State.AVAILABLE for number in aspired) or not aspired:
                gone = [version for version in self.available if version.number not in aspired]
                await asyncio.gather(*map(self._unload, gone))

    async def close(self) -> None:
        """Unload everything, after the requests that are being answered."""
        async with self._changing:
            await asyncio.gather(*map(self._unload, self.available))

    async def _load(self, number: int, path: Path) -> None:
        version, loop = self.versions.get(number), asyncio.get_running_loop()
        if version is not None and version.state is not State.END:
            return
        content = await loop.run_in_executor(self._loader, _content, path)
        if version is not None and version.error and version.content == content:
            return
        version = self.versions[number] = Version(number=number, path=path, content=content, state=State.LOADING)
        try:
            servable = await loop.run_in_executor(self._loader, self._opened, path)
        except Exception as error:  # noqa: BLE001 (a version that doesn't load leaves the others alone)
            version.state, version.error = State.END, str(error)
            _LOG.warning("%s: version %d was not loaded: %s", self.name, number, error)
            return
        if self._batching is not None:
            for name, signature in servable.signatures.items():
                if _joinable(signature):
                    version.batchers[name] = Batcher(servable, name, self._batching, self._executor)
        version.servable, version.state = servable, State.AVAILABLE
        _LOG.info("%s: version %d is available", self.name, number)

    async def _unload(self, version: Version) -> None:
        version.state = State.UNLOADING
        while version.in_flight:
            version.idle.clear()
            await version.idle.wait()
        if version.servable is not None:
            self._loader.submit(version.servable.close)  # it waits for calls that nobody waits for any more
        version.servable, version.state = None, State.END
        version.batchers.clear()
        _LOG.info("%s: version %d was unloaded", self.name, version.number)


def _numbered(base: Path) -> dict[int, Path]:
    """Versions on disk; what is no int64, such as a copy in progress under another name, is none.

    Of two names of one number the last counts, as there.

    Raises:
        OSError: if the base path can't be read.
    """
    if base.is_file() or is_saved_model(base):
        return {1: base}
    numbered = sorted(entry for entry in base.iterdir() if re.fullmatch("[0-9]+", entry.name) and entry.is_dir())
    return {int(entry.name): entry for entry in numbered if int(entry.name) < 2**63}


def _content(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Empty where files go while they are looked at."""
    try:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        stats = [(file, file.stat()) for file in files]
    except FileNotFoundError:
        return ()
    return tuple((file.name, stat.st_size, stat.st_mtime_ns) for file, stat in stats)


def _joinable(signature: Any) -> bool:
    """One input and outputs with a row each of any number: others could not be parted again."""

    def any_rows(info: Any) -> bool:
        dims = info.tensor_shape.dim
        return not info.tensor_shape.unknown_rank and len(dims) > 0 and dims[0].size < 0

    return len(signature.inputs) == 1 and all(map(any_rows, [*signature.inputs.values(), *signature.outputs.values()]))
