"""Auto: the methods, settings, preparations and weights that do best on classes held out of the seen ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from zsltf.checks import check_choice, check_positive, fail
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.discovery import names, plugin_type
from zsltf.training.ensemble import choose_ensemble
from zsltf.training.folds import Fold, class_disjoint_folds
from zsltf.training.preparation import Preparation
from zsltf.training.selection import Choice

__all__ = ["Auto"]


@dataclass(frozen=True, kw_only=True)
class Auto:
    """An ensemble of methods in closed form, chosen on class-disjoint folds of the seen classes.

    Source: Caruana, Niculescu-Mizil, Crew & Ksikes, "Ensemble selection from libraries of models", ICML 2004.
    """

    methods: tuple[str, ...] = ("eszsl", "sae", "ridge", "kernel_ridge", "cca")
    """Candidates, each with its own search range and preparations."""
    rounds: int = 10
    """Most additions of a method, >= 1; the shares are multiples of one over the number of additions."""
    seed: int = 0
    """Of the folds, where `fit` has to make them."""

    PREPARATIONS: ClassVar[Sequence[Preparation]] = (Preparation(),)
    SEARCH: ClassVar[Mapping[str, Sequence[Any]]] = {}

    def __post_init__(self) -> None:
        check_positive("Auto", rounds=self.rounds)
        known = [name for name in names("zeroshot") if name != "auto"]
        if not self.methods or len(set(self.methods)) < len(self.methods):
            fail("Auto.methods", "one or more, each once", str(list(self.methods)), "Start from the default.")
        for name in self.methods:
            check_choice("Auto.methods", name, known)
            _check_member(name)

    def fit(self, train: Features, classes: ClassTable) -> Classifier:
        """Choose on folds of the seen classes, and fit what was chosen."""
        train = train.counted()
        chosen = self.choose(list(class_disjoint_folds(train, classes, seed=self.seed)))[0]
        return chosen.method.fit(train, classes)

    def choose(self, folds: Sequence[Fold]) -> list[Choice]:
        """The ensemble that does best on the folds, then its candidates alone, best first.

        Raises:
            ValueError: without folds, or if one has a single class to learn from or to test on.
        """
        fewest = min((int(min(fold.classes.seen.sum(), (~fold.classes.seen).sum())) for fold in folds), default=0)
        if fewest < 2:
            fix = "Mark more classes as seen, or fit one method, such as ESZSL."
            fail("Auto", "folds of at least 2 classes to learn from and 2 to test on", str(fewest), fix)
        return choose_ensemble([plugin_type("zeroshot", name)() for name in self.methods], folds, rounds=self.rounds)


def _check_member(name: str) -> None:
    """Refuse a method whose scores can't be added to those of others on pooled features."""
    method, fix = plugin_type("zeroshot", name), f"Leave it out, or run method:{name.replace('_', '-')} alone."
    for variable, refused, needs in (
        ("FEATURE_MAPS", True, "which looks at feature maps"),
        ("SENTENCES_APART", True, "which looks at sentences apart"),
        ("SUMMABLE", False, "whose score is no sum"),
    ):
        if getattr(method, variable, not refused) is refused:
            fail("Auto.methods", "methods that can be added up on pooled features", f"{name}, {needs}", fix)
