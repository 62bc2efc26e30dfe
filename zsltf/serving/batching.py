"""Requests that arrive together run together: joined along their first axis, and parted again."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np

from zsltf.checks import fail
from zsltf.serving.servable import Servable, Tensors
from zsltf.serving.status import RequestError

__all__ = ["Batcher", "BatchingOptions"]

_UNEQUAL = (
    "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors"
)
_FULL = "The batch scheduling queue to which this task was submitted is full"


@dataclass(frozen=True, kw_only=True)
class BatchingOptions:
    """TensorFlow Serving's BatchingParameters, of servables/tensorflow/session_bundle_config.proto there."""

    max_batch_size: int = 32
    """Rows of a batch, >= 1."""
    batch_timeout_micros: int = 1000
    """How long a batch waits for more rows, >= 0."""
    max_enqueued_batches: int = 64
    """Batches that may wait or run, >= 1; what comes then is refused."""
    num_batch_threads: int = 1
    """Batches that run at once, >= 1."""
    allowed_batch_sizes: tuple[int, ...] = ()
    """A batch is filled up to one of these, ascending, the last max_batch_size; by default it isn't."""

    def __post_init__(self) -> None:
        least = {"max_batch_size": 1, "batch_timeout_micros": 0, "max_enqueued_batches": 1, "num_batch_threads": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                fail(name, f"{low} or more", str(getattr(self, name)), "Mend the batching parameters.")
        sizes = list(self.allowed_batch_sizes)
        if sizes and (sizes != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] != self.max_batch_size):
            expected = f"ascending sizes up to {self.max_batch_size}"
            fail("allowed_batch_sizes", expected, str(sizes), "Mend the batching parameters.")


@dataclass(eq=False)
class _Batch:
    requests: list[tuple[Tensors, int, asyncio.Future[Tensors]]] = field(default_factory=list)
    size: int = 0
    timer: asyncio.TimerHandle | None = None


class Batcher:
    """The queue of one signature of one version.

    Args:
        servable: what runs.
        name: of the signature.
        options: of the queue.
        executor: where batches run.
    """

    def __init__(self, servable: Servable, name: str, options: BatchingOptions, executor: Executor) -> None:
        self._servable, self._name, self._options, self._executor = servable, name, options, executor
        self._open: dict[Any, _Batch] = {}
        self._enqueued = 0
        self._slots = asyncio.Semaphore(options.num_batch_threads)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, inputs: Tensors) -> Tensors:
        """Run as a part of a batch with what else comes within the timeout.

        Raises:
            RequestError: if the queue is full, or the model refuses these inputs.
        """
        size = len(next(iter(inputs.values())))
        if size > self._options.max_batch_size:
            message = f"Task size {size} is larger than maximum input batch size {self._options.max_batch_size}"
            raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)
        answer: asyncio.Future[Tensors] = asyncio.get_running_loop().create_future()
        key = tuple((name, value.dtype, value.shape[1:]) for name, value in sorted(inputs.items()))
        batch = self._open.get(key)
        if batch is not None and batch.size + size > self._options.max_batch_size:
            self._close(key, batch)
            batch = None
        batch = batch or self._start(key)
        batch.requests.append((inputs, size, answer))
        batch.size += size
        if batch.size == self._options.max_batch_size:
            self._close(key, batch)
        return await answer

    def _start(self, key: Any) -> _Batch:
        if self._enqueued >= self._options.max_enqueued_batches:
            raise RequestError(grpc.StatusCode.UNAVAILABLE, _FULL)
        self._enqueued += 1
        batch = self._open[key] = _Batch()
        timeout = self._options.batch_timeout_micros / 1e6
        batch.timer = asyncio.get_running_loop().call_later(timeout, self._schedule, key, batch)
        return batch

    def _close(self, key: Any, batch: _Batch) -> None:
        """Nothing more is added to it."""
        del self._open[key]
        if batch.timer is not None:
            batch.timer.cancel()
            self._schedule(key, batch)

    def _schedule(self, key: Any, batch: _Batch) -> None:
        batch.timer = None
        task = asyncio.create_task(self._process(key, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process(self, key: Any, batch: _Batch) -> None:
        """It may still grow until a thread is free."""
        try:
            async with self._slots:
                if self._open.get(key) is batch:
                    del self._open[key]
                await self._run(batch)
        finally:
            self._enqueued -= 1

    async def _run(self, batch: _Batch) -> None:
        """One call; if that fails, each request by itself, for one may be the culprit."""
        loop = asyncio.get_running_loop()
        waiting = [request for request in batch.requests if not request[2].done()]
        if not waiting:
            return
        joined = {name: np.concatenate([inputs[name] for inputs, _, _ in waiting]) for name in waiting[0][0]}
        size = sum(size for _, size, _ in waiting)
        try:
            filled, names = self._filled(joined, size), list(self._servable.signatures[self._name].outputs)
            outputs = await loop.run_in_executor(self._executor, self._servable.run, self._name, filled, names)
            _check_rows(outputs, len(next(iter(filled.values()))))
        except Exception as error:  # noqa: BLE001 (runtimes raise of every kind)
            if len(waiting) == 1:
                _settle(waiting[0][2], error)
                return
            for request in waiting:
                await self._run(_Batch(requests=[request], size=request[1]))
            return
        start = 0
        for _, size, answer in waiting:
            _settle(answer, {name: value[start : start + size] for name, value in outputs.items()})
            start += size

    def _filled(self, inputs: Mapping[str, np.ndarray], size: int) -> Tensors:
        """With copies of the last row up to an allowed size."""
        target = next((allowed for allowed in self._options.allowed_batch_sizes if allowed >= size), size)
        if target == size:
            return inputs
        return {name: np.concatenate([v, np.repeat(v[-1:], target - size, axis=0)]) for name, v in inputs.items()}


def _check_rows(outputs: Tensors, rows: int) -> None:
    """What has another number of rows than what went in can't be parted again."""
    if any(not value.ndim or len(value) != rows for value in outputs.values()):
        raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, _UNEQUAL)


def _settle(answer: asyncio.Future[Tensors], outcome: Any) -> None:
    if answer.done():  # its client has left
        return
    if isinstance(outcome, BaseException):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
