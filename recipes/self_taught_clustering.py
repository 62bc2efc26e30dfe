"""Self-taught clustering: images of a few classes, with the help of others, beside k-means on the same features.

zsltf run self_taught_clustering                                                   (drawn pictures, no download)
zsltf run self_taught_clustering --data photos/ --unlabelled any_images/ method:deep-clustering encoder:vicreg
Expected (drawn pictures, 8 classes, 24 auxiliary ones, seeds 0 to 4, CPU), ACC: co-clusters 0.78, k-means 0.77.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.clustering.co_clustering import CoClustering
from zsltf.data.labelled import LabelledSource
from zsltf.data.unlabelled_images import UnlabelledSource
from zsltf.discovery import one_of
from zsltf.evaluation.clustering import ClusteringProtocol, clustering_task, run_clustering
from zsltf.files import atomic_directory, check_writable
from zsltf.pretrained.choice import BackboneChoice
from zsltf.protocols import ClusteringMethod
from zsltf.reports.clustering import CLUSTERING_FILES, print_clustering, print_clustering_row, write_clustering
from zsltf.runs import settings
from zsltf.training.seeds import seed_everything

COMBINATIONS = LabelledSource(drawn="combinations")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Labels are for the test alone."""

    images: tyro.conf.OmitArgPrefixes[LabelledSource] = field(default_factory=lambda: COMBINATIONS)
    others: tyro.conf.OmitArgPrefixes[UnlabelledSource] = field(default_factory=UnlabelledSource)
    network: tyro.conf.OmitArgPrefixes[BackboneChoice] = field(default_factory=BackboneChoice)
    method: Annotated[ClusteringMethod, one_of("clustering")] = field(default_factory=CoClustering)
    protocol: tyro.conf.OmitArgPrefixes[ClusteringProtocol] = field(default_factory=ClusteringProtocol)
    out: Path = Path("runs/self_taught_clustering")
    """A folder to write: report.json and report.html."""
    overwrite: bool = False


def main(config: Config) -> None:
    """Images -> features -> clusters -> one table."""
    check_writable(config.out, overwrite=config.overwrite, ours=CLUSTERING_FILES)
    config.images.check_apart(config.out)
    config.others.check_apart(config.out)
    collection, others, corrupt = config.images.read(), config.others.load(), config.images.on_corrupt
    seed_everything(config.protocol.seeds[0])
    task = clustering_task(collection, others, config.network.build(), config.protocol, on_corrupt=corrupt)
    methods = {type(config.method).__name__: config.method}
    rows = run_clustering(methods, task[0], task[1], config.protocol, announce=print_clustering_row)
    with atomic_directory(config.out, overwrite=config.overwrite) as folder:
        report = write_clustering(folder, rows, task, collection.images, settings(config))
    print_clustering(report, config.out / "report.html")


if __name__ == "__main__":
    main(tyro.cli(Config))
