"""A folder that TensorFlow Serving's binary takes as it is: versions, configs, warmup, sample requests."""

import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from zsltf.artifacts.manifest import GOLDEN
from zsltf.checks import fail
from zsltf.delivery import Delivered, deliver
from zsltf.files import atomic_directory, atomic_file, locked
from zsltf.runs import Run
from zsltf.serving.config import CONFIG, models_of
from zsltf.serving.kit_texts import about, settings
from zsltf.serving.samples import sample_files, sample_requests
from zsltf.serving.warmup import write_warmup

__all__ = ["Kit", "Published", "publish"]


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What the folder is to say."""

    name: str = "model"
    """Of the model in requests."""
    label: str = "stable"
    """That the new version gets."""
    image: str = "tensorflow/serving:2.20.0"
    """The container image of a new compose file."""
    keep: int = 2
    """How many versions, the newest ones, the server loads: the one before allows a way back."""

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("label", self.label)):
            if not text.replace("_", "").replace("-", "").isalnum() or not text.isascii():
                fail(f"Kit.{what}", "letters, digits, - and _", repr(text), "It is part of URLs.")
        if self.keep < 1:
            fail("Kit.keep", "1 or more", str(self.keep), "Start from the default.")


@dataclass(frozen=True, kw_only=True)
class Published:
    """A new version."""

    version: int
    path: Path
    delivered: Delivered


def publish(run: Run, root: Path, kit: Kit | None = None) -> Published:
    """Export a run's SavedModel, proved, as the next version under root/models/NAME, and write what belongs to it.

    The version appears at once and whole: a server that polls the folder never sees a part of it.

    Args:
        run: what is exported.
        root: the folder, new or of an earlier call, which may hold other models.
        kit: names, and what the configs say.

    Raises:
        ValueError: if the SavedModel differs from Keras, or the folder's config is damaged.
    """
    kit = kit or Kit()
    base = root / "models" / kit.name
    base.mkdir(parents=True, exist_ok=True)
    with locked(root):
        version = 1 + max((int(entry.name) for entry in base.iterdir() if entry.name.isdecimal()), default=0)
        config = _config(root / CONFIG, kit, version)
        with atomic_directory(base / str(version)) as staging:
            exported = staging.with_name(f"{staging.name}.export.partial")
            try:
                delivered = deliver(run, exported, formats="saved_model")
                samples = sample_requests(exported / GOLDEN)
                shutil.copytree(exported / "saved_model", staging, dirs_exist_ok=True)
            finally:
                shutil.rmtree(exported, ignore_errors=True)
            write_warmup(staging, kit.name, list(samples.values()))
        (labels,) = (model.version_labels for model in config.model_config_list.config if model.name == kit.name)
        _write(root / "requests" / kit.name, sample_files(samples, kit.name, labels))
        _write(root, {file: text for file, text in settings(kit.image).items() if not (root / file).exists()})
        _write(root, {**about(config, kit.image), CONFIG: text_format.MessageToString(config)})
    return Published(version=version, path=base / str(version), delivered=delivered)


def _config(path: Path, kit: Kit, version: int) -> model_server_config_pb2.ModelServerConfig:
    """Of all models that the folder has, with this one brought up to date."""
    config = model_server_config_pb2.ModelServerConfig()
    models = config.model_config_list.config
    models.extend(models_of(path) if path.is_file() else ())
    given = next((model for model in models if model.name == kit.name), None) or models.add(name=kit.name)
    given.base_path, given.model_platform = f"/models/{kit.name}", "tensorflow"
    oldest = version - kit.keep + 1
    for label in [label for label, number in given.version_labels.items() if number < oldest]:
        del given.version_labels[label]
    given.version_labels[kit.label] = version
    labelled = version + 1 - min(given.version_labels.values())
    given.model_version_policy.latest.num_versions = max(kit.keep, labelled + 1)  # the next one comes before its label
    return config


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Scripts can be executed, and end lines as a shell wants it."""
    for file, text in files.items():
        with atomic_file(folder / file) as path:
            path.write_text(text, "utf-8", newline="\n")
            if file.endswith(".sh"):
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
