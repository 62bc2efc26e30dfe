"""New classes from their attributes, from a few photos, or from both: what each photo adds.

zsltf run any_shot                                             (drawn pictures, no download)
zsltf run any_shot --images photos/ --classes attributes.csv --shots 0 1 2 5 10
Expected (drawn pictures, seed 0, CPU): 0.95 without a photo, 0.99 with one (0.97 by it alone), chance 0.125.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from zsltf.checks import check_positive
from zsltf.data.photo_set import PhotoSource
from zsltf.evaluation.any_shot import run_any_shot
from zsltf.files import atomic_file, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.reports.shots import print_shots


@dataclass(frozen=True, kw_only=True)
class Config:
    """The Classifier that is written takes new classes by attributes, by photos and by both."""

    photos: tyro.conf.OmitArgPrefixes[PhotoSource] = field(default_factory=lambda: PhotoSource(drawn=(0,)))
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    shots: tuple[int, ...] = (0, 1, 2, 5, 10)
    """Photos of a new class."""
    draws: int = 10
    """Of those photos."""
    seed: int = 0
    """Of the folds that settings are chosen on, and of the draws."""
    out: Path = Path("runs/any_shot.keras")
    """The Classifier, from photos of any size."""
    overwrite: bool = False
    """Replace that file, if there is one."""


def main(config: Config) -> None:
    """Photos -> features -> every number of photos -> a table and a Classifier."""
    check_positive("any_shot", draws=config.draws)
    check_writable(config.out, overwrite=config.overwrite, suffix=".keras")
    photos, backbone = config.photos.sets()[0], config.network.build()
    features = extract_features(backbone, photos.images, on_corrupt=config.photos.on_corrupt).features
    for name, classes in photos.partitions.items():
        outcome = run_any_shot(features, classes, shots=config.shots, draws=config.draws, seed=config.seed)
        print(f"{name}: a class's attributes count as {outcome.choice.method.kappa:g} photos")
        print_shots(outcome)
    classifier = outcome.classifier.after(backbone.features(), preprocess=backbone.preprocess)
    with atomic_file(config.out) as staging:
        classifier.save(staging)


if __name__ == "__main__":
    main(tyro.cli(Config))
