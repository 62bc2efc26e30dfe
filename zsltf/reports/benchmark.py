"""The benchmark's table, kept row by row."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zsltf.checks import fail
from zsltf.files import atomic_file, check_writable
from zsltf.reports.benchmark_summary import summarise

__all__ = ["BenchmarkTable", "print_benchmark"]

_KEY = ("set", "matrix", "method", "seed")
_WIDEST = 1000  # characters
_KEPT = "It is kept: mend it, or choose another --out."
_ROW = ("set", "matrix", "split", "data", "method", "seed")
_COLUMNS = (*_ROW, "validation", "unseen_accuracy", "new_to_backbone", "shuffled", "area", "seconds")
_UNSEEN = ("val", "unseen", "sd", "95 %", "below\nfirst", "shuffled", "best\nepoch", "paper")
_ALL = ("S", "U", "H", "paper's\nH", "H\nat 0", "oracle\nH", "best\nepoch's H", "AUSUC", "s")
_MEANING = """\
val: on the validation classes, by which settings are chosen
unseen: unseen classes among themselves, its deviation over seeds, and the 95 % interval over classes
below first: 95 % interval of what it falls short of the first row's, on the same classes
shuffled: the same method with attributes dealt to classes at random, which should be near chance
best epoch: literature style, the most over tests after each epoch, which nobody may claim
S, U, H: among all classes, at the gamma chosen on validation classes; H at 0: without gamma
oracle H: at the gamma that is best on the test, which nobody may claim either
paper: Xian et al. 2019, without calibration; ~ of a method some of whose figures are recalled, not read
s: seconds"""


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
        """Whether a row with these entries is there: its set, matrix, split, data, method and options."""
        return any(all(row.get(name) == value for name, value in wanted.items()) for row in self.rows())

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row, in place of an earlier one of the same method, seed and matrix on the same set."""
        key = itemgetter(*_KEY)
        rows = sorted([*(known for known in self.rows() if key(known) != key(row)), row], key=key)
        self.path.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path / "results.json") as staging:
            staging.write_text(json.dumps(rows, indent=1), "utf-8")
        with atomic_file(self.path / "results.csv") as staging, staging.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(_cells(rows))


def print_benchmark(rows: Iterable[Mapping[str, Any]], console: Console | None = None) -> None:
    """Two tables a set, best on the validation classes first, with the paper's figures where it has them.

    Several seeds' figures of a method are averaged. Nothing is cut on a narrow terminal: its lines wrap.
    """
    console = console or Console()
    for one in summarise(rows):
        name = f"{one['set']}, {one['matrix']}\nsplit {one['split']}, data {one['data']}"
        tables = {
            f"{name}\nUnseen classes among themselves (%)": (_UNSEEN, _among_unseen),
            "All classes (%)": (_ALL, _among_all),
        }
        for heading, (columns, figures) in tables.items():
            table = Table(title=Text(heading), box=box.SIMPLE_HEAD, padding=0, show_edge=False)
            table.add_column("method", no_wrap=True)
            for column in columns:
                table.add_column(column, justify="right", no_wrap=True)
            for row in one["methods"]:
                table.add_row(Text(row["method"]), *figures(row))
            table.width = console.measure(table, options=console.options.update(max_width=_WIDEST)).maximum
            console.print(table, crop=False)
            console.print()
    console.print(_MEANING, style="dim")


def _among_unseen(row: Mapping[str, Any]) -> list[str]:
    return [
        *map(_percent, (row["validation"], row["unseen_accuracy"], row["sd"])),
        _range(row["interval"]),
        _range(row["below"]),
        _percent(row["shuffled"]),
        _percent(row["best_epoch"] and row["best_epoch"]["unseen_accuracy"]),
        _published(row, row["published"]["unseen"]),
    ]


def _among_all(row: Mapping[str, Any]) -> list[str]:
    paper = row["published"]["generalized"]
    return [
        *(_percent(row["calibrated"][name]) for name in ("seen", "unseen", "harmonic_mean")),
        _published(row, paper and paper[2]),
        *(_percent(row[kind]["harmonic_mean"]) for kind in ("uncalibrated", "oracle")),
        _percent(row["best_epoch"] and row["best_epoch"]["harmonic_mean"]),
        _percent(row["area"]),
        f"{row['seconds']:.0f}",
    ]


def _cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
    kinds = ("uncalibrated", "calibrated", "oracle")
    figures = [(kind, name) for kind in kinds for name in ("seen", "unseen", "harmonic_mean")]
    named = [f"{kind}_{name}" for kind, name in figures]
    yield [*_COLUMNS, "best_epoch", "low", "high", *named, "settings", "preparation"]
    for row in rows:
        flattered = row["best_epoch"] and row["best_epoch"]["unseen_accuracy"]
        plain, by_kind = [row.get(name) for name in _COLUMNS], [row[kind][name] for kind, name in figures]
        chosen = [json.dumps(row[name]) for name in ("settings", "preparation")]
        yield [*plain, flattered, *row["interval"], *by_kind, *chosen]


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else " to ".join(str(round(100 * end)) for end in interval)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _published(row: Mapping[str, Any], value: float | None) -> str:
    return "" if value is None else f"{'~' if row['published'].get('recalled') else ''}{value:.1f}"
