"""The card that travels with every exported file: what its numbers mean."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, get_args

from zsltf import __version__
from zsltf.checks import check_choice, check_positive, fail
from zsltf.data.decode import Resize

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["Card"]


@dataclass(frozen=True, kw_only=True)
class Card:
    """Names and units of an artifact's inputs and outputs, as JSON inside or beside the file."""

    names: tuple[str, ...]
    """Class i of `scores` and `probabilities`."""
    seen: tuple[bool, ...]
    """Whether class i had training images."""
    columns: tuple[str, ...]
    """Of the semantics that `project` takes."""
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
    zsltf: str = __version__
    """The version that wrote the file."""

    def __post_init__(self) -> None:
        check_choice("card.activation", self.activation, ("softmax", "sigmoid"))
        check_choice("card.resize", self.resize, get_args(Resize))
        check_positive("card", size=self.size)
        if not self.names or len(self.names) != len(self.seen) or not all(isinstance(n, str) for n in self.names):
            fail("card", "a name and a seen flag for every class", "others", "Export it again.")

    @classmethod
    def of(cls, classifier: "Classifier") -> Self:
        """The card of a Classifier.

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
        return cls(
            names=classifier.names,
            seen=tuple(classifier.classes.seen.tolist()),
            columns=classifier.columns,
            gamma=classifier.gamma,
            activation=classifier.activation,
            opens_by=classifier.opens_by,
            project=classifier.project is not None,
            size=classifier.preprocess.size,
            resize=classifier.preprocess.resize_policy,
        )

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
        except (ValueError, TypeError, AttributeError) as error:
            fail(where, "a card as zsltf writes it", f"a damaged one ({error})", "Export it again.")

    @classmethod
    def _from_json(cls, text: str | bytes) -> Self:
        card: dict[str, Any] = {}
        for key, value in json.loads(text).items():
            if key in cls.__dataclass_fields__:
                card[key] = tuple(value) if isinstance(value, list) else value
        return cls(**card)
