"""A labelled source and a target: where an adaptation recipe's images come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from zsltf.checks import check_choice, fail
from zsltf.data.classes import ClassTable
from zsltf.data.collection import Collection, named_classes
from zsltf.data.domain_folders import DomainImages, read_domains
from zsltf.data.images import Images
from zsltf.data.labelled import LabelledSource
from zsltf.data.toy_domains import drawn_domains
from zsltf.data.toy_sizes import drawn_sizes

__all__ = ["DomainPair", "PairSource"]

_DRAWN = {"styles": drawn_domains, "sizes": drawn_sizes}


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainPair:
    """Images of the same classes in two domains, under one table."""

    source: Images
    target: Images
    """Whose labels are for the test alone."""
    classes: ClassTable
    names: tuple[str, str]
    """Of the two domains."""
    left_out: tuple[str, ...] = ()
    """Classes that only one of them has."""


@dataclass(frozen=True, kw_only=True)
class PairSource:
    """Two sources of labelled images, or two domains of a folder DOMAIN/CLASS/*.jpg."""

    domains: Path | None = None
    """A folder with one folder a domain, each with one folder a class; without it, and without --source and --target
    being images themselves, pictures are drawn."""
    source: str = "plain"
    """A domain of that folder; or a folder of classes, a .csv, a .npz or tfds:NAME."""
    target: str = "coarse"
    """Likewise. Its labels are for the test alone."""
    drawn: Literal["styles", "sizes"] = "styles"
    """Pictures that are drawn: in the styles coarse, noisy, pale and plain; or with shapes that are mostly_small or
    large."""
    shared_classes: bool = False
    """Go on with the classes that both domains have, where one has others too (partial and open-set adaptation)."""

    def check_apart(self, out: Path) -> None:
        """Refuse to write among the images."""
        for given in (self.domains, Path(self.source), Path(self.target)):
            if given is not None and given.is_dir() and out.resolve().is_relative_to(given.resolve()):
                fail("out", f"a folder outside {given}", str(out), "Choose another output folder.")

    def load(self) -> DomainPair:
        """Read both.

        Raises:
            ValueError: if source and target are one, or have different classes, which are named.
        """
        if self.source == self.target:
            fail("--target", "another domain than --source", self.target, "Choose two.")
        if self._are_images():
            read = [LabelledSource(data=given).read() for given in (self.source, self.target)]
            return _pair(read[0], read[1], self._short_names(), shared=self.shared_classes)
        images = _DRAWN[self.drawn]() if self.domains is None else read_domains(self.domains)
        for given in (self.source, self.target):
            check_choice("domain", given, images.domains)
        read = [_domain(images, given) for given in (self.source, self.target)]
        return _pair(read[0], read[1], (self.source, self.target), shared=self.shared_classes)

    def _short_names(self) -> tuple[str, str]:
        """Without the folders above, where that tells them apart."""
        source, target = Path(self.source).name, Path(self.target).name
        return (source, target) if source and target and source != target else (self.source, self.target)

    def _are_images(self) -> bool:
        return self.domains is None and any(
            given.startswith("tfds:") or Path(given).expanduser().exists() for given in (self.source, self.target)
        )


def _domain(images: DomainImages, name: str) -> Collection:
    own = images.select(images.domain == images.number(name))
    return Collection(images=own.images, classes=named_classes(images.names))


def _pair(source: Collection, target: Collection, names: tuple[str, str], *, shared: bool) -> DomainPair:
    present = [{c.classes.names[label] for label in np.unique(c.images.y)} for c in (source, target)]
    both = [name for name in source.classes.names if name in present[0] & present[1]]
    apart = sorted(present[0] ^ present[1])
    if apart and not shared:
        where = "; ".join(
            f"only in {domain}: {', '.join(sorted(own - other)[:5])}"
            for domain, own, other in zip(names, present, reversed(present), strict=True)
            if own - other
        )
        fail("domains", "the same classes in both", where, "Add --shared-classes to go on with those in both.")
    if len(both) < 2:
        fail("domains", "two classes or more that both have", ", ".join(both) or "none", "Check the names.")
    table = source.classes.select([source.classes.names.index(name) for name in both])
    images = [_relabelled(collection, both) for collection in (source, target)]
    return DomainPair(source=images[0], target=images[1], classes=table, names=names, left_out=tuple(apart))


def _relabelled(collection: Collection, names: list[str]) -> Images:
    rows = np.array([names.index(n) if n in names else -1 for n in collection.classes.names])[collection.images.y]
    return collection.images.select(rows >= 0).with_y(rows[rows >= 0])
