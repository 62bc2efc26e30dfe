"""Every generalisation method on PACS, each domain left out in turn, with settings chosen in three ways.

python tests/benchmarks/generalisation_table.py --data $ZSLTF_TEST_DATA/pacs --results .github/generalisation.json \
    --table .github/GENERALISATION.md

Rows that the file of results has are kept, so an interrupted run goes on.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from zsltf.data.collection import named_classes
from zsltf.data.domain_folders import DomainImages, read_domains
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type
from zsltf.embeds import adapter
from zsltf.evaluation.domain_generalisation import GeneralizationProtocol, generalization_trials
from zsltf.evaluation.generalisation_trials import ORACLE, SELECTIONS, GeneralizationOutcome, Trial
from zsltf.files import atomic_file
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features

REFERENCE = "erm"


@dataclass(frozen=True, kw_only=True)
class Config:
    data: Path
    """A folder with one folder a domain, and in each one folder of photos a class."""
    methods: tuple[str, ...] = names("generalization")
    hidden: int = 32
    """Units of the adapter that is trained on the features."""
    protocol: tyro.conf.OmitArgPrefixes[GeneralizationProtocol] = field(default_factory=GeneralizationProtocol)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    results: Path
    """A JSON file, a row a line."""
    table: Path | None = None
    """A Markdown file to write, of the seeds that every method has."""


EXPLANATION = """# Domain generalisation on PACS

{images} images of {classes} classes in the domains {domains}: each domain in turn is new, and methods train on the
others. On frozen EfficientNet-Lite0 features all of them train an adapter of {hidden} units, which starts as the
identity, under a softmax head. Each method tries {settings} settings: pairs of learning rate ({rates}) and penalty
({penalties}), which go round its own search range; {epochs} epochs, {batch} examples of each domain a step. One setting
is chosen for each new domain and seed,

- by *training domains*: held-out shares (a fifth) of the domains that are trained on,
- by a *source left out*: each source domain in turn, where only the others are trained on,
- or by the *oracle*, which looks at a fifth of the new domain itself. Nobody can where it is new: it tells what a
  better choice would be worth.

Accuracy in percent on the four fifths of the new domain that the oracle does not look at; mean over {seeds} of
split, weights and batches, ± their standard deviation; Student's 95 % interval of the mean over seeds. The difference
is to ERM by the same choice, with its paired interval over the {count} domains, each the mean of seeds: what another
domain might have given. Below 0 a method hurts. s: seconds of processor time, for all
settings, domains and seeds. Written by:

    python tests/benchmarks/generalisation_table.py --data $ZSLTF_TEST_DATA/pacs --results ROWS.json --table FILE.md
"""


def main(config: Config) -> None:
    """Methods x seeds -> rows and a table."""
    rows: list[dict[str, Any]] = json.loads(config.results.read_text("utf-8")) if config.results.is_file() else []
    done = {(row["method"], row["seed"]) for row in rows}
    images = read_domains(config.data)
    missing = [(name, seed) for seed in config.protocol.seeds for name in config.methods if (name, seed) not in done]
    domains = features(images, config.network) if missing else None
    for name, seed in missing:
        rows.append({"method": name, "seed": seed, "trials": measured(config, name, seed, domains, images)})
        config.results.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(config.results) as staging:
            staging.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", "utf-8")
    lines = table_lines(config, images, rows)
    print("\n".join(lines))  # noqa: T201 (a script)
    if config.table:
        with atomic_file(config.table) as staging:
            staging.write_text("\n".join((*lines, "")), "utf-8")


def features(images: DomainImages, network: BackboneChoice) -> Domains:
    """Of every domain."""
    found = extract_features(network.build(), images.images, on_corrupt="error").features
    parts = {}
    for number, name in enumerate(images.domains):
        rows = images.domain == number
        parts[name] = Features(x=np.asarray(found.x[rows]), y=found.y[rows])
    return Domains(parts=parts)


def measured(config: Config, name: str, seed: int, domains: Domains, images: DomainImages) -> list[dict[str, Any]]:
    """One method under one seed."""
    method, classes = plugin_type("generalization", name)(), named_classes(images.names)
    network = adapter(next(iter(domains.parts.values())).x.shape[1], config.hidden, seed)
    trials = list(generalization_trials(method, domains, classes, config.protocol, seed, network=network))
    outcome = GeneralizationOutcome(trials={name: trials}, reference=name)
    means = (f"{selection} {outcome.accuracies(name, selection).mean():.3f}" for selection in outcome.selections)
    print(f"{name}, seed {seed}: {', '.join(means)} ({sum(t.seconds for t in trials):.0f} s)", flush=True)  # noqa: T201
    return [rounded(asdict(trial)) for trial in trials]


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Shares to six digits, seconds to two."""
    by = {name: round(value, 6) for name, value in row["by"].items()}
    return {**row, "by": by, "accuracy": round(row["accuracy"], 6), "seconds": round(row["seconds"], 2)}


def table_lines(config: Config, images: DomainImages, rows: list[dict[str, Any]]) -> list[str]:
    """For each way to choose: accuracy by domain, mean, and difference to ERM."""
    seeds = set.intersection(*({r["seed"] for r in rows if r["method"] == name} for name in config.methods))
    trials: dict[str, list[Trial]] = {name: [] for name in config.methods}
    for row in rows:
        if row["method"] in trials and row["seed"] in seeds:
            trials[row["method"]] += [Trial(**trial) for trial in row["trials"]]
    outcome = GeneralizationOutcome(trials=trials, reference=REFERENCE)
    protocol = config.protocol
    lines = EXPLANATION.format(
        images=len(images),
        classes=len(images.names),
        domains=", ".join(images.domains),
        hidden=config.hidden,
        settings=len(protocol.settings(plugin_type("generalization", REFERENCE)())),
        rates=", ".join(f"{rate:g}" for rate in protocol.learning_rates),
        penalties=", ".join(f"{penalty:g}" for penalty in protocol.penalties),
        epochs=protocol.epochs,
        batch=protocol.batch_size,
        seeds=f"{len(seeds)} seed{'' if len(seeds) == 1 else 's'}",
        count=len(images.domains),
    ).splitlines()
    for selection in SELECTIONS:
        lines += ["", *section(outcome, selection)]
    return lines


def section(outcome: GeneralizationOutcome, selection: str) -> list[str]:
    """One way to choose, best method first."""
    title = "oracle: looks at the new domain" if selection == ORACLE else selection
    heads = ("method", *outcome.domains, "mean", "95 %", "to ERM", "95 %", "s")
    lines = [f"## Chosen by {title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    means = {name: outcome.accuracies(name, selection) for name in outcome.trials}
    for name, found in sorted(means.items(), key=lambda pair: -pair[1].mean()):
        spreads = (f" ± {100 * one.std(ddof=1):.1f}" if len(one) > 1 else "" for one in found.T)
        cells = [f"{100 * one.mean():.1f}{spread}" for one, spread in zip(found.T, spreads, strict=True)]
        over_seeds = span(outcome.interval(name, selection), ".1f") if len(found) > 1 else ""
        cells += [f"{100 * found.mean():.1f}", over_seeds]
        gain, interval = outcome.above_reference(name, selection)
        cells += ["", ""] if name == REFERENCE else [f"{100 * gain:+.1f}", span(interval, "+.1f")]
        cells.append(f"{sum(trial.seconds for trial in outcome.trials[name]):.0f}")
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return lines


def span(interval: tuple[float, float], form: str) -> str:
    """In percent."""
    return " to ".join(format(100 * end, form) for end in interval)


if __name__ == "__main__":
    main(tyro.cli(Config))
