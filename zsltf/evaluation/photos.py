"""Photos in, outcomes out: features once a set, then the zero-shot protocol for every partition."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from zsltf.backbones.mean_colour import mean_colour
from zsltf.classifier import Classifier
from zsltf.data.decode import decode
from zsltf.data.images import OnCorrupt
from zsltf.data.leakage import Twins, class_duplicates
from zsltf.data.photo_set import PhotoSet
from zsltf.data.text_semantics import TextSemantics
from zsltf.evaluation.attribute_view import AttributeView, Reason, read_attributes, reasons
from zsltf.evaluation.zero_shot import Outcome, ZeroShotProtocol, check_enough, run_zero_shot
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.extract import Extraction, extract_features
from zsltf.protocols import Method, TextEncoder

__all__ = ["PhotoOutcomes", "Sample", "run_on_photos", "told_by_text"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """One test photo as the report shows it."""

    source: str
    thumbnail: bytes
    """JPEG."""
    truth: int
    ranking: list[tuple[str, float]]
    """The three likeliest classes with their probabilities."""
    reasons: list[Reason]
    """What speaks for the likeliest class against the second; none where columns have no names, or the Classifier
    doesn't open by semantics."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PhotoOutcomes:
    """Every partition's outcome; the first one's Classifier, put on its backbone, is what a run ships."""

    outcomes: dict[str, Outcome]
    floors: dict[str, float]
    """Unseen accuracy of the same method on the mean colour alone."""
    extraction: Extraction
    """Of the first set."""
    main_set: PhotoSet
    backbone: Backbone
    maps: bool
    """Whether the method looked at feature maps, rather than at their average."""
    near_duplicates: tuple[Twins, ...] = ()
    """Pairs of the first set's photos in two classes, or in training and test of the first partition."""

    @property
    def main(self) -> Outcome:
        """The first partition's outcome."""
        return next(iter(self.outcomes.values()))

    def classifier(self) -> Classifier:
        """From images of any size to classes."""
        network = self.backbone.model if self.maps else self.backbone.features()
        return self.main.classifier.after(network, preprocess=self.backbone.preprocess)

    def golden(self, count: int = 7) -> UInt8[np.ndarray, "N H W 3"]:
        """Test photos, brought to one size that is neither square nor the network's, so that resizing is proved too."""
        size = self.backbone.preprocess.size
        pictures = [Image.fromarray(self._decode(path)) for path in self._chosen(count)[1]]
        return np.stack([np.asarray(p.resize((size * 9 // 8, size * 17 // 16))) for p in pictures])

    def samples(self, count: int = 16) -> list[Sample]:
        """Test photos of different classes with what the Classifier says of them."""
        rows, paths = self._chosen(count)
        test, report = self.main.test, self.main.report
        probabilities = np.asarray(self.main.classifier.probabilities(report.scores[rows]))
        why = self._reasons(rows, probabilities)
        return [
            Sample(
                source=path,
                thumbnail=self._thumbnail(path),
                truth=int(test.y[row]),
                ranking=[(report.classes.names[i], float(p[i])) for i in np.argsort(-p)[:3]],
                reasons=for_it,
            )
            for row, path, p, for_it in zip(rows, paths, probabilities, why, strict=True)
        ]

    @cached_property
    def attributes(self) -> AttributeView:
        """What the first partition's test photos show of each attribute."""
        return read_attributes(self.main.train, self.main.test, self.main.report.classes)

    def _reasons(self, rows: list[int], probabilities: np.ndarray) -> list[list[Reason]]:
        if "semantics" not in self.main.classifier.opens_by:
            return [[] for _ in rows]
        return reasons(
            self.main.classifier, np.asarray(self.main.test.x[rows]), self.attributes.shown[rows], probabilities
        )

    def _chosen(self, count: int) -> tuple[list[int], list[str]]:
        """Rows of the test set, class after class, unseen classes first, each class's photos in random order."""
        test, classes = self.main.test, self.main.report.classes
        order = np.random.default_rng(0).permutation(len(test))
        seats = np.empty(len(test), int)
        for label in np.unique(test.y):
            mine = order[test.y[order] == label]
            seats[mine] = np.arange(len(mine))
        rows = np.lexsort((order.argsort(), classes.seen[test.y], seats))[:count].tolist()
        return rows, [test.paths[row] for row in rows]

    def _decode(self, path: str) -> np.ndarray:
        preprocess = self.backbone.preprocess
        return decode(self.main_set.images.root / path, preprocess.size, preprocess.resize_policy)

    def _thumbnail(self, path: str, side: int = 160) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(decode(self.main_set.images.root / path, side, "crop")).save(buffer, "JPEG", quality=85)
        return buffer.getvalue()


def run_on_photos(
    method: Method,
    backbone: Backbone,
    sets: Sequence[PhotoSet],
    protocol: ZeroShotProtocol | None = None,
    *,
    on_corrupt: OnCorrupt = "skip",
    cache: Path | None = None,
) -> PhotoOutcomes:
    """Run the zero-shot protocol on every partition of every set.

    Args:
        method: the method to choose settings for.
        backbone: its features feed the method.
        sets: the first set's first partition is what ships.
        protocol: options of `run_zero_shot`.
        on_corrupt: see `extract_features`.
        cache: see `extract_features`.
    """
    protocol = protocol or ZeroShotProtocol()
    protocol.check(method)
    outcomes: dict[str, Outcome] = {}
    floors: dict[str, float] = {}
    extractions = []
    for photos in sets:
        for name, classes in photos.partitions.items():
            check_enough(
                photos.images.y, classes, f"partition {name}"
            )  # before slow work; run_zero_shot does it for what can be decoded
    maps = getattr(method, "FEATURE_MAPS", False)
    for photos in sets:
        extractions.append(extract_features(backbone, photos.images, maps=maps, on_corrupt=on_corrupt, cache=cache))
        colour = extract_features(mean_colour(), photos.images, cache=cache).features
        for name, classes in photos.partitions.items():
            outcomes[name] = run_zero_shot(method, extractions[-1].features, classes, protocol)
            floor = run_zero_shot(method, colour, classes, replace(protocol, shuffles=0))
            floors[name] = floor.report.unseen_accuracy
    images, tested = sets[0].images, next(iter(outcomes.values())).test.paths
    duplicates = () if sets[0].drawn else class_duplicates(images, np.isin(images.names, tested))
    return PhotoOutcomes(
        outcomes=outcomes,
        floors=floors,
        extraction=extractions[0],
        main_set=sets[0],
        backbone=backbone,
        maps=maps,
        near_duplicates=duplicates,
    )


def told_by_text(sets: Sequence[PhotoSet], text: TextSemantics, encoder: TextEncoder, method: Method) -> list[PhotoSet]:
    """The same photos under the same partitions, with text vectors for the classes' semantics.

    Args:
        sets: photos and class tables.
        text: what is written of the classes.
        encoder: sentences to vectors.
        method: says whether each sentence stands apart, or their mean counts.
    """
    apart = getattr(method, "SENTENCES_APART", False)
    return [replace(photos, partitions=text.tables(photos.partitions, encoder, apart=apart)) for photos in sets]
