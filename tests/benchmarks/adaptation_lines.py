"""The table of adaptation methods, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from zsltf.evaluation.adaptation import picked_better
from zsltf.evaluation.unlabelled_criteria import CRITERIA
from zsltf.metrics.intervals import class_interval, paired_interval

REFERENCE, CHOSEN_BY = "source_only", "target entropy"
EXPLANATION = """# Domain adaptation between MNIST and USPS

Digits of 28 x 28 pixels. A network of three convolutions with BatchNorm and a dense layer is trained on 2,000 labelled
source images and adapted to 1,800 unlabelled target images, as many as are usual for these two (Long et al., ICCV 2013,
who test on those 1,800; here the test is on 2,700 others); Adam, 10 epochs, no augmentation. Network and epochs were
frozen on source validation, of source-only; methods have their default settings, and nothing was chosen by target
labels: `weight chosen` is the weight, of the method's search range, of least target entropy. Images, split, network and
order of batches are drawn anew under each of the seeds. In percent, means over seeds with Student's 95 % interval:

- target: accuracy on target images that were not adapted to; gain: over source-only under the same seeds;
- target's BatchNorm: the same once the statistics of BatchNorm are measured anew on the target, which is AdaBN's part
  of a gain; beyond AdaBN: over source-only with statistics measured so, which is the rest;
- **negative**: a mean below source-only's, *surely* so where the whole interval is;
- s: seconds of processor time of `fit`.

Written by:

    python tests/benchmarks/adaptation_table.py --data $ZSLTF_TEST_DATA/digits --results rows.json --table FILE.md

with `adaptation.json` beside this file as its rows.
"""
HEADINGS = (
    "method", "seeds", "target", "95 %", "gain", "95 %", "transfer",
    "target's BatchNorm", "95 %", "beyond AdaBN", "95 %", "source", "s",
)  # fmt: skip
CRITERIA_HEADINGS = ("criterion", "picks the better of two", "its choice reaches", "of at most")

Rows = Sequence[Mapping[str, Any]]


def table_lines(rows: Rows) -> list[str]:
    """A section a direction: methods, best first; then criteria that see no target label."""
    lines = []
    for direction in dict.fromkeys(row["direction"] for row in rows):
        of = [row for row in rows if row["direction"] == direction]
        mine = {(row["method"], row["seed"]): row for row in of if row["weight"] is None}
        seeds = sorted(seed for method, seed in mine if method == REFERENCE)
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for method in dict.fromkeys(method for method, _ in mine):
            groups[method] = [mine[method, seed] for seed in seeds if (method, seed) in mine]
        groups = {name: own for name, own in groups.items() if own}
        whole = [[one for own in groups.values() for one in own if one["seed"] == seed] for seed in seeds]
        groups |= chosen(of, groups)
        best = sorted(groups, key=lambda name: -column(groups[name], "accuracy").mean())
        base = {row["seed"]: row for row in groups[REFERENCE]}
        lines += [f"## {direction}", "", *markdown(HEADINGS, [method_cells(name, groups[name], base) for name in best])]
        lines += ["", *markdown(CRITERIA_HEADINGS, [criterion_cells(name, whole) for name in CRITERIA]), ""]
    return lines


def chosen(rows: Rows, groups: Mapping[str, Rows]) -> dict[str, list[Mapping[str, Any]]]:
    """Methods with the weight, of those tried, that a criterion without target labels prefers under each seed."""
    found = {}
    for name in dict.fromkeys(row["method"] for row in rows if row["weight"] is not None):
        tried = [[row for row in rows if (row["method"], row["seed"]) == (name, own["seed"])] for own in groups[name]]
        most = max(map(len, tried))
        best = [min(some, key=lambda row: row["criteria"][CHOSEN_BY]) for some in tried if len(some) == most]
        found[f"{name}, weight chosen"] = best
    return found


def method_cells(name: str, own: Rows, base: Mapping[int, Mapping[str, Any]]) -> tuple[str, ...]:
    """A method's row, beside source-only's under the same seeds."""
    plain, other = column(own, "accuracy"), column(own, "recalibrated")
    same = [base[row["seed"]] for row in own]
    gain, beyond = plain - column(same, "accuracy"), other - column(same, "recalibrated")
    low, high = paired_interval(plain, column(same, "accuracy"))
    mark = "" if gain.mean() >= 0 else "*surely* **negative**" if high < 0 and len(own) > 1 else "**negative**"
    several = len(own) > 1  # of one seed there is no interval
    around = f"{signed(low)} to {signed(high)}" if several else ""
    against = (signed(gain.mean()), around, mark) if name != REFERENCE else ("", "", "")
    rest = paired_interval(other, column(same, "recalibrated"))
    above = (
        (signed(beyond.mean()), " to ".join(map(signed, rest)) if several else "") if name != REFERENCE else ("", "")
    )
    return (
        "`{}`{}{}".format(*name.partition(",")),
        str(len(own)),
        percent(plain.mean()),
        " to ".join(map(percent, class_interval(plain))) if several else "",
        *against,
        percent(other.mean()),
        " to ".join(map(percent, class_interval(other))) if several else "",
        *above,
        percent(column(own, "source_accuracy").mean()),
        f"{column(own, 'seconds').mean():.0f}",
    )


def criterion_cells(name: str, whole: Sequence[Rows]) -> tuple[str, ...]:
    """How often it picks the better of two methods under one seed, and how good what it picks of all of them is."""
    shares, chosen, most = [], [], []
    for runs in whole:
        values, accuracies = [run["criteria"][name] for run in runs], column(runs, "accuracy")
        shares.append(picked_better(values, accuracies))
        chosen.append(accuracies[int(np.argmin(values))])
        most.append(accuracies.max())
    return name, f"{100 * np.mean(shares):.0f}", percent(np.mean(chosen)), percent(np.mean(most))


def markdown(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    return [f"| {' | '.join(row)} |" for row in (headings, ("---",) * len(headings), *cells)]


def column(rows: Rows, key: str) -> Float[np.ndarray, " R"]:
    """One figure of each row."""
    return np.array([row[key] for row in rows], float)


def percent(share: float) -> str:
    """Of 1."""
    return f"{100 * share:.1f}"


def signed(share: float) -> str:
    """A difference, of 1."""
    return f"{100 * share:+.1f}"
