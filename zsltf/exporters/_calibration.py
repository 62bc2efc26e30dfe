"""Photos on which the ranges of an integer file are measured."""

import numpy as np
from jaxtyping import UInt8

from zsltf.checks import fail

__all__ = ["Calibration", "check_calibration"]

Calibration = UInt8[np.ndarray, "N size size 3"] | None
"""Of the network's size."""


def check_calibration(owner: str, precision: str, calibration: Calibration) -> None:
    """Refuse a precision that needs photos, without any."""
    if calibration is None:
        received = f"{precision} without any"
        fail(f"{owner}.calibration", "photos to measure ranges on", received, "Give zsltf export --calibrate FOLDER.")
