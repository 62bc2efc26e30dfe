"""Photos in, a linear classifier on frozen features out, cross-validated: the first thing to try.

zsltf run linear_probe                     (drawn pictures, no download)
zsltf run linear_probe --data photos/      (a folder with one folder of photos a class)
Expected (drawn pictures, 6 shapes, 5 folds, split seed 0, CPU): mean accuracy 0.997, chance 0.17.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from zsltf.data.folded import load_folds
from zsltf.data.labelled import LabelledSource
from zsltf.evaluation.probe import ProbeProtocol, probe
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.next_step import next_step
from zsltf.reports.probe import print_folds, write_probe_run
from zsltf.runs import RUN_FILES, settings
from zsltf.training.seeds import seed_everything
from zsltf.transfer.linear_probe import LinearProbe

ALL_IN_FOLDS = LabelledSource(folds=5, validation=0.0, test=0.0)


@dataclass(frozen=True, kw_only=True)
class Config:
    """K-fold cross-validation of logistic regression on a backbone's features; all images are in folds."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=lambda: ALL_IN_FOLDS)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: LinearProbe = field(default_factory=LinearProbe)
    protocol: tyro.conf.OmitArgPrefixes[ProbeProtocol] = field(default_factory=ProbeProtocol)
    seed: int = 0
    """Of a backbone with random weights."""
    out: Path = Path("runs/linear_probe")
    overwrite: bool = False


def main(config: Config) -> None:
    """Images -> folds -> features -> accuracy of each fold, and a run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    folded = load_folds(config.images)
    seed_everything(config.seed)
    backbone, corrupt = config.network.build(), config.images.on_corrupt
    outcome = probe(config.method, backbone, folded, config.protocol, on_corrupt=corrupt)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        write_probe_run(folder, outcome, recipe="linear_probe", config=settings(config))
    print_folds(outcome)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
