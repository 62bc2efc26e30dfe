"""A user's own set in the layout of the zero-shot benchmark."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
from scipy.io import savemat
from sklearn.preprocessing import normalize

from zsltf.checks import check_seed, check_share, fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.shares import random_share
from zsltf.data.xlsa17 import KNOWN, SPLIT_FILES

__all__ = ["make_splits"]


def make_splits(
    folder: Path,
    features: Features,
    classes: ClassTable,
    *,
    val_share: float = 1 / 3,
    test_share: float = 0.2,
    seed: int = 0,
    known_to_backbone: Collection[str] | None = None,
    sentences: ClassTable | None = None,
) -> None:
    """Write res101.mat, att_splits.mat and sent_splits.mat, which `read_xlsa17` and other people's code read.

    The table's unseen classes are the test's; a share of the seen ones is for validation, chosen at random, and a share
    of each seen class's images for the test of seen classes: those are in no other part.

    Args:
        folder: to write into; it must be there.
        features: of all images, vectors.
        classes: their table, with seen and unseen classes.
        val_share: of the seen classes, in [0, 1), at least two.
        test_share: of a seen class's images, in [0, 1).
        seed: of both choices.
        known_to_backbone: unseen classes on which the network was trained that made the features, if that is known.
        sentences: the same classes with vectors of text for semantics; without it, no sent_splits.mat.

    Raises:
        ValueError: with fewer than 4 seen or 2 unseen classes, fewer than 3 images of a seen one, sentences about
            other classes, or a seed out of range.
    """
    features.check_vectors("make_splits")
    features.check_covers(classes)
    check_share("make_splits", val_share=val_share, test_share=test_share)
    check_seed("make_splits", seed)
    if sentences is not None and sentences.names != classes.names:
        received = ", ".join(sentences.names[:5])
        fail("sentences", "a table of the same classes in the same order", received, "Make it from the classes.")
    seen, unseen = np.flatnonzero(classes.seen), np.flatnonzero(~classes.seen)
    if len(seen) < 4 or len(unseen) < 2:
        received = f"{len(seen)} seen and {len(unseen)} unseen"
        fail("classes", "at least 4 seen and 2 unseen ones", received, "Mark others in the column split.")
    counts = np.bincount(features.y)
    few = [f"{classes.names[i]} ({counts[i]})" for i in seen if counts[i] < 3]
    if few:
        fail("images", "at least 3 of a seen class", ", ".join(few[:5]), "Add photos.")
    count = min(max(2, round(val_share * len(seen))), len(seen) - 2)
    val = np.random.default_rng(seed).permutation(seen)[:count]
    of_seen = classes.seen[features.y]
    tested = np.zeros(len(features), bool)
    tested[of_seen] = random_share(np.searchsorted(seen, features.y[of_seen]), test_share, seed)
    of_val = np.isin(features.y, val)
    parts = {
        "train": of_seen & ~of_val & ~tested,
        "val": of_val & ~tested,
        "trainval": of_seen & ~tested,
        "test_seen": tested,
        "test_unseen": ~of_seen,
    }
    told = {} if known_to_backbone is None else {KNOWN: np.array([*known_to_backbone], dtype=object).reshape(-1, 1)}
    _write_images(folder / "res101.mat", features)
    splits = told | {f"{name}_loc": np.flatnonzero(mask)[:, None] + 1.0 for name, mask in parts.items()}
    _write_splits(folder / SPLIT_FILES["att"], classes, splits)
    if sentences is not None:
        _write_splits(folder / SPLIT_FILES["sentences"], sentences, splits)


def _write_images(file: Path, features: Features) -> None:
    """Columns are images, and counting starts from 1, as in the benchmark's files."""
    paths = np.array([[path] for path in features.paths], dtype=object)
    content = {"features": np.asarray(features.x, np.float64).T, "labels": features.y[:, None] + 1.0}
    savemat(file, content | ({"image_files": paths} if features.paths else {}), do_compression=True)


def _write_splits(file: Path, classes: ClassTable, splits: dict[str, np.ndarray]) -> None:
    """Columns are classes."""
    semantics = classes.semantics.astype(np.float64)
    table = {
        "att": normalize(semantics).T,
        "original_att": semantics.T,
        "allclasses_names": np.array([[name] for name in classes.names], dtype=object),
    }
    savemat(file, table | splits, do_compression=True)
