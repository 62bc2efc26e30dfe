"""Photos in, a zero-shot classifier out: train on seen classes, recognise classes that had no photo.

zsltf run zero_shot                                             (drawn pictures, no download)
zsltf run zero_shot --images photos/ --classes attributes.csv   (a folder of photos and a row of attributes a class)
"""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import keras
import tyro

from zsltf.data.decode import Resize
from zsltf.data.images import OnCorrupt
from zsltf.data.photo_set import PhotoSource
from zsltf.discovery import one_of, public
from zsltf.evaluation.photos import run_on_photos
from zsltf.evaluation.zero_shot import ZeroShotProtocol
from zsltf.files import atomic_directory, check_writable
from zsltf.protocols import Method
from zsltf.reports.zero_shot import print_partitions, write_run
from zsltf.zeroshot.eszsl import ESZSL


@dataclass(frozen=True, kw_only=True)
class Config:
    """Zero-shot classification of photos, evaluated on classes that nothing has looked at."""

    photos: tyro.conf.OmitArgPrefixes[PhotoSource] = field(default_factory=PhotoSource)
    backbone: str = "efficientnet_lite0"
    """A name that `zsltf ls backbones` prints."""
    weights: str | None = "imagenet"
    """imagenet, None for random ones, or a local file."""
    resize: Resize = "stretch"
    """How a photo gets to the backbone's size."""
    method: Annotated[Method, one_of("zeroshot")] = field(default_factory=ESZSL)
    protocol: tyro.conf.OmitArgPrefixes[ZeroShotProtocol] = field(default_factory=ZeroShotProtocol)
    on_corrupt: OnCorrupt = "skip"
    """A file that can't be decoded: skip lists it in the report, error stops."""
    out: Path = Path("runs/zero_shot")
    """The run folder to write."""
    overwrite: bool = False
    """Replace the run folder if there is one."""


def main(config: Config) -> None:
    """Photos -> features -> method -> report and run folder."""
    start = time.perf_counter()
    check_writable(config.out, overwrite=config.overwrite)
    config.protocol.check(config.method)
    sets = config.photos.sets()
    keras.utils.set_random_seed(config.protocol.seed)
    backbone = public("backbones", config.backbone)(config.weights, resize=config.resize)
    outcomes = run_on_photos(config.method, backbone, sets, protocol=config.protocol, on_corrupt=config.on_corrupt)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_run(folder, outcomes, asdict(config), time.perf_counter() - start)
    print_partitions(report)
    print(f"{config.out}/report.html holds the report. Next: zsltf export {config.out} --format all")


if __name__ == "__main__":
    main(tyro.cli(Config))
