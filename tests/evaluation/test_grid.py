"""Settings in a grid: fields by name, values by type, combinations checked whole."""

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

import pytest

from zsltf.checks import check_positive
from zsltf.evaluation.grid import grid, read_axes
from zsltf.heads.vgg import VGGHead
from zsltf.transfer.fine_tune import FineTune


@dataclass(frozen=True)
class Inner:
    rate: float = 1.0
    kind: Literal["a", "b"] = "a"
    size: int = 1
    mirror: bool = False

    def __post_init__(self):
        check_positive("Inner", rate=self.rate)
        if self.kind == "b" and self.size == 1:
            raise ValueError("Inner.kind: b wants a size > 1")


@dataclass(frozen=True)
class Outer:
    first: Inner = field(default_factory=Inner)
    second: Inner = field(default_factory=Inner)
    rate: float = 2.0
    limit: int | None = None
    others: tuple[Inner, ...] = ()


def test_values_have_the_fields_type_and_names_are_dotted():
    given = ["first.rate=1e-3,2", "second.kind=b", "limit=None,3", "second.mirror=True,False"]
    axes = read_axes(Outer(), given)
    assert axes == {
        "first.rate": (1e-3, 2.0),
        "second.kind": ("b",),
        "limit": (None, 3),
        "second.mirror": (True, False),
    }
    assert list(axes) == ["first.rate", "second.kind", "limit", "second.mirror"]


def test_a_field_is_called_by_its_last_name_where_no_other_has_it():
    axes = read_axes(FineTune(head=VGGHead()), ["learning_rate=1e-4", "weight_decay=0,0.01", "units=32,64"])
    assert axes == {
        "learning_rate": (1e-4,),
        "training.optimization.weight_decay": (0.0, 0.01),
        "head.units": (32, 64),
    }
    assert read_axes(Outer(), ["rate=1"]) == {"rate": (1.0,)}  # the whole path of one


def test_equal_values_are_one():
    assert read_axes(Outer(), ["rate=0.1,1e-1,0.2"]) == {"rate": (0.1, 0.2)}


def test_every_combination_is_there_once_the_last_axis_fastest():
    axes = {"first.rate": (1.0, 2.0), "rate": (3.0, 4.0), "first.size": (5, 6)}
    settings = grid(Outer(limit=7), axes)
    expected = [
        Outer(first=Inner(rate=a, size=c), rate=b, limit=7) for a, b, c in product((1.0, 2.0), (3.0, 4.0), (5, 6))
    ]
    assert [setting for _, setting in settings] == expected
    assert [tuple(values.values()) for values, _ in settings] == list(product(*axes.values()))
    assert grid(Outer(), {}) == [({}, Outer())]


def test_only_what_comes_out_is_checked():
    for axes in ({"first.kind": ("b",), "first.size": (2,)}, {"first.size": (2,), "first.kind": ("b",)}):
        ((_, setting),) = grid(Outer(), axes)
        assert setting == replace(Outer(), first=Inner(kind="b", size=2))
    with pytest.raises(ValueError, match=r"Inner\.kind: b wants a size > 1"):
        grid(Outer(), {"first.kind": ("b",), "first.size": (2, 1)})
    with pytest.raises(ValueError, match=r"Inner\.rate: expected a number > 0, received -1"):
        grid(Outer(), read_axes(Outer(), ["second.rate=1,-1"]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["rate"], r"--vary: expected NAME=VALUE,VALUE such as learning_rate=1e-4,1e-3, received 'rate'\. Write"),
        (["limits=1"], r"--vary: expected one of kind, limit, mirror, rate, size, received 'limits'\. Did you mean"),
        (["others=1"], r"--vary: expected one of kind, limit, mirror, rate, size, received 'others'"),
        (["first=1"], r"--vary: expected one of kind, limit, mirror, rate, size, received 'first'"),
        (["third.rate=1"], r"--vary: expected one of .*received 'third\.rate'"),
        (["size=1"], r"expected the name of one field, received 'size', which is first\.size and second\.size\. Write"),
        (["rate=1", "rate=2"], r"--vary: expected each field once, received rate twice"),
        (["rate=1,x"], r"--vary rate: expected FLOAT, received 'x'\. Give values of the field's type"),
        (["rate="], r"--vary rate: expected FLOAT, received ''"),
        (["first.size=1.5"], r"--vary first\.size: expected INT, received '1\.5'"),
        (["first.kind=c"], r"--vary first\.kind: expected \{a,b\}, received 'c'"),
        (["first.mirror=yes"], r"--vary first\.mirror: expected \{True,False\}, received 'yes'"),
    ],
)
def test_what_is_no_field_or_no_value_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        read_axes(Outer(), given)
