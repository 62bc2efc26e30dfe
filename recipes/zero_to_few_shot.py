"""One chain: train on domains and class names for zero-shot, average the weights, then learn a new domain from photos.

zsltf run zero_to_few_shot                              (drawn pictures, no download)
zsltf run zero_to_few_shot --images pacs/ encoder:onnx-text --encoder.tokenizer tokenizer.json    (DOMAIN/CLASS/*.jpg)
Expected (drawn pictures, --size 96 --draws 1 --seeds 0, CPU), 0 photos: frozen features 0.56, fine-tuned 0.74.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from zsltf.data.text_semantics import TextSemantics
from zsltf.discovery import one_of
from zsltf.evaluation.domain_tasks import ChainProtocol, read_task
from zsltf.evaluation.zero_to_few_shot import run_chain
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.zero_to_few_shot import CHAIN_FILES, print_chain, print_row, write_chain
from zsltf.runs import settings
from zsltf.training.seeds import seed_everything
from zsltf.training.stage_settings import StageSettings


@dataclass(frozen=True, kw_only=True)
class Config:
    """Some classes have no image in training, and one domain has none; what does each stage add there?"""

    encoder: Annotated[Any, one_of("text_encoders", "encoder", optional=True)] = None
    text: tyro.conf.OmitArgPrefixes[TextSemantics] = field(default_factory=TextSemantics)
    images: Path | None = None
    """Folder with one folder a domain, and in each one folder of photos a class; without it pictures are drawn."""
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    training: tyro.conf.OmitArgPrefixes[StageSettings] = field(default_factory=StageSettings)
    protocol: tyro.conf.OmitArgPrefixes[ChainProtocol] = field(default_factory=ChainProtocol)
    out: Path = Path("runs/zero_to_few_shot")
    """A folder to write: report.json and classifier.keras, which `zsltf export` takes."""
    overwrite: bool = False


def main(config: Config) -> None:
    """Domains and names -> frozen, fine-tuned and averaged weights -> accuracy by number of photos."""
    check_writable(config.out, overwrite=config.overwrite, ours=CHAIN_FILES)
    images, classes = read_task(config.images, config.encoder, config.text)
    config.protocol.check(images)
    seed_everything(config.protocol.seeds[0])
    backbone = config.network.build()
    chain = run_chain(backbone, images, classes, config.training, config.protocol, announce=print_row)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_chain(folder, chain, backbone, settings(config))
    print_chain(report)


if __name__ == "__main__":
    main(tyro.cli(Config))
