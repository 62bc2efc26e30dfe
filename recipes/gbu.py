"""The zero-shot benchmark: every method on every set found, settings chosen on validation classes, beside the paper's.

zsltf run gbu --root xlsa17/data --out runs/gbu                  (folders with res101.mat and att_splits.mat)
Expected (AwA1 with hand-made features, 256-d, 10 unseen classes, chance 0.10, seed 0, CPU): ESZSL 0.303 on unseen ones.
"""

from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import tyro

from zsltf.checks import check_choice, check_positive
from zsltf.data.attributes import Missing
from zsltf.data.xlsa17 import Semantics, read_xlsa17
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.benchmark import benchmark_row, find_sets, run_benchmark
from zsltf.evaluation.zero_shot import ZeroShotProtocol
from zsltf.reports.benchmark import BenchmarkTable, print_benchmark
from zsltf.runs import settings


@dataclass(frozen=True, kw_only=True)
class Config:
    """A row that is in the folder already, under the same split and options, is kept: an interrupted run goes on."""

    root: Path
    """A folder with the sets, however deep."""
    methods: tuple[str, ...] = tuple(name for name in names("zeroshot") if name != "lexicon")  # which reads words
    matrix: Semantics = "att"
    """Attributes as the benchmark normalises them, as they were, or sentence embeddings."""
    missing: Missing = "refuse"
    """What to do about attributes marked -1."""
    protocol: tyro.conf.OmitArgPrefixes[ZeroShotProtocol] = field(default_factory=ZeroShotProtocol)
    runs: int = 1
    """Of each method, with seeds from `seed` on."""
    out: Path = Path("runs/gbu")
    """The folder of results.json and results.csv."""


def main(config: Config) -> None:
    """Sets -> methods -> rows."""
    check_positive("gbu", runs=config.runs)
    for name in config.methods:
        check_choice("methods", name, names("zeroshot"))
    table, first = BenchmarkTable(config.out), config.protocol.seed
    sets = [read_xlsa17(f, semantics=config.matrix, missing=config.missing) for f in find_sets(config.root)]
    for data, name, seed in product(sets, config.methods, range(first, first + config.runs)):
        protocol = replace(config.protocol, seed=seed)
        asked = {"matrix": config.matrix, "missing": config.missing, **settings(protocol)}
        if not table.has(data.name, data.digest, name, asked):
            outcome = run_benchmark(plugin_type("zeroshot", name)(), data, protocol)
            table.add({**benchmark_row(name, data, outcome, seed), "asked": asked})
            print(f"{data.name} {name}: {outcome.report.unseen_accuracy:.3f}")
    print_benchmark(table.rows())


if __name__ == "__main__":
    main(tyro.cli(Config))
