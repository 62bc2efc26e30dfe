"""Photos and an attribute table as a set in the layout of the zero-shot benchmark, for gbu and for other people's code.

zsltf run make_splits --images photos/ --classes attributes.csv --out data/MINE [encoder:onnx-text ...]
zsltf run gbu --root data --out runs/mine
Expected (drawn pictures, seed 0): 24 seen classes, of which 8 for validation, 8 unseen; ESZSL 0.93 on them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from zsltf.data.make_splits import make_splits
from zsltf.data.photo_set import PhotoSource
from zsltf.data.text_semantics import TextSemantics
from zsltf.discovery import one_of
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.pretrained.imagenet import in_imagenet


@dataclass(frozen=True, kw_only=True)
class Config:
    """One set for each partition; a single one stands in the folder itself."""

    photos: tyro.conf.OmitArgPrefixes[PhotoSource] = field(default_factory=lambda: PhotoSource(drawn=(0,)))
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    encoder: Annotated[Any, one_of("text_encoders", "encoder", optional=True)] = None
    """For sent_splits.mat too: text for semantics, which gbu reads by --matrix sentences."""
    text: tyro.conf.OmitArgPrefixes[TextSemantics] = field(default_factory=TextSemantics)
    seed: int = 0
    """Of the validation classes and of the seen classes' test images."""
    out: Path = Path("runs/splits")
    overwrite: bool = False


def main(config: Config) -> None:
    """Photos -> features -> a folder for each partition."""
    check_writable(config.out, overwrite=config.overwrite)
    config.photos.check_apart(config.out)
    photos = config.photos.sets()[0]
    said = config.text.tables(photos.partitions, config.encoder) if config.encoder else {}
    backbone = config.network.build()
    features = extract_features(backbone, photos.images, on_corrupt=config.photos.on_corrupt).features
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        for name, classes in photos.partitions.items():
            into = folder / name if len(photos.partitions) > 1 else folder
            into.mkdir(exist_ok=True)
            unseen = [c for c, seen in zip(classes.names, classes.seen, strict=True) if not seen]
            known = in_imagenet(unseen) if backbone.weights.source == "imagenet" else None
            make_splits(into, features, classes, seed=config.seed, known_to_backbone=known, sentences=said.get(name))
            told = ", ".join(f"{ours} ({theirs})" for ours, theirs in (known or {}).items())
            print(f"{name}: {len(unseen)} unseen classes" + (f"; the backbone was trained on {told}" if told else ""))


if __name__ == "__main__":
    main(tyro.cli(Config))
