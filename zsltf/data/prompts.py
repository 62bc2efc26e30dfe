"""Class names to sentences."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from zsltf.checks import fail
from zsltf.data.classes import ClassTable

__all__ = ["TEMPLATES", "encode_names", "fill_template"]

TEMPLATES = ("a photo of a {}",)
"""What a class name is put into."""


def fill_template(template: str, name: str) -> str:
    """The name, in words, in place of {}.

    Raises:
        ValueError: if the template has no {}.
    """
    if template.count("{}") != 1:
        fail("template", "one {} for the class name", repr(template), "Write something like 'a photo of a {}'.")
    return template.replace("{}", " ".join(name.replace("_", " ").replace("+", " ").split()))


def encode_names(
    encode: Callable[[Sequence[str]], Float[np.ndarray, "N D"]],
    names: Sequence[str],
    seen: Sequence[bool] | np.ndarray,
    templates: Sequence[str] = TEMPLATES,
) -> ClassTable:
    """A class table of text vectors: each class is the mean over templates, of norm 1.

    Source: Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021 (prompt
    ensembling).

    Args:
        encode: of a text encoder.
        names: of the classes.
        seen: which of them training may see.
        templates: with {} for the name.
    """
    rows = np.mean([encode([fill_template(template, name) for name in names]) for template in templates], axis=0)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    columns = tuple(f"text{i}" for i in range(rows.shape[1]))
    return ClassTable(names=tuple(names), semantics=rows, seen=np.asarray(seen), columns=columns)
