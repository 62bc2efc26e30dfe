"""Domains: the same classes from several sources."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zsltf.checks import fail
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features

__all__ = ["Domains", "check_same_classes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Domains:
    """Labelled examples by the name of their domain.

    Raises:
        ValueError: if there are fewer than two, or their examples differ in shape.
    """

    parts: Mapping[str, Features]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            fail("Domains", "two domains or more", ", ".join(self.parts) or "none", "Give another.")
        shapes = {name: part.x.shape[1:] for name, part in self.parts.items()}
        if len(set(shapes.values())) > 1:
            fail("Domains", "examples of one shape", str(shapes), "Bring all through the same backbone and size.")

    @property
    def pooled(self) -> Features:
        """All domains' examples, one domain after the other."""
        parts = list(self.parts.values())
        weighted = any(part.sample_weight is not None for part in parts)
        return Features(
            x=np.concatenate([part.x for part in parts]),
            y=np.concatenate([part.y for part in parts]),
            sample_weight=np.concatenate([part.weights for part in parts]) if weighted else None,
            paths=sum((part.paths for part in parts), ()) if all(part.paths for part in parts) else (),
        )

    def without(self, name: str) -> "Domains":
        """All but one."""
        return Domains(parts={other: part for other, part in self.parts.items() if other != name})


def check_same_classes(parts: Mapping[str, Features], classes: ClassTable) -> None:
    """Refuse domains of which one lacks a class that another has.

    Raises:
        ValueError: with the first such domain, and its missing classes by name; or if a label is no row of the table.
    """
    for part in parts.values():
        part.check_rows(classes)
    present = {name: set(np.unique(part.y).tolist()) for name, part in parts.items()}
    every = set().union(*present.values())
    for name, own in present.items():
        if missing := [classes.names[label] for label in sorted(every - own)]:
            told = f"{', '.join(missing[:5])} missing in {name}"
            fail("domains", "the same classes in each", told, "Add examples, or leave these classes out everywhere.")
