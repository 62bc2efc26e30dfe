"""Pretraining alone, meta-learning alone, both and neither, from scratch and on a pretrained backbone: one table.

zsltf run transfer_and_meta                                                   (drawn pictures, no download)
zsltf run transfer_and_meta --data photos/ --base 27 --validation 8           (a folder with one folder a class)
Expected (drawn pictures, --seeds 0, CPU, 1-shot): from scratch 0.35, pretraining 0.52, episodes 0.59, both 0.54.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import tyro

from zsltf.data.few_shot_images import FewShotSource
from zsltf.evaluation.transfer_and_meta import VALIDATION_CLASSES, FusionProtocol, run_transfer_and_meta
from zsltf.evaluation.transfer_starts import from_features, from_scratch
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.transfer_and_meta import FUSION_FILES, print_fusion, print_training, write_fusion
from zsltf.runs import settings


@dataclass(frozen=True, kw_only=True)
class Config:
    """Networks are trained on base classes, chosen on validation classes and tested on novel ones."""

    images: tyro.conf.OmitArgPrefixes[FewShotSource] = field(default_factory=FewShotSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    protocol: tyro.conf.OmitArgPrefixes[FusionProtocol] = field(default_factory=FusionProtocol)
    small_size: int = 32
    """Height and width in pixels of the images that the small network takes."""
    filters: int = 64
    """Of the small network's convolutions, a multiple of 8."""
    hidden: int = 256
    """Units of the network on the backbone's features."""
    out: Path = Path("runs/transfer_and_meta")
    """A folder to write: report.json."""
    overwrite: bool = False


def main(config: Config) -> None:
    """Images -> two starts -> four trainings of each -> one table."""
    check_writable(config.out, overwrite=config.overwrite, ours=FUSION_FILES)
    config.images.check_apart(config.out)
    images, corrupt = config.images.load(VALIDATION_CLASSES).collection.images, config.images.on_corrupt
    small = from_scratch(images, size=config.small_size, filters=config.filters, on_corrupt=corrupt)
    big = from_features(images, config.network.build(), hidden=config.hidden, on_corrupt=corrupt)
    rows = run_transfer_and_meta(
        lambda seed: replace(config.images, split_seed=seed).load(VALIDATION_CLASSES),
        (small, big),
        config.protocol,
        announce=print_training,
    )
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_fusion(folder, rows, settings(config))
    print_fusion(report)


if __name__ == "__main__":
    main(tyro.cli(Config))
