"""A new domain and classes that are held out of the others: the tasks of the chain from zero to few shots."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_positive, check_share, fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import named_classes
from zsltf.data.domain_folders import DomainImages, read_domains
from zsltf.data.text_semantics import TextSemantics
from zsltf.data.toy_domains import drawn_domains, toy_domain_classes
from zsltf.protocols import TextEncoder

__all__ = ["ChainProtocol", "DomainTask", "domain_tasks", "read_task"]


@dataclass(frozen=True, kw_only=True)
class ChainProtocol:
    """Every domain in turn is new, and so are some classes, several times over, each under several seeds."""

    shots: tuple[int, ...] = (0, 1, 5, 20)
    """Photos of each class in the new domain."""
    held_out: int = 2
    """Classes without an image in the source domains, >= 1."""
    draws: int = 3
    """Of these classes, a domain, >= 1."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of training, validation images and photos."""
    validation: float = 0.2
    """Share of the source images that training is watched on, in [0, 1)."""
    rehearsals: int = 1
    """Trainings a domain and draw, >= 1, that choose how far photos are trusted on trained features: a source domain
    plays the new one, and some of the other classes those that are held out."""

    def __post_init__(self) -> None:
        check_positive("ChainProtocol", held_out=self.held_out, draws=self.draws, rehearsals=self.rehearsals)
        check_share("ChainProtocol", validation=self.validation)
        if not self.seeds or min(self.seeds) < 0:
            fail("ChainProtocol.seeds", "one or more, each >= 0", str(self.seeds), "Start from the default.")
        if min(self.shots, default=-1) < 0 or not any(self.shots):
            fail("ChainProtocol.shots", "numbers >= 0, not all 0", str(self.shots), "Start from the default.")

    def check(self, images: DomainImages) -> None:
        """Refuse images that don't do, before slow work.

        Raises:
            ValueError: if there are fewer than three domains, too few classes, or too few photos of one.
        """
        if len(images.domains) < 3:
            received = ", ".join(images.domains)
            fail("domains", "three or more: one is new, one is left out to choose settings", received, "Add one.")
        if len(images.names) < self.held_out + 4:
            received = f"{len(images.names)} classes"
            fail("held_out", "four classes more than are held out", received, "Hold out fewer, or add classes.")
        for number, name in itertools.product(range(len(images.domains)), images.names):
            own = int(((images.domain == number) & (images.images.y == images.names.index(name))).sum())
            if own <= max(self.shots):
                where = f"{name} in {images.domains[number]}"
                fail("shots", f"fewer than the {own} photos of {where}", str(max(self.shots)), "Take fewer.")


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainTask:
    """A new domain and the classes that are held out."""

    classes: ClassTable
    source: Int[np.ndarray, " S"]
    """Rows of seen classes in the other domains."""
    target: Int[np.ndarray, " T"]
    """Rows of the new domain."""
    told: dict[str, Any]


def domain_tasks(images: DomainImages, classes: ClassTable, protocol: ChainProtocol) -> Iterator[DomainTask]:
    """The same draws of classes for each domain."""
    groups = list(itertools.combinations(range(len(classes)), protocol.held_out))
    drawn = np.random.default_rng(0).permutation(len(groups))[: protocol.draws]
    for number, group in itertools.product(range(len(images.domains)), drawn):
        table = classes.with_seen(~np.isin(np.arange(len(classes)), groups[group]))
        new = images.domain == number
        yield DomainTask(
            classes=table,
            source=np.flatnonzero(~new & table.seen[images.images.y]),
            target=np.flatnonzero(new),
            told={"domain": images.domains[number], "held_out": [classes.names[label] for label in groups[group]]},
        )


def read_task(folder: Path | None, encoder: TextEncoder | None, text: TextSemantics) -> tuple[DomainImages, ClassTable]:
    """A user's domains with text vectors of the class names, or drawn ones with attributes.

    Raises:
        ValueError: if one comes without the other.
    """
    if folder is None or encoder is None:
        if folder is not None or encoder is not None:
            received = "images alone" if encoder is None else "an encoder alone"
            fail(
                "zero_to_few_shot",
                "--images and an encoder, or neither",
                received,
                "Add encoder:onnx-text or --images.",
            )
        return drawn_domains(), toy_domain_classes()
    images = read_domains(folder)
    table = named_classes(images.names)
    return images, text.suited(encoder).table(table, encoder.encode)
