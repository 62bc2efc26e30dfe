"""Photos in, a linear classifier on frozen features out, cross-validated: the first thing to try.

zsltf run linear_probe                     (drawn pictures, no download)
zsltf run linear_probe --data photos/      (a folder with one folder of photos a class)
Expected (drawn pictures, 6 shapes, 5 folds, split seed 0, CPU): mean accuracy 0.997, chance 0.17.
"""

from dataclasses import dataclass, field

import tyro
from rich.console import Console

from zsltf.data.labelled import LabelledSource
from zsltf.data.leakage import duplicate_groups
from zsltf.data.splits import k_folds
from zsltf.evaluation.cross_validation import CrossValidation, cross_validate
from zsltf.pretrained.choice import BackboneChoice
from zsltf.pretrained.extract import extract_features
from zsltf.transfer.linear_probe import LinearProbe


@dataclass(frozen=True, kw_only=True)
class Config:
    """K-fold cross-validation of logistic regression on a backbone's features."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=lambda: LabelledSource(folds=5))
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: LinearProbe = field(default_factory=LinearProbe)
    search: bool = True
    """Choose the penalty and the normalisation on inner folds."""


def main(config: Config) -> CrossValidation:
    """Images -> features -> folds -> accuracy."""
    found = config.images.read()
    features = extract_features(config.network.build(), found.images, on_corrupt=config.images.on_corrupt).features
    group = duplicate_groups(found.images) if config.images.group_duplicates else found.group
    folds = k_folds(
        features.y, found.classes.names, num_folds=config.images.folds, seed=config.images.split_seed, group=group
    )
    outcome = cross_validate(config.method, features, found.classes, folds, search=config.search)
    each = ", ".join(f"{accuracy:.3f}" for accuracy in outcome.accuracies)
    told = outcome.summary()
    line = f"mean accuracy over classes {told['mean']:.3f}, sd {told['sd']:.3f} over folds ({each})"
    Console(soft_wrap=True).print(line)
    return outcome


if __name__ == "__main__":
    main(tyro.cli(Config))
