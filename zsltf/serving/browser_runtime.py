"""Other people's files that run a model in a browser: fetched from npm by version and hash, never kept with zsltf."""

import base64
import hashlib
import http.client
import io
import json
import os
import tarfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit

from zsltf.checks import fail
from zsltf.files import atomic_file, cache_directory

__all__ = ["RUNTIMES", "BrowserRuntime", "NpmPackage"]

_REGISTRY = "https://registry.npmjs.org"
_VARIABLE = "npm_config_registry"  # as npm itself takes it
_LARGEST_PACKAGE = 2**27  # bytes
_LARGEST_FILE = 2**25
_STALLED = 60.0  # seconds without a byte


@dataclass(frozen=True, kw_only=True)
class NpmPackage:
    """A published version of a package."""

    name: str
    version: str
    sha512: str
    """Of its archive, in base64: npm's `integrity`."""
    files: Mapping[str, str]
    """What a page needs: path in the package -> name beside the page."""

    @property
    def spec(self) -> str:
        """As npm install takes it."""
        return f"{self.name}@{self.version}"

    def read(self, folder: Path | None = None) -> dict[str, bytes]:
        """The files by their names beside the page.

        Args:
            folder: of npm, called node_modules, where the package is installed; None is zsltf's cache, or else npm's
                registry, which `npm_config_registry` names.

        Raises:
            ValueError: if the package isn't there in this version.
        """
        return self._fetched() if folder is None else self._installed(folder)

    def _installed(self, folder: Path) -> dict[str, bytes]:
        package, fix = folder / self.name, f"Run npm install {self.spec} beside it."
        try:
            version = json.loads((package / "package.json").read_text("utf-8"))["version"]
        except (OSError, ValueError, KeyError, TypeError):
            fail(str(folder), f"a node_modules folder with {self.spec}", "one without it", fix)
        if version != self.version:
            fail(str(package), f"version {self.version}, which was tried", f"{version!r:.40}", fix)
        missing = [path for path in self.files if not (package / path).is_file()]
        if missing:
            fail(str(package), f"the file {missing[0]}", "none", fix)
        return {name: (package / path).read_bytes() for path, name in self.files.items()}

    def _fetched(self) -> dict[str, bytes]:
        path = cache_directory() / "npm" / f"{self.name.replace('/', '-')}-{self.version}.tgz"
        if path.is_file() and self._is_right(content := path.read_bytes()):
            return self._unpacked(content)
        content = self._downloaded()
        with atomic_file(path) as staging:
            staging.write_bytes(content)
        return self._unpacked(content)

    def _downloaded(self) -> bytes:
        registry = (os.environ.get(_VARIABLE) or _REGISTRY).rstrip("/")
        address = f"{registry}/{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"
        if urlsplit(registry).scheme not in ("http", "https"):
            fail(_VARIABLE, "an address that begins with http:// or https://", f"'{registry}'", "Unset it.")
        fix = f"Where npm can be reached, run npm install {self.spec}, and give --runtime-files node_modules."
        try:
            with urllib.request.urlopen(address, timeout=_STALLED) as response:  # noqa: S310 (checked)
                content: bytes = response.read(_LARGEST_PACKAGE + 1)
        except (OSError, http.client.HTTPException) as error:
            fail(self.spec, f"to be fetched from {address}", f"{error}", fix)
        if not self._is_right(content):
            received = f"{len(content)} bytes of another, SHA-512 {_sha512(content)[:16]}"
            fail(address, f"the archive with SHA-512 {self.sha512[:16]}", received, fix)
        return content

    def _is_right(self, content: bytes) -> bool:
        return _sha512(content) == self.sha512

    def _unpacked(self, content: bytes) -> dict[str, bytes]:
        """Only these members, by their exact names."""
        found = {}
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|gz") as archive:
            for member in archive:
                name = self.files.get(member.name.removeprefix("package/"))
                if name is None or not member.isreg() or member.size > _LARGEST_FILE:
                    continue
                part = archive.extractfile(member)
                found[name] = part.read() if part else b""
        if len(found) < len(self.files):
            missing = min(set(self.files.values()) - set(found))
            fail(self.spec, f"a package with {missing}", "one without it", "Report it: this version was tried.")
        return found


@dataclass(frozen=True, kw_only=True)
class BrowserRuntime:
    """Packages that together run a model, whose files lie in one folder."""

    packages: tuple[NpmPackage, ...]
    module: str
    """Name of the file that the page imports; it finds the others beside it."""
    licences: Mapping[str, tuple[str, str]]
    """Name of a text beside the files -> the Python package of the same project, and the end of its path in there."""

    def read(self, folder: Path | None = None) -> dict[str, bytes]:
        """Every file and licence by its name beside the page; see `NpmPackage.read`."""
        files = {name: content for package in self.packages for name, content in package.read(folder).items()}
        return files | {name: _text_of(*where) for name, where in self.licences.items()}


def _text_of(package: str, ending: str) -> bytes:
    """A file of an installed Python package."""
    try:
        paths = [path for path in distribution(package).files or () if path.as_posix().endswith(ending)]
    except PackageNotFoundError:
        paths = []
    if not paths:
        fail(ending, f"in the Python package {package}", "none", f"Run pip install {package}: the page needs it.")
    return Path(str(paths[0].locate())).read_bytes()


def _sha512(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode("ascii")


_ORT = "ort-wasm-simd-threaded"
_LITERT = ("litert_wasm_internal", "litert_wasm_compat_internal")  # with relaxed SIMD, and without

RUNTIMES = {
    "onnxruntime-web": BrowserRuntime(
        packages=(
            NpmPackage(
                name="onnxruntime-web",
                version="1.30.0",
                sha512="q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
                files={f"dist/{name}": name for name in ("ort.wasm.min.mjs", f"{_ORT}.mjs", f"{_ORT}.wasm")},
            ),
        ),
        module="ort.wasm.min.mjs",
        licences={
            "LICENSE.onnxruntime-web.txt": ("onnxruntime", "onnxruntime/LICENSE"),
            "ThirdPartyNotices.onnxruntime-web.txt": ("onnxruntime", "onnxruntime/ThirdPartyNotices.txt"),
        },
    ),
    "litert": BrowserRuntime(
        packages=(
            NpmPackage(
                name="@litertjs/core",
                version="2.5.2",
                sha512="2O4p5Me8B3KbW9EPU9Xe6iKl2jZ5nZeGxRBvhm5x42Wj7qb3xk2CjibPLA0eSyt2HuELu2hCIZ+7gHZM5cipcw==",
                files={"dist/index.js": "litert.js"}
                | {f"wasm/{name}.{kind}": f"{name}.{kind}" for name in _LITERT for kind in ("js", "wasm")},
            ),
            NpmPackage(
                name="@litertjs/wasm-utils",
                version="2.5.3",
                sha512="4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
                files={"dist/index.js": "wasm-utils.js"},
            ),
        ),
        module="litert.js",
        licences={"LICENSE.litert.txt": ("ai-edge-litert", "licenses/LICENSE")},
    ),
}
"""By name; the versions are those that were tried."""
