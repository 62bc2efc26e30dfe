"""Domain adaptation: a labelled source, an unlabelled target, any method beside source-only over seeds.

zsltf run dann                                                              (drawn pictures, no download)
zsltf run dann --domains pacs/ --source photo --target sketch method:cdan   (DOMAIN/CLASS/*.jpg)
zsltf run dann --source mnist.npz --target usps.npz --pixels 32 method:mcd  (a small network is trained on the images)
Expected (drawn pictures, plain to coarse, seeds 0 to 4, CPU): 0.36, source-only 0.22, chance 0.11.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.adaptation.dann import DANN
from zsltf.data.domain_pair import PairSource
from zsltf.discovery import one_of
from zsltf.evaluation.adaptation import AdaptationProtocol
from zsltf.evaluation.adaptation_photos import run_adaptation_on_photos
from zsltf.evaluation.adaptation_starts import StartChoice
from zsltf.files import atomic_directory, check_writable
from zsltf.protocols import AdaptationMethod
from zsltf.reports.adaptation import print_adaptation, print_run, write_adaptation_run
from zsltf.reports.next_step import next_step
from zsltf.runs import RUN_FILES, settings
from zsltf.training.seeds import seed_everything


@dataclass(frozen=True, kw_only=True)
class Config:
    """The source has labels, the target has none but for the test."""

    images: tyro.conf.OmitArgPrefixes[PairSource] = field(default_factory=PairSource)
    network: tyro.conf.OmitArgPrefixes[StartChoice] = field(default_factory=StartChoice)
    method: Annotated[AdaptationMethod, one_of("adaptation")] = field(default_factory=DANN)
    protocol: tyro.conf.OmitArgPrefixes[AdaptationProtocol] = field(default_factory=AdaptationProtocol)
    steps: int = 500
    """Batches that method and source-only train for at least, in more epochs than the method's if need be."""
    out: Path = Path("runs/dann")
    overwrite: bool = False


def main(config: Config) -> None:
    """Two domains -> features -> method and source-only over seeds -> report and run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    pair = config.images.load()
    seed_everything(config.protocol.seeds[0])
    done = run_adaptation_on_photos(
        config.method, pair, config.network.build, config.protocol, steps=config.steps, announce=print_run
    )
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_adaptation_run(folder, done, settings(config))
    print_adaptation(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
