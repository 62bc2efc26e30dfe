"""What the benchmark's paper and later ones report, to stand beside one's own figures."""

from dataclasses import dataclass

__all__ = ["Published", "published"]


@dataclass(frozen=True)
class Published:
    """Per cent, mean over classes; None where no table of it is known."""

    unseen: float | None = None
    """Among unseen classes."""
    generalized: tuple[float, float, float] | None = None
    """U, S and H among all classes, without calibration."""
    recalled: bool = False
    """Whether figures of this method are recalled, and no table with them was read."""


_SETS = ("SUN", "CUB", "AWA1", "AWA2", "APY")
_RECALLED = ("dap", "iap", "conse", "cmt", "sse", "gfzsl")
_UNSEEN = {
    "dap": (39.9, 40.0, 44.1, 46.1, 33.8),
    "iap": (19.4, 24.0, 35.9, 35.9, 36.6),
    "conse": (38.8, 34.3, 45.6, 44.5, 26.9),
    "cmt": (39.9, 34.6, 39.5, 37.9, 28.0),
    "sse": (51.5, 43.9, 60.1, 61.0, 34.0),
    "latem": (55.3, 49.3, 55.1, 55.8, 35.2),
    "ale": (58.1, 54.9, 59.9, 62.5, 39.7),
    "devise": (56.5, 52.0, 54.2, 59.7, 39.8),
    "sje": (53.7, 53.9, 65.6, 61.9, 32.9),
    "eszsl": (54.5, 53.9, 58.2, 58.6, 38.3),
    "sync": (56.3, 55.6, 54.0, 46.6, 23.9),
    "sae": (40.3, 33.3, 53.0, 54.1, 8.3),
    "gfzsl": (60.6, 49.3, 68.3, 63.8, 38.4),
    "dem": (61.9, 51.7, 68.4, 67.1, 35.0),
}
_GENERALIZED = {
    "dap": ((4.2, 25.1, 7.2), (1.7, 67.9, 3.3), None, (0.0, 84.7, 0.0), (4.8, 78.3, 9.0)),
    "iap": ((1.0, 37.8, 1.8), (0.2, 72.8, 0.4), None, (0.9, 87.6, 1.8), (5.7, 65.6, 10.4)),
    "conse": ((6.8, 39.9, 11.6), (1.6, 72.2, 3.1), None, (0.5, 90.6, 1.0), (0.0, 91.2, 0.0)),
    "cmt": ((8.1, 21.8, 11.8), (7.2, 49.8, 12.6), None, (0.5, 90.0, 1.0), (1.4, 85.2, 2.8)),
    "sse": ((2.1, 36.4, 4.0), (8.5, 46.9, 14.4), None, (8.1, 82.5, 14.8), (0.2, 78.9, 0.4)),
    "latem": ((14.7, 28.8, 19.5), (15.2, 57.3, 24.0), (7.3, 71.7, 13.3), (11.5, 77.3, 20.0), (0.1, 73.0, 0.2)),
    "ale": ((21.8, 33.1, 26.3), (23.7, 62.8, 34.4), (16.8, 76.1, 27.5), (14.0, 81.8, 23.9), (4.6, 73.7, 8.7)),
    "devise": ((16.9, 27.4, 20.9), (23.8, 53.0, 32.8), (13.4, 68.7, 22.4), (17.1, 74.7, 27.8), (4.9, 76.9, 9.2)),
    "sje": ((14.7, 30.5, 19.8), (23.5, 59.2, 33.6), (11.3, 74.6, 19.6), (8.0, 73.9, 14.4), (3.7, 55.7, 6.9)),
    "eszsl": ((11.0, 27.9, 15.8), (12.6, 63.8, 21.0), (6.6, 75.6, 12.1), (5.9, 77.8, 11.0), (2.4, 70.1, 4.6)),
    "sync": ((7.9, 43.3, 13.4), (11.5, 70.9, 19.8), (8.9, 87.3, 16.2), (10.0, 90.5, 18.0), (7.4, 66.3, 13.3)),
    "sae": ((8.8, 18.0, 11.8), (7.8, 54.0, 13.6), (1.8, 77.1, 3.5), (1.1, 82.2, 2.2), (0.4, 80.9, 0.9)),
    "gfzsl": ((0.0, 39.6, 0.0), (0.0, 45.7, 0.0), None, (2.5, 80.1, 4.8), (0.0, 83.3, 0.0)),
    "dem": ((20.5, 34.3, 25.6), (19.6, 57.9, 29.2), (32.8, 84.7, 47.3), (30.5, 86.4, 45.1), (11.1, 75.1, 19.4)),
}


def published(method: str, set_name: str) -> Published:
    """The paper's figures for a method (its file's name) on a set (its folder's name), under the proposed split.

    Source: Xian, Lampert, Schiele & Akata, "Zero-shot learning: a comprehensive evaluation of the good, the bad and the
    ugly", TPAMI 2019, as copied by the tables of vkverma01/Zero-Shot, mvp18/Popular-ZSL-Algorithms (SAE) and
    ucbdrive/tafe-net (whose 80.5 for SJE on SUN must be 30.5); DEM is Zhang, Xiang & Gong, "Learning a deep embedding
    model for zero-shot learning", CVPR 2017, by the last of these. The figures of DAP, IAP, CMT and GFZSL, and of
    ConSE and SSE on aPY and among all classes, are recalled from the paper. The sets' archive was issued again later
    with corrected splits, which cost about 2 points.
    """
    if set_name.upper() not in _SETS:
        return Published()
    column = _SETS.index(set_name.upper())
    empty = (None,) * len(_SETS)
    return Published(
        _UNSEEN.get(method, empty)[column], _GENERALIZED.get(method, empty)[column], recalled=method in _RECALLED
    )
