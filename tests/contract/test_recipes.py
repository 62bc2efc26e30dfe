"""What every recipe keeps; a new file is picked up by itself."""

import ast
import re
from pathlib import Path

import pytest

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.py"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_is_a_config_and_a_main_in_under_sixty_lines(path):
    tree = ast.parse(path.read_text("utf-8"))
    docstring = ast.get_docstring(tree)
    assert f"zsltf run {path.stem}" in docstring
    assert re.search(r"Expected \(.*\d\.\d\d", docstring, re.DOTALL), "the measured result"
    assert len(path.read_text("utf-8").splitlines()) < 60
    defined = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert defined == ["Config", "main"]
