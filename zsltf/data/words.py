"""Words as sequences of units in slots."""

from collections.abc import Mapping, Sequence

import numpy as np

from zsltf.checks import fail
from zsltf.data.classes import ClassTable

__all__ = ["BLANK", "word_table"]

BLANK = ""
"""What fills the slots behind a short word."""


def word_table(
    words: Mapping[str, Sequence[Sequence[str]]],
    units: Sequence[str],
    seen: Sequence[bool] | np.ndarray,
    *,
    slots: int | None = None,
    variants: int | None = None,
) -> ClassTable:
    """A class a word; its semantics are a 1 for each slot's unit, for each of its realisations.

    Columns run over variants, then slots, then units with the blank last: `v0s2=t`; each slot of a variant is a block.
    A word with fewer realisations than another has zeros for the rest, one that is shorter has blanks.

    Args:
        words: name -> its realisations, each a sequence of units.
        units: the alphabet, each once, without the blank.
        seen: which words training may see.
        slots: of the table; by default the longest realisation's length.
        variants: of the table; by default those of the word that has most.

    Raises:
        ValueError: for an unknown unit, a word without a realisation, or one that doesn't fit.
    """
    alphabet = {unit: i for i, unit in enumerate((*units, BLANK))}
    if len(alphabet) != len(units) + 1:
        fail("units", "different ones, none of them empty", str(list(units)), "Give each once.")
    mute = [name for name, spellings in words.items() if not spellings or not all(spellings)]
    if mute:
        fail("words", "a realisation of at least one unit for each", f"none for {', '.join(mute[:5])}", "Spell them.")
    unknown = {unit for spellings in words.values() for spelling in spellings for unit in spelling} - set(units)
    if unknown:
        fail("words", f"units among {', '.join(units)}", ", ".join(sorted(unknown)), "Add them to the units.")
    slots = slots or max(len(spelling) for spellings in words.values() for spelling in spellings)
    variants = variants or max(map(len, words.values()))
    table = np.zeros((len(words), variants, slots, len(alphabet)), np.float32)
    for row, (name, spellings) in zip(table, words.items(), strict=True):
        if len(spellings) > variants or max(map(len, spellings)) > slots:
            received = f"{len(spellings)} of up to {max(map(len, spellings))}"
            fail(f"word {name}", f"up to {variants} realisations of up to {slots} units", received, "Make room for it.")
        for variant, spelling in zip(row, spellings, strict=False):
            padded = (*spelling, *[BLANK] * (slots - len(spelling)))
            variant[np.arange(slots), [alphabet[unit] for unit in padded]] = 1
    columns = tuple(f"v{v}s{s}={u or 'blank'}" for v in range(variants) for s in range(slots) for u in alphabet)
    return ClassTable(
        names=tuple(words),
        semantics=table.reshape(len(words), -1),
        seen=np.asarray(seen),
        columns=columns,
        blocks=(len(alphabet),) * (variants * slots),
    )
