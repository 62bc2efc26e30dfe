"""SimCLR: each view of an example is nearer to the other one than to those of other examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_positive
from zsltf.data.unlabelled import Unlabelled
from zsltf.data.views import FeatureViews, ImageViews
from zsltf.losses.nt_xent import nt_xent
from zsltf.training.descent import Descent
from zsltf.training.encoders import residual_encoder
from zsltf.training.pretraining import pretrainable
from zsltf.training.two_views import train_on_views

__all__ = ["SimCLR"]


@dataclass(frozen=True, kw_only=True)
class SimCLR:
    """Contrastive learning of views by NT-Xent on a projection that is left behind; of images, or of feature vectors.

    Source: Chen, Kornblith, Norouzi & Hinton, "A simple framework for contrastive learning of visual representations",
        ICML 2020.
    """

    temperature: float = 0.5
    """By which cosines are divided, > 0."""
    units: tuple[int, ...] = (256, 128)
    """Of the projector's layers."""
    images: ImageViews = field(default_factory=ImageViews)
    features: FeatureViews = field(default_factory=FeatureViews)
    hidden: int = 512
    """Units of the residual layer on vectors, where no network is given, >= 1."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=50, batch_size=256))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"temperature": (0.1, 0.2, 0.5)}
    TRAINS_NETWORK: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive("SimCLR", temperature=self.temperature, hidden=self.hidden)
        self.descent.check_compares("SimCLR")

    def pretrain(self, unlabelled: Unlabelled, *, network: keras.Model | None = None) -> keras.Model:
        """Train on pairs of views; see SelfTaughtMethod."""
        encoder = pretrainable(
            "SimCLR", unlabelled, network, lambda x: residual_encoder(x, self.hidden, self.descent.seed)
        )

        def loss(one: Any, other: Any) -> Any:
            return nt_xent(one, other, self.temperature)

        views = self.images if unlabelled.x.ndim == 4 else self.features
        return train_on_views("SimCLR", encoder, self.units, loss, self.descent, unlabelled, views)
