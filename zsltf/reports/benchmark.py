"""The benchmark's table, kept row by row."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.files import atomic_file
from zsltf.metrics.intervals import paired_interval

__all__ = ["BenchmarkTable", "print_benchmark"]

_COLUMNS = ("set", "split", "method", "validation", "unseen_accuracy", "shuffled", "area", "seconds")
_UNSEEN = ("val", "unseen", "95 %", "below first", "best epoch", "paper", "s")
_ALL = ("S", "U", "H", "paper's H", "H at 0", "oracle H", "AUSUC")
_MEANING = """\
val: on the validation classes, by which settings are chosen
unseen: unseen classes among themselves, and the 95 % interval over classes
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

    def rows(self) -> list[dict[str, Any]]:
        """All rows so far."""
        file = self.path / "results.json"
        return json.loads(file.read_text("utf-8")) if file.is_file() else []

    def has(self, set_name: str, split: str, method: str, asked: Mapping[str, Any]) -> bool:
        """Whether this method's row on this set is there, under the same split and options."""
        wanted = (set_name, split, method, asked)
        return any((row["set"], row["split"], row["method"], row["asked"]) == wanted for row in self.rows())

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row, in place of an earlier one of the same method on the same set."""
        others = [known for known in self.rows() if (known["set"], known["method"]) != (row["set"], row["method"])]
        rows = sorted([*others, row], key=lambda row: (row["set"], row["method"]))
        self.path.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path / "results.json") as staging:
            staging.write_text(json.dumps(rows, indent=1), "utf-8")
        with atomic_file(self.path / "results.csv") as staging, staging.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(_cells(rows))


def print_benchmark(rows: Iterable[Mapping[str, Any]], console: Console | None = None) -> None:
    """A table a set, best on the validation classes first, with the paper's figures where it has them."""
    by_set: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_set.setdefault(f"{row['set']}, split {row['split']}", []).append(row)
    for title, group in by_set.items():
        ranked = sorted(group, key=lambda row: -row["validation"])
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


def _among_unseen(row: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    below = paired_interval(np.array(first["per_class"]), np.array(row["per_class"]))
    return [
        *map(_percent, (row["validation"], row["unseen_accuracy"])),
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
    low, high = (100 * end for end in interval)
    return f"{low:.0f} to {high:.0f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
