"""The card that travels with every exported file: what its numbers mean."""

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self, get_args

import numpy as np

from zsltf import __version__
from zsltf.checks import check_choice, check_positive, fail
from zsltf.data.classes import ClassTable
from zsltf.data.decode import Resize

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["NONE_OF_THESE", "Card"]

NONE_OF_THESE = "none of these"
"""What an image is whose best score is below the threshold."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """Names and units of an artifact's inputs and outputs, as JSON inside or beside the file."""

    names: tuple[str, ...]
    """Class i of `scores` and `probabilities`."""
    seen: tuple[bool, ...]
    """Whether class i had training images."""
    columns: tuple[str, ...]
    """Of the semantics that `project` takes."""
    semantics: tuple[tuple[float, ...], ...]
    """Of class i: a row; zeros where a class came by photos alone."""
    gamma: float
    """Subtracted from seen classes' scores; it is in class_bias already."""
    activation: str
    """From scores to probabilities: softmax or sigmoid."""
    opens_by: tuple[str, ...]
    """The doors for a new class."""
    project: bool
    """Whether semantics become class vectors by a `project` graph; else they are class vectors."""
    size: int
    """Pixels of the network's input: shrink bigger photos to it by area first."""
    resize: Resize
    """How the graph gets an image to size x size."""
    mean: tuple[float, float, float]
    """What the graph subtracts from each channel of pixels in 0..255, in the network's channel order."""
    scale: tuple[float, float, float]
    """What it divides them by then."""
    channels: str
    """The network's channel order, rgb or bgr: the graph takes RGB."""
    threshold: float | None = None
    """An image whose best score is lower is none of these; None accepts all."""
    photo_level: float | None = None
    """The score that a class which comes by photos gets at its own, on average; None gives it no bias."""
    prior_photos: float = 0.0
    """How many photos the semantics of a class that comes by photos count as, where they are given too."""
    precision: str = "float32"
    """Of the weights; class vectors, bias and scores stay float32 unless `editable` is false."""
    editable: bool = True
    """Whether the file takes other classes."""
    any_size: bool = True
    """Whether the graph takes images of any size, or only of size x size."""
    zsltf: str = __version__
    """The version that wrote the file."""

    def __post_init__(self) -> None:
        check_choice("card.activation", self.activation, ("softmax", "sigmoid"))
        check_choice("card.resize", self.resize, get_args(Resize))
        check_choice("card.channels", self.channels, ("rgb", "bgr"))
        check_positive("card", size=self.size)
        if not self.names or len(self.names) != len(self.seen) or not all(isinstance(n, str) for n in self.names):
            fail("card", "a name and a seen flag for every class", "others", "Export it again.")
        for name in ("threshold", "photo_level", "prior_photos", "gamma"):
            value = getattr(self, name)
            if not isinstance(value, int | float | None):
                fail(f"card.{name}", "a number", repr(value)[:40], "Export it again.")
        if not isinstance(self.opens_by, tuple) or not set(self.opens_by) <= {"semantics", "photos"}:
            fail("card.opens_by", "semantics, photos or both", repr(self.opens_by)[:40], "Export it again.")
        if not (isinstance(self.semantics, tuple) and isinstance(self.columns, tuple)):
            fail("card", "a row of semantics for every class", "others", "Export it again.")
        if [len(row) for row in self.semantics] not in ([], [len(self.columns)] * len(self.names)):
            fail("card", "a row of semantics for every class", "others", "Export it again.")

    @property
    def classes(self) -> ClassTable:
        """Names, semantics and who was seen."""
        with np.errstate(over="ignore"):  # the table refuses what is infinite then
            rows = np.array(self.semantics, np.float32).reshape(len(self.names), len(self.columns))
        return ClassTable(names=self.names, semantics=rows, seen=np.array(self.seen), columns=self.columns)

    def with_classes(self, classes: ClassTable) -> Self:
        """The same for another table."""
        rows = tuple(tuple(float(str(number)) for number in row) for row in classes.semantics.astype(np.float32))
        return replace(self, names=classes.names, seen=tuple(classes.seen.tolist()), semantics=rows)

    @classmethod
    def of(cls, classifier: "Classifier", **of_file: Any) -> Self:
        """The card of a Classifier, in a file with this `precision`, `editable` and `any_size`.

        Raises:
            ValueError: if it classifies features: only a Classifier from images can be exported.
        """
        if classifier.preprocess is None:
            fail(
                "export",
                "a Classifier from images",
                "one from features",
                "Put it on its backbone: see Classifier.after.",
            )
        preprocess, table = classifier.preprocess, classifier.classes
        card = cls(
            names=table.names,
            seen=tuple(table.seen.tolist()),
            semantics=(),
            columns=classifier.columns,
            gamma=classifier.gamma,
            activation=classifier.activation,
            opens_by=classifier.opens_by,
            project=classifier.project is not None,
            size=preprocess.size,
            resize=preprocess.resize_policy,
            mean=preprocess.mean,
            scale=preprocess.scale,
            channels=preprocess.channels,
            threshold=classifier.reject_below,
            photo_level=classifier.photo_level,
            prior_photos=classifier.prior_photos,
            **of_file,
        )
        return card.with_classes(table)

    def to_json(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Self:
        """Read what `to_json` wrote; fields of later versions are left alone.

        Raises:
            ValueError: if it is something else; `where` it was found is named.
        """
        try:
            return cls._from_json(text)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            fail(where, "a card as zsltf writes it", f"a damaged one ({error})", "Export it again.")

    @classmethod
    def _from_json(cls, text: str | bytes) -> Self:
        card: dict[str, Any] = {}
        for key, value in json.loads(text).items():
            if key in cls.__dataclass_fields__:
                card[key] = _tuples(value)
        read = cls(**card)
        _ = read.classes  # names are lines of text, numbers are finite
        return read


def _tuples(value: Any) -> Any:
    """JSON's lists, those in lists too, as tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
