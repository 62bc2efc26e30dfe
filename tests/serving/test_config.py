"""What a command line may give as models, and the config that comes of it."""

import pytest

from zsltf.serving.config import config_of

TWO = """model_config_list {
  config { name: "a" base_path: "/models/a" model_platform: "tensorflow" version_labels { key: "stable" value: 1 } }
  config { name: "b" base_path: "/elsewhere/b" model_platform: "tensorflow" }
}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def served(*given):
    """Name -> base path."""
    return {model.name: model.base_path for model in config_of(given).model_config_list.config}


def folder(path):
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("place", ["lr=0.1", "roll/lr=0.1", "=lr", "a=b=c"])
def test_a_path_that_exists_may_have_an_equals_sign(here, place):
    path = folder(here / place)
    assert served(place) == {path.name: str(path)}
    assert served(f"m={place}") == {"m": str(path)}


def test_only_files_lose_their_suffix(here):
    folder(here / "resnet.v2")
    (here / "small.v3.onnx").touch()
    assert served("resnet.v2") == {"resnet.v2": str(here / "resnet.v2")}
    assert served("small.v3.onnx") == {"small.v3": str(here / "small.v3.onnx")}


def test_an_export_has_the_name_of_its_run(here):
    folder(here / "runs" / "mine" / "export" / "saved_model")
    assert list(served("runs/mine/export/saved_model")) == ["mine"]


def test_a_folder_may_be_given_from_inside(here, monkeypatch):
    monkeypatch.chdir(folder(here / "resnet" / "1"))
    assert served("..") == {"resnet": str(here / "resnet")}


def test_a_config_file_is_read_again_by_each_call(here):
    path = folder(here / "kit" / "models" / "a").parents[1]
    (path / "models.config").write_text(TWO)
    assert served("kit") == served("kit/models.config") == {"a": str(path / "models" / "a"), "b": "/elsewhere/b"}
    assert dict(config_of(["kit"]).model_config_list.config[0].version_labels) == {"stable": 1}
    (path / "models.config").write_text(TWO.replace('"b"', '"c"'))
    assert list(served("kit")) == ["a", "c"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TWO[:100].encode(), "models.config: expected a ModelServerConfig as text, received "),
        (b"\xff\xfe", "models.config: expected a ModelServerConfig as text, received "),
        (b"", "models.config: expected a model_config_list with models, received none. Mend the file."),
        (TWO.replace("/elsewhere/b", "gs://bucket/b").encode(), "gs://bucket/b: expected a path on this machine"),
    ],
)
def test_a_damaged_config_file_is_an_error_that_a_server_survives(here, content, message):
    (folder(here / "kit") / "models.config").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        config_of(["kit"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["=m"], "=m: expected NAME=PATH, received no name. Write a name before =, or the path alone."),
        (["rol/lr=0.1"], "rol/lr=0.1: expected a model, or a folder of models, received none. Check the path."),
        (["gs://bucket/m"], "gs://bucket/m: expected a path on this machine, received a remote one. Copy it"),
        (["m=s3://bucket/m"], "s3://bucket/m: expected a path on this machine, received a remote one. Copy it"),
        (["m", "other/m"], "models: expected a name each, received m twice. Write NAME=PATH."),
        (["x=kit"], "x=kit: expected a model after NAME=, received models.config, which has names. Leave NAME= out."),
    ],
)
def test_what_names_no_model_is_refused(here, given, message):
    folder(here / "m")
    folder(here / "other" / "m")
    (folder(here / "kit") / "models.config").write_text(TWO)
    with pytest.raises(ValueError, match=message):
        config_of(given)
