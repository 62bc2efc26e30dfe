import shutil

import pytest
from serving.contract_cases import MODELS
from serving.contract_models import write
from serving.local_server import models_config, running

from zsltf.cli import main
from zsltf.serving.config import config_of
from zsltf.serving.server import ServerOptions


@pytest.fixture(scope="session")
def contract_bases(tmp_path_factory):
    """Model -> base path."""
    root = tmp_path_factory.mktemp("contract")
    for name in MODELS:
        write(name, root / name)
    return {name: root / name for name in MODELS}


@pytest.fixture(scope="session")
def half_plus_two(tmp_path_factory):
    """A version folder of a small model; don't change it."""
    root = tmp_path_factory.mktemp("half_plus_two")
    write("half_plus_two", root)
    return root / "123"


@pytest.fixture
def base(half_plus_two, tmp_path):
    """A base path with version 1 of it."""
    shutil.copytree(half_plus_two, tmp_path / "base" / "1")
    return tmp_path / "base"


@pytest.fixture(scope="session")
def contract_config(contract_bases):
    labels = {name: model.get("labels", {}) for name, model in MODELS.items()}
    policies = {"half_plus_two_2v": [123, 124]}
    return models_config(contract_bases, labels, policies)


@pytest.fixture(scope="session")
def kit(finished, tmp_path_factory):
    """A folder for TensorFlow Serving with two versions of the run; don't change it."""
    root = tmp_path_factory.mktemp("kit") / "serving"
    for label in ("stable", "canary"):
        given = ("--format", "serving", "--name", "shapes", "--label", label, "--out", str(root))
        assert main(["export", str(finished), *given]) == 0
    return root


@pytest.fixture(scope="session")
def shapes(kit):
    """Addresses of a server of the kit."""
    with running(config_of([str(kit)]), ServerOptions(rest_port=0, grpc_port=0, labels_in_advance=True)) as addresses:
        yield addresses
