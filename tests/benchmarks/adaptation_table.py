"""Every adaptation method between MNIST and USPS, both ways: target accuracy over seeds, with and without AdaBN's part.

python tests/benchmarks/adaptation_table.py --data $ZSLTF_TEST_DATA/digits --freeze
python tests/benchmarks/adaptation_table.py --data $ZSLTF_TEST_DATA/digits --results rows.json --table ADAPTATION.md

All methods train the same network for the same epochs on the same images, without augmentation. Rows that the file of
results has are kept, so an interrupted run goes on; those of the table are in .github.

Frozen on source-only before the table was made, by --freeze: accuracy on source images that were not trained on, seed
0, MNIST / USPS. Size and network are the best of six, the epochs the fewest within half a point of the best: 10.

                          4 epochs          10 epochs         20 epochs
    28 px, pooling        0.9675 / 0.9710   0.9755 / 0.9775   0.9770 / 0.9765
    28 px, strides        0.9350 / 0.9550   0.9440 / 0.9585   0.9480 / 0.9635
    28 px, momentum 0.99  0.1180 / 0.1405   0.1180 / 0.2495   0.9475 / 0.9500
    16 px, pooling        0.9565 / 0.9705   0.9720 / 0.9710   0.9705 / 0.9720
    16 px, strides        0.9185 / 0.9490   0.9325 / 0.9530   0.9395 / 0.9535
    16 px, momentum 0.99  0.1180 / 0.1405   0.1470 / 0.2245   0.9625 / 0.9620

(BatchNorm's statistics of 310 steps are still those of the start under Keras's momentum.)
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from adaptation_lines import EXPLANATION, table_lines
from digit_domains import CLASSES, DIRECTIONS, drawn, network, protocol, read_digits

from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.adaptation import Adapted, run_adaptation
from zsltf.files import atomic_file
from zsltf.training.descent import Descent
from zsltf.training.headed_network import HeadedNetwork, labelled_loss, labelled_set
from zsltf.training.side_by_side import descending, train_side_by_side

NETWORKS: dict[str, dict[str, Any]] = {"pooling": {}, "strides": {"strides": 2}, "momentum 0.99": {"momentum": 0.99}}
SIZES, EPOCHS = (16, 28), (4, 10, 20)
"""What --freeze tries."""


@dataclass(frozen=True, kw_only=True)
class Config:
    data: Path
    """A folder with mnist_10k.npz and usps.npz."""
    methods: tuple[str, ...] = names("adaptation")
    searched: tuple[str, ...] = ("dann", "deep_coral")
    """Methods that are run under the other weights of their search range too, for one to be chosen without labels."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    epochs: int = 10
    freeze: bool = False
    """Tell instead what source-only reaches on the source alone, by which network and epochs are set."""
    results: Path = Path("adaptation.json")
    """A JSON file, a row a line."""
    table: Path | None = None
    """A Markdown file to write, of all rows that there are."""


def main(config: Config) -> None:
    """Seeds x directions x methods -> rows and a table."""
    if config.freeze:
        for size in SIZES:
            freeze(read_digits(config.data, size), size)
        return
    digits = read_digits(config.data)
    rows: list[dict[str, Any]] = json.loads(config.results.read_text("utf-8")) if config.results.is_file() else []
    done = {(row["direction"], row["method"], row["weight"], row["seed"]) for row in rows}
    for name, weight, seed, pair in jobs(config):
        if (" to ".join(pair), name, weight, seed) in done:
            continue
        told = {"direction": " to ".join(pair), "method": name, "weight": weight, "seed": seed}
        rows.append({**told, **measure(config, name, weight, seed, drawn(digits, pair, seed))})
        config.results.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(config.results) as staging:
            staging.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", "utf-8")
    lines = table_lines(rows)
    print("\n".join(lines))  # noqa: T201 (a script)
    if config.table:
        with atomic_file(config.table) as staging:
            staging.write_text("\n".join((EXPLANATION, *lines)), "utf-8")


def jobs(config: Config) -> Iterator[tuple[str, float | None, int, tuple[str, str]]]:
    """Method, weight if it is not its own, seed and direction: all methods as they are, then other weights."""
    for seed, pair in itertools.product(config.seeds, DIRECTIONS):
        yield from ((name, None, seed, pair) for name in config.methods)
    for seed, pair, name in itertools.product(config.seeds, DIRECTIONS, config.searched):
        method = plugin_type("adaptation", name)
        yield from ((name, weight, seed, pair) for weight in method.SEARCH["weight"] if weight != method().weight)


def freeze(digits: dict[str, Features], size: int) -> None:
    """Accuracy on source images that were not trained on, seed 0; the target is not looked at."""
    for pair in DIRECTIONS:
        source, _ = drawn(digits, pair, 0)
        order = np.random.default_rng(0).permutation(len(source))
        train, held_out = (source.select(rows) for rows in np.array_split(order, 2))
        for name, options in NETWORKS.items():
            reached = source_only(train, held_out, {"size": size, **options})
            told = ", ".join(f"{epochs} epochs {accuracy:.4f}" for epochs, accuracy in reached.items())
            print(f"{pair[0]}, {size} px, {name}: {told}", flush=True)  # noqa: T201 (a script)


def source_only(train: Features, held_out: Features, options: dict[str, Any]) -> dict[int, float]:
    """Accuracy after so many epochs of one training."""
    descent, reached = Descent(epochs=max(EPOCHS)), {}
    model = HeadedNetwork.build("freeze", train, CLASSES, network(0, **options), descent.seed)

    def loss(batches: Any, _: Any) -> Any:
        ((x, y, weights),) = batches
        return labelled_loss(model.scores(x)[1], y, weights)

    def after_epoch(epoch: int) -> None:
        if epoch + 1 in EPOCHS:
            scores = np.asarray(model.head(model.embed(held_out.x)))
            reached[epoch + 1] = float((scores.argmax(axis=1) == held_out.y).mean())

    step = descending(loss, model.trainable_variables, descent)
    train_side_by_side(step, model.variables, descent, [labelled_set(train)], after_epoch=after_epoch)
    return reached


def measure(
    config: Config, name: str, weight: float | None, seed: int, domains: tuple[Features, Features]
) -> dict[str, Any]:
    """One method under one seed."""
    method = plugin_type("adaptation", name)(**({} if weight is None else {"weight": weight}))
    method = replace(method, descent=replace(method.descent, epochs=config.epochs))
    outcome = run_adaptation({name: method}, *domains, CLASSES, protocol(seed), network=network, reference=name)
    run: Adapted = outcome.runs[name][0]
    found = {
        "accuracy": run.accuracy,
        "recalibrated": run.recalibrated,
        "source_accuracy": run.source_accuracy,
        "criteria": dict(run.criteria),
        "seconds": run.seconds,
    }
    print(f"{name}, {weight}, seed {seed}: {run.accuracy:.3f}, {run.recalibrated} ({run.seconds:.0f} s)", flush=True)  # noqa: T201
    return found


if __name__ == "__main__":
    main(tyro.cli(Config))
