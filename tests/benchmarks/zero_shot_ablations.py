"""What parts of the zero-shot methods are worth: paired differences over classes and partitions, with 95 % intervals.

python tests/benchmarks/zero_shot_ablations.py --data $ZSLTF_TEST_DATA/animals --tokenizer tokenizer.json --out FOLDER

Attention over class descriptions (a sentence for each attribute above the mean, encoded by MiniLM) against their mean;
class normalisation on and off. Text against attributes against both comes from zero_shot_table.py. A pair that the
folder has is kept; those of the README are in .github/zero_shot_ablations.json.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from rich.console import Console

from zsltf.data.photo_set import PhotoSource
from zsltf.data.text_semantics import TextSemantics
from zsltf.evaluation.paired import paired
from zsltf.evaluation.summary import partition_rows
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_zero_shot
from zsltf.files import atomic_file
from zsltf.metrics.intervals import paired_interval
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.text_encoders.onnx_text import OnnxText
from zsltf.zeroshot.class_normalized_mlp import ClassNormalizedMLP
from zsltf.zeroshot.description_attention import DescriptionAttention

PAIRS = {
    "attention over descriptions, and their mean": (DescriptionAttention(), DescriptionAttention(attend=False)),
    "class normalisation on, and off": (ClassNormalizedMLP(), ClassNormalizedMLP(normalize=False)),
}


@dataclass(frozen=True, kw_only=True)
class Config:
    data: Path
    """A folder with images/, attributes.csv and partitions.csv."""
    tokenizer: Path
    """MiniLM's tokenizer.json."""
    partitions: tuple[str, ...] = tuple(f"random_{i}" for i in range(10))
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    out: Path


def main(config: Config) -> None:
    """Both of each pair, on the same folds of the same partitions."""
    source = PhotoSource(
        images=config.data / "images",
        classes=config.data / "attributes.csv",
        partitions=config.data / "partitions.csv",
    )
    photos = source.sets()[0]
    features = extract_features(config.network.build(), photos.images).features
    encoder, text, console = OnnxText(tokenizer=config.tokenizer), TextSemantics(describe="attributes"), Console()
    file = config.out / "ablations.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    for what, methods in PAIRS.items():
        for partition in config.partitions:
            reached = found.setdefault(what, {})
            if partition not in reached:
                classes = photos.partitions[partition]
                if isinstance(methods[0], DescriptionAttention):
                    classes = text.table(classes, encoder.encode, apart=True)
                protocol = ZeroShotProtocol(repeats=1, shuffles=0)
                reached[partition] = [
                    partition_rows({partition: run_zero_shot(method, features, classes, protocol)}, {})
                    for method in methods
                ]
                config.out.mkdir(parents=True, exist_ok=True)
                with atomic_file(file) as staging:
                    staging.write_text(json.dumps(found, indent=1), "utf-8")
            (compared,) = paired(*reached[partition])
            low, high = compared["interval"]
            console.print(
                f"{what}, {partition}: difference {compared['difference']:.3f}, "
                f"95 % interval over classes {low:.3f} to {high:.3f}"
            )
        rows = [reached[partition] for partition in config.partitions]
        one, other = np.array([[row["unseen_accuracy"] for (row,) in pair] for pair in rows]).T
        low, high = paired_interval(one, other)
        console.print(
            f"{what}: {one.mean():.3f} (sd {one.std(ddof=1):.3f}) and {other.mean():.3f} (sd {other.std(ddof=1):.3f}); "
            f"difference {(one - other).mean():.3f}, 95 % interval over partitions {low:.3f} to {high:.3f}"
        )


if __name__ == "__main__":
    main(tyro.cli(Config))
