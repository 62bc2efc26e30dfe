"""Numbers and settings in a few words, for pages and the terminal."""

from collections.abc import Mapping
from typing import Any

__all__ = ["NOTHING", "number", "phrase"]

NOTHING = "\N{EN DASH}"
"""Where there is no value."""


def number(value: Any) -> str:
    """To four digits; what is no number as it is."""
    if value is None:
        return NOTHING
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e7 else f"{value:.4g}"


def phrase(settings: Mapping[str, Any], *, brief: bool = False) -> str:
    """Settings in one line; `brief` names what is switched on and leaves out the rest."""
    if not brief:
        told = {key: f"({phrase(v)})" if isinstance(v, Mapping) else number(v) for key, v in settings.items()}
        return ", ".join(f"{key} {value}" for key, value in told.items())
    on = {key.replace("_", " "): value for key, value in settings.items() if value not in (None, False)}
    return ", ".join(key if value is True else f"{number(value)} {key}" for key, value in on.items()) or "none"
