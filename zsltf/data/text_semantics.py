"""What is written of classes, as their semantics."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from jaxtyping import Float

from zsltf.checks import check_choice, fail
from zsltf.data.classes import ClassTable
from zsltf.data.csv_lines import read_lines
from zsltf.data.descriptions import attribute_sentences, count_descriptions, description_table
from zsltf.data.prompts import TEMPLATES, fill_template

__all__ = ["TextSemantics", "is_text", "read_sentences"]

Source = Literal["names", "sentences", "attributes"]
Encode = Callable[[Sequence[str]], Float[np.ndarray, "N D"]]


@dataclass(frozen=True, kw_only=True)
class TextSemantics:
    """Where sentences about classes come from, and what becomes of their vectors."""

    describe: Source = "names"
    """By class names in templates, by sentences of a file, or by a sentence for each attribute above the mean."""
    templates: tuple[str, ...] | None = None
    """With {} for the class name; by default 'a photo of a {}', or the name alone for word vectors."""
    sentences: Path | None = None
    """CSV with the header class,sentence and one row or more a class, for `describe sentences`."""
    attribute_template: str = "It is described as: {}."
    """With {} for the attribute's name, for `describe attributes`."""
    with_attributes: bool = False
    """Keep the attributes as well, in columns of their own."""

    def __post_init__(self) -> None:
        check_choice("describe", self.describe, get_args(Source))
        if (self.describe == "sentences") != (self.sentences is not None):
            received = f"describe {self.describe} and sentences {self.sentences}"
            fail("sentences", "a file where classes are described by sentences", received, "Give both or neither.")
        if self.templates == ():
            fail("templates", "one or more, with {} for the class name", "none", "Write --templates 'a photo of a {}'.")
        for template in (*(self.templates or ()), self.attribute_template):
            fill_template(template, "x")

    def suited(self, encoder: Any) -> Self:
        """The same, with the encoder's own templates where none are asked for."""
        own = getattr(encoder, "TEMPLATES", None)
        return self if self.templates or own is None else replace(self, templates=own)

    def written(self, classes: ClassTable) -> dict[str, tuple[str, ...]]:
        """Class name -> its sentences.

        Raises:
            ValueError: if a class has none.
        """
        if self.describe == "attributes":
            return attribute_sentences(classes, self.attribute_template)
        if self.sentences is not None:
            return read_sentences(self.sentences, classes.names)
        templates = self.templates or TEMPLATES
        return {name: tuple(fill_template(template, name) for template in templates) for name in classes.names}

    def table(
        self, classes: ClassTable, encode: Encode, *, apart: bool = False, count: int | None = None
    ) -> ClassTable:
        """The classes with vectors of their sentences for semantics.

        Args:
            classes: names, and attributes where those are asked for.
            encode: of a text encoder.
            apart: each sentence in columns of its own, for attention; else their mean, of norm 1.
            count: sentences that each class has room for, apart; by default those of the class that has most.

        Raises:
            ValueError: if a class has no sentence, its vectors come to 0, or attributes should stand beside sentences
                apart.
        """
        if apart and self.with_attributes:
            fix = "Leave out --with-attributes, or take a method of pooled semantics."
            fail("with_attributes", "sentences alone for a method that looks at each of them", "attributes too", fix)
        apart_table = description_table(encode, self.written(classes), classes.seen, count=count)
        if apart:
            return apart_table
        blocks = apart_table.semantics.reshape(len(classes), len(apart_table.blocks), -1)
        total = blocks.sum(axis=1)
        norms = np.linalg.norm(total, axis=1, keepdims=True)
        empty = [name for name, norm in zip(classes.names, norms, strict=True) if not norm]
        if empty:
            expected = "vectors that don't come to 0 for each class"
            fail("text", expected, f"0 for {', '.join(empty[:5])}", "Describe the class in other words.")
        rows = total / norms
        columns = tuple(f"text{i}" for i in range(rows.shape[1]))
        table = ClassTable(names=classes.names, semantics=rows, seen=classes.seen, columns=columns)
        return classes.beside(table) if self.with_attributes else table

    def tables(
        self, partitions: Mapping[str, ClassTable], encoder: Any, *, apart: bool = False
    ) -> dict[str, ClassTable]:
        """Each partition's `table`, in the encoder's own templates where none are asked for."""
        text = self.suited(encoder)
        return {name: text.table(classes, encoder.encode, apart=apart) for name, classes in partitions.items()}

    def new_classes(self, names: Sequence[str], encode: Encode, columns: Sequence[str]) -> ClassTable:
        """New classes for a table with these columns, described as those of training are.

        Raises:
            ValueError: if the columns are attributes, or a class has more sentences than there is room for.
        """
        attributes = [column for column in columns if not is_text(column)]
        if attributes or self.with_attributes:
            received = f"one whose semantics are attributes ({', '.join(attributes[:3]) or '--with-attributes'})"
            fail(
                "add-text", "a file whose semantics are vectors of text", received, "Give --rows, by zsltf classes add."
            )
        unseen = np.zeros(len(names), bool)
        classes = ClassTable(names=tuple(names), semantics=np.zeros((len(names), 0), np.float32), seen=unseen)
        count = count_descriptions(columns)
        return self.table(classes, encode, apart=count > 0, count=count or None)


def is_text(column: str) -> bool:
    """Whether a column of semantics is a number of a sentence's vector, by its name."""
    return re.fullmatch(r"text\d+|sentence\d+_\d+", column) is not None


def read_sentences(path: Path, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read a CSV with columns class and sentence: class name -> its sentences, in the order of the names.

    Raises:
        ValueError: if a class has no sentence; rows of other classes are left out.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    for _, row in read_lines(path, ("class", "sentence")):
        if row["class"] in found and row["sentence"]:
            found[row["class"]].append(row["sentence"])
    mute = [name for name, said in found.items() if not said]
    if mute:
        fail(str(path), "a sentence or more for every class", f"none for {', '.join(mute[:5])}", "Add rows.")
    return {name: tuple(said) for name, said in found.items()}
