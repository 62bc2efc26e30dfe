"""Every zero-shot method on photos under several partitions of their classes: mean and spread beside the control.

python tests/benchmarks/zero_shot_table.py --data $ZSLTF_TEST_DATA/animals --out FOLDER

Rows that are in the folder are kept, so an interrupted run goes on.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.data.classes import ClassTable
from zsltf.data.photo_set import PhotoSource
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_zero_shot
from zsltf.files import atomic_file
from zsltf.metrics.intervals import class_interval
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features

Semantics = Literal["attributes", "text", "both"]


@dataclass(frozen=True, kw_only=True)
class Config:
    data: Path
    """A folder with images/, attributes.csv, partitions.csv and text_minilm.csv."""
    methods: tuple[str, ...] = tuple(name for name in names("zeroshot") if name != "lexicon")  # which reads words
    semantics: tuple[Semantics, ...] = ("attributes", "text", "both")
    partitions: tuple[str, ...] = (*(f"random_{i}" for i in range(10)), "not_in_imagenet")
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    repeats: int = 1
    """Of the folds that settings are chosen on."""
    shuffles: int = 2
    out: Path


def main(config: Config) -> None:
    """Methods x semantics x partitions -> results.json and a table."""
    file = config.out / "results.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.is_file() else []
    done = {(row["method"], row["semantics"], row["partition"]) for row in rows}
    for name in config.methods:
        for semantics in config.semantics:
            for partition in config.partitions:
                if (name, semantics, partition) not in done and (name, semantics) != UNEQUAL:
                    rows.append({"method": name, "semantics": semantics, **measure(config, name, semantics, partition)})
                    config.out.mkdir(parents=True, exist_ok=True)
                    with atomic_file(file) as staging:
                        staging.write_text(json.dumps(rows, indent=1), "utf-8")
    show([row for row in rows if row["method"] in config.methods])


UNEQUAL = ("description_attention", "both")  # attends over blocks of one width
_LOADED: dict[Any, Any] = {}


def measure(config: Config, name: str, semantics: Semantics, partition: str) -> dict[str, Any]:
    """One method under one partition."""
    method = plugin_type("zeroshot", name)()
    maps = getattr(method, "FEATURE_MAPS", False)
    features = loaded(("features", maps), lambda: extract(config, maps))
    photos = loaded("photos", lambda: source(config).sets()[0])
    classes = photos.partitions[partition]
    text = loaded("text", lambda: ClassTable.from_csv(config.data / "text_minilm.csv"))
    both = classes.beside(text)
    if semantics == "text":
        rows = both.semantics[:, len(classes.columns) :]
        classes = ClassTable(names=classes.names, semantics=rows, seen=classes.seen, columns=text.columns)
    classes = both if semantics == "both" else classes
    start = time.perf_counter()
    outcome = run_zero_shot(
        method, features, classes, ZeroShotProtocol(repeats=config.repeats, shuffles=config.shuffles)
    )
    report = outcome.report
    unseen = np.flatnonzero(~classes.seen)
    result = {
        "partition": partition,
        "validation": outcome.choice.accuracy,
        "unseen_accuracy": report.unseen_accuracy,
        "per_class": {classes.names[c]: float(report.unseen_per_class[c]) for c in unseen},
        "shuffled": float(np.mean(outcome.shuffled)) if outcome.shuffled else None,
        "harmonic_mean": report.harmonic_mean,
        "area": report.curve.area,
        "seconds": time.perf_counter() - start,
        "choice": json.loads(json.dumps(outcome.choice.settings, default=str)),
    }
    print(f"{name}, {semantics}, {partition}: {report.unseen_accuracy:.3f} ({result['seconds']:.0f} s)", flush=True)  # noqa: T201 (a script)
    return result


def loaded(key: Any, make: Any) -> Any:
    """Make it once."""
    if key not in _LOADED:
        _LOADED[key] = make()
    return _LOADED[key]


def source(config: Config) -> PhotoSource:
    """The photos and their partitions."""
    tables = {name: config.data / f"{name}.csv" for name in ("attributes", "partitions")}
    return PhotoSource(images=config.data / "images", classes=tables["attributes"], partitions=tables["partitions"])


def extract(config: Config, maps: bool) -> Any:
    """Features of all photos."""
    return extract_features(config.network.build(), source(config).sets()[0].images, maps=maps).features


def show(rows: list[dict[str, Any]]) -> None:
    """A row a method and semantics, over the random partitions; the interval draws partitions."""
    table = Table(title="Unseen accuracy over the random partitions (%)", box=box.SIMPLE_HEAD)
    for heading in ("method", "semantics", "n", "mean", "sd", "95 %", "shuffled", "H", "AUSUC", "not in ImageNet", "s"):
        table.add_column(heading, justify="left" if heading in ("method", "semantics") else "right", no_wrap=True)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["semantics"]), []).append(row)
    for (name, semantics), group in sorted(groups.items()):
        random = [row for row in group if row["partition"].startswith("random")]
        other = [row["unseen_accuracy"] for row in group if not row["partition"].startswith("random")]
        column = {key: np.array([row[key] for row in random]) for key in ("unseen_accuracy", "harmonic_mean", "area")}
        shuffled, reached = (
            [row["shuffled"] for row in random if row["shuffled"] is not None],
            column["unseen_accuracy"],
        )
        low, high = class_interval(reached)
        figures = (
            f"{len(random)}",
            f"{100 * reached.mean():.1f}",
            f"{100 * reached.std(ddof=1):.1f}" if len(random) > 1 else "",
            f"{100 * low:.1f} to {100 * high:.1f}",
            f"{100 * np.mean(shuffled):.1f}" if shuffled else "",
            f"{100 * column['harmonic_mean'].mean():.1f}",
            f"{100 * column['area'].mean():.1f}",
            f"{100 * np.mean(other):.1f}" if other else "",
            f"{np.mean([row['seconds'] for row in random]):.0f}",
        )
        table.add_row(name, semantics, *figures)
    Console(width=140).print(table)


if __name__ == "__main__":
    main(tyro.cli(Config))
