"""Domain generalisation: any method on a backbone's features, on each domain in turn that it never saw, beside ERM.

zsltf run domain_generalisation                              (drawn pictures, no download)
zsltf run domain_generalisation method:swad
zsltf run domain_generalisation --domains pacs/ method:irm   (DOMAIN/CLASS/*.jpg)
Expected (drawn pictures, 4 domains, seeds 0 to 2, CPU), settings chosen by training domains: 0.525, chance 0.11.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.data.domain_source import DomainSource
from zsltf.discovery import one_of
from zsltf.evaluation.domain_generalisation import GeneralizationProtocol
from zsltf.evaluation.generalisation_photos import run_generalization_on_photos
from zsltf.files import atomic_directory, check_writable
from zsltf.generalization.erm import ERM
from zsltf.pretrained.choice import BackboneChoice
from zsltf.protocols import GeneralizationMethod
from zsltf.reports.generalisation import print_generalisation, print_trial, write_generalisation_run
from zsltf.reports.next_step import next_step
from zsltf.runs import RUN_FILES, settings
from zsltf.training.seeds import seed_everything


@dataclass(frozen=True, kw_only=True)
class Config:
    """Each domain in turn is new: the others are trained on, and choose the settings."""

    images: tyro.conf.OmitArgPrefixes[DomainSource] = field(default_factory=DomainSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: Annotated[GeneralizationMethod, one_of("generalization")] = field(default_factory=ERM)
    protocol: tyro.conf.OmitArgPrefixes[GeneralizationProtocol] = field(default_factory=GeneralizationProtocol)
    hidden: int = 32
    """Units of the adapter that is trained on the backbone's features; 0 trains the head alone."""
    out: Path = Path("runs/domain_generalisation")
    overwrite: bool = False


def main(config: Config) -> None:
    """Domains -> features -> each one left out in turn -> report, and a run folder of all domains."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    images, corrupt = config.images.load(), config.images.on_corrupt
    seed_everything(config.protocol.seeds[0])
    given = (config.method, config.network.build(), images, config.protocol)
    done = run_generalization_on_photos(*given, hidden=config.hidden, on_corrupt=corrupt, announce=print_trial)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_generalisation_run(folder, done, settings(config))
    print_generalisation(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
