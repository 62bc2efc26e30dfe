"""A backbone by name, as a recipe's options."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from zsltf.checks import check_choice, check_positive, fail
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
    mean: tuple[float, float, float] | None = None
    """What is subtracted from red, green and blue in [0, 255]; for hub, keras_model and keras_hub, whose networks are
    the user's own."""
    scale: tuple[float, float, float] | None = None
    """What they are divided by then; hub's default is 255, keras_model's 1."""

    def __post_init__(self) -> None:
        check_choice("backbone", self.backbone, constructors("backbones"))
        if self.size is not None:
            check_positive("BackboneChoice", size=self.size)

    def build(self) -> Backbone:
        """The backbone, its weights loaded.

        Raises:
            ValueError: for a mean or a scale where the network has its own.
        """
        constructor: Callable[..., Backbone] = public("backbones", self.backbone)
        known = inspect.signature(constructor).parameters
        given = {name: getattr(self, name) for name in ("resize", "size", "mean", "scale")}
        given = {name: value for name, value in given.items() if value is not None}
        for name in given.keys() - known.keys() - {"size"}:
            fail(name, f"none, for {self.backbone} has its own", str(given[name]), "Leave it out.")
        built = constructor(self.weights, **{name: value for name, value in given.items() if name in known})
        return built if self.size in (None, built.preprocess.size) else resized(built, self.size)
