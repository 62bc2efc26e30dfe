"""From a few photos a class, on a run's backbone, to a run that exports in every format.

zsltf adapt runs/mine --support photos/                                     (a folder a class, 1 to 20 photos in each)
zsltf adapt runs/mine --support photos/ --test more_photos/ --out runs/five method:nearest-class-mean
zsltf adapt runs/mine --support photos/ --base other_photos/ method:METHOD  (any that `zsltf ls fewshot` prints)
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.data.support_photos import SupportSource
from zsltf.discovery import one_of
from zsltf.evaluation.support import adapt
from zsltf.fewshot.simple_shot import SimpleShot
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.run_backbone import open_backbone
from zsltf.protocols import FewShotMethod
from zsltf.reports.next_step import next_step
from zsltf.reports.support import print_adapted, write_support_run
from zsltf.runs import RUN_FILES, settings


@dataclass(frozen=True, kw_only=True)
class Config:
    """The run's network stays as it is; a few-shot method learns new classes on its features."""

    run: tyro.conf.Positional[Path]
    """A run folder of any recipe, or a .keras file with a Classifier from images."""
    photos: tyro.conf.OmitArgPrefixes[SupportSource]
    method: Annotated[FewShotMethod, one_of("fewshot")] = field(default_factory=SimpleShot)
    seed: int = 0
    """Of what is drawn besides the method's own seed."""
    out: Path = Path("runs/adapt")
    """The run folder to write."""
    overwrite: bool = False
    """Replace the run folder, exports included, if there is one."""


def main(config: Config) -> None:
    """Run and photos -> features -> few-shot method -> report and run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.photos.check_apart(config.out)
    photos, backbone = config.photos.read(), open_backbone(config.run)
    adapted = adapt(config.method, backbone, photos, seed=config.seed)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_support_run(folder, adapted, settings(config))
    print_adapted(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
