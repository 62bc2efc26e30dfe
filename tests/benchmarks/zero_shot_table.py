"""Every zero-shot method on photos under several partitions of their classes: mean and spread beside the control.

python tests/benchmarks/zero_shot_table.py --data $ZSLTF_TEST_DATA/animals --results rows.json --table ZERO_SHOT.md

Rows that the file of results has are kept, so an interrupted run goes on; those of the table are in .github.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import tyro

from zsltf.data.classes import ClassTable
from zsltf.data.photo_set import PhotoSource
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_zero_shot
from zsltf.files import atomic_file
from zsltf.metrics.intervals import class_interval, paired_interval
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
    results: Path
    """A JSON file, a row a line."""
    table: Path | None = None
    """A Markdown file to write, of all rows that there are."""


def main(config: Config) -> None:
    """Methods x semantics x partitions -> rows and a table."""
    rows: list[dict[str, Any]] = json.loads(config.results.read_text("utf-8")) if config.results.is_file() else []
    done = {(row["method"], row["semantics"], row["partition"]) for row in rows}
    for name in config.methods:
        for semantics in config.semantics:
            for partition in config.partitions:
                if (name, semantics, partition) not in done and (name, semantics) != UNEQUAL:
                    rows.append({"method": name, "semantics": semantics, **measure(config, name, semantics, partition)})
                    config.results.parent.mkdir(parents=True, exist_ok=True)
                    with atomic_file(config.results) as staging:
                        staging.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", "utf-8")
    lines = (*table_lines(rows), "", DIFFERENCES, *difference_lines(rows))
    print("\n".join(lines))  # noqa: T201 (a script)
    if config.table:
        with atomic_file(config.table) as staging:
            staging.write_text("\n".join((EXPLANATION, *lines, "")), "utf-8")


EXPLANATION = """# Zero-shot methods on photos of animals

25 classes of 40 photos, EfficientNet-Lite0 features; AwA2's 85 attributes, MiniLM vectors of the names (`text`), or
both side by side. Ten random partitions into 19 seen and 6 unseen classes (mean, sd and Student's 95 % interval over
partitions of the unseen accuracy), and one whose unseen classes ImageNet does not have; the backbone saw most of the
others. All is chosen on class-disjoint folds of the seen classes of each partition; `shuffled` is the same with rows of
semantics dealt to classes at random; chance is 16.7. In percent, but for s: seconds of processor time a partition (of
most rows by the clock, beside other work: they are too long there). Written by:

    python tests/benchmarks/zero_shot_table.py --data $ZSLTF_TEST_DATA/animals --results rows.json --table FILE.md

with `zero_shot.json` beside this file as its rows.
"""
DIFFERENCES = """What semantics are worth: unseen accuracy under one less that under the other, in points, with the 95 %
interval of a paired bootstrap over the ten random partitions.
"""
PAIRS: tuple[tuple[Semantics, Semantics], ...] = (("attributes", "text"), ("both", "attributes"), ("both", "text"))
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
    start = time.process_time()
    outcome = run_zero_shot(
        method, features, classes, ZeroShotProtocol(repeats=config.repeats, shuffles=config.shuffles)
    )
    report = outcome.report
    unseen = np.flatnonzero(~classes.seen)
    result = {
        "partition": partition,
        "validation": outcome.choice.accuracy,
        "unseen_accuracy": report.unseen_accuracy,
        "per_class": {classes.names[c]: round(float(report.unseen_per_class[c]), 4) for c in unseen},
        "shuffled": float(np.mean(outcome.shuffled)) if outcome.shuffled else None,
        "harmonic_mean": report.harmonic_mean,
        "area": report.curve.area,
        "seconds": time.process_time() - start,
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


def table_lines(rows: list[dict[str, Any]]) -> list[str]:
    """In Markdown: a line a method and semantics."""
    headings = ("method", "semantics", "n", "mean", "sd", "95 %", "shuffled", "H", "AUSUC", "not in ImageNet", "s")
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["semantics"]), []).append(row)
    lines = [figures(*key, group) for key, group in sorted(groups.items())]
    return [f"| {' | '.join(cells)} |" for cells in (headings, ("---",) * len(headings), *lines)]


def figures(name: str, semantics: str, group: list[dict[str, Any]]) -> tuple[str, ...]:
    """Over the random partitions, as the interval is too."""
    random = [row for row in group if row["partition"].startswith("random")]
    other = [100 * row["unseen_accuracy"] for row in group if not row["partition"].startswith("random")]
    reached, harmonic, area = (
        np.array([row[key] for row in random]) for key in ("unseen_accuracy", "harmonic_mean", "area")
    )
    shuffled = [100 * row["shuffled"] for row in random if row["shuffled"] is not None]
    low, high = class_interval(reached)
    return (
        f"`{name}`",
        semantics,
        f"{len(random)}",
        f"{100 * reached.mean():.1f}",
        f"{100 * reached.std(ddof=1):.1f}" if len(random) > 1 else "",
        f"{100 * low:.1f} to {100 * high:.1f}",
        f"{np.mean(shuffled):.1f}" if shuffled else "",
        f"{100 * harmonic.mean():.1f}",
        f"{100 * area.mean():.1f}",
        f"{np.mean(other):.1f}" if other else "",
        f"{np.mean([row['seconds'] for row in random]):.0f}",
    )


def difference_lines(rows: list[dict[str, Any]]) -> list[str]:
    """In Markdown: a line a method that was measured under all semantics."""
    reached: dict[str, dict[str, dict[str, float]]] = {}
    for row in rows:
        if row["partition"].startswith("random"):
            by_semantics = reached.setdefault(row["method"], {})
            by_semantics.setdefault(row["semantics"], {})[row["partition"]] = row["unseen_accuracy"]
    whole = {
        name: by_semantics
        for name, by_semantics in sorted(reached.items())
        if len(by_semantics) == len(get_args(Semantics))
    }
    lines = []
    for name, by_semantics in whole.items():
        partitions = sorted(set.intersection(*map(set, by_semantics.values())))
        arrays = {s: np.array([by_semantics[s][partition] for partition in partitions]) for s in by_semantics}
        lines.append(f"| `{name}` | {' | '.join(difference(arrays[a], arrays[b]) for a, b in PAIRS)} |")
    headings = ("method", *(f"{one} - {other}" for one, other in PAIRS))
    return [f"| {' | '.join(cells)} |" for cells in (headings, ("---",) * len(headings))] + lines


def difference(one: np.ndarray, other: np.ndarray) -> str:
    """Mean and interval of pairs."""
    low, high = paired_interval(one, other)
    return f"{100 * (one - other).mean():+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


if __name__ == "__main__":
    main(tyro.cli(Config))
