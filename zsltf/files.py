"""Atomic writes, locks and hashes: a reader sees a whole file or none."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zsltf.checks import fail

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "atomic_directory",
    "atomic_file",
    "cache_directory",
    "check_writable",
    "is_leftover",
    "locked",
    "mend",
    "sha256",
    "visible_files",
]


def cache_directory() -> Path:
    """Where features, drawn pictures and weights are kept: `ZSLTF_CACHE`, else `~/.cache/zsltf`."""
    return Path(os.environ.get("ZSLTF_CACHE") or Path.home() / ".cache" / "zsltf")


def visible_files(folder: Path) -> list[Path]:
    """Every file below, but none that is hidden or in a hidden folder, such as .ipynb_checkpoints."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(path: Path, *, overwrite: bool = False, ours: Sequence[str] = (), suffix: str = "") -> None:
    """A new file or folder can be written at `path`: called before slow work starts; it leaves no trace.

    Args:
        path: what is to be written.
        overwrite: whether something may be there already.
        ours: names in a folder that may be overwritten: the first must be there, and none but these.
        suffix: of a file; by default its name doesn't matter, or it is a folder.
    """
    if suffix and path.suffix != suffix:
        fail(str(path), f"the name of a {suffix} file", "another", f"Call it {path.name}{suffix}.")
    if suffix and path.is_dir():
        fail(str(path), "the path of a file", "a folder", "Choose another path.")
    if path.exists() and not overwrite:
        fail(str(path), "a path where nothing is yet", "an existing one", "Choose another path, or pass --overwrite.")
    if ours and path.exists():
        _check_ours(path, ours)
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fail(str(folder), "a folder that can be written", str(error.strerror), "Choose another output folder.")


def _check_ours(path: Path, ours: Sequence[str]) -> None:
    if not (path / ours[0]).is_file():
        fail(str(path), f"a folder with {ours[0]} to overwrite", "something else", "Choose another path.")
    foreign = sorted({entry.name for entry in path.iterdir() if not is_leftover(entry.name)} - set(ours))
    if foreign:
        received = f"also {', '.join(foreign[:5])}"
        fail(str(path), "a folder with zsltf's own files to overwrite", received, "Move them, or choose another path.")


@contextmanager
def atomic_directory(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that becomes `path` on success and vanishes on failure."""
    check_writable(path, overwrite=overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
    staging.mkdir()
    try:
        with _advice_on_a_full_disk(path):
            yield staging
        if overwrite and path.exists():
            _replace(staging, path)
        else:
            _publish(staging, path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def atomic_file(path: Path, *, overwrite: bool = True, follow: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path` that becomes `path` on success and vanishes on failure.

    Args:
        path: what is to be written; a file that is there keeps its permissions.
        overwrite: whether something may be there already.
        follow: whether a link stays, and the file that it leads to is written.
    """
    check_writable(path, overwrite=overwrite)
    path = path.resolve() if follow else path
    if path.exists() and not path.is_file():
        fail(str(path), "a file to overwrite", "a folder or a device", "Choose another path.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=".partial", dir=path.parent) as staging:
        with _advice_on_a_full_disk(path):
            yield Path(staging) / path.name
        if path.exists():
            shutil.copymode(path, Path(staging) / path.name)
        (Path(staging) / path.name).replace(path)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time: others wait; a process that dies lets go. Windows has no such lock."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def is_leftover(name: str) -> bool:
    """Whether a file or folder is what a write in progress, or one that was killed, has put there."""
    return name.startswith(".") and name.endswith((".partial", ".old"))


def mend(path: Path) -> None:
    """Finish what killed writes of `path` have left: put back what they had moved aside, and delete the rest.

    To be called where nobody else writes it: see `locked`.
    """
    token = re.compile(rf"\.{re.escape(path.name)}\.[^.]+\.(partial|old)")
    left = [entry for entry in path.parent.iterdir() if token.fullmatch(entry.name)]
    for entry in left:
        if not path.exists() and (entry / path.name).exists() and entry.name.endswith(".old"):
            (entry / path.name).rename(path)
    for entry in left:
        shutil.rmtree(entry, ignore_errors=True)


@contextmanager
def _advice_on_a_full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename:
            raise
        advice = "No space left on device. Make room or choose another folder; nothing half-written is left"
        raise OSError(errno.ENOSPC, advice, str(path)) from error


def _publish(new: Path, path: Path) -> None:
    """Rename `new` to `path`, where nothing may have appeared meanwhile."""
    try:
        new.rename(path)
    except OSError as error:
        if not path.exists():
            raise
        appeared = f"one that appeared meanwhile ({error.strerror})"
        fail(str(path), "a path where nothing is yet", appeared, "Choose another path.")


def _replace(new: Path, path: Path) -> None:
    """Rename `new` to `path`; what stood there is moved aside first and deleted last."""
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent)) / path.name
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        old.parent.rmdir()
        raise
    shutil.rmtree(old.parent)
