"""Photos in, label efficiency out: an encoder from unlabelled images, and a Classifier from all labels that ships."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from zsltf.checks import check_positive, fail
from zsltf.classifier import Classifier
from zsltf.closed import closed
from zsltf.data.features import Features
from zsltf.data.images import Images, OnCorrupt
from zsltf.data.labelled import LabelledImages
from zsltf.data.labels import class_rows
from zsltf.data.unlabelled import Unlabelled
from zsltf.data.unlabelled_images import shared_images
from zsltf.evaluation.label_efficiency import Network, probe_weights, run_label_efficiency
from zsltf.evaluation.label_protocol import LabelProtocol, LabelTask
from zsltf.evaluation.transfer_starts import pixel_backbone, small_network
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.protocols import SelfTaughtMethod
from zsltf.solvers.class_means import class_means
from zsltf.training.embedding import embedded
from zsltf.training.encoders import frame, residual_encoder

__all__ = ["EncoderStart", "SelfTaughtPhotos", "run_self_taught_on_photos"]


@dataclass(frozen=True, kw_only=True)
class EncoderStart:
    """What the encoder is trained on: small images, or a pretrained backbone's features."""

    start: Literal["pixels", "features"] = "pixels"
    """Pixels: a small network from nothing. Features: of --backbone, which stays as it is."""
    small_size: int = 32
    """Height and width in pixels of the images that the small network takes."""
    filters: int = 32
    """Of the small network's convolutions, a multiple of 8."""
    hidden: int = 512
    """Units of the network on a backbone's features that is trained from scratch."""

    def __post_init__(self) -> None:
        check_positive("EncoderStart", small_size=self.small_size - 15, filters=self.filters // 8, hidden=self.hidden)

    def backbone(self, choice: BackboneChoice) -> Backbone:
        """What makes the examples of images."""
        return pixel_backbone(self.small_size) if self.start == "pixels" else choice.build()

    def network(self, examples: Unlabelled) -> Network:
        """Of a seed: the encoder before any training."""

        def build(seed: int) -> keras.Model:
            if self.start == "features":
                return residual_encoder(examples.x, self.hidden, seed)
            keras.utils.set_random_seed(seed)
            return small_network(self.small_size, self.filters)

        return build


@dataclass(frozen=True, kw_only=True, eq=False)
class SelfTaughtPhotos:
    """What a method reached, and what ships."""

    name: str
    start: EncoderStart
    backbone: Backbone
    labelled: LabelledImages
    task: LabelTask
    protocol: LabelProtocol
    rows: list[dict[str, Any]]
    encoder: keras.Model
    """Of the first seed."""
    classifier: Classifier
    """A linear probe with all labels on that encoder, from images."""
    skipped: Mapping[str, str]
    """Image that could not be decoded -> reason."""
    foreign: bool
    """Whether unlabelled images came from a folder of their own."""
    shared: int
    """Unlabelled images that are test images, byte for byte."""
    seconds: float

    def test(self) -> Images:
        """The test images that could be decoded."""
        images = self.labelled.test
        return images.select(np.array([name not in self.skipped for name in images.names]))


def run_self_taught_on_photos(
    method: SelfTaughtMethod,
    start: EncoderStart,
    backbone: Backbone,
    labelled: LabelledImages,
    unlabelled: Images | None,
    protocol: LabelProtocol,
    *,
    on_corrupt: OnCorrupt = "skip",
    announce: Callable[[dict[str, Any]], None] = lambda _: None,
) -> SelfTaughtPhotos:
    """Read images, pretrain, and use shares of the labels.

    Args:
        method: any self-taught method.
        start: pixels or features.
        backbone: of the start.
        labelled: images, some to test on.
        unlabelled: others, or None for those to learn from.
        protocol: shares of the labels, and seeds.
        on_corrupt: see `extract_features`.
        announce: is told each row.

    Raises:
        ValueError: before images are read, if there is nothing to test on, or images have several labels.
    """
    began = time.perf_counter()
    if not len(labelled.split.test):
        fail("self_taught", "images to test on", "none", "Set --test to a share.")
    shared = 0 if unlabelled is None else shared_images(labelled.test, unlabelled)
    task, skipped = _read(backbone, start, labelled, unlabelled, on_corrupt)
    name = type(method).__name__
    network = start.network(task.unlabelled)
    rows, encoders = run_label_efficiency({name: method}, task, protocol, network, announce=announce)
    return SelfTaughtPhotos(
        name=name,
        start=start,
        backbone=backbone,
        labelled=labelled,
        task=task,
        protocol=protocol,
        rows=rows,
        encoder=encoders[name],
        classifier=_classifier(encoders[name], task, protocol, backbone, pixels=start.start == "pixels"),
        skipped=skipped,
        foreign=unlabelled is not None,
        shared=shared,
        seconds=time.perf_counter() - began,
    )


def _read(
    backbone: Backbone,
    start: EncoderStart,
    labelled: LabelledImages,
    unlabelled: Images | None,
    on_corrupt: OnCorrupt,
) -> tuple[LabelTask, dict[str, str]]:
    """Examples of all images, and what could not be decoded."""
    images = labelled.images.with_y(class_rows(labelled.images.y, len(labelled.classes)))
    found, skipped = _examples(backbone, images, start, on_corrupt)
    is_test = np.isin(np.arange(len(images)), labelled.split.test)
    is_test = is_test[[name not in skipped for name in images.names]]
    train, test = found.select(~is_test), found.select(is_test)
    others = train.unlabelled()
    if unlabelled is not None:
        more, bad = _examples(backbone, unlabelled, start, on_corrupt)
        others, skipped = more.unlabelled(), {**skipped, **bad}
    return LabelTask(train=train, test=test, classes=labelled.classes, unlabelled=others), skipped


def _examples(
    backbone: Backbone, images: Images, start: EncoderStart, on_corrupt: OnCorrupt
) -> tuple[Features, dict[str, str]]:
    """In memory, where training draws from them at random."""
    extraction = extract_features(backbone, images, maps=start.start == "pixels", on_corrupt=on_corrupt)
    return extraction.features.with_x(np.array(extraction.features.x)), extraction.skipped


def _classifier(
    encoder: keras.Model, task: LabelTask, protocol: LabelProtocol, backbone: Backbone, *, pixels: bool
) -> Classifier:
    """A linear probe with all labels."""
    framing, train = frame(embedded(encoder, task.unlabelled.x)), task.train
    a = embedded(encoder, train.x)
    kernel, bias = probe_weights(a, train.y, train.weights, framing, protocol.inverse_penalty)
    fitted = closed(encoder, kernel, bias, task.classes, class_means(a, train.y, train.weights, len(task.classes)))
    if pixels:
        return fitted.on_images(backbone.preprocess)
    return fitted.after(backbone.features(), preprocess=backbone.preprocess)
