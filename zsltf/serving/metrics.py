"""The metrics page, in the names and the text form of tensorflow_serving/util/prometheus_exporter.cc."""

import bisect
from collections import defaultdict
from collections.abc import Iterator

__all__ = ["Metrics"]

_BUCKETS = tuple(10 * 1.8**i for i in range(33))  # microseconds
_PREFIX = ":tensorflow:serving:"


class Metrics:
    """Counts and latencies since the start."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], int] = defaultdict(int)
        self._examples: dict[str, int] = defaultdict(int)
        self._latencies: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * (len(_BUCKETS) + 1))
        self._sums: dict[tuple[str, str, str], float] = defaultdict(float)

    def count(self, model: str, status: str) -> None:
        """One request with this outcome."""
        self._requests[model, status] += 1

    def examples(self, model: str, number: int) -> None:
        """Rows that were predicted on."""
        self._examples[model] += number

    def latency(self, model: str, call: str, entry: str, microseconds: float) -> None:
        """Of one answered request."""
        key = model, call, entry
        self._latencies[key][bisect.bisect_left(_BUCKETS, microseconds)] += 1
        self._sums[key] += microseconds

    def text(self) -> str:
        """The page."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"# TYPE {_PREFIX}request_count counter"
        for (model, status), number in self._requests.items():
            yield f"{_PREFIX}request_count{_labels(model_name=model, status=status)} {number}"
        yield f"# TYPE {_PREFIX}request_example_count_total counter"
        for model, number in self._examples.items():
            yield f"{_PREFIX}request_example_count_total{_labels(model=model)} {number}"
        yield f"# TYPE {_PREFIX}request_latency histogram"
        for (model, call, entry), counts in self._latencies.items():
            names = {"model_name": model, "API": call, "entrypoint": entry}
            total = 0
            for bound, number in zip((*_BUCKETS, float("inf")), counts, strict=True):
                total += number
                le = "+Inf" if bound == float("inf") else f"{bound:g}"
                yield f"{_PREFIX}request_latency_bucket{_labels(**names, le=le)} {total}"
            yield f"{_PREFIX}request_latency_sum{_labels(**names)} {self._sums[model, call, entry]:.0f}"
            yield f"{_PREFIX}request_latency_count{_labels(**names)} {total}"


def _labels(**values: str) -> str:
    return "{" + ",".join(f"{name}={_quoted(value)}" for name, value in values.items()) + "}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
