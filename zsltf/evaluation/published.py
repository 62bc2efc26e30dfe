"""What the benchmark's paper reports, to stand beside one's own figures."""

from dataclasses import dataclass

__all__ = ["Published", "published"]


@dataclass(frozen=True)
class Published:
    """Per cent, mean over classes; None where the paper's table was not read."""

    unseen: float | None = None
    """Among unseen classes."""
    generalized: tuple[float, float, float] | None = None
    """U, S and H among all classes, without calibration."""


_SETS = ("SUN", "CUB", "AWA1", "AWA2", "APY")
_UNSEEN = {
    "conse": (38.8, 34.3, 45.6, 44.5, None),
    "sse": (51.5, 43.9, 60.1, 61.0, None),
    "latem": (55.3, 49.3, 55.1, 55.8, 35.2),
    "ale": (58.1, 54.9, 59.9, 62.5, 39.7),
    "devise": (56.5, 52.0, 54.2, 59.7, 39.8),
    "sje": (53.7, 53.9, 65.6, 61.9, 32.9),
    "eszsl": (54.5, 53.9, 58.2, 58.6, 38.3),
    "sync": (56.3, 55.6, 54.0, 46.6, 23.9),
    "sae": (40.3, 33.3, 53.0, 54.1, 8.3),
}
_GENERALIZED = {
    "latem": ((14.7, 28.8, 19.5), (15.2, 57.3, 24.0), None, (11.5, 77.3, 20.0), (0.1, 73.0, 0.2)),
    "ale": ((21.8, 33.1, 26.3), (23.7, 62.8, 34.4), None, (14.0, 81.8, 23.9), (4.6, 73.7, 8.7)),
    "devise": ((16.9, 27.4, 20.9), (23.8, 53.0, 32.8), None, (17.1, 74.7, 27.8), (4.9, 76.9, 9.2)),
    "sje": ((14.7, 30.5, 19.8), (23.5, 59.2, 33.6), None, (8.0, 73.9, 14.4), (3.7, 55.7, 6.9)),
    "eszsl": ((11.0, 27.9, 15.8), (12.6, 63.8, 21.0), None, (5.9, 77.8, 11.0), (2.4, 70.1, 4.6)),
    "sync": ((7.9, 43.3, 13.4), (11.5, 70.9, 19.8), None, (10.0, 90.5, 18.0), (7.4, 66.3, 13.3)),
    "sae": ((8.8, 18.0, 11.8), (7.8, 54.0, 13.6), None, (1.1, 82.2, 2.2), (0.4, 80.9, 0.9)),
}


def published(method: str, set_name: str) -> Published:
    """The paper's figures for a method (its file's name) on a set (its folder's name), under the proposed split.

    Source: Xian, Lampert, Schiele & Akata, "Zero-shot learning: a comprehensive evaluation of the good, the bad and the
    ugly", TPAMI 2019, as copied by the tables of vkverma01/Zero-Shot and ucbdrive/tafe-net (whose 80.5 for SJE on SUN
    must be 30.5). The sets' archive was issued again later with corrected splits, which cost about 2 points.
    """
    if set_name.upper() not in _SETS:
        return Published()
    column = _SETS.index(set_name.upper())
    empty = (None,) * len(_SETS)
    return Published(_UNSEEN.get(method, empty)[column], _GENERALIZED.get(method, empty)[column])
