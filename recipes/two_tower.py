"""Images and text into one space: train two towers on seen classes' sentences, then classify and search by sentences.

zsltf run two_tower --images photos/ --classes classes.csv --say "a bird" encoder:onnx-text --encoder.tokenizer FILE
Expected (25 animals by name, their table's split, EfficientNet-Lite0, MiniLM, CPU): 0.42 among 6 unseen classes.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import keras
import tyro

from zsltf.data.photo_set import PhotoSource
from zsltf.data.text_semantics import TextSemantics
from zsltf.discovery import one_of
from zsltf.evaluation.photos import run_on_photos, told_by_text
from zsltf.evaluation.retrieval import retrieve
from zsltf.evaluation.zero_shot import ZeroShotProtocol
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.zero_shot import print_partitions, write_run
from zsltf.runs import RUN_FILES, settings
from zsltf.zeroshot.two_tower import TwoTower


@dataclass(frozen=True, kw_only=True)
class Config:
    """Backbone and text encoder stay as they are; a network on top of either is trained."""

    encoder: Annotated[Any, one_of("text_encoders", "encoder")]
    say: tuple[str, ...] = ()  # sentences to look for among the test photos, once the towers are trained
    text: tyro.conf.OmitArgPrefixes[TextSemantics] = field(default_factory=TextSemantics)
    photos: tyro.conf.OmitArgPrefixes[PhotoSource] = field(default_factory=PhotoSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: TwoTower = field(default_factory=TwoTower)
    protocol: tyro.conf.OmitArgPrefixes[ZeroShotProtocol] = field(default_factory=lambda: ZeroShotProtocol(repeats=1))
    out: Path = Path("runs/two_tower")
    overwrite: bool = False


def main(config: Config) -> None:
    """Photos and text -> two towers -> report, run folder, and the photos that sentences describe."""
    start, corrupt = time.perf_counter(), config.photos.on_corrupt
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.photos.check_apart(config.out)
    keras.utils.set_random_seed(config.protocol.seed)
    sets = told_by_text(config.photos.sets(), config.text, config.encoder, config.method)
    outcomes = run_on_photos(config.method, config.network.build(), sets, config.protocol, on_corrupt=corrupt)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        print_partitions(write_run(folder, outcomes, settings(config), time.perf_counter() - start))
    for said in config.say:
        found = retrieve(outcomes.main.classifier, outcomes.main.test, config.encoder.encode([said]))[0]
        print(f"{said}: {', '.join(name for name, _ in found)}")


if __name__ == "__main__":
    main(tyro.cli(Config))
