"""MODEL_CARD.md: what an export can do, on what it was tested, and what it can't, filled from the run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zsltf.artifacts.card import Card
from zsltf.metrics.intervals import class_interval

__all__ = ["model_card"]


def model_card(card: Card, report: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """As Markdown.

    Source: Mitchell et al., "Model cards for model reporting", FAT* 2019 (which sections).

    Args:
        card: of the Classifier.
        report: report.json of the run.
        config: config.json of the run.
    """
    backbone, zero_shot = report.get("backbone", {}), report.get("kind") == "zero_shot"
    unseen = [name for name, seen in zip(card.names, card.seen, strict=True) if not seen]
    lines = [
        f"# {report.get('title', 'Classifier')}",
        "",
        f"{len(card.names)} classes; made by {_maker(report)}zsltf {card.zsltf}.",
        "",
        "## Model",
        "",
        f"- Network: {backbone.get('name', 'unknown')}, weights {backbone.get('weights', 'unknown')}"
        f" (licence {backbone.get('licence') or 'not known'}).",
        f"- Takes RGB photos of any size; they are brought to {card.size} x {card.size} pixels ({card.resize}).",
        f"- Gives `scores` and `probabilities` ({card.activation}).",
        f"- New classes without training: {_doors(card)}.",
        f"- None of these: {_rejection(card, report)}",
        "",
        "## Data",
        "",
        *_data(report),
        "",
        "## Results",
        "",
        *_results(report),
        "",
        "## Known limits",
        "",
        *_limits(unseen, zero_shot),
        "",
        "## Classes",
        "",
        "As exported; later edits stand in `history` of manifest.json.",
        "",
        *(
            f"- {name}{'' if seen else ' (no training image)'}"
            for name, seen in zip(card.names, card.seen, strict=True)
        ),
        "",
        "## Versions",
        "",
        ", ".join(f"{name} {version}" for name, version in config.get("versions", {}).items()),
        "",
    ]
    return "\n".join(lines)


def _maker(report: Mapping[str, Any]) -> str:
    if "recipe" not in report:
        return ""
    return f"`zsltf {'' if report.get('kind') == 'support' else 'run '}{report['recipe']}`, "


def _doors(card: Card) -> str:
    ways = {"semantics": f"by a row of {len(card.columns)} attributes", "photos": "by a few photos"}
    return " or ".join(ways[door] for door in card.opens_by) or "no, it has to be trained again"


def _rejection(card: Card, report: Mapping[str, Any]) -> str:
    if card.threshold is None:
        return "no threshold was chosen, so every photo is given a class."
    refused = f"a photo whose best score is below {card.threshold:.4g}."
    if not report.get("open_set"):
        return refused
    figures = report["open_set"]
    return (
        f"{refused} On test photos that refuses {figures['rejected']:.1%} of known classes and lets"
        f" {figures['accepted']:.1%} of strangers pass ({figures['strangers']}); AUROC {figures['auroc']:.3f}."
    )


def _data(report: Mapping[str, Any]) -> list[str]:
    data = report.get("data") or report.get("features") or {}
    images = data.get("images")
    counts = ", ".join(f"{number} {part}" for part, number in images.items()) if isinstance(images, Mapping) else images
    skipped = len(data.get("skipped") or ())
    return [
        f"- Images: {counts if counts is not None else 'see report.html'}.",
        f"- Left out because they can't be decoded: {skipped}.",
    ]


def _results(report: Mapping[str, Any]) -> list[str]:
    if report.get("kind") == "zero_shot":
        return _zero_shot(report)
    if "test" in report:
        return _classification(report)
    reason = report.get("tested", "none came with the Classifier")
    return [f"{reason[0].upper()}{reason[1:]}; `zsltf benchmark` gives its accuracy on labelled photos."]


def _classification(report: Mapping[str, Any]) -> list[str]:
    test = report["test"]
    found = np.array([np.nan if row["sensitivity"] is None else row["sensitivity"] for row in test["classes"]])
    low, high = class_interval(found)
    tested = report.get("tested", f"{test['images']} test images, none of which was trained on or chosen by")
    lines = [
        f"On {tested}:",
        "",
        f"- accuracy, mean over classes: {test['mean_class_accuracy']:.3f} (95 % interval over classes {low:.3f} to"
        f" {high:.3f}; chance {test['chance']:.3f})",
        f"- accuracy: {test['accuracy']:.3f} (always the commonest class: {test['majority']:.3f})",
        f"- expected calibration error: {test['expected_calibration_error']:.3f}",
    ]
    worst = sorted((row["sensitivity"], row["name"]) for row in test["classes"] if row["sensitivity"] is not None)[:3]
    return [*lines, f"- hardest classes: {', '.join(f'{name} {value:.2f}' for value, name in worst)}"]


def _zero_shot(report: Mapping[str, Any]) -> list[str]:
    first = report["partitions"][0]
    low, high = first["interval"]
    lines = [
        f"- unseen classes among themselves: {first['unseen_accuracy']:.3f} (95 % interval over classes {low:.3f} to"
        f" {high:.3f}; chance {first['chance']:.3f})",
        f"- among all classes: seen {first['seen']:.3f}, unseen {first['unseen']:.3f}, harmonic mean"
        f" {first['harmonic_mean']:.3f}; area under the seen-unseen curve {first['area']:.3f}",
    ]
    if first["shuffled"] is not None:
        lines.append(f"- the same with attributes dealt to classes at random: {first['shuffled']:.3f}")
    return lines


def _limits(unseen: list[str], zero_shot: bool) -> list[str]:
    lines = [
        "- Every photo is taken to show one of the classes; what shows none is rejected only by its low score.",
        "- Other cameras, other places and other kinds of photos than in the data above were not tested.",
    ]
    if zero_shot:
        lines.append(f"- Told by their semantics alone, without a training image: {', '.join(unseen)}.")
        lines.append("- The backbone may have seen images of them under the same or another name.")
    return lines
