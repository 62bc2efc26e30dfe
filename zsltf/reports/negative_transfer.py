"""Whether a method helps or hurts, in words."""

__all__ = ["transfer_note"]


def transfer_note(name: str, other: str, gain: float, interval: tuple[float, float]) -> str:
    """Whether a method helps or hurts, or neither can be told; a line without a full stop.

    Args:
        name: of the method.
        other: what it is held against.
        gain: mean difference in accuracy.
        interval: its 95 % interval; of a single pair, which is never sure, the difference twice.
    """
    sure = interval[0] < interval[1]
    told = f"{100 * gain:+.1f} points ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f}, 95 %)"
    if sure and interval[1] < 0:
        return f"Negative transfer: {name} ends below {other}, {told}"
    if sure and interval[0] > 0:
        return f"{name} ends above {other}, {told}"
    below = "Negative transfer can't be ruled out: " if gain < 0 else ""
    return f"{below}{name} and {other} can't be told apart, {told}"
