"""Sort the catalogue's backbones by what their features promise on labelled images, without training.

zsltf rank backbones photos/                            (a folder with one folder of photos a class)
zsltf rank backbones photos/ --per-class 50 --download --csv ranking.csv
zsltf rank backbones photos/ --only efficientnet_lite0 mobilenet_v2 --weights mobilenet_v2=weights.h5

LogME: how well a linear head will do, with a price on features that it doesn't need. H-score: how far classes are apart
for how much images of one class vary; longer features get more. LEEP: how well the pretrained head's own classes tell
the new ones; only weights that bring a head have one. For all of them higher is better, and those of two sets of images
can't be compared. mean_colour, which learned nothing, is the floor.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from zsltf.checks import check_choice, check_not_negative, fail
from zsltf.data.collection import Collection
from zsltf.data.images import OnCorrupt
from zsltf.data.labelled import LabelledSource
from zsltf.evaluation.transferability import backbones_at_hand, rank_backbones
from zsltf.pretrained.choice import BackboneChoice
from zsltf.reports.ranking import check_ranking_file, print_ranked, print_ranking, write_ranking


@dataclass(frozen=True, kw_only=True)
class Config:
    """Backbones whose weights are at hand; the others are named."""

    what: tyro.conf.Positional[Literal["backbones"]]
    """What to rank."""
    data: tyro.conf.Positional[str]
    """A folder with one folder of photos a class; a .csv of path and label; a .npz of x and y; or tfds:NAME."""
    only: tuple[str, ...] = ()
    """Names of backbones; by default the whole catalogue."""
    weights: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=FILE")] = ()
    """Weights files of the user's own for backbones of the catalogue."""
    download: bool = False
    """Fetch published weights that are not on this machine."""
    per_class: int = 0
    """Images of each class at most, spread over its list; 0 takes all."""
    csv: Path | None = None
    """Write the ranking there too."""
    on_corrupt: OnCorrupt = "skip"
    """A file that can't be decoded: skip names it, error stops."""


def main(config: Config) -> None:
    """Images -> features by each backbone -> scores -> a table."""
    check_not_negative("rank", per_class=config.per_class)
    if config.csv is not None:
        check_ranking_file(config.csv)
    builders, left_out = backbones_at_hand(download=config.download)
    known = sorted((*builders, *left_out))
    for given in config.weights:
        name, separator, file = given.partition("=")
        check_choice("--weights", name, known)
        if not separator or not file:
            fail("--weights", "NAME=FILE", given, "Name a backbone of the catalogue and its file.")
        builders[name] = BackboneChoice(backbone=name, weights=file).build
        left_out.pop(name, None)
    for name in config.only:
        check_choice("--only", name, known)
    wanted = config.only or known
    images = some(LabelledSource(data=config.data, on_corrupt=config.on_corrupt).read(), config.per_class).images
    chosen = {name: build for name, build in builders.items() if name in wanted}
    ranking = rank_backbones(
        chosen,
        images,
        left_out={name: reason for name, reason in left_out.items() if name in wanted},
        on_corrupt=config.on_corrupt,
        announce=print_ranked,
    )
    print_ranking(ranking)
    if config.csv is not None:
        write_ranking(config.csv, ranking)


def some(found: Collection, most: int) -> Collection:
    """At most so many images of each class, spread over its list."""
    y = found.images.y
    if not most or y.ndim != 1:
        return found
    rows = [np.flatnonzero(y == label) for label in np.unique(y)]
    kept = [own[np.unique(np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(int))] for own in rows]
    return Collection(images=found.images.select(np.sort(np.concatenate(kept))), classes=found.classes)


if __name__ == "__main__":
    main(tyro.cli(Config))
