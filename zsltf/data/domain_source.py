"""Where the images of several domains come from, as a recipe's options."""

from dataclasses import dataclass
from pathlib import Path

from zsltf.checks import fail
from zsltf.data.domain_folders import DomainImages, read_domains
from zsltf.data.images import OnCorrupt
from zsltf.data.toy_domains import drawn_domains

__all__ = ["DomainSource"]


@dataclass(frozen=True, kw_only=True)
class DomainSource:
    """Domains with the same classes."""

    domains: Path | None = None
    """A folder with one folder a domain, each with one folder of photos a class; without it pictures are drawn."""
    on_corrupt: OnCorrupt = "skip"
    """A file that can't be decoded: skip lists it in the report, error stops."""

    def check_apart(self, out: Path) -> None:
        """Refuse to write among the images: the next run would take our pictures for theirs."""
        if self.domains is not None and out.resolve().is_relative_to(self.domains.resolve()):
            fail("out", "a folder outside --domains", str(out), "Choose another output folder.")

    def load(self) -> DomainImages:
        """Read the list of images; see `read_domains`."""
        return drawn_domains() if self.domains is None else read_domains(self.domains)
