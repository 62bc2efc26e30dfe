"""Instance transfer: source examples weighed for the target, or boosted with a few target ones, beside doing neither.

zsltf run instance_transfer                                   (drawn pictures, no download)
zsltf run instance_transfer method:tradaboost
zsltf run instance_transfer --source mine/ --target theirs/ method:kmm    (folders with one folder of photos a class)
zsltf run instance_transfer --domains pacs/ --source photo --target art_painting        (DOMAIN/CLASS/*.jpg)
Expected (drawn pictures, mostly small shapes to large ones, seeds 0 to 2, CPU): source 0.66, weighted 0.65.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from zsltf.data.domain_pair import PairSource
from zsltf.data.toy_sizes import MOSTLY_SMALL, ONLY_LARGE
from zsltf.discovery import one_of
from zsltf.evaluation.instance_photos import run_instance_on_photos
from zsltf.evaluation.instance_protocol import InstanceProtocol
from zsltf.files import atomic_directory, check_writable
from zsltf.instance.classifier_ratio import ClassifierRatio
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.instance import print_instance, write_instance_run
from zsltf.reports.next_step import next_step
from zsltf.runs import RUN_FILES, settings
from zsltf.training.seeds import seed_everything

SIZES = PairSource(drawn="sizes", source=MOSTLY_SMALL, target=ONLY_LARGE)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which source examples help on the target."""

    images: tyro.conf.OmitArgPrefixes[PairSource] = field(default_factory=lambda: SIZES)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: Annotated[Any, one_of("instance")] = field(default_factory=ClassifierRatio)
    protocol: tyro.conf.OmitArgPrefixes[InstanceProtocol] = field(default_factory=InstanceProtocol)
    out: Path = Path("runs/instance_transfer")
    overwrite: bool = False


def main(config: Config) -> None:
    """Two domains -> features -> weights -> classifiers on the target -> report and run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    pair = config.images.load()
    seed_everything(config.protocol.seeds[0])
    done = run_instance_on_photos(config.method, config.network.build(), pair, config.protocol)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_instance_run(folder, done, settings(config))
    print_instance(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
