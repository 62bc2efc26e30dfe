"""The folder beside a run's that holds its checkpoints while it trains."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from zsltf.checks import fail
from zsltf.training.checkpoints import Checkpoints

__all__ = ["checkpoint_folder"]


@contextmanager
def checkpoint_folder(out: Path, *, resume: bool = False, overwrite: bool = False) -> Iterator[Path]:
    """Yield `OUT.training`, which vanishes on success; after a failure it stays, and standard error says so.

    Args:
        out: the run folder that will be written.
        resume: go on with what an earlier training left there.
        overwrite: delete what an earlier training left there.

    Raises:
        ValueError: if there is an unfinished training, but neither is asked for; or files of another kind.
    """
    folder = out.resolve().with_name(f"{out.resolve().name}.training")
    if folder.exists():
        _check_ours(folder)
        if not (resume or overwrite):
            fix = "Pass --resume to go on with it, --overwrite to start afresh, or choose another --out."
            fail(str(folder), "no unfinished training", "one", fix)
        if not resume:
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except BaseException:
        if Checkpoints(folder).found:
            line = f"{folder} holds the training up to its last whole epoch; --resume goes on from there."
            Console(stderr=True, soft_wrap=True).print(line, markup=False, highlight=False)
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _check_ours(folder: Path) -> None:
    if not folder.is_dir():
        fail(str(folder), "a folder of checkpoints, or nothing", "a file", "Move it, or choose another --out.")
    foreign = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".npz"]
    names = [str(path.relative_to(folder)) for path in foreign if path.name != "history.csv"]
    if names:
        received = f"also {', '.join(sorted(names)[:5])}"
        fail(str(folder), "checkpoints only", received, "Move the others, or choose another --out.")
