"""What a ModelServerConfig may say of a model, and the policy that it asks for.

The order of the checks and their messages are those of tensorflow_serving/model_servers/server_core.cc.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from tensorflow_serving.config import model_server_config_pb2

from zsltf.serving.json_values import invalid
from zsltf.serving.versions import Policy

__all__ = ["check", "policy"]

_PLATFORM = "tensorflow"


def check(configs: Sequence[model_server_config_pb2.ModelConfig], served: Collection[str]) -> None:
    """Refuse what a server with these models can't take.

    Raises:
        RequestError: for the first mistake.
    """
    repeated = [name for name, times in Counter(given.name for given in configs).items() if times > 1]
    if repeated:
        raise invalid(f"Illegal to list model {repeated[0]} multiple times in config list")
    for given in configs:
        if not ("://" in given.base_path or Path(given.base_path).is_absolute()):
            message = f"Expected model {given.name} to have an absolute path or URI"
            raise invalid(f"{message}; got base_path()={given.base_path}")
    platforms = {given.name: _platform(given) for given in configs}
    changed = [name for name, platform in platforms.items() if platform != _PLATFORM and name in served]
    if changed:
        message = f"For model {changed[0]} platform was {_PLATFORM}"
        other = f"new platform requested is {platforms[changed[0]]}"
        raise invalid(f"Illegal to change a model's platform. {message} and {other}")
    for name, platform in platforms.items():
        if platform != _PLATFORM:
            raise invalid(f"Model {name} requests unsupported platform {platform}")


def policy(given: model_server_config_pb2.ModelConfig) -> Policy:
    """Which versions it asks for."""
    asked = given.model_version_policy
    chosen = asked.WhichOneof("policy_choice")
    if chosen == "all":
        return Policy(latest=None)
    if chosen == "specific":
        return Policy(latest=None, specific=tuple(asked.specific.versions))
    return Policy(latest=asked.latest.num_versions or 1)


def _platform(given: model_server_config_pb2.ModelConfig) -> str:
    kind = model_server_config_pb2.ModelType.Name(given.model_type)
    setting = "ModelServerConfig::model_type (deprecated)"
    if kind != "MODEL_TYPE_UNSPECIFIED":
        if given.model_platform:
            raise invalid(f"Illegal setting both {setting} and ModelServerConfig::model_platform.")
        if kind != "TENSORFLOW":
            raise invalid(f"ModelServerConfig::model_type choice {given.model_type} not supported.")
        return _PLATFORM
    if not given.model_platform:
        raise invalid(f"Illegal setting neither {setting} nor ModelServerConfig::model_platform.")
    return str(given.model_platform)
