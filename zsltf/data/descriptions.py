"""Sentences about classes."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.prompts import fill_template

__all__ = ["attribute_sentences", "count_descriptions", "description_table"]


def attribute_sentences(classes: ClassTable, template: str = "It is described as: {}.") -> dict[str, tuple[str, ...]]:
    """A sentence for each attribute that a class has more of than the seen classes' mean; class name -> sentences.

    Args:
        classes: with attribute names for columns.
        template: with {} for the attribute.

    Raises:
        ValueError: if a class has no such attribute.
    """
    above = classes.semantics > classes.semantics[classes.seen].mean(axis=0)
    plain = [name for name, row in zip(classes.names, above, strict=True) if not row.any()]
    if plain:
        received = f"none of {', '.join(plain[:5])}"
        fail("classes", "an attribute above the mean for each class", received, "Describe those classes yourself.")
    written = [fill_template(template, column) for column in classes.columns]
    return {
        name: tuple(sentence for sentence, has in zip(written, row, strict=True) if has)
        for name, row in zip(classes.names, above, strict=True)
    }


def description_table(
    encode: Callable[[Sequence[str]], Float[np.ndarray, "N D"]],
    sentences: Mapping[str, Sequence[str]],
    seen: Sequence[bool] | np.ndarray,
    *,
    count: int | None = None,
) -> ClassTable:
    """A class table of sentence vectors: each of a class's sentences is a block; those that it hasn't got are zeros.

    Args:
        encode: of a text encoder; each different sentence goes through it once.
        sentences: class name -> what is said of it, one sentence or more.
        seen: which classes training may see.
        count: blocks of the table; by default the most sentences that a class has.

    Raises:
        ValueError: if a class has no sentence, or more than the table has room for.
    """
    most = max(map(len, sentences.values()), default=0)
    mute = [name for name, said in sentences.items() if not said]
    if mute or not most:
        fail("sentences", "one or more for each class", f"none for {', '.join(mute[:5])}", "Describe the class.")
    count = count or most
    if most > count:
        fail("sentences", f"up to {count} for each class", str(most), "Leave some out, or make a wider table.")
    different = sorted({sentence for said in sentences.values() for sentence in said})
    row_of, vectors = {sentence: row for row, sentence in enumerate(different)}, encode(different)
    table = np.zeros((len(sentences), count, vectors.shape[1]), np.float32)
    for blocks, said in zip(table, sentences.values(), strict=True):
        blocks[: len(said)] = vectors[[row_of[sentence] for sentence in said]]
    return ClassTable(
        names=tuple(sentences),
        semantics=table.reshape(len(table), -1),
        seen=np.asarray(seen),
        columns=tuple(f"sentence{i}_{j}" for i in range(count) for j in range(vectors.shape[1])),
        blocks=(vectors.shape[1],) * count,
    )


def count_descriptions(columns: Sequence[str]) -> int:
    """How many sentences a class has room for in a `description_table` of these columns; 0 for another table's."""
    found = [re.fullmatch(r"sentence(\d+)_\d+", column) for column in columns]
    return len({match[1] for match in found if match}) if all(found) else 0
