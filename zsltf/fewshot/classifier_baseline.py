"""Classifier-Baseline: a network trained to tell all base classes apart, then cosines to class means."""

from dataclasses import dataclass, field
from typing import ClassVar

import keras

from zsltf.data.features import Features
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.protocols import FewShotLearner
from zsltf.training.base_classes import train_base_classes
from zsltf.training.descent import Descent
from zsltf.training.embedded_learner import EmbeddedLearner, own_network

__all__ = ["ClassifierBaseline"]


@dataclass(frozen=True, kw_only=True)
class ClassifierBaseline:
    """Transfer alone: ordinary training on base classes, and of the network without its head the nearest class mean.

    Without a network nothing is to be learnt: it is `NearestClassMean` by cosine.

    Source: Chen, Liu, Xu, Darrell & Wang, "Meta-Baseline: exploring simple meta-learning for few-shot learning",
    ICCV 2021.
    """

    descent: Descent = field(default_factory=Descent)
    """Of the training on base classes."""

    TRANSDUCTIVE: ClassVar[bool] = False
    NEEDS_NETWORK: ClassVar[bool] = True
    """To learn anything from base classes."""

    def learn(
        self, base: Features, *, validation: Features | None = None, network: keras.Model | None = None
    ) -> FewShotLearner:
        """Train a copy of the network; validation has no part in it. See FewShotMethod."""
        metric = NearestClassMean(cosine=True)
        if network is None:
            return metric
        own = own_network("ClassifierBaseline", base, network)
        train_base_classes(own, self.descent, base)
        return EmbeddedLearner(network=own, metric=metric)
