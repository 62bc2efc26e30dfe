"""List or edit the classes of an exported file; no conversion, and no TensorFlow for ONNX and TFLite.

zsltf classes model.onnx list
zsltf classes model.onnx add --rows new.csv                             (class, then the columns of the training table)
zsltf classes model.onnx add --name zebra --photos a.jpg b.jpg          (where the file opens by photos)
zsltf classes model.onnx add --rows new.csv --name zebra --photos a.jpg                    (any-shot: by both)
zsltf classes model.onnx add-text zebra okapi encoder:onnx-text --tokenizer FILE   (or encoder:word-vectors --path FILE)
zsltf classes model.onnx add-text zebra encoder:onnx-text --tokenizer FILE --describe sentences --sentences s.csv
zsltf classes model.onnx remove cow horse
zsltf classes model.onnx rename cow=cattle
zsltf classes model.onnx apply TABLE.json
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from zsltf.artifacts.artifact import Artifact
from zsltf.checks import fail
from zsltf.class_edits import add_photos, apply_table, edit
from zsltf.data.attributes import read_new_classes
from zsltf.data.text_semantics import TextSemantics
from zsltf.discovery import one_of
from zsltf.prediction import open_artifact

Names = tyro.conf.Positional[tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class List:
    """Print every class: whether it had training images."""


@dataclass(frozen=True, kw_only=True)
class Add:
    """New classes by rows of semantics, or one by photos, or by both, as far as the file weighs them."""

    rows: Path | None = None
    """CSV: class, then the columns of the training table."""
    name: str | None = None
    """Of the class whose photos are given, which has a row if there are --rows."""
    photos: tuple[Path, ...] = ()
    """A few photos, or folders of them."""

    def apply(self, artifact: Artifact) -> Artifact:
        """The file with them."""
        if bool(self.photos) != (self.name is not None) or (self.rows is None and self.name is None):
            fail("add", "--rows FILE, or --name and --photos, or all", "others", "See zsltf classes FILE add --help.")
        rows = None if self.rows is None else read_new_classes(self.rows, artifact.card.classes)
        if self.name is not None:
            return add_photos(artifact, self.name, self.photos, rows)
        return artifact if rows is None else artifact.with_classes(rows)


@dataclass(frozen=True, kw_only=True)
class AddText:
    """New classes by what is written of them, where the file's semantics are vectors of the same text encoder."""

    names: Names
    encoder: Annotated[Any, one_of("text_encoders", "encoder")]
    text: tyro.conf.OmitArgPrefixes[TextSemantics] = field(default_factory=TextSemantics)

    def apply(self, artifact: Artifact) -> Artifact:
        """The file with them."""
        text = self.text.suited(self.encoder)
        return artifact.with_classes(text.new_classes(self.names, self.encoder.encode, artifact.card.columns))


@dataclass(frozen=True, kw_only=True)
class Remove:
    """Take classes out."""

    names: Names

    def apply(self, artifact: Artifact) -> Artifact:
        """The file without them."""
        return artifact.without(self.names)


@dataclass(frozen=True, kw_only=True)
class Rename:
    """Give classes other names."""

    names: Names
    """OLD=NEW, one or more."""

    def apply(self, artifact: Artifact) -> Artifact:
        """The file with the new names."""
        pairs = [name.partition("=") for name in self.names]
        if not all(old and new for old, _, new in pairs):
            fail("rename", "OLD=NEW", ", ".join(self.names), "Write cow=cattle, for one.")
        return artifact.renamed({old: new for old, _, new in pairs})


@dataclass(frozen=True, kw_only=True)
class Apply:
    """What a JSON file says, such as the web page writes: {"remove": [name], "rename": {old: new}, "add": [{"name",
    "photos" or "semantics"}]}."""

    table: tyro.conf.Positional[Path]

    def apply(self, artifact: Artifact) -> Artifact:
        """The file after it."""
        return apply_table(artifact, self.table)


Action = List | Add | AddText | Remove | Rename | Apply


@dataclass(frozen=True, kw_only=True)
class Config:
    """List or edit the classes of an exported file."""

    artifact: tyro.conf.Positional[Path]
    """A .onnx, a .tflite or a SavedModel folder."""
    action: tyro.conf.CascadeSubcommandArgs[tyro.conf.OmitSubcommandPrefixes[tyro.conf.OmitArgPrefixes[Action]]] = (
        field(default_factory=List)
    )


def main(config: Config) -> None:
    """File -> file with another class table, and what changed."""
    if isinstance(config.action, List):
        card = open_artifact(config.artifact).card
        for name, seen in zip(card.names, card.seen, strict=True):
            print(f"{name}{'' if seen else '  (no training image)'}")
        return
    print(f"{config.artifact}: {edit(config.artifact, config.action.apply)}")


if __name__ == "__main__":
    main(tyro.cli(Config))
