"""The benchmark's table, kept row by row."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.checks import fail
from zsltf.files import atomic_file, check_writable
from zsltf.metrics.intervals import class_interval, paired_interval

__all__ = ["BenchmarkTable", "print_benchmark"]

_KEY = ("set", "method", "seed")
_KEPT = "It is kept: mend it, or choose another --out."
_COLUMNS = ("set", "split", "method", "validation", "unseen_accuracy", "shuffled", "area", "seconds")
_UNSEEN = ("val", "unseen", "sd", "95 %", "below first", "best epoch", "paper", "s")
_ALL = ("S", "U", "H", "paper's H", "H at 0", "oracle H", "AUSUC")
_MEANING = """\
val: on the validation classes, by which settings are chosen
unseen: unseen classes among themselves, its deviation over seeds, and the 95 % interval over classes
below first: 95 % interval of what it falls short of the first row's, on the same classes
best epoch: literature style, the most over tests after each epoch, which nobody may claim
S, U, H: among all classes, at the gamma chosen on validation classes; H at 0: without gamma
oracle H: at the gamma that is best on the test, which nobody may claim either
paper: Xian et al. 2019, without calibration"""


@dataclass(frozen=True)
class BenchmarkTable:
    """results.json and results.csv in a folder; each row is there as soon as it is added, and none is lost.

    Args:
        path: the folder.
    """

    path: Path

    def check(self) -> None:
        """Rows can be written: called before slow work starts; it leaves no trace.

        Raises:
            ValueError: if the folder can't be one, or its results.json is damaged.
        """
        self.rows()
        check_writable(self.path / "results.json", overwrite=True)

    def rows(self) -> list[dict[str, Any]]:
        """All rows so far.

        Raises:
            ValueError: if results.json is damaged; it stays as it is.
        """
        file = self.path / "results.json"
        if not file.exists():
            return []
        try:
            rows = json.loads(file.read_text("utf-8"))
            lacking = [name for name in _KEY if not all(name in row for row in rows)]
        except (OSError, ValueError, TypeError) as error:
            fail(str(file), "rows as gbu wrote them", f"a damaged file ({error})", _KEPT)
        if lacking:
            fail(str(file), "rows as gbu wrote them", f"one without {', '.join(lacking)}", _KEPT)
        return rows

    def has(self, wanted: Mapping[str, Any]) -> bool:
        """Whether a row with these entries is there: its set, split, data, method and options."""
        return any(all(row.get(name) == value for name, value in wanted.items()) for row in self.rows())

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row, in place of an earlier one of the same method and seed on the same set."""

        key = itemgetter(*_KEY)
        rows = sorted([*(known for known in self.rows() if key(known) != key(row)), row], key=key)
        self.path.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path / "results.json") as staging:
            staging.write_text(json.dumps(rows, indent=1), "utf-8")
        with atomic_file(self.path / "results.csv") as staging, staging.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(_cells(rows))


def print_benchmark(rows: Iterable[Mapping[str, Any]], console: Console | None = None) -> None:
    """A table a set, best on the validation classes first, with the paper's figures where it has them.

    Several seeds' figures of a method are averaged.
    """
    by_set: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_set.setdefault((row["set"], row["split"], row.get("data")), []).append(row)
    for (name, split, _), group in by_set.items():
        title = f"{name}, split {split}"
        by_method = groupby(sorted(group, key=lambda row: row["method"]), key=lambda row: row["method"])
        ranked = sorted((_mean(list(rows)) for _, rows in by_method), key=lambda row: -row["validation"])
        tables = {
            f"{title}: unseen classes among themselves (%)": (_UNSEEN, _among_unseen),
            "All classes (%)": (_ALL, _among_all),
        }
        for heading, (columns, figures) in tables.items():
            table = Table(title=heading, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
            table.add_column("method", no_wrap=True)
            for column in columns:
                table.add_column(column, justify="right", no_wrap=True)
            for row in ranked:
                table.add_row(row["method"], *figures(row, ranked[0]))
            (console or Console()).print(table)
    (console or Console()).print(_MEANING, style="dim")


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row of several seeds' rows: means, and the standard deviation (n - 1) of the unseen accuracy."""

    def mean(values: Sequence[Any]) -> Any:
        if isinstance(values[0], Mapping):
            return {key: mean([value[key] for value in values]) for key in values[0]}
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        return float(np.mean(values)) if numbers else values[0]

    per_class = np.mean([row["per_class"] for row in rows], axis=0)
    reached = [row["unseen_accuracy"] for row in rows]
    figures = ("validation", "unseen_accuracy", "best_epoch", "uncalibrated", "calibrated", "oracle", "area", "seconds")
    return {
        **rows[0],
        **{name: mean([row[name] for row in rows]) for name in figures},
        "per_class": per_class,
        "interval": class_interval(per_class),
        "sd": np.std(reached, ddof=1) if len(reached) > 1 else None,
    }


def _among_unseen(row: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    below = paired_interval(first["per_class"], row["per_class"])
    return [
        *map(_percent, (row["validation"], row["unseen_accuracy"])),
        "" if row["sd"] is None else _percent(row["sd"]),
        _range(row["interval"]),
        "" if row is first else _range(below),
        _percent(row["best_epoch"]["unseen_accuracy"]) if row["best_epoch"] else "",
        _plain(row["published"]["unseen"]),
        f"{row['seconds']:.0f}",
    ]


def _among_all(row: Mapping[str, Any], _: Mapping[str, Any]) -> list[str]:
    paper = row["published"]["generalized"]
    return [
        *(_percent(row["calibrated"][name]) for name in ("seen", "unseen", "harmonic_mean")),
        _plain(paper and paper[2]),
        *(_percent(row[kind]["harmonic_mean"]) for kind in ("uncalibrated", "oracle")),
        _percent(row["area"]),
    ]


def _cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
    kinds = ("uncalibrated", "calibrated", "oracle")
    figures = [(kind, name) for kind in kinds for name in ("seen", "unseen", "harmonic_mean")]
    named = [f"{kind}_{name}" for kind, name in figures]
    yield [*_COLUMNS, "best_epoch", "low", "high", *named, "settings", "preparation"]
    for row in rows:
        flattered = row["best_epoch"] and row["best_epoch"]["unseen_accuracy"]
        plain, by_kind = [row[name] for name in _COLUMNS], [row[kind][name] for kind, name in figures]
        chosen = [json.dumps(row[name]) for name in ("settings", "preparation")]
        yield [*plain, flattered, *row["interval"], *by_kind, *chosen]


def _range(interval: Sequence[float]) -> str:
    low, high = (round(100 * end) for end in interval)
    return f"{low} to {high}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
