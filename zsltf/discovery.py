"""The folder is the registry: a plug-in is a file, and listing the folder lists the plug-ins."""

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Union

from zsltf.checks import check_choice

__all__ = ["FAMILIES", "assigned", "constructors", "names", "one_of", "plugin", "plugin_type", "public", "summary"]

FAMILIES = (
    "backbones",
    "text_encoders",
    "heads",
    "zeroshot",
    "fewshot",
    "transfer",
    "adaptation",
    "generalization",
    "instance",
    "selftaught",
    "clustering",
    "exporters",
)
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


def assigned(family: str, name: str, variable: str) -> ast.expr | None:
    """The expression that a plug-in's file assigns to a variable, read without importing it."""
    for statement in _parse(family, name).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == variable:
            return statement.value
    return None


def plugin(family: str, name: str) -> ModuleType:
    """Import one plug-in.

    Raises:
        ValueError: if the folder holds no such file; near misses are suggested.
    """
    check_choice(family, name, names(family))
    return importlib.import_module(f"zsltf.{family}.{name}")


def public(family: str, constructor: str) -> Any:
    """A public name of a family's files, such as the backbone "vgg16", whose file is vgg.py.

    Raises:
        ValueError: if no file has it; near misses are suggested.
    """
    known = constructors(family)
    check_choice(family, constructor, known)
    return getattr(plugin(family, known[constructor]), constructor)


def plugin_type(family: str, name: str) -> Any:
    """The class of a one-class plug-in: the first public name of its file."""
    module = plugin(family, name)
    return getattr(module, module.__all__[0])


def one_of(family: str, field: str = "method", *, optional: bool = False) -> Any:
    """For a Config's field: any plug-in of a family, as tyro's subcommands `FIELD:NAME`, however deep the field is.

    Args:
        family: a folder such as "zeroshot".
        field: of the Config.
        optional: whether it may be left out; its default is None then.
    """
    from tyro import conf

    marked = [
        Annotated[plugin_type(family, name), conf.subcommand(f"{field}:{name.replace('_', '-')}", prefix_name=False)]
        for name in names(family)
    ]
    none = conf.subcommand(f"{field}:none", prefix_name=False) if optional else conf.Suppress
    # a Union of one method would be no Union, hence no subcommand
    choice: Any = Union[(*marked, Annotated[None, none])]
    return conf.arg(constructor=choice)


def _folder(family: str) -> Path:
    return Path(__file__).parent / family


def _parse(family: str, name: str) -> ast.Module:
    return ast.parse((_folder(family) / f"{name}.py").read_text("utf-8"))


def _public(family: str, name: str) -> list[str]:
    value = assigned(family, name, "__all__")
    return [] if value is None else list(ast.literal_eval(value))
