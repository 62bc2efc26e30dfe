"""Whether a method helps or hurts, in words."""

__all__ = ["transfer_note"]


def transfer_note(name: str, other: str, gain: float, interval: tuple[float, float], *, over: str = "seeds") -> str:
    """Whether a method helps or hurts, or neither can be told; a line without a full stop.

    Args:
        name: of the method.
        other: what it is held against.
        gain: mean difference in accuracy.
        interval: its 95 % interval; of pairs that are all alike, which is never sure, the difference twice.
        over: what the pairs are of.
    """
    low, high = (100 * bound for bound in interval)
    told = f"{name} ends {abs(100 * gain):.1f} points {'below' if gain < 0 else 'above'} {other}"
    if low == high:
        return f"{_unsure(gain)}{told}, each time alike: other {over} might turn it"
    told = f"{told} ({low:+.1f} to {high:+.1f}, 95 %)"
    if low > 0:
        return f"{told}, surely so"
    if high < 0:
        return f"Negative transfer: {told}, surely so"
    return f"{_unsure(gain)}{told}: other {over} might turn it"


def _unsure(gain: float) -> str:
    return "Negative transfer can't be ruled out: " if gain < 0 else ""
