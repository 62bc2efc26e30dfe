import ast
import importlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
import tyro

from zsltf import discovery
from zsltf.discovery import FAMILIES, constructors, names, one_of, plugin, plugin_type, public, summary

ROOT = Path(discovery.__file__).parent


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folders_files_are_the_plugins(family):
    files = sorted(p.name.removesuffix(".py") for p in (ROOT / family).iterdir() if p.suffix == ".py")
    assert list(names(family)) == [name for name in files if not name.startswith("_")]
    assert names(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_read_without_importing_is_what_importing_gives(family):
    for name in names(family):
        module = importlib.import_module(f"zsltf.{family}.{name}")
        assert plugin(family, name) is module
        assert summary(family, name) == (module.__doc__ or "").splitlines()[0]
        assert [k for k, v in constructors(family).items() if v == name] == list(module.__all__)
        assert plugin_type(family, name) is getattr(module, module.__all__[0])
        assert all(public(family, constructor) is getattr(module, constructor) for constructor in module.__all__)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_plugin_has_a_summary_and_no_two_share_a_public_name(family):
    assert all(summary(family, name) for name in names(family))
    exported = [e for name in names(family) for e in plugin(family, name).__all__]
    assert len(exported) == len(set(exported))


def test_listing_imports_no_tensorflow():
    code = (
        "import sys; from zsltf.discovery import *\n"
        "for f in FAMILIES: [summary(f, n) for n in names(f)], constructors(f)\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=True)


def test_a_near_miss_is_suggested():
    with pytest.raises(
        ValueError, match=r"^zeroshot: expected one of .*eszsl.*, received 'ezsl'\. Did you mean 'eszsl'\?"
    ):
        plugin("zeroshot", "ezsl")
    with pytest.raises(ValueError, match=r"^backbones: expected .*received 'vgg_16'\. Did you mean 'vgg16'\?"):
        public("backbones", "vgg_16")


def test_a_new_file_is_a_new_plugin_and_a_private_one_is_not(tmp_path, monkeypatch):
    (tmp_path / "zeroshot").mkdir()
    (tmp_path / "zeroshot" / "__init__.py").write_text('"""Methods."""')
    (tmp_path / "zeroshot" / "_shared.py").write_text('"""Hidden."""\n__all__ = ["Hidden"]')
    (tmp_path / "zeroshot" / "b.py").write_text(
        '"""B: new.\n\nMore."""\n__all__ = ["B", "solve_b"]\nimport nothing_such'
    )
    (tmp_path / "zeroshot" / "a.py").write_text("x = 1")
    monkeypatch.setattr(discovery, "__file__", str(tmp_path / "discovery.py"))
    assert names("zeroshot") == ("a", "b")
    assert summary("zeroshot", "b") == "B: new."
    assert summary("zeroshot", "a") == ""
    assert constructors("zeroshot") == {"B": "b", "solve_b": "b"}


@dataclass(frozen=True)
class First:
    ridge: float = 1.0


@dataclass(frozen=True)
class Second:
    rate: float = 2.0


@pytest.fixture
def two_plugins(monkeypatch):
    files = {"first": First, "the_second": Second}
    monkeypatch.setattr(discovery, "names", lambda family: tuple(files))
    monkeypatch.setattr(discovery, "plugin_type", lambda family, name: files[name])


@pytest.mark.usefixtures("two_plugins")
def test_one_of_is_a_subcommand_a_method():
    @dataclass(frozen=True)
    class Config:
        method: Annotated[Any, one_of("zeroshot")]

    assert tyro.cli(Config, args=["method:first", "--method.ridge", "10"]).method == First(10.0)
    assert tyro.cli(Config, args=["method:the-second"]).method == Second()


@pytest.mark.usefixtures("two_plugins")
def test_one_of_may_be_left_out_where_that_is_said():
    @dataclass(frozen=True)
    class Config:
        head: Annotated[Any, one_of("heads", "head", optional=True)] = None

    assert tyro.cli(Config, args=[]).head is None
    assert tyro.cli(Config, args=["head:none"]).head is None
    assert tyro.cli(Config, args=["head:first", "--head.ridge", "10"]).head == First(10.0)


@pytest.mark.usefixtures("two_plugins")
def test_one_of_is_called_by_its_field_in_a_part_without_prefixes():
    @dataclass(frozen=True)
    class Part:
        head: Annotated[Any, one_of("heads", "head")] = field(default_factory=First)

    @dataclass(frozen=True)
    class Config:
        method: tyro.conf.OmitArgPrefixes[Part] = field(default_factory=Part)

    assert tyro.cli(Config, args=[]).method.head == First()
    assert tyro.cli(Config, args=["head:the-second", "--rate", "3"]).method.head == Second(3.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_public_names_are_written_out_as_a_literal(family):
    for name in names(family):
        body = ast.parse((ROOT / family / f"{name}.py").read_text("utf-8")).body
        assigned = [s for s in body if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == "__all__"]
        assert len(assigned) == 1, f"{family}/{name}.py: `zsltf ls` reads __all__ without importing"
        assert ast.literal_eval(assigned[0].value)
