"""VICReg: views agree, every coordinate varies, and no two say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras

from zsltf.checks import check_not_negative, check_positive
from zsltf.data.unlabelled import Unlabelled
from zsltf.data.views import FeatureViews, ImageViews
from zsltf.losses.vicreg import vicreg
from zsltf.training.descent import Descent
from zsltf.training.encoders import residual_encoder
from zsltf.training.pretraining import pretrainable
from zsltf.training.two_views import train_on_views

__all__ = ["VICReg"]


@dataclass(frozen=True, kw_only=True)
class VICReg:
    """Views are drawn together, and variance and covariance of the batch keep embeddings from collapse; no negatives.

    Source: Bardes, Ponce & LeCun, "VICReg: variance-invariance-covariance regularization for self-supervised learning",
        ICLR 2022.
    """

    invariance: float = 25.0
    """Weight of the mean squared difference of both views, >= 0."""
    variance: float = 25.0
    """Weight of what standard deviations lack to 1, >= 0; at 0 all embeddings become one."""
    covariance: float = 1.0
    """Weight of the squared covariances, >= 0."""
    units: tuple[int, ...] = (256, 256, 256)
    """Of the expander's layers."""
    images: ImageViews = field(default_factory=ImageViews)
    features: FeatureViews = field(default_factory=FeatureViews)
    hidden: int = 512
    """Units of the residual layer on vectors, where no network is given, >= 1."""
    descent: Descent = field(default_factory=lambda: Descent(epochs=50, batch_size=256))

    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {"covariance": (0.1, 1.0, 10.0)}
    TRAINS_NETWORK: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_not_negative("VICReg", invariance=self.invariance, variance=self.variance, covariance=self.covariance)
        check_positive("VICReg", hidden=self.hidden)
        self.descent.check_compares("VICReg")

    def pretrain(self, unlabelled: Unlabelled, *, network: keras.Model | None = None) -> keras.Model:
        """Train on pairs of views; see SelfTaughtMethod."""
        encoder = pretrainable(
            "VICReg", unlabelled, network, lambda x: residual_encoder(x, self.hidden, self.descent.seed)
        )

        def loss(one: Any, other: Any) -> Any:
            return vicreg(one, other, (self.invariance, self.variance, self.covariance))

        views = self.images if unlabelled.x.ndim == 4 else self.features
        return train_on_views("VICReg", encoder, self.units, loss, self.descent, unlabelled, views)
