"""Few-shot classification: any method on a backbone's features, over episodes of classes that it never learned from.

zsltf run few_shot                                                     (drawn pictures, no download)
zsltf run few_shot --data photos/ --base 27 --shots 5 method:discriminant
zsltf run few_shot --data photos/ --base 0 method:simple-shot          (no base classes: all classes novel)
Expected (drawn pictures, 16 base and 16 novel classes, 5-way 1-shot, 600 episodes, seed 0, CPU): 0.78, chance 0.20.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.data.few_shot_images import FewShotSource
from zsltf.discovery import one_of
from zsltf.evaluation.few_shot import FewShotProtocol
from zsltf.evaluation.few_shot_photos import run_few_shot_on_photos
from zsltf.fewshot.simple_shot import SimpleShot
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.protocols import FewShotMethod
from zsltf.reports.few_shot import print_few_shot, write_few_shot_run
from zsltf.reports.next_step import next_step
from zsltf.runs import RUN_FILES, settings
from zsltf.training.seeds import seed_everything


@dataclass(frozen=True, kw_only=True)
class Config:
    """Base classes to learn from, validation classes to choose on, novel ones to test on."""

    images: tyro.conf.OmitArgPrefixes[FewShotSource] = field(default_factory=FewShotSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: Annotated[FewShotMethod, one_of("fewshot")] = field(default_factory=SimpleShot)
    protocol: tyro.conf.OmitArgPrefixes[FewShotProtocol] = field(default_factory=FewShotProtocol)
    out: Path = Path("runs/few_shot")
    """The run folder to write."""
    overwrite: bool = False
    """Replace the run folder, exports included, if there is one."""


def main(config: Config) -> None:
    """Images -> features -> method -> episodes -> report and run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    images, corrupt = config.images.load(), config.images.on_corrupt
    seed_everything(config.protocol.seed)
    backbone = config.network.build()
    done = run_few_shot_on_photos(config.method, backbone, images, config.protocol, on_corrupt=corrupt)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_few_shot_run(folder, done, settings(config))
    print_few_shot(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
