"""Photos in, a zero-shot classifier out: train on seen classes, recognise classes that had no photo.

zsltf run zero_shot                                             (drawn pictures, no download)
zsltf run zero_shot --images photos/ --classes attributes.csv   (a folder of photos and a row of attributes a class)
Expected (drawn pictures, seeds 0 to 4, CPU): mean unseen accuracy 0.92 (method:eszsl 0.91), chance 0.125.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import keras
import tyro

from zsltf.data.photo_set import PhotoSource
from zsltf.discovery import one_of
from zsltf.evaluation.photos import run_on_photos
from zsltf.evaluation.zero_shot import ZeroShotProtocol
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.protocols import Method
from zsltf.reports.next_step import next_step
from zsltf.reports.zero_shot import print_run, write_run
from zsltf.runs import RUN_FILES, settings
from zsltf.zeroshot.auto import Auto


@dataclass(frozen=True, kw_only=True)
class Config:
    """Zero-shot classification of photos, evaluated on classes that nothing has looked at."""

    photos: tyro.conf.OmitArgPrefixes[PhotoSource] = field(default_factory=PhotoSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: Annotated[Method, one_of("zeroshot")] = field(default_factory=Auto)
    protocol: tyro.conf.OmitArgPrefixes[ZeroShotProtocol] = field(default_factory=ZeroShotProtocol)
    out: Path = Path("runs/zero_shot")
    """The run folder to write."""
    overwrite: bool = False
    """Replace the run folder, exports included, if there is one."""


def main(config: Config) -> None:
    """Photos -> features -> method -> report and run folder."""
    start = time.perf_counter()
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.photos.check_apart(config.out)
    config.protocol.check(config.method)
    keras.utils.set_random_seed(config.protocol.seed)
    sets, backbone = config.photos.sets(), config.network.build()
    outcomes = run_on_photos(config.method, backbone, sets, config.protocol, on_corrupt=config.photos.on_corrupt)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_run(folder, outcomes, settings(config), time.perf_counter() - start)
    print_run(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
