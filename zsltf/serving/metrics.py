"""The metrics page, in the names and the text form of tensorflow_serving/util/prometheus_exporter.cc."""

import bisect
import functools
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from zsltf.serving.models import Models
from zsltf.serving.servable import Tensors
from zsltf.serving.versions import Version

__all__ = ["Metrics", "counted_run", "known_name"]

_PREFIX = ":tensorflow:serving:"
_MICROSECONDS = tuple(10 * 1.8**i for i in range(33))
_HISTOGRAMS = {
    "request_latency": _MICROSECONDS,
    "runtime_latency": _MICROSECONDS,
    "request_example_counts": tuple(2.0**i for i in range(15)),
}
"""Upper bounds of the buckets; one without a bound follows."""


class Metrics:
    """Counts and latencies since the start."""

    def __init__(self) -> None:
        names = ("request_count", "request_example_count_total")
        self._counters: dict[str, dict[str, int]] = {name: defaultdict(int) for name in names}
        self._histograms: dict[str, dict[str, list[float]]] = {name: {} for name in _HISTOGRAMS}

    def count(self, model: str, status: str) -> None:
        """One request with this outcome."""
        self._counters["request_count"][_labels(model_name=model, status=status)] += 1

    def examples(self, model: str, number: int) -> None:
        """Rows that were predicted on."""
        self._counters["request_example_count_total"][_labels(model=model)] += number
        self._observe("request_example_counts", _labels(model=model), number)

    def latency(self, model: str, call: str, entry: str, microseconds: float) -> None:
        """Of one answered request."""
        self._observe("request_latency", _labels(model_name=model, API=call, entrypoint=entry), microseconds)

    def runtime(self, model: str, call: str, microseconds: float) -> None:
        """Of one run of a model, with its time in a queue.

        Args:
            model: its name.
            call: Predict, Classify or Regress.
            microseconds: that it took.
        """
        self._observe("runtime_latency", _labels(model_name=model, API=call, runtime="TF1"), microseconds)

    def text(self) -> str:
        """The page."""
        return "".join(f"{line}\n" for line in self._lines())

    def _observe(self, name: str, labels: str, value: float) -> None:
        """One more in its bucket; after the buckets stands the sum of the values."""
        bounds = _HISTOGRAMS[name]
        counts = self._histograms[name].setdefault(labels, [0] * (len(bounds) + 2))
        counts[bisect.bisect_left(bounds, value)] += 1
        counts[-1] += value

    def _lines(self) -> Iterator[str]:
        for name, counters in self._counters.items():
            yield f"# TYPE {_PREFIX}{name} counter"
            for labels, number in counters.items():
                yield f"{_PREFIX}{name}{{{labels}}} {number}"
        for name, histograms in self._histograms.items():
            yield f"# TYPE {_PREFIX}{name} histogram"
            bounds = [*(f"{bound:g}" for bound in _HISTOGRAMS[name]), "+Inf"]
            for labels, counts in histograms.items():
                for bound, total in zip(bounds, itertools.accumulate(counts[:-1]), strict=True):
                    yield f"{_PREFIX}{name}_bucket{{{labels},{_labels(le=bound)}}} {total}"
                yield f"{_PREFIX}{name}_sum{{{labels}}} {counts[-1]:.0f}"
                yield f"{_PREFIX}{name}_count{{{labels}}} {sum(counts[:-1])}"


async def counted_run(
    models: Models,
    metrics: Metrics | None,
    call: str,
    model: str,
    version: Version,
    signature: str,
    inputs: Tensors,
    outputs: Sequence[str],
) -> Tensors:
    """A signature's outputs; its time and its rows are counted."""
    start = time.perf_counter()
    found = await models.run(version, signature, inputs, outputs)
    if metrics is not None:
        metrics.runtime(model, call, 1e6 * (time.perf_counter() - start))
        for first in itertools.islice(inputs.values(), 1):
            metrics.examples(model, len(first) if first.ndim else 1)
    return found


def known_name(models: Models, name: str) -> str:
    """The name if a model has it, else none: the page would grow with every name that a client invents."""
    return name if name in models else ""


@functools.lru_cache(maxsize=4096)
def _labels(**values: str) -> str:
    return ",".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
