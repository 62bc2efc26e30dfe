"""Photos and attributes in, two classifiers of one backbone out: of classes, and of classes that had no photo.

zsltf run multitask                                           (drawn pictures of 32 combinations, 8 of them unseen)
zsltf run multitask --data photos/ --classes attributes.csv   (class, split, then one column an attribute)
zsltf run multitask --alone --uncertainty                     (learned weights; each head alone beside the two)
Expected (drawn pictures, 24 seen and 8 unseen classes, seed 0, CPU): class head 0.948 on seen classes; attribute head
0.969 on seen, 0.919 on unseen classes among themselves (alone 0.794; chance 0.125), S 0.969, U 0.138, H 0.241.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from zsltf.data.labelled import LabelledSource
from zsltf.evaluation.multitask import Multitask, run_multitask
from zsltf.files import atomic_directory
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.classification import print_schedule
from zsltf.reports.multitask import check_heads_writable, print_tasks, write_multitask_run
from zsltf.reports.next_step import next_step
from zsltf.runs import settings
from zsltf.training.checkpoint_folder import checkpoint_folder
from zsltf.transfer.fine_tune import FineTune

IMAGES = LabelledSource(drawn="combinations")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Train a class head and an attribute head together and test both, the latter on unseen classes, too."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=lambda: IMAGES)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: tyro.conf.OmitArgPrefixes[FineTune] = field(default_factory=FineTune)
    tasks: tyro.conf.OmitArgPrefixes[Multitask] = field(default_factory=Multitask)
    out: Path = Path("runs/multitask")
    """A folder for the run folders class and attributes; OUT.training holds checkpoints until it is there."""
    overwrite: bool = False
    """Replace the folder, exports included, and an unfinished training, if there is one."""


def main(config: Config) -> None:
    """Images and attributes -> backbone with two heads -> table and run folders."""
    check_heads_writable(config.out, list(config.tasks.heads(config.method)), overwrite=config.overwrite)
    config.images.check_apart(config.out)
    with checkpoint_folder(config.out, resume=config.tasks.resume, overwrite=config.overwrite) as place:
        images, tasks = config.images.load(), config.tasks
        done = run_multitask(config.method, config.network, images, tasks, folder=place, announce=print_schedule)
        with atomic_directory(config.out, overwrite=config.overwrite) as folder:
            rows = write_multitask_run(folder, done, recipe="multitask", config=settings(config))
    print_tasks(rows)
    print(next_step(config.out / "attributes"))


if __name__ == "__main__":
    main(tyro.cli(Config))
