"""What every recipe keeps; a new file is picked up by itself."""

import ast
import re
from pathlib import Path

import pytest

from zsltf.cli import main

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.py"))
TO_A_FILE = [path for path in RECIPES if f'"runs/{path.stem}.keras"' in path.read_text("utf-8")]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_is_a_config_and_a_main_in_under_sixty_lines(path):
    tree = ast.parse(path.read_text("utf-8"))
    docstring = ast.get_docstring(tree)
    assert f"zsltf run {path.stem}" in docstring
    assert re.search(r"Expected \(.*\d\.\d\d", docstring, re.DOTALL), "the measured result"
    assert len(path.read_text("utf-8").splitlines()) < 60
    defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert defined == ["Config", "main"]


@pytest.mark.parametrize("path", TO_A_FILE, ids=lambda path: path.stem)
def test_a_model_is_called_keras_before_any_work(path, tmp_path, capsys):
    data = ("--data", str(tmp_path)) if f"zsltf run {path.stem} --data" in path.read_text("utf-8") else ()
    assert main(["run", path.stem, *data, "--out", str(tmp_path / "mine")]) == 1
    assert "mine: expected the name of a .keras file, received another. Call it mine.keras." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
