"""Labelled images, split and checked: what a training recipe starts from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_finite, check_shape, check_share, fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection
from zsltf.data.corrupt import check_decodable
from zsltf.data.csv_images import read_csv
from zsltf.data.drawn_images import read_drawn
from zsltf.data.folder_images import read_folder
from zsltf.data.images import Images, OnCorrupt
from zsltf.data.labels import class_rows, multi_hot
from zsltf.data.leakage import Twins, check_leakage, duplicate_groups, near_duplicates
from zsltf.data.npz_images import read_npz
from zsltf.data.splits import Split, split_by_fold, split_by_fraction, split_by_part
from zsltf.data.tfds import read_tfds

__all__ = ["LabelledImages", "LabelledSource"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledImages:
    """Images, their classes, and which are for training, validation and test.

    Raises:
        ValueError: if a label is no class, a class is unseen, a part has no image of one, or a group is in two parts.
    """

    images: Images
    classes: ClassTable
    split: Split
    group: np.ndarray | None = None
    """(N,) patient, machine or site of each image."""
    sample_weight: Float[np.ndarray, " N"] | None = None
    """>= 0, one an image; None means all 1."""
    near_duplicates: tuple[Twins, ...] = ()
    """Images of two parts that show nearly the same: a warning."""
    left_out: tuple[str, ...] = ()
    """Folders, splits and unlabelled images of the source."""
    not_images: tuple[str, ...] = ()
    """Files of the source whose name is not an image's."""
    unseen: Collection | None = None
    """Images of classes that the class table marks as unseen, under a table of their own: for evaluation only."""

    def __post_init__(self) -> None:
        check = class_rows if self.images.y.ndim == 1 else multi_hot
        check(self.images.y, len(self.classes))
        if not self.classes.seen.all():
            fail("LabelledImages.classes", "seen classes only", "unseen ones", "Keep their images apart, in `unseen`.")
        self.split.check_classes(self.images.y, self.classes.names)
        self.split.check_groups(self.group)
        if self.sample_weight is not None:
            _check_weights(self.sample_weight, len(self.images))

    @property
    def train(self) -> Images:
        """The images to train on."""
        return self.images.select(self.split.train)

    @property
    def validation(self) -> Images:
        """The images to choose on; may be none."""
        return self.images.select(self.split.validation)

    @property
    def test(self) -> Images:
        """The images that nothing is chosen on; may be none."""
        return self.images.select(self.split.test)


@dataclass(frozen=True, kw_only=True)
class LabelledSource:
    """Where labelled images come from, and how they are split."""

    data: str | None = None
    """A folder with one folder a class, or with train, validation and test folders of these; a .csv of path and label
    (and split, group, weight); a .npz of x and y; or tfds:NAME or tfds:DIRECTORY. Without it pictures are drawn."""
    classes: Path | None = None
    """CSV: class, split (unseen: never trained on), then one column an attribute. For a folder or a CSV."""
    group_column: str | None = None
    """Column of the CSV with the patient, machine or site, never on two sides; by default `group`, if there is one."""
    group_duplicates: bool = False
    """Keep near-duplicates on one side: the images are grouped by what they show."""
    validation: float = 0.2
    """Share of the images to choose on, in [0, 1); a validation part of the source's own goes first."""
    test: float = 0.2
    """Share of the images to test on, in [0, 1); a test part of the source's own, or a fold, goes first."""
    folds: int = 0
    """Test on one of so many folds instead of on a share; 0 for none."""
    fold: int = 0
    """Which fold to test on, from 0."""
    split_seed: int = 0
    """Of what is drawn; the same seed gives the same parts."""
    allow_leakage: bool = False
    """Go on when the same image is in two parts."""
    find_near_duplicates: bool = True
    """List images of two parts that show nearly the same."""
    drawn: Literal["shapes", "combinations"] = "shapes"
    """Classes of the drawn pictures: 6 shapes, or 32 combinations with colour, texture and size, 8 of them unseen."""
    on_corrupt: OnCorrupt = "skip"
    """A file that can't be decoded: skip lists it in the report, error stops."""

    def __post_init__(self) -> None:
        check_share("data", validation=self.validation, test=self.test)
        if self.folds < 0 or self.folds == 1:
            fail("folds", "0, or 2 or more", str(self.folds), "Start from 5.")
        if not 0 <= self.fold < max(1, self.folds):
            fail("fold", f"a number from 0 to {max(1, self.folds) - 1}", str(self.fold), "Give --folds, too.")

    def check_apart(self, out: Path) -> None:
        """Refuse to write among the images: the next run would take our pictures for theirs."""
        folder = Path(self.data or "").expanduser()
        if self.data and folder.is_dir() and out.resolve().is_relative_to(folder.resolve()):
            fail("out", "a folder outside --data", str(out), "Choose another output folder.")

    def load(self) -> LabelledImages:
        """Read, split and check.

        Raises:
            ValueError: for what the readers, the split and the leakage check refuse, and for a file that can't be
                decoded, if `on_corrupt` says so.
        """
        everything = self.read()
        seen = everything.classes.seen
        found, unseen = everything.of_classes(seen), None if seen.all() else everything.of_classes(~seen)
        group = self._group(found)
        split = self._split(found, group)
        split.check_classes(found.images.y, found.classes.names)  # before files are read
        split.check_groups(group)
        if self.on_corrupt == "error":
            check_decodable(everything.images)
        if self.data and not self.allow_leakage:
            check_leakage(found.images, split)
        search = self.data is not None and self.find_near_duplicates  # the drawn pictures are all different
        return LabelledImages(
            images=found.images,
            classes=found.classes,
            split=split,
            group=group,
            sample_weight=found.sample_weight,
            near_duplicates=near_duplicates(found.images, split) if search else (),
            left_out=found.left_out,
            not_images=found.not_images,
            unseen=unseen,
        )

    def read(self) -> Collection:
        """The images before they are split, those of unseen classes among them."""
        if self.data is None:
            for option, value in (("--group-column", self.group_column), ("--classes", self.classes)):
                if value:
                    fail("--data", f"images for {option}", "drawn pictures", f"Add --data, or leave {option} out.")
            return read_drawn(self.drawn)
        path = Path(self.data).expanduser()
        is_csv, is_folder = path.suffix.lower() == ".csv", path.is_dir()
        self._check_options(is_csv, is_folder)
        table = None if self.classes is None else ClassTable.from_csv(self.classes)
        if self.data.startswith("tfds:"):
            return read_tfds(self.data.removeprefix("tfds:"))
        if is_csv:
            return read_csv(path, table, group_column=self.group_column)
        return read_npz(path) if path.suffix.lower() == ".npz" else read_folder(path, table)

    def _check_options(self, is_csv: bool, is_folder: bool) -> None:
        if self.group_column and not is_csv:
            fail("--group-column", "--data of a CSV", str(self.data), "Leave it out, or list the images in a CSV.")
        if self.classes and not (is_csv or is_folder):
            fail("--classes", "--data of a folder or a CSV", str(self.data), "Leave it out.")

    def _group(self, found: Collection) -> np.ndarray | None:
        if not self.group_duplicates:
            return found.group
        if found.group is not None or found.parts is not None:
            fail("--group-duplicates", "images without groups and parts", "some", "Leave it out.")
        return duplicate_groups(found.images)

    def _split(self, found: Collection, group: np.ndarray | None) -> Split:
        y, names = found.images.y, found.classes.names
        shared: dict[str, Any] = {"validation": self.validation, "seed": self.split_seed, "group": group}
        if self.folds:
            if found.parts is not None:
                fail("--folds", "images that are not split yet", "a source with parts", "Leave it out.")
            return split_by_fold(y, names, self.fold, num_folds=self.folds, **shared)
        if found.parts is None:
            return split_by_fraction(y, test=self.test, **shared)
        own = split_by_part(found.parts)
        own.check_groups(group)
        return own.carve(y, test=self.test, **shared)


def _check_weights(weight: np.ndarray, count: int) -> None:
    check_shape("sample_weight", weight, (count,), "Give one weight an image.")
    check_finite("sample_weight", weight, "Recompute the weights.")
    if weight.min() < 0 or not weight.any():
        fail("sample_weight", "numbers >= 0, not all 0", "others", "Recompute the weights.")
