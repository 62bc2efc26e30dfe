"""What an adaptation run found, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from zsltf.evaluation.adaptation_photos import AdaptationPhotos
from zsltf.reports.negative_transfer import transfer_note

__all__ = ["adaptation_notes"]


def adaptation_notes(done: AdaptationPhotos, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whether it helped, how much of that BatchNorm is, and what the figures are of."""
    own, pair = rows[0], done.pair
    notes = [_own_note(own)]
    if own["recalibrated"] is not None:
        notes.append(_batch_norm_share(own, rows[-1]))
    notes += [
        f"Accuracies are of the {done.protocol.test:.0%} of {pair.names[1]} that nothing was adapted to; no label of "
        "the target was seen by training, by criteria or by the choice of settings",
        f"Intervals are over {len(done.protocol.seeds)} seeds of the network and of the order of batches, on one split",
        f"The model of this folder is that of seed {done.protocol.seeds[0]}, the first: target "
        f"{done.first(done.name).accuracy:.3f}",
    ]
    if pair.left_out:
        notes.append(f"Classes that only one domain has were left out: {', '.join(pair.left_out[:10])}")
    return notes


def _own_note(row: Mapping[str, Any]) -> str:
    if row["gain"] is None:
        return "Source-only is what adaptation methods are held against; nothing was adapted"
    return transfer_note(row["name"], "source-only", row["gain"], row["gain_interval"])


def _batch_norm_share(own: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """What measuring BatchNorm's statistics on the target does by itself (AdaBN), and what is left of the method."""
    alone = 100 * (reference["recalibrated"] - reference["mean"])
    beyond = 100 * (own["recalibrated"] - reference["recalibrated"])
    return (
        f"BatchNorm's statistics measured on the target change source-only by {alone:+.1f} points by themselves "
        f"(AdaBN); under such statistics the method is {beyond:+.1f} points from source-only"
    )
