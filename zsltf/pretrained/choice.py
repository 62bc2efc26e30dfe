"""A backbone by name, as a recipe's options."""

from dataclasses import dataclass

from zsltf.checks import check_choice, check_positive
from zsltf.data.decode import Resize
from zsltf.discovery import constructors, public
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.resized import resized

__all__ = ["BackboneChoice"]


@dataclass(frozen=True, kw_only=True)
class BackboneChoice:
    """Which backbone, with which weights.

    Raises:
        ValueError: for an unknown name; near misses are suggested.
    """

    backbone: str = "efficientnet_lite0"
    """A name that `zsltf ls backbones` prints."""
    weights: str = "imagenet"
    """imagenet, random, a local file, SavedModel or checkpoint, or a run folder."""
    resize: Resize | None = None
    """How a photo gets to the backbone's size; by default as a preset of KerasHub says, else stretch."""
    size: int | None = None
    """Height and width in pixels that photos are brought to; by default those that the weights were trained on."""

    def __post_init__(self) -> None:
        check_choice("backbone", self.backbone, constructors("backbones"))
        if self.size is not None:
            check_positive("BackboneChoice", size=self.size)

    def build(self) -> Backbone:
        """The backbone, its weights loaded."""
        chosen = {} if self.resize is None else {"resize": self.resize}
        built: Backbone = public("backbones", self.backbone)(self.weights, **chosen)
        return built if self.size is None else resized(built, self.size)
