import pytest
from serving.contract_cases import MODELS
from serving.contract_models import write
from serving.local_server import config_of


@pytest.fixture(scope="session")
def contract_bases(tmp_path_factory):
    """Model -> base path."""
    root = tmp_path_factory.mktemp("contract")
    for name in MODELS:
        write(name, root / name)
    return {name: root / name for name in MODELS}


@pytest.fixture(scope="session")
def contract_config(contract_bases):
    labels = {name: model.get("labels", {}) for name, model in MODELS.items()}
    policies = {"half_plus_two_2v": [123, 124]}
    return config_of(contract_bases, labels, policies)
