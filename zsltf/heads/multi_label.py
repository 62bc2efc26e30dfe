"""Multi-label head: any number of classes an image."""

from dataclasses import dataclass
from typing import Any

from zsltf.checks import check_share
from zsltf.heads.linear import LinearHead
from zsltf.objectives import SeveralClasses

__all__ = ["MultiLabelHead"]


@dataclass(frozen=True, kw_only=True)
class MultiLabelHead:
    """One dense layer under a sigmoid a class; labels are multi-hot rows."""

    dropout: float = 0.0
    """Share of the features dropped in training, in [0, 1)."""

    objective = SeveralClasses()

    def __post_init__(self) -> None:
        check_share("MultiLabelHead", dropout=self.dropout)

    def build(self, features: Any, num_outputs: int, name: str) -> tuple[Any, Any]:
        """Features (B, D) to A (B, D) and scores (B, C)."""
        return LinearHead(dropout=self.dropout).build(features, num_outputs, name)
