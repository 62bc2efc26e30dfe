"""Published weights: found in a cache, on a mirror or at the publisher's, and the same file ever after."""

import hashlib
import http.client
import json
import os
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from rich.console import Console
from rich.progress import DownloadColumn, Progress

from zsltf.checks import fail
from zsltf.files import atomic_file, cache_directory, sha256

__all__ = ["PublishedWeights"]

_MIRROR = "ZSLTF_WEIGHTS_MIRROR"
_STALLED = 30.0  # seconds without a byte
_LONGEST = 3600.0  # seconds for a whole file


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """A weights file on its publisher's server.

    It is looked for in zsltf's cache folder, in Keras' own, on the mirror that ZSLTF_WEIGHTS_MIRROR names (the http,
    https or file address of a folder) and at the publisher's. What was loaded once is on record, and nothing else is
    accepted under its name afterwards.
    """

    url: str
    """Where it is: http, https or file."""
    md5: str
    """The publisher's checksum, MD5 or SHA-256 in hexadecimal; "" where there is none."""
    licence: str
    """As the publisher states it."""

    @property
    def path(self) -> Path:
        """Where zsltf keeps it."""
        return cache_directory() / "weights" / Path(urlsplit(self.url).path).name

    @property
    def at_hand(self) -> bool:
        """Whether this machine has a copy: in a cache folder, or on a mirror that is a folder."""
        mirror = urlsplit(os.environ.get(_MIRROR, ""))
        places = [self.path, _keras_home() / "models" / self.path.name]
        if mirror.scheme == "file":
            places.append(Path(url2pathname(mirror.path)) / self.path.name)
        return any(place.is_file() for place in places)

    @property
    def record(self) -> Path:
        """Beside it: the SHA-256 of the file that was loaded first."""
        return self.path.with_name(f"{self.path.name}.json")

    def fetch(self) -> Path:
        """The cached file, downloaded at first use, and checked.

        Raises:
            ValueError: if a file is not the one on record, or there is none and none can be downloaded: the message
                says which file to put where.
        """
        addresses, refused = self._addresses(), list[str]()
        path = self._cached(refused) or self._downloaded(addresses, refused)
        if path is None:
            checksum = f" ({self._kind} {self.md5})" if self.md5 else ""
            fail(
                "weights 'imagenet'",
                f"{self.url} or its copy at {self.path}",
                f"neither ({'; '.join(refused)})",
                f"Put the file{checksum} there, name a folder that serves it in {_MIRROR}, give a local file with "
                "--weights FILE, start from --weights random, or take --backbone efficientnet_lite0, whose weights come"
                " with pip.",
            )
        return path

    def remember(self, path: Path) -> None:
        """Put the file that was loaded on record, unless there is one."""
        if not self.record.is_file():
            with atomic_file(self.record) as partial:
                partial.write_text(json.dumps({"url": self.url, "sha256": sha256(path)}), "utf-8")

    def _addresses(self) -> list[str]:
        mirror = os.environ.get(_MIRROR, "").rstrip("/")
        addresses = {_MIRROR: f"{mirror}/{self.path.name}"} if mirror else {}
        addresses["url"] = self.url
        for name, address in addresses.items():
            if urlsplit(address).scheme not in ("http", "https", "file"):
                fail(name, "an address that begins with http://, https:// or file://", f"'{address}'", "Write it out.")
        return list(addresses.values())

    def _cached(self, refused: list[str]) -> Path | None:
        for path in (self.path, _keras_home() / "models" / self.path.name):
            if path.is_file():
                self._check_record(path, str(path), f"Delete {path} to fetch it again")
                if not (wrong := self._wrong(path)):
                    return path
                refused.append(f"{path}: {wrong}")
        return None

    def _downloaded(self, addresses: Sequence[str], refused: list[str]) -> Path | None:
        for address in addresses:
            try:
                with atomic_file(self.path) as partial:
                    _download(address, partial)
                    if wrong := self._wrong(partial):
                        raise OSError(wrong)
                    self._check_record(partial, address, "Put the file of the first load back")
            except (OSError, http.client.HTTPException) as error:
                refused.append(f"{address}: {error}")
            else:
                return self.path
        return None

    def _check_record(self, path: Path, what: str, fix: str) -> None:
        if not self.record.is_file():
            return
        try:
            recorded = str(json.loads(self.record.read_text("utf-8"))["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            fail(str(self.record), "the record of a weights file", f"a damaged one ({error})", "Delete it.")
        if (received := sha256(path)) != recorded:
            fix = f"{fix}, or delete {self.record} too if the new file is the right one."
            fail(f"{what}, SHA-256", f"{recorded} as at its first load", received, fix)

    def _wrong(self, path: Path) -> str:
        """What the publisher's checksum says against the file."""
        if not self.md5:
            return ""
        with path.open("rb") as file:
            received = hashlib.file_digest(file, self._kind).hexdigest()
        return "" if received == self.md5.lower() else f"expected {self._kind} {self.md5}, received {received}"

    @property
    def _kind(self) -> str:
        return "md5" if len(self.md5) == 32 else "sha256"


def _keras_home() -> Path:
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")  # Keras' rule, which it keeps to itself


def _download(address: str, path: Path) -> None:
    """Receive a file, as long as it was announced to be.

    Raises:
        OSError: if the server does not answer, stops halfway or takes too long.
    """
    deadline = time.monotonic() + _LONGEST
    bar = Progress(*Progress.get_default_columns(), DownloadColumn(), console=Console(stderr=True), transient=True)
    with bar, path.open("wb") as file, urllib.request.urlopen(address, timeout=_STALLED) as response:  # noqa: S310 (checked)
        announced = response.headers.get("Content-Length")
        task = bar.add_task(path.name, total=announced and int(announced))
        while received := response.read1(2**20):
            file.write(received)
            bar.update(task, completed=file.tell())
            if time.monotonic() > deadline:
                raise TimeoutError(f"{file.tell()} bytes in {_LONGEST:.0f} s")
    if announced and path.stat().st_size != int(announced):
        raise OSError(f"{path.stat().st_size} of {announced} bytes came")
