"""The folder is the registry: a plug-in is a file, and listing the folder lists the plug-ins."""

import ast
import importlib
from pathlib import Path
from types import ModuleType

from zsltf.checks import check_choice

__all__ = ["FAMILIES", "constructors", "names", "plugin", "summary"]

FAMILIES = ("backbones", "zeroshot", "fewshot", "transfer", "exporters")
"""What `zsltf ls` lists."""


def names(family: str) -> tuple[str, ...]:
    """The plug-ins of a folder such as "zeroshot", sorted, without importing one."""
    return tuple(sorted(path.stem for path in _folder(family).glob("*.py") if not path.stem.startswith("_")))


def summary(family: str, name: str) -> str:
    """The first line of a plug-in's docstring, read without importing it."""
    return (ast.get_docstring(_parse(family, name)) or "").partition("\n")[0]


def constructors(family: str) -> dict[str, str]:
    """Public name -> file of every name in the `__all__` of a folder's files, without importing one."""
    return {public: name for name in names(family) for public in _public(family, name)}


def plugin(family: str, name: str) -> ModuleType:
    """Import one plug-in.

    Raises:
        ValueError: if the folder holds no such file; near misses are suggested.
    """
    check_choice(family, name, names(family))
    return importlib.import_module(f"zsltf.{family}.{name}")


def _folder(family: str) -> Path:
    return Path(__file__).parent / family


def _parse(family: str, name: str) -> ast.Module:
    return ast.parse((_folder(family) / f"{name}.py").read_text("utf-8"))


def _public(family: str, name: str) -> list[str]:
    for statement in _parse(family, name).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return list(ast.literal_eval(statement.value))
    return []
