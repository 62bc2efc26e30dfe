"""The same classes in several domains: a folder a domain, with one folder a class in each."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from zsltf.checks import check_choice, check_shape, fail
from zsltf.data.images import ImageFolder, Rows, row_numbers

__all__ = ["DomainImages", "read_domains"]


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainImages:
    """Images with the class and the domain of each.

    Raises:
        ValueError: if lengths differ.
    """

    images: ImageFolder
    """Label i is row i of `names`."""
    names: tuple[str, ...]
    """Of the classes, which every domain has."""
    domain: Int[np.ndarray, " N"]
    """Row of `domains`."""
    domains: tuple[str, ...]

    def __post_init__(self) -> None:
        check_shape("DomainImages.domain", self.domain, (len(self.images),), "Give one an image.")

    def __len__(self) -> int:
        return len(self.images)

    def number(self, domain: str) -> int:
        """The row of a domain.

        Raises:
            ValueError: for an unknown one; near misses are suggested.
        """
        check_choice("domain", domain, self.domains)
        return self.domains.index(domain)

    def select(self, which: Rows) -> "DomainImages":
        """The images of these indices or of this mask, in this order."""
        rows = row_numbers(which, len(self))
        return replace(self, images=self.images.select(rows), domain=self.domain[rows])


def read_domains(root: Path) -> DomainImages:
    """Read DOMAIN/CLASS/*.jpg below a folder, as PACS, Office and VLCS are kept; domains and classes are sorted.

    Raises:
        ValueError: if there is one domain or one class only, a domain is empty or lacks a class, or a class has no
            image in a domain.
    """
    domains = _folders(root)
    if len(domains) < 2:
        received = ", ".join(domains) or "none"
        fail(str(root), "a folder for each of two domains or more", received, "Put the classes of each domain in one.")
    classes = {domain: _folders(root / domain) for domain in domains}
    names = _same_classes(root, classes)
    read = [ImageFolder.read(root / domain, names) for domain in domains]
    images = ImageFolder(
        root=root,
        paths=tuple(f"{domain}/{path}" for domain, own in zip(domains, read, strict=True) for path in own.paths),
        y=np.concatenate([own.y for own in read]),
        not_images=tuple(f"{d}/{path}" for d, own in zip(domains, read, strict=True) for path in own.not_images),
    )
    domain = np.repeat(np.arange(len(domains)), [len(own) for own in read])
    return DomainImages(images=images, names=names, domain=domain, domains=tuple(domains))


def _same_classes(root: Path, classes: dict[str, list[str]]) -> tuple[str, ...]:
    empty = [domain for domain, names in classes.items() if not names]
    if empty:
        fail(str(root), "a folder a class in every domain", f"none in {', '.join(empty)}", "Add photos or remove it.")
    every = sorted(set().union(*classes.values()))
    if len(every) < 2:
        fail(str(root), "two classes or more in every domain", every[0], "Add another class.")
    lacking = {domain: [name for name in every if name not in names] for domain, names in classes.items()}
    told = [f"{domain} without {', '.join(names[:5])}" for domain, names in lacking.items() if names]
    if told:
        fail(
            str(root),
            "the same classes in every domain",
            "; ".join(told),
            "Add the folders, or take those classes out.",
        )
    return tuple(every)


def _folders(root: Path) -> list[str]:
    if not root.is_dir():
        fail(str(root), "a folder with one folder a domain", "no folder", "Check the path.")
    return sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
