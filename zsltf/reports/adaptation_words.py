"""What an adaptation run found, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from zsltf.evaluation.adaptation_photos import AdaptationPhotos

__all__ = ["adaptation_notes", "transfer_verdict"]


def adaptation_notes(done: AdaptationPhotos, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whether it helped, how much of that BatchNorm is, and what the figures are of."""
    own, pair = rows[0], done.pair
    notes = [transfer_verdict(own)]
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


def transfer_verdict(row: Mapping[str, Any]) -> str:
    """Of a method's row, in words: gain, no sure difference, or negative transfer."""
    if row["gain"] is None:
        return "Source-only is what adaptation methods are held against; nothing was adapted"
    points, (low, high) = 100 * row["gain"], row["gain_interval"]
    told = f"{row['name']} is {abs(points):.1f} points {'above' if points >= 0 else 'below'} source-only"
    if len(row["accuracies"]) < 2:
        return f"{'Negative transfer' if points < 0 else 'One seed'}: {told}; a single seed tells nothing of others"
    if low > 0:
        return f"{told}, surely so (95 %)"
    if high < 0:
        return f"Negative transfer: {told}, surely so (95 %). Train on the source alone, or take another method"
    if points < 0:
        return f"Negative transfer on average: {told}, though other seeds might turn it (95 % has 0)"
    return f"{told}, which other seeds might turn (95 % has 0)"


def _batch_norm_share(own: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """What measuring BatchNorm's statistics on the target does by itself (AdaBN), and what is left of the method."""
    alone = 100 * (reference["recalibrated"] - reference["mean"])
    beyond = 100 * (own["recalibrated"] - reference["recalibrated"])
    return (
        f"BatchNorm's statistics measured on the target change source-only by {alone:+.1f} points by themselves "
        f"(AdaBN); under such statistics the method is {beyond:+.1f} points from source-only"
    )
