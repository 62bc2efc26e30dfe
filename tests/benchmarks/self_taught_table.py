"""Label efficiency of every self-taught method, on small images and on a backbone's features: rows and a table.

python tests/benchmarks/self_taught_table.py --cifar $ZSLTF_TEST_DATA/cifar10 \\
    --animals $ZSLTF_TEST_DATA/animals/images --results .github/self_taught.json --table .github/SELF_TAUGHT.md

Rows that the file of results has are kept, so an interrupted run goes on.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tyro
from sklearn.model_selection import train_test_split

from zsltf.data.features import Features
from zsltf.data.folder_images import read_folder
from zsltf.data.images import Images
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.label_efficiency import measure_references, measure_self_taught
from zsltf.evaluation.label_protocol import LabelProtocol, LabelTask
from zsltf.evaluation.label_summary import label_means, label_sentences
from zsltf.evaluation.self_taught_photos import EncoderStart
from zsltf.evaluation.transfer_starts import pixel_backbone
from zsltf.files import atomic_file
from zsltf.pretrained.backbone import Backbone
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.training.descent import Descent

REFERENCES = "references"
CIFAR, ANIMALS = "CIFAR-10 JPEG subset", "animal photos"


@dataclass(frozen=True, kw_only=True)
class Config:
    cifar: Path | None = None
    """A folder with train/CLASS/*.jpg and test/CLASS/*.jpg."""
    animals: Path | None = None
    """A folder with one folder of photos a class."""
    methods: tuple[str, ...] = (REFERENCES, *names("selftaught"))
    seeds: tuple[int, ...] = (0, 1, 2)
    results: Path
    """A JSON file, a row a line."""
    table: Path | None = None
    """A Markdown file to write, of all rows that there are."""


SETTINGS: dict[str, dict[str, Any]] = {
    "autoencoder": {"descent": Descent(epochs=15)},
    "denoising_autoencoder": {"descent": Descent(epochs=15)},
    "simclr": {"descent": Descent(epochs=40, batch_size=256)},
    "vicreg": {"descent": Descent(epochs=40, batch_size=256)},
    "sparse_coding": {"atoms": 128, "iterations": 50, "epochs": 5, "stride": 4},
}
"""As much as two minutes of a core allow on small images; the rest are defaults. None was chosen on test images. The
stride is that of patches, which a backbone's features have none of; with 2, fine-tuning takes four times as long."""


def main(config: Config) -> None:
    """Data x seeds x methods -> rows and a table."""
    rows: list[dict[str, Any]] = json.loads(config.results.read_text("utf-8")) if config.results.is_file() else []
    tasks = {ANIMALS: animals, CIFAR: cifar}
    folders = {ANIMALS: config.animals, CIFAR: config.cifar}
    for data, folder in folders.items():
        done = {(row["data"], row["entry"], row["seed"]) for row in rows}
        wanted = [(seed, entry) for seed in config.seeds for entry in config.methods]
        missing = [(seed, entry) for seed, entry in wanted if (data, entry, seed) not in done]
        if folder is None or not missing:
            continue
        task, start = tasks[data](folder)
        for seed, entry in missing:
            rows += [{"data": data, "entry": entry, **row} for row in measure(entry, seed, task, start)]
            write(config.results, "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
            print(data, entry, seed, *(round(row["accuracy"], 3) for row in rows[-6:]), flush=True)  # noqa: T201
    if config.table:
        write(config.table, "\n".join((*table_lines(rows), "")))


def write(path: Path, content: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as staging:
        staging.write_text(content, "utf-8")


def cifar(folder: Path) -> tuple[LabelTask, EncoderStart]:
    """Small images under a small network; the unlabelled images are those to learn from."""
    start = EncoderStart(start="pixels", small_size=32, filters=32)
    train, test = (read_folder(folder / part) for part in ("train", "test"))
    backbone = pixel_backbone(start.small_size)
    found = [examples(backbone, part.images, maps=True) for part in (train, test)]
    return LabelTask(train=found[0], test=found[1], classes=train.classes, unlabelled=found[0].unlabelled()), start


def animals(folder: Path) -> tuple[LabelTask, EncoderStart]:
    """EfficientNet-Lite0's features; a share of 0.3 of each class is for the test."""
    collection = read_folder(folder)
    found = examples(BackboneChoice().build(), collection.images, maps=False)
    rows = train_test_split(np.arange(len(found)), test_size=0.3, stratify=found.y, random_state=0)
    train, test = (found.select(np.sort(some)) for some in rows)
    task = LabelTask(train=train, test=test, classes=collection.classes, unlabelled=train.unlabelled())
    return task, EncoderStart(start="features")


def examples(backbone: Backbone, images: Images, *, maps: bool) -> Features:
    """In memory."""
    found = extract_features(backbone, images, maps=maps).features
    return found.with_x(np.array(found.x))


def measure(entry: str, seed: int, task: LabelTask, start: EncoderStart) -> list[dict[str, Any]]:
    """The rows of one method, or of the references, under one seed."""
    protocol, network = LabelProtocol(steps=600), start.network(task.unlabelled)
    keras.backend.clear_session()
    if entry == REFERENCES:
        return measure_references(task, protocol, network, seed)
    method = plugin_type("selftaught", entry)(**SETTINGS.get(entry, {}))
    return measure_self_taught(type(method).__name__, method, task, protocol, network, seed)[0]


EXPLANATION = """# Self-taught learning: label efficiency

An encoder is pretrained on examples without labels, then 1 %, 10 % or 100 % of the labels of each class are told, at
least one: to a linear probe on the encoder's embeddings, or to train the encoder on (fine-tuning). From scratch is the
same training of the same network without pretraining; raw features is a linear probe on pixels, or on the backbone's
features. Mean accuracy over seeds (weights, pretraining, which labels) with Student's 95 % interval, and the mean gain
over from scratch and over raw features under the same seed and labels with its paired interval, in percent. Nothing is
chosen: one label a class leaves nothing to choose on. s: seconds of processor time of pretraining, which is short: as
much as two minutes of a core allow on the small images. The unlabelled examples are those to learn from, without their
labels; test images are in no pretraining. A gain of fewer than three seeds is called neither help nor harm.

Epochs of pretraining: {settings}.

CIFAR-10 JPEG subset: 10 x 300 images to learn from and 10 x 100 to test on, 32 px, four convolutions of 32 filters with
GroupNorm (sparse coding makes its own encoder, of patches 4 pixels apart, which takes 10 to 15 seconds). Animal photos:
47 classes of 28 to learn from and 12 to test on, features of EfficientNet-Lite0, which ImageNet's labels trained: what
is to be gained there is little. Written by:

    python tests/benchmarks/self_taught_table.py --cifar $ZSLTF_TEST_DATA/cifar10 \\
        --animals $ZSLTF_TEST_DATA/animals/images --results .github/self_taught.json --table .github/SELF_TAUGHT.md
"""


def table_lines(rows: list[dict[str, Any]]) -> list[str]:
    """A section for each data set and share of the labels, and where pretraining did not help."""
    told = ", ".join(f"{entry} {given['descent'].epochs}" for entry, given in SETTINGS.items() if "descent" in given)
    lines = [EXPLANATION.format(settings=told).rstrip()]
    for data in dict.fromkeys(row["data"] for row in rows):
        mine = [row for row in rows if row["data"] == data]
        means = label_means(mine)
        for share in sorted({row["share"] for row in means}):
            some = [row for row in means if row["share"] == share]
            lines += ["", f"## {data}, {100 * share:g} % of labels ({some[0]['labels']})", ""]
            lines += ["| start | use | seeds | accuracy | 95 % | to scratch | 95 % | to raw | 95 % | s |"]
            lines += ["|---|---|---|---|---|---|---|---|---|---|"]
            lines += [line(row, mine) for row in sorted(some, key=lambda row: -row["accuracy"])]
        lines += ["", *(f"- {sentence}." for sentence in label_sentences(means))]
    return lines


def line(row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """A row of the table."""
    own = [one for one in rows if one["method"] == row["method"]]
    seconds = [one["pretraining_seconds"] for one in own if "pretraining_seconds" in one]
    cells = [row["method"], row["use"], str(len(row["by_seed"])), f"{100 * row['accuracy']:.1f}"]
    cells.append(span(row["interval"], ".1f"))
    for key in ("scratch", "raw"):
        gain = row[key]
        cells += ["", ""] if gain is None else [f"{100 * gain['gain']:+.1f}", span(gain["interval"], "+.1f")]
    cells.append(f"{np.mean(seconds):.0f}" if seconds else "")
    return f"| {' | '.join(cells)} |"


def span(interval: list[float], form: str) -> str:
    """In percent."""
    return " to ".join(format(100 * end, form) for end in interval)


if __name__ == "__main__":
    main(tyro.cli(Config))
