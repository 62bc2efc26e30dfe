"""Photos in, a classifier out: VGG16 under one hidden layer, trained by Adam with cross-entropy.

zsltf run vgg16_classifier --data photos/                          (the head alone, on ImageNet's weights)
zsltf run vgg16_classifier --data photos/ --schedule fine_tune     (then the last stage as well, then all)
Expected (drawn pictures, --weights random --size 64, seed 0, CPU): 0.24, chance 0.17. ImageNet's weights: untested.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from zsltf.data.labelled import LabelledSource
from zsltf.evaluation.fine_tuning import TransferProtocol, run_fine_tuning
from zsltf.files import atomic_directory, check_writable
from zsltf.heads.vgg import VGGHead
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.classification import print_classification, print_schedule
from zsltf.reports.next_step import next_step
from zsltf.reports.transfer import write_transfer_run
from zsltf.runs import RUN_FILES, settings
from zsltf.training.checkpoint_folder import checkpoint_folder
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.options import TrainingOptions
from zsltf.transfer.fine_tune import FineTune

ADAM = TrainingOptions(optimization=OptimizerOptions(weight_decay=0.0))  # AdamW without its decay
METHOD = FineTune(head=VGGHead(), schedule="head_only", training=ADAM)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Global average pooling, Dense 1024 ReLU, dropout 0.5 and softmax on VGG16."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=LabelledSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=lambda: BackboneChoice(backbone="vgg16"))
    method: tyro.conf.OmitArgPrefixes[FineTune] = field(default_factory=lambda: METHOD)
    protocol: tyro.conf.OmitArgPrefixes[TransferProtocol] = field(default_factory=TransferProtocol)
    out: Path = Path("runs/vgg16_classifier")
    overwrite: bool = False


def main(config: Config) -> None:
    """Images -> VGG16 and its head -> report and run folder."""
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.images.check_apart(config.out)
    with checkpoint_folder(config.out, resume=config.protocol.resume, overwrite=config.overwrite) as place:
        images, protocol, kept = config.images.load(), config.protocol, settings(config)
        done = run_fine_tuning(config.method, config.network, images, protocol, folder=place, announce=print_schedule)
        with atomic_directory(config.out, overwrite=config.overwrite) as folder:
            report = write_transfer_run(
                folder, done.main, recipe="vgg16_classifier", config=kept, baseline=done.baseline, sweep=done.sweep
            )
    print_classification(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
