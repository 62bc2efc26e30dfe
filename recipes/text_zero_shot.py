"""Zero-shot classification by what is written of classes: their names, a user's sentences or their attributes' names.

zsltf run text_zero_shot --images photos/ --classes classes.csv encoder:onnx-text --encoder.tokenizer tokenizer.json
Expected (25 animals by name, ten partitions into 19 seen and 6 unseen, Lite0, MiniLM, kernel-ridge, --repeats 1): 0.45.
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
from zsltf.evaluation.zero_shot import ZeroShotProtocol
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.protocols import Method
from zsltf.reports.next_step import next_step
from zsltf.reports.zero_shot import print_run, write_run
from zsltf.runs import RUN_FILES, settings
from zsltf.zeroshot.auto import Auto


@dataclass(frozen=True, kw_only=True)
class Config:
    """The class table needs a column split, or partitions; attributes are used where they are asked for."""

    encoder: Annotated[Any, one_of("text_encoders", "encoder")]
    text: tyro.conf.OmitArgPrefixes[TextSemantics] = field(default_factory=TextSemantics)
    photos: tyro.conf.OmitArgPrefixes[PhotoSource] = field(default_factory=PhotoSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: Annotated[Method, one_of("zeroshot")] = field(default_factory=Auto)
    protocol: tyro.conf.OmitArgPrefixes[ZeroShotProtocol] = field(default_factory=ZeroShotProtocol)
    out: Path = Path("runs/text_zero_shot")
    overwrite: bool = False


def main(config: Config) -> None:
    """Photos and text -> features -> method -> report and run folder."""
    start = time.perf_counter()
    check_writable(config.out, overwrite=config.overwrite, ours=RUN_FILES)
    config.photos.check_apart(config.out)
    keras.utils.set_random_seed(config.protocol.seed)
    sets = told_by_text(config.photos.sets(), config.text, config.encoder, config.method)
    backbone, corrupt = config.network.build(), config.photos.on_corrupt
    outcomes = run_on_photos(config.method, backbone, sets, config.protocol, on_corrupt=corrupt)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_run(folder, outcomes, settings(config), time.perf_counter() - start)
    print_run(report)
    print(next_step(config.out))


if __name__ == "__main__":
    main(tyro.cli(Config))
