"""Features in, labels out: target features go to the class whose mean source feature points the same way.

zsltf run cosine_transfer --source-features x.npy --source-labels y.npy --target-features z.npy [--target-labels t.npy]
The files hold what `zsltf.pretrained.extract.extract_features` gives, features.x and features.y, or any network's.
Expected (PACS, 7 classes, 40 images each a domain, EfficientNet-Lite0, photo as the source, CPU): accuracy 0.58 on art
painting, 0.35 on cartoons, 0.33 on sketches; chance 0.14.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from zsltf.data.feature_files import FeatureFiles
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.files import atomic_directory, check_writable
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.reports.scores import write_scores

FILES = ("predictions.csv", "classifier.keras")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Classify target features by their cosine to the source's class means."""

    features: tyro.conf.OmitArgPrefixes[FeatureFiles]
    out: Path = Path("runs/cosine_transfer")
    """A folder to write: predictions.csv, and classifier.keras from features to classes."""
    overwrite: bool = False
    """Replace the folder, if there is one."""


def main(config: Config) -> None:
    """Features -> class means -> labels."""
    check_writable(config.out, overwrite=config.overwrite, ours=FILES)
    data = config.features.read()
    classifier = NearestClassMean(cosine=True).fit(data.source, data.classes)
    scores = classifier.score(data.target)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        write_scores(folder / FILES[0], data.classes.names, scores, data.truth)
        classifier.save(folder / FILES[1])
    if data.truth is not None:
        print(f"accuracy, mean over classes: {mean_class_accuracy(data.truth, scores.argmax(axis=1)):.3f}")
    print(f"{config.out / FILES[0]} holds the labels of {len(scores)} rows.")


if __name__ == "__main__":
    main(tyro.cli(Config))
