"""Prototypical networks on Omniglot: characters of alphabets that training never had, from one or five drawings.

zsltf run protonet_omniglot --data omniglot/                    (images_background_small1.zip and small2.zip)
zsltf run protonet_omniglot --data omniglot/ method:matching-network
Expected (seed 0, two cores, 12 minutes of processor time): 5-way 1-shot 0.95, 5-way 5-shot 0.98, 20-way 1-shot 0.85.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.data.omniglot import OmniglotSource
from zsltf.discovery import one_of
from zsltf.evaluation.omniglot import OmniglotNetwork, OmniglotTest, run_omniglot
from zsltf.fewshot.prototypical_network import PrototypicalNetwork
from zsltf.files import atomic_file, check_writable
from zsltf.protocols import FewShotMethod
from zsltf.reports.omniglot import print_omniglot
from zsltf.training.episodic import EpisodicTraining
from zsltf.training.seeds import seed_everything, with_seed

TRAINING = EpisodicTraining(steps=3000, episodes=1, ways=20, shots=1, queries=5, halve_every=2000)
METHOD = PrototypicalNetwork(training=TRAINING)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Learn on episodes of some alphabets, and meet others."""

    source: tyro.conf.OmitArgPrefixes[OmniglotSource]
    network: tyro.conf.OmitArgPrefixes[OmniglotNetwork] = field(default_factory=OmniglotNetwork)
    method: Annotated[FewShotMethod, one_of("fewshot")] = METHOD
    test: OmniglotTest = field(default_factory=OmniglotTest)
    seed: int = 0
    """Of the network's first weights and of the training."""
    out: Path = Path("runs/protonet_omniglot.keras")
    """The Classifier, from pictures to the characters of the new alphabets, by five drawings of each."""
    overwrite: bool = False
    """Replace that file, if there is one."""


def main(config: Config) -> None:
    """Drawings -> episodes -> a table and a Classifier."""
    check_writable(config.out, overwrite=config.overwrite, suffix=".keras")
    seed_everything(config.seed)
    images, backbone = config.source.load(), config.network.build()
    outcome = run_omniglot(with_seed(config.method, config.seed), images, backbone, config.test)
    print_omniglot(outcome)
    with atomic_file(config.out) as staging:
        outcome.reader(images, backbone).save(staging)


if __name__ == "__main__":
    main(tyro.cli(Config))
