"""A grid over the fields of a dataclass, those of nested dataclasses too, as a command line writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import product
from typing import Any, TypeVar, get_type_hints

from zsltf.checks import check_choice, fail

__all__ = ["grid", "read_axes"]

T = TypeVar("T")
_FORM = "NAME=VALUE,VALUE such as learning_rate=1e-4,1e-3"


def grid(settings: T, axes: Mapping[str, Sequence[Any]]) -> list[tuple[dict[str, Any], T]]:
    """Every combination of the axes' values, and the settings with it; the last axis varies fastest.

    Args:
        settings: a dataclass.
        axes: dotted path of a field -> its values.

    Raises:
        ValueError: if the dataclass refuses a combination.
    """
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    return [(values, _with(settings, values)) for values in combinations]


def read_axes(settings: Any, given: Sequence[str], option: str = "--vary") -> dict[str, tuple[Any, ...]]:
    """Dotted path -> different values of the field's own type.

    Args:
        settings: a dataclass.
        given: NAME=VALUE,VALUE,... each; the name is a field's dotted path, or its last part where no other has it.
        option: what an error calls them.

    Raises:
        ValueError: for a name that no field has, or two; for a value of another type.
    """
    readers = _readers(settings)
    axes: dict[str, tuple[Any, ...]] = {}
    for text in given:
        name, separator, values = text.partition("=")
        if not separator:
            fail(option, _FORM, repr(text), "Write the values behind the name.")
        path = _path(name, list(readers), option)
        if path in axes:
            fail(option, "each field once", f"{path} twice", "Write all of its values behind one name.")
        read = (_value(f"{option} {path}", value, readers[path]) for value in values.split(","))
        axes[path] = tuple(dict.fromkeys(read))
    return axes


def _readers(settings: Any) -> dict[str, Any]:
    """Dotted path -> how tyro reads the field, for every field that a text can set."""
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

    hints = get_type_hints(type(settings))
    found: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            found |= {f"{field.name}.{path}": reader for path, reader in _readers(value).items()}
            continue
        reader = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(hints[field.name], set()))
        if isinstance(reader, PrimitiveConstructorSpec):
            found[field.name] = reader
    return found


def _path(name: str, paths: Sequence[str], option: str) -> str:
    if name in paths:
        return name
    by_last = {last: [path for path in paths if _last(path) == last] for last in map(_last, paths)}
    check_choice(option, name, by_last)
    if len(by_last[name]) > 1:
        received = f"'{name}', which is {' and '.join(by_last[name])}"
        fail(option, "the name of one field", received, "Write one of these.")
    return by_last[name][0]


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _value(what: str, text: str, reader: Any) -> Any:
    try:
        if reader.choices is not None and text not in reader.choices:
            raise ValueError(text)
        return reader.instance_from_str([text])
    except ValueError:
        fail(what, reader.metavar, repr(text), "Give values of the field's type, with commas between them.")


def _with(settings: T, values: Mapping[str, Any]) -> T:
    """All values at once, so that a dataclass checks what comes out and nothing on the way."""
    inner: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        name, _, rest = path.partition(".")
        inner.setdefault(name, {})[rest] = value
    changes = {
        name: below[""] if "" in below else _with(getattr(settings, name), below) for name, below in inner.items()
    }
    return replace(settings, **changes)  # type: ignore[type-var]
