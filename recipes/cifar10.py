"""A small net from scratch, and a pretrained backbone fine-tuned on the same images, under the same seeds.

zsltf run cifar10 --data $ZSLTF_TEST_DATA/cifar10     (a folder with train/ and test/; without it pictures are drawn)
Expected (a JPEG subset of CIFAR-10, 3000 training and 1000 test images, 10 epochs, seeds 0, 1, 2, CPU; chance 0.10):
small net mean 0.31, sd 0.01, after 300 steps; EfficientNet-Lite0 at 128 px mean 0.749, sd 0.003.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from zsltf.backbones.cifar_net import cifar_net
from zsltf.data.augment import Augmentation
from zsltf.data.labelled import LabelledSource
from zsltf.evaluation.from_scratch import FromScratch
from zsltf.evaluation.repeats import repeat_transfer
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.classification import print_schedule
from zsltf.reports.next_step import next_step
from zsltf.reports.repeats import print_repeats, write_repeats_run
from zsltf.runs import RUN_FILES, settings
from zsltf.transfer.fine_tune import FineTune

TUNED = FineTune(head_epochs=4, epochs=6, augmentation=Augmentation(padding=16, flip=True))  # 4 of the 32 pixels


@dataclass(frozen=True, kw_only=True)
class Config:
    """Two ways to the same classes; nothing is chosen, so no image is held out for validation."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=lambda: LabelledSource(validation=0.0))
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=lambda: BackboneChoice(size=128))
    method: tyro.conf.OmitArgPrefixes[FineTune] = field(default_factory=lambda: TUNED)
    scratch: FromScratch = field(default_factory=FromScratch)
    repeats: int = 3
    """Trainings of each network, under --seed and the numbers after it."""
    out: Path = Path("runs/cifar10")
    """The run folder of the first fine-tuned network, with the first small net beside it."""
    overwrite: bool = False


def main(config: Config) -> None:
    """Images -> both networks under each seed -> run folder and table."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    labelled, small = config.images.load(), config.scratch.method(config.method.training.seed)
    tuned = repeat_transfer(config.method, config.network.build, labelled, config.repeats, announce=print_schedule)
    scratch = repeat_transfer(small, cifar_net, labelled, config.repeats, announce=print_schedule)
    runs = {"small net, from scratch": scratch, f"{config.network.backbone}, fine-tuned": tuned}
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        write_repeats_run(folder, runs, recipe="cifar10", config=settings(config))
    print_repeats(runs)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
