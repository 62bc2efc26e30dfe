"""Photos in, a fine-tuned classifier out: any backbone, any folder, any freezing schedule.

zsltf run finetune                                                (drawn pictures, no download)
zsltf run finetune --data photos/ --schedule gradual              (a folder with one folder of photos a class)
zsltf run finetune --baseline --find-learning-rate show           (a run from scratch beside it, a sweep before it)
Expected (drawn pictures, 6 shapes, --schedule head_only, seed 0, CPU): accuracy 1.00, chance 0.17; with --size 96
--baseline 1.00, and 0.59 from scratch after as many epochs.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from zsltf.data.labelled import LabelledSource
from zsltf.evaluation.fine_tuning import TransferProtocol, run_fine_tuning
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.classification import print_classification, print_schedule
from zsltf.reports.next_step import next_step
from zsltf.reports.transfer import write_transfer_run
from zsltf.runs import RUN_FILES, settings
from zsltf.training.checkpoint_folder import checkpoint_folder
from zsltf.transfer.fine_tune import FineTune


@dataclass(frozen=True, kw_only=True)
class Config:
    """Fine-tune a pretrained backbone and test it on images that nothing has looked at."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=LabelledSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: tyro.conf.OmitArgPrefixes[FineTune] = field(default_factory=FineTune)
    protocol: tyro.conf.OmitArgPrefixes[TransferProtocol] = field(default_factory=TransferProtocol)
    out: Path = Path("runs/finetune")
    """The run folder to write; OUT.training holds checkpoints until it is there."""
    overwrite: bool = False
    """Replace the run folder, exports included, and an unfinished training, if there is one."""


def main(config: Config) -> None:
    """Images -> backbone and head -> schedule -> report and run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    with checkpoint_folder(config.out, resume=config.protocol.resume, overwrite=config.overwrite) as place:
        images, protocol = config.images.load(), config.protocol
        done = run_fine_tuning(config.method, config.network, images, protocol, folder=place, announce=print_schedule)
        with atomic_directory(config.out, overwrite=config.overwrite) as folder:
            report = write_transfer_run(
                folder, done.main, recipe="finetune", config=settings(config), baseline=done.baseline, sweep=done.sweep
            )
    print_classification(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
