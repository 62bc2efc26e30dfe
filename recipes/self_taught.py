"""Self-taught learning: an encoder from unlabelled images, then few, some or all labels; beside training from scratch.

zsltf run self_taught                                                             (drawn pictures, no download)
zsltf run self_taught --data photos/ --unlabelled any_images/ method:vicreg
zsltf run self_taught --data photos/ --start features method:sparse-coding        (a backbone's features)
Expected (drawn pictures, 6 shapes, seeds 0 to 2), fine-tuned and from scratch: 6 labels 0.21, 0.21; all 0.51, 0.47.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.data.labelled import LabelledSource
from zsltf.data.unlabelled_images import UnlabelledSource
from zsltf.discovery import one_of
from zsltf.evaluation.label_protocol import LabelProtocol
from zsltf.evaluation.self_taught_photos import EncoderStart, run_self_taught_on_photos
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.protocols import SelfTaughtMethod
from zsltf.reports.next_step import next_step
from zsltf.reports.self_taught import print_label_row, print_self_taught, write_self_taught_run
from zsltf.runs import RUN_FILES, settings
from zsltf.selftaught.simclr import SimCLR


@dataclass(frozen=True, kw_only=True)
class Config:
    """Images without labels to pretrain on; images with labels to learn from and to test on."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=lambda: LabelledSource(validation=0.0))
    others: tyro.conf.OmitArgPrefixes[UnlabelledSource] = field(default_factory=UnlabelledSource)
    encoder: tyro.conf.OmitArgPrefixes[EncoderStart] = field(default_factory=EncoderStart)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: Annotated[SelfTaughtMethod, one_of("selftaught")] = field(default_factory=SimCLR)
    protocol: tyro.conf.OmitArgPrefixes[LabelProtocol] = field(default_factory=LabelProtocol)
    out: Path = Path("runs/self_taught")
    overwrite: bool = False


def main(config: Config) -> None:
    """Unlabelled images -> encoder -> shares of the labels -> curve, and a run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    config.others.check_apart(config.out)
    unlabelled, labelled = config.others.load(), config.images.load()
    start, corrupt = config.encoder, config.images.on_corrupt
    given = (config.method, start, start.backbone(config.network), labelled, unlabelled, config.protocol)
    done = run_self_taught_on_photos(*given, on_corrupt=corrupt, announce=print_label_row)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_self_taught_run(folder, done, settings(config))
    print_self_taught(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
