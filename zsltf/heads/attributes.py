"""Attribute head: the attributes of the image's class, hence classes that had no photo (DAP)."""

from dataclasses import dataclass
from typing import Any

from zsltf.checks import check_share
from zsltf.heads.linear import LinearHead
from zsltf.objectives import Attributes

__all__ = ["AttributeHead"]


@dataclass(frozen=True, kw_only=True)
class AttributeHead:
    """One dense layer under a sigmoid an attribute; the class table's semantics are the targets."""

    dropout: float = 0.0
    """Share of the features dropped in training, in [0, 1)."""

    objective = Attributes()

    def __post_init__(self) -> None:
        check_share("AttributeHead", dropout=self.dropout)

    def build(self, features: Any, num_outputs: int, name: str) -> tuple[Any, Any]:
        """Features (B, D) to A (B, D) and scores (B, attributes)."""
        return LinearHead(dropout=self.dropout).build(features, num_outputs, name)
