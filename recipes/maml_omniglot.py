"""MAML and its kin on Omniglot: a few gradient steps on one or five drawings of characters that training never had.

zsltf run maml_omniglot --data omniglot/                    (images_background_small1.zip and small2.zip)
zsltf run maml_omniglot --data omniglot/ method:reptile
Expected (seed 0, two cores, 8 minutes of processor time): 5-way 1-shot 0.83, 5-way 5-shot 0.86, 20-way 1-shot 0.66.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from zsltf.data.omniglot import OmniglotSource
from zsltf.discovery import one_of
from zsltf.evaluation.omniglot import OmniglotNetwork, OmniglotTest, run_omniglot
from zsltf.fewshot.maml import MAML
from zsltf.files import atomic_file, check_writable
from zsltf.protocols import FewShotMethod
from zsltf.reports.omniglot import print_omniglot
from zsltf.training.episodic import EpisodicTraining
from zsltf.training.seeds import seed_everything, with_seed

STRIDES = OmniglotNetwork(downsampling="stride")
TRAINING = EpisodicTraining(
    steps=4000, episodes=4, ways=5, shots=1, queries=5, learning_rate=3e-3, halve_every=1500, validate_every=200
)
METHOD = MAML(step_size=0.02, head_factor=100.0, training=TRAINING)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Learn on episodes of some alphabets, and meet others."""

    source: tyro.conf.OmitArgPrefixes[OmniglotSource]
    network: tyro.conf.OmitArgPrefixes[OmniglotNetwork] = STRIDES
    method: Annotated[FewShotMethod, one_of("fewshot")] = METHOD
    test: OmniglotTest = field(default_factory=OmniglotTest)
    seed: int = 0
    """Of the network's first weights and of the training."""
    out: Path = Path("runs/maml_omniglot.keras")
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
