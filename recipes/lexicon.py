"""An open lexicon: read words that training never had, by units that it had: strips of handwritten digits.

zsltf run lexicon                                  (the digits that scikit-learn carries, no download)
zsltf run lexicon --digits mnist.npz               (x: N x 28 x 28 pictures, 8-bit, y: their digits)
Expected (scikit-learn's digits, 100 unseen words, chance 0.01, seeds 0 to 4, CPU): 0.93.
"""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from zsltf.data.digit_strips import StripSource
from zsltf.embeds import grey_pixels
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_on_split
from zsltf.files import atomic_file, check_writable
from zsltf.layers.preprocess import Preprocess
from zsltf.reports.zero_shot import print_outcomes
from zsltf.training.folds import class_disjoint_folds
from zsltf.zeroshot.lexicon import Lexicon


@dataclass(frozen=True, kw_only=True)
class Config:
    """Words in training and unseen words are different, and so are the handwritten digits of training and test."""

    strips: tyro.conf.OmitArgPrefixes[StripSource] = field(default_factory=StripSource)
    method: Lexicon = field(default_factory=Lexicon)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Of words, digits and training; the first one's Classifier is written."""
    shuffles: int = 1
    """Refits with the words' spellings dealt to words at random."""
    out: Path = Path("runs/lexicon.keras")
    """The Classifier, from pictures of strips to words; with_classes adds words."""
    overwrite: bool = False
    """Replace that file, if there is one."""


def main(config: Config) -> None:
    """Strips -> classifiers of units -> words."""
    check_writable(config.out, overwrite=config.overwrite, suffix=".keras")
    outcomes = {}
    for seed in config.seeds:
        drawn = config.strips.draw(seed)
        protocol = ZeroShotProtocol(seed=seed, repeats=1, shuffles=config.shuffles)
        folds = list(class_disjoint_folds(drawn.train, drawn.words, num_folds=2, num_repeats=1, seed=seed))
        outcomes[f"seed {seed}"] = run_on_split(config.method, drawn.train, drawn.test, drawn.words, folds, protocol)
    print_outcomes(outcomes)
    with atomic_file(config.out) as staging:
        preprocess = Preprocess(max(drawn.shape), scale=(255.0,) * 3, resize="pad")
        classifier = outcomes[f"seed {config.seeds[0]}"].classifier.after(grey_pixels(*drawn.shape))
        classifier.on_images(preprocess).save(staging)


if __name__ == "__main__":
    main(tyro.cli(Config))
