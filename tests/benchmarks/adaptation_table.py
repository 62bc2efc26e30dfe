"""Every adaptation method between MNIST and USPS, both ways: target accuracy over seeds, with and without AdaBN's part.

python tests/benchmarks/adaptation_table.py --data $ZSLTF_TEST_DATA/digits --results rows.json --table ADAPTATION.md

All methods train the same network for the same epochs, without augmentation. Rows that the file of results has are
kept, so an interrupted run goes on.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tyro

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.npz_images import read_npz
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.adaptation import AdaptationProtocol, Adapted, picked_better, run_adaptation
from zsltf.evaluation.unlabelled_criteria import CRITERIA
from zsltf.files import atomic_file
from zsltf.layers.preprocess import Preprocess
from zsltf.metrics.intervals import class_interval, paired_interval

SIZE, REFERENCE = 28, "source_only"


@dataclass(frozen=True, kw_only=True)
class Config:
    data: Path
    """A folder with mnist_10k.npz and usps.npz."""
    methods: tuple[str, ...] = names("adaptation")
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    epochs: int = 4
    results: Path
    """A JSON file, a row a line."""
    table: Path | None = None
    """A Markdown file to write, of all rows that there are."""


def main(config: Config) -> None:
    """Directions x seeds x methods -> rows and a table."""
    rows: list[dict[str, Any]] = json.loads(config.results.read_text("utf-8")) if config.results.is_file() else []
    done = {(row["direction"], row["method"], row["seed"]) for row in rows}
    digits = {name: features(config.data / file) for name, file in (("MNIST", "mnist_10k.npz"), ("USPS", "usps.npz"))}
    for source, target in (("MNIST", "USPS"), ("USPS", "MNIST")):
        direction = f"{source} to {target}"
        for seed in config.seeds:
            for name in config.methods:
                if (direction, name, seed) in done:
                    continue
                rows.append(
                    {
                        "direction": direction,
                        "method": name,
                        "seed": seed,
                        **measure(config, name, seed, digits[source], digits[target]),
                    }
                )
                config.results.parent.mkdir(parents=True, exist_ok=True)
                with atomic_file(config.results) as staging:
                    staging.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", "utf-8")
    lines = table_lines(rows)
    print("\n".join(lines))  # noqa: T201 (a script)
    if config.table:
        with atomic_file(config.table) as staging:
            staging.write_text("\n".join((*lines, "")), "utf-8")


CLASSES = ClassTable(names=tuple("0123456789"), semantics=np.zeros((10, 0), np.float32), seen=np.ones(10, bool))


def features(path: Path) -> Features:
    """Grey digits of one size, in [0, 1]."""
    images = read_npz(path).images
    preprocess = Preprocess(SIZE, scale=(255.0,) * 3)
    return Features(x=np.asarray(preprocess(images.pixels))[..., :1], y=images.y)


def network(seed: int) -> keras.Model:
    """Three convolutions with BatchNorm, and a dense layer."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    x = images = keras.Input((SIZE, SIZE, 1))
    for filters in (16, 32, 64):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D()(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Dense(128, use_bias=False)(layers.Flatten()(x))
    return keras.Model(images, layers.ReLU()(layers.BatchNormalization()(x)))


def measure(config: Config, name: str, seed: int, source: Features, target: Features) -> dict[str, Any]:
    """One method under one seed."""
    method = plugin_type("adaptation", name)()
    method = replace(method, descent=replace(method.descent, epochs=config.epochs))
    protocol = AdaptationProtocol(seeds=(seed,))
    outcome = run_adaptation({name: method}, source, target, CLASSES, protocol, network=network, reference=name)
    run: Adapted = outcome.runs[name][0]
    found = {
        "accuracy": run.accuracy,
        "recalibrated": run.recalibrated,
        "source_accuracy": run.source_accuracy,
        "criteria": dict(run.criteria),
        "seconds": run.seconds,
    }
    print(f"{name}, seed {seed}: {run.accuracy:.3f}, {run.recalibrated} ({run.seconds:.0f} s)", flush=True)  # noqa: T201
    return found


def table_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Means with intervals, gains over source-only, and how often each criterion picked the better model."""
    lines = []
    for direction in dict.fromkeys(row["direction"] for row in rows):
        mine = [row for row in rows if row["direction"] == direction]
        base = {row["seed"]: row["accuracy"] for row in mine if row["method"] == REFERENCE}
        lines += [
            f"{direction} (%)",
            "",
            "| method | seeds | target | 95 % | gain over source-only | target's BatchNorm | 95 % | s |",
            "|---|---|---|---|---|---|---|---|",
        ]
        means = {
            name: np.mean([row["accuracy"] for row in mine if row["method"] == name])
            for name in dict.fromkeys(row["method"] for row in mine)
        }
        for name in sorted(means, key=lambda method: -means[method]):
            own = [row for row in mine if row["method"] == name and row["seed"] in base]
            plain, other = (np.array([row[key] for row in own]) for key in ("accuracy", "recalibrated"))
            gain = paired_interval(plain, np.array([base[row["seed"]] for row in own]))
            cells = (
                percent(plain.mean()),
                interval(class_interval(plain)),
                interval(gain),
                percent(other.mean()),
                interval(class_interval(other)),
            )
            lines.append(
                f"| `{name}` | {len(own)} | {' | '.join(cells)} | {np.mean([row['seconds'] for row in own]):.0f} |"
            )
        picked = {
            name: np.mean(
                [
                    picked_better(
                        [r["criteria"][name] for r in mine if r["seed"] == seed],
                        [r["accuracy"] for r in mine if r["seed"] == seed],
                    )
                    for seed in base
                ]
            )
            for name in CRITERIA
        }
        told = ", ".join(f"{name} {100 * share:.0f}" for name, share in picked.items())
        lines += ["", f"Picked the better of two models, without target labels (%): {told}.", ""]
    return lines


def percent(share: float) -> str:
    """Of 1."""
    return f"{100 * share:.1f}"


def interval(ends: tuple[float, float]) -> str:
    """Of shares."""
    return f"{percent(ends[0])} to {percent(ends[1])}"


if __name__ == "__main__":
    main(tyro.cli(Config))
