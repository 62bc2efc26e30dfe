"""`import zsltf` is instant, and its names are the types that they say."""

import subprocess
import sys

import pytest

import zsltf


@pytest.mark.parametrize("name", zsltf.__all__)
def test_a_public_name_is_its_type(name):
    assert getattr(zsltf, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'zsltf' has no attribute 'Classifer'"):
        zsltf.Classifer  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, zsltf; assert not {'numpy', 'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
