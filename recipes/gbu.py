"""The zero-shot benchmark: every method on every set found, settings chosen on validation classes, beside the paper's.

zsltf run gbu --root xlsa17/data --out runs/gbu                  (folders with res101.mat and att_splits.mat)
Expected (AwA1 with hand-made features, 256-d, 10 unseen classes, chance 0.10, seed 0, CPU): ESZSL 0.303 on unseen ones.
"""

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import tyro

from zsltf.data.attributes import Missing
from zsltf.data.xlsa17 import Semantics
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.benchmark import benchmark_row, read_sets, row_identity, run_benchmark, seeded
from zsltf.evaluation.zero_shot import ZeroShotProtocol
from zsltf.reports.benchmark import BenchmarkTable, print_benchmark
from zsltf.reports.benchmark_page import write_benchmark_page
from zsltf.runs import settings


@dataclass(frozen=True, kw_only=True)
class Config:
    """A row that is in the folder already, of the same data, split and options, is kept: an interrupted run goes on."""

    root: Path
    """A folder with the sets, however deep."""
    methods: tuple[str, ...] = tuple(name for name in names("zeroshot") if name != "lexicon")  # which reads words
    matrix: Semantics = "att"
    """Attributes as the benchmark normalises them, as they were, or sentence embeddings."""
    missing: Missing = "refuse"
    """What to do about attributes marked -1."""
    protocol: tyro.conf.OmitArgPrefixes[ZeroShotProtocol] = field(default_factory=ZeroShotProtocol)
    runs: int | None = None
    """Of each method, with seeds from `seed` on; by default 5 of one that draws random numbers, and 1 of another."""
    out: Path = Path("runs/gbu")
    """The folder of results.json, results.csv and report.html."""


def main(config: Config) -> None:
    """Sets -> methods -> rows."""
    methods = {name: plugin_type("zeroshot", name)() for name in config.methods}
    tries = [(name, m, protocol) for name, m in methods.items() for protocol in seeded(config.protocol, m, config.runs)]
    table = BenchmarkTable(config.out)
    table.check()
    sets = read_sets(config.root, semantics=config.matrix, missing=config.missing)
    for data, (name, method, protocol) in product(sets, tries):
        same = row_identity(name, data, matrix=config.matrix, missing=config.missing, **settings(protocol))
        if not table.has(same):
            outcome = run_benchmark(method, data, protocol)
            table.add({**same, **benchmark_row(name, data, outcome, protocol.seed)})
            print(f"{data.name} {name}: {outcome.report.unseen_accuracy:.3f}")
    write_benchmark_page(config.out, table.rows())
    print_benchmark(table.rows())


if __name__ == "__main__":
    main(tyro.cli(Config))
