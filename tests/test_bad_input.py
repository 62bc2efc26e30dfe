"""Every kind of bad input: one clear message, a status other than 0, nothing written, nothing of the user's touched."""

import csv
import errno
import hashlib
import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from zsltf.cli import main
from zsltf.prediction import open_artifact

CONV4 = ("--backbone", "conv4", "--weights", "random", "--shuffles", "0")


def snapshot(root):
    """Every path below root with its content's hash."""
    return {
        path.relative_to(root).as_posix(): path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
    }


def status_of(arguments):
    """Of a command in this process; tyro leaves by SystemExit."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code


@pytest.fixture
def refused(tmp_path, capsys):
    """Check that a command ends in this message alone, and that not a file or folder below tmp_path changed."""

    def check(arguments, message):
        before = snapshot(tmp_path)
        capsys.readouterr()
        assert status_of(arguments) == 1
        error = capsys.readouterr().err
        assert re.fullmatch(rf"zsltf \w+: {message}\n", error), error
        assert snapshot(tmp_path) == before

    return check


@pytest.fixture
def photos(drawn, tmp_path):
    """A private copy of the drawn set."""
    return Path(shutil.copytree(drawn, tmp_path / "set"))


@pytest.fixture(scope="module")
def run(drawn, tmp_path_factory):
    """A run folder and its ONNX export, for tests that only read it."""
    folder = tmp_path_factory.mktemp("bad_input") / "run"
    assert status_of(["run", "zero_shot", *CONV4, *given(drawn), "--out", folder, "method:eszsl"]) == 0
    assert status_of(["export", folder, "--format", "onnx"]) == 0
    return folder


def given(photos):
    return ("--images", photos / "images", "--classes", photos / "attributes.csv")


def command(photos, *more):
    method = () if any(str(part).startswith("method:") for part in more) else ("method:eszsl",)
    return ("run", "zero_shot", *CONV4, *given(photos), "--out", photos.parent / "out", *more, *method)


def edit_table(path, change):
    """Rewrite a CSV through `change`, which gets its lines as lists of cells."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    change(lines)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    return lines


def class_folders(photos):
    return sorted((photos / "images").iterdir())


# --- photos


def test_empty_image_folder(photos, refused):
    shutil.rmtree(photos / "images")
    (photos / "images").mkdir()
    refused(
        command(photos), r".*images: expected a folder for every class .*, received none for \w+, .*\. Add it or .*"
    )


def test_no_image_folder(photos, refused):
    shutil.rmtree(photos / "images")
    refused(command(photos), r".*images: expected a folder with one folder a class, received no folder\. Check the .*")


def test_class_of_the_table_without_a_folder(photos, refused):
    gone = class_folders(photos)[3]
    shutil.rmtree(gone)
    message = rf".*images: expected a folder for every class of the table, received none for {gone.name}\. Add it or .*"
    refused(command(photos), message)


def test_empty_class_folder(photos, refused):
    folder = class_folders(photos)[3]
    for path in folder.iterdir():
        path.unlink()
    (folder / "notes.txt").write_text("no photo")
    refused(
        command(photos),
        rf".*images: expected an image in every class folder, received none in {folder.name}\. Add photos\.",
    )


def test_one_image_a_class(photos, refused):
    for folder in class_folders(photos):
        for path in sorted(folder.iterdir())[1:]:
            path.unlink()
    message = r"images: expected at least 4 of a seen class and 1 .*, received \w+ \(1\), .*\. Add photos\."
    refused(command(photos), message)


def test_too_few_images_that_can_be_decoded(photos, refused):
    folder = next(folder for folder in class_folders(photos) if f"{folder.name},seen" in table_text(photos))
    for path in sorted(folder.iterdir())[:2]:
        path.write_bytes(b"no image")
    refused(command(photos), rf"images: expected at least 4 of .*, received {folder.name} \(3\)\. Add photos\.")


def table_text(photos):
    return (photos / "attributes.csv").read_text("utf-8")


def test_no_image_that_can_be_decoded(photos, refused):
    for path in (photos / "images").rglob("*.png"):
        path.write_bytes(b"no image")
    message = r".*images: expected an image that can be decoded, received none\. First reason: .*can't read.*"
    refused(command(photos), message)


def test_a_folder_without_a_row_is_left_out_and_listed(photos):
    shutil.copytree(class_folders(photos)[0], photos / "images" / "no class of mine")
    (class_folders(photos)[0] / "notes.txt").write_text("no photo")
    before = snapshot(photos)
    assert status_of(command(photos)) == 0
    features = json.loads((photos.parent / "out" / "report.json").read_text("utf-8"))["features"]
    assert features["folders_left_out"] == ["no class of mine"]
    assert features["not_images"] == [f"{class_folders(photos)[0].name}/notes.txt"]
    assert features["images"] == 24 * 5
    assert snapshot(photos) == before


def test_a_broken_file_is_skipped_and_listed_or_an_error(photos, refused):
    broken = class_folders(photos)[0] / "000.png"
    broken.write_bytes(broken.read_bytes()[:100])
    before = snapshot(photos)
    name = broken.relative_to(photos / "images").as_posix()
    message = rf"images: expected files that can be decoded, received .*{re.escape(name)}.*\. Replace them, or pass .*"
    refused(command(photos, "--on-corrupt", "error"), message)
    assert status_of(command(photos)) == 0
    features = json.loads((photos.parent / "out" / "report.json").read_text("utf-8"))["features"]
    assert list(features["skipped"]) == [name]
    assert "what Pillow can't read" in features["skipped"][name]
    assert features["images"] == 24 * 5 - 1
    refused(command(photos, "--on-corrupt", "error", "--overwrite"), message)  # now the features are in the cache
    assert snapshot(photos) == before


# --- the class table


@pytest.mark.parametrize("cell", ["nan", "inf", "", "striped"])
def test_a_cell_that_is_no_number(photos, refused, cell):
    lines = edit_table(photos / "attributes.csv", lambda lines: lines[5].__setitem__(4, cell))
    message = (
        rf".*attributes.csv, line 6, column {lines[0][4]}: expected a number, received '{cell}'\. Fill in the cell .*"
    )
    refused(command(photos), message)


def test_duplicate_class_names(photos, refused):
    lines = edit_table(photos / "attributes.csv", lambda lines: lines.append(lines[2]))
    message = rf"ClassTable.names: expected .* each once, received \['{lines[2][0]}'\]\. Rename or remove rows\."
    refused(command(photos), message)


@pytest.mark.parametrize("change", [lambda line: line[:2], lambda line: [*line[:2], *["1"] * (len(line) - 2)]])
def test_attributes_that_tell_no_classes_apart(photos, refused, change):
    def all_but_header(lines):
        lines[:] = [change(line) if len(change(line)) == 2 or i else line for i, line in enumerate(lines)]

    edit_table(photos / "attributes.csv", all_but_header)
    refused(command(photos), r"classes: expected attributes that tell classes apart, received none\. Add a column .*")


def test_a_row_too_short(photos, refused):
    edit_table(photos / "attributes.csv", lambda lines: lines[2].pop())
    refused(command(photos), r".*attributes.csv, line 3: expected 19 cells, received 18\. Mend the row\.")


def test_a_split_that_is_neither(photos, refused):
    edit_table(photos / "attributes.csv", lambda lines: lines[2].__setitem__(1, "test"))
    refused(command(photos), r".*line 3, column split: expected seen or unseen, received 'test'\. Mend the table\.")


def set_split(photos, value):
    edit_table(photos / "attributes.csv", lambda lines: [line.__setitem__(1, value) for line in lines[1:]])


def test_no_unseen_class(photos, refused):
    set_split(photos, "seen")
    refused(command(photos), r".*attributes.csv: expected unseen classes to test on, received none\. Add a column .*")


def test_no_seen_class(photos, refused, monkeypatch):
    set_split(photos, "unseen")
    monkeypatch.setattr("zsltf.evaluation.photos.extract_features", None)  # refused before slow work
    refused(
        command(photos),
        r"partition split: expected at least 4 seen and 2 unseen classes, received 0 seen and 24 unseen\. Mark .*",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r".*: expected a readable CSV file, received No such file or directory\. Check the path\."),
        (b"", r".*: expected a header that starts with 'class' and a row a class, received 0 lines\. Add rows\."),
        (b"name,split,a\nx,seen,1\n", r".*: expected a header that starts with 'class', received 'name'\. Name .*"),
        ("class,split,a\nk\xf6ter,seen,1\n".encode("latin-1"), r".*: expected a CSV file in UTF-8, received .*UTF-8\."),
    ],
)
def test_a_table_that_is_none(photos, refused, content, message):
    (photos / "attributes.csv").unlink()
    if content is not None:
        (photos / "attributes.csv").write_bytes(content)
    refused(command(photos), message)


def test_partitions_that_do_not_fit(photos, refused):
    names = [folder.name for folder in class_folders(photos)]
    path = photos / "partitions.csv"
    path.write_text("class,mine\n" + "".join(f"{name},seen\n" for name in names[1:]), "utf-8")
    more = ("--partitions", path)
    refused(command(photos, *more), rf".*: expected a row for every class, received none for {names[0]}\. Add the .*")
    path.write_text("class,mine\n" + "".join(f"{name},train\n" for name in names), "utf-8")
    refused(command(photos, *more), r".*: expected cells seen or unseen, received 'train'\. Mend the table\.")
    path.write_text("class,mine\n" + "".join(f"{name},seen\n" for name in names), "utf-8")
    refused(command(photos, *more), r"partition mine: .*, received 24 seen and 0 unseen\. Mark more classes .*")


# --- options


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["--backbone", "resnet5"], r"backbone: expected one of .*, received 'resnet5'\. Did you mean 'resnet50'\?"),
        (["--random-partitions", "-1"], r"random_partitions: expected 0 or more, received -1\. Start from the default"),
        (["--drawn"], r"drawn: expected one seed or more, received none\. Start from the default\."),
        (["--no-search", "--components", "0"], r"Preparation.components: expected a number > 0, received 0\."),
    ],
)
def test_options_that_are_refused_as_they_are_read(photos, capsys, settings, message):
    before = snapshot(photos.parent)
    assert status_of(command(photos, *settings)) == 2
    assert re.search(message, " ".join(capsys.readouterr().err.replace("│", "").split()))
    assert snapshot(photos.parent) == before


@pytest.mark.parametrize(("alone", "missing"), [("--images", "--classes"), ("--classes", "--images")])
def test_images_and_classes_belong_together(photos, refused, alone, missing):
    arguments = ("run", "zero_shot", *CONV4, alone, dict(zip(*[iter(given(photos))] * 2, strict=True))[alone])
    message = rf"photos: expected --images and --classes together, received {alone} alone\. Add {missing}\."
    refused([*arguments, "--out", photos.parent / "out"], message)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["method:eszsl", "--method.feature-ridge", "10"], r"method: .*received ESZSL\(feature_ridge=10.0, .*"),
        (["--components", "32"], r"preparation: .*received Preparation\(.*components=32.*"),
    ],
)
def test_settings_that_the_search_would_overrule(photos, refused, settings, message):
    expected = (
        rf"{message.replace('.*received', 'expected its defaults, since the search .*, received')}Add --no-search\."
    )
    refused(command(photos, *settings), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["--shuffles", "-1"], r"protocol\.shuffles: expected a number >= 0, received -1\. 0 turns it off\."),
        (["--seed", "-1"], r"protocol\.seed: expected 0 to 4294967295, received -1\. Start from the default\."),
        (["--seed", "4294967296"], r"protocol\.seed: expected 0 to 4294967295, received 4294967296\. Start from .*"),
    ],
)
def test_numbers_out_of_range(photos, refused, settings, message):
    refused(command(photos, *settings), message)


def test_missing_weights(photos, refused):
    message = r"weights: expected 'imagenet', 'random' or a weights file, received '.*none.h5'\. Check the path\."
    refused(command(photos, "--weights", photos / "none.h5"), message)


def test_weights_that_nobody_publishes(photos, refused):
    message = r"weights: expected a local file or None, received 'imagenet'\. conv4 has no published ones: pass .*"
    refused(command(photos, "--weights", "imagenet"), message)


@pytest.mark.parametrize("name", ["other.weights.h5", "other.keras", "text.weights.h5", "text.keras"])
def test_weights_of_another_architecture(photos, refused, name):
    path = photos / name
    if name.startswith("text"):
        path.write_text("no weights")
    else:
        other = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
        other.save_weights(path) if name.endswith(".h5") else other.save(path)
    message = rf".*{re.escape(name)}: expected the weights of conv4, received .+\. Give a file of that network\."
    refused(command(photos, "--weights", path), message)


# --- training


def training(data, *more):
    """A fine-tuning that lasts a moment: a tiny network, one epoch."""
    return (
        *("run", "finetune", "--backbone", "conv4", "--weights", "random", "--size", "16", "--schedule", "head_only"),
        *("--head-epochs", "1", "--data", data, "--out", Path(data).parent / "out", *more),
    )


def listed(photos, *, columns="", cells=lambda name, i: ""):
    """A CSV that lists the images of the drawn set."""
    paths = sorted((photos / "images").rglob("*.png"))
    rows = [
        f"images/{path.parent.name}/{path.name},{path.parent.name}{cells(path.parent.name, i % 5)}"
        for i, path in enumerate(paths)
    ]
    path = photos / "list.csv"
    path.write_text("\n".join([f"path,label{columns}", *rows]), "utf-8")
    return path


def test_a_label_outside_of_the_table(photos, refused):
    path, name = listed(photos), class_folders(photos)[0].name
    path.write_text(path.read_text("utf-8").replace(f",{name}\n", f",{name}s\n", 1), "utf-8")
    message = rf".*list\.csv, line 2, column label: expected one of .*, received '{name}s'\. Did you mean '{name}'\?"
    refused(training(path, "--classes", photos / "attributes.csv"), message)


def test_a_part_without_an_image_of_a_class(photos, refused):
    name = class_folders(photos)[2].name

    def part(label, i):
        return f",{'train' if i < 3 or (i == 3 and label == name) else 'validation' if i == 3 else 'test'}"

    message = rf"split validation: expected an image of every class, received none of {name}\. Add photos, drop .*"
    refused(training(listed(photos, columns=",split", cells=part)), message)


def test_a_class_with_too_few_images_for_the_parts(photos, refused):
    folder = class_folders(photos)[2]
    for path in sorted(folder.iterdir())[1:]:
        path.unlink()
    message = rf"split \w+: expected an image of every class, received none of {folder.name}\. Add photos, .*"
    refused(training(photos / "images"), message)


def test_a_group_on_two_sides(photos, refused):
    path = listed(photos, columns=",split,group", cells=lambda name, i: f",{'train' if i < 4 else 'test'},{name}")
    refused(training(path), r"split: expected each group in one part, received '.*' in train and test\. Mend .*")


def test_the_same_image_on_two_sides(photos, refused):
    for path in sorted(class_folders(photos)[2].iterdir())[1:]:
        shutil.copy(class_folders(photos)[2] / "000.png", path)
    message = r"split: expected no image in two parts, received \d that are: train .*\. Remove one of each, .*"
    refused(training(photos / "images"), message)


def test_a_file_that_cannot_be_decoded_where_none_may_be_left_out(photos, refused):
    broken = class_folders(photos)[2] / "000.png"
    broken.write_bytes(broken.read_bytes()[:100])
    message = rf"images: expected files that can be decoded, received 1 that can't: .*{broken.name}.*Replace them, .*"
    refused(training(photos / "images", "--on-corrupt", "error"), message)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--batch-size", "73"), r"batch_size: expected at most the 72 training images, received 73\. Lower it\."),
        (("head:attributes",), r"class table: expected attributes for an attribute head, received none\. Give .*"),
        (("--class-weights", "1", "2"), r"class_weights: expected shape \(24,\), received shape \(2,\)\. Give one .*"),
        (
            ("--size", "7"),
            r"conv4: expected images of 16 pixels or more a side, received 7\. Take a larger size\.",
        ),
    ],
)
def test_settings_that_the_images_or_the_network_do_not_take(photos, refused, more, message):
    refused(training(photos / "images", *more), message)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--head-epochs", "0"), r"Phase 'head'\.epochs: expected a number > 0, received 0\. Start from the default"),
        (("--head-epochs", "2", "--warmup", "2"), r"Phase 'head'\.warmup: expected a number of epochs >= 0 and < 2"),
        (("--batch-size", "0"), r"TrainingOptions\.batch_size: expected a number > 0, received 0\."),
        (("--jit-compile", "--deterministic"), r"TrainingOptions: expected XLA or determinism, received both\."),
        (("--cache", "ram"), r"invalid choice .ram. .*auto.*memory.*disk.*off"),
        (("head:cosin",), r"Available subcommands: .*head:cosine"),
    ],
)
def test_settings_that_are_refused_as_they_are_read(photos, capsys, more, message):
    before = snapshot(photos.parent)
    assert status_of(training(photos / "images", *more)) == 2
    assert re.search(message, " ".join(capsys.readouterr().err.replace("│", "").split()))
    assert snapshot(photos.parent) == before


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_of_another_shape_name_the_first_layer_that_differs(photos, refused, suffix):
    images = x = keras.Input((16, 16, 3))
    for i, filters in enumerate((64, 64, 32, 64), 1):
        x = keras.layers.Conv2D(filters, 3, padding="same", name=f"block{i}_conv")(x)
        x = keras.layers.BatchNormalization(name=f"block{i}_bn")(x)
        x = keras.layers.MaxPooling2D(name=f"block{i}_pool")(keras.layers.ReLU(name=f"block{i}_relu")(x))
    model = keras.Model(images, x, name="conv4")
    path = photos / f"other{suffix}"
    model.save_weights(path) if suffix == ".weights.h5" else model.save(path)
    message = r".*other.*: expected the weights of conv4, received .*\(3, 3, 64, 32\).* in place of .*block3_conv.*"
    refused(training(photos / "images", "--weights", path), message)


# --- output


def test_an_existing_run_is_kept(photos, refused):
    (photos.parent / "out").mkdir()
    (photos.parent / "out" / "report.json").write_text("an earlier run")
    message = r".*out: expected a path where nothing is yet, received an existing one\. .* or pass --overwrite\."
    refused(command(photos), message)
    assert status_of(command(photos, "--overwrite")) == 0
    assert json.loads((photos.parent / "out" / "report.json").read_text("utf-8"))["recipe"] == "zero_shot"


@pytest.mark.parametrize("below", ["set", "set/images", "set/attributes.csv"])
def test_what_is_no_run_is_not_overwritten(photos, refused, below):
    message = (
        rf".*{below}: expected a folder with report.json to overwrite, received something else\. Choose another .*"
    )
    refused(command(photos, "--overwrite", "--out", photos.parent / below), message)


@pytest.mark.parametrize("below", ["set/attributes.csv/out", "set/attributes.csv/new/out"])
def test_a_folder_that_cannot_be_written(photos, refused, below):
    message = r".*attributes.csv: expected a folder that can be written, received Not a directory\. Choose another .*"
    refused(command(photos, "--out", photos.parent / below), message)


def test_a_mistake_leaves_no_parents_of_the_run_folder_behind(photos, refused):
    set_split(photos, "seen")
    refused(command(photos, "--out", photos.parent / "new" / "run"), r".*unseen classes to test on.*")


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("victim", ["numpy.savez", "zsltf.classifier.Classifier.save", "pathlib.Path.write_text"])
def test_a_full_disk_during_a_run(photos, refused, monkeypatch, victim):
    monkeypatch.setattr(victim, no_space)
    refused(command(photos), r"\[Errno 28\] No space left on device\. Make room .*: '.*'")


def test_a_full_disk_under_the_feature_cache(photos, refused, monkeypatch, private_cache):
    monkeypatch.setattr("zsltf.pretrained.extract._write_header", no_space)
    before = snapshot(private_cache)
    refused(command(photos), r"\[Errno 28\] No space left on device\. Make room .*: '.*features.*'")
    assert snapshot(private_cache) == before


@pytest.mark.parametrize(
    ("name", "victim"),
    [
        ("onnx", "pathlib.Path.write_bytes"),
        ("tflite", "pathlib.Path.write_bytes"),
        ("saved_model", "pathlib.Path.write_text"),
        ("onnx", "pathlib.Path.write_text"),
    ],
)
def test_a_full_disk_during_export(run, tmp_path, refused, monkeypatch, name, victim):
    shutil.copytree(run, tmp_path / "run")
    monkeypatch.setattr(victim, no_space)
    message = r"\[Errno 28\] No space left on device\. Make room .*: '.*export'"
    refused(["export", tmp_path / "run", "--format", name, "--overwrite"], message)
    refused(["export", tmp_path / "run", "--format", name, "--out", tmp_path / "export"], message)


@pytest.mark.parametrize("error", ["ResourceExhaustedError"])
def test_tensorflow_on_a_full_disk(run, tmp_path, refused, monkeypatch, error):
    import tensorflow as tf

    def fail(*_, **__):
        raise getattr(tf.errors, error)(None, None, "part-00000-of-00001; No space left on device [Op:SaveV2]")

    monkeypatch.setattr("tensorflow.saved_model.save", fail)
    for name in ("saved_model", "tflite"):
        message = r"\[Errno 28\] No space left on device\. Make room .*: '.*export'"
        refused(["export", run, "--format", name, "--out", tmp_path / "export"], message)


# --- runs and exported files


def test_export_of_what_is_no_run(tmp_path, refused):
    message = r".*: expected a run folder with model.keras, received none\. Give the folder that zsltf run wrote\."
    refused(["export", tmp_path / "typo"], message)
    (tmp_path / "folder").mkdir()
    refused(["export", tmp_path / "folder"], message)


@pytest.mark.parametrize("content", [None, b"no archive", b"PK\x03\x04 cut short"])
@pytest.mark.parametrize("name", ["model.keras", "golden.npz"])
def test_export_of_a_damaged_run(run, tmp_path, refused, name, content):
    shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    path = tmp_path / "run" / name
    path.unlink() if content is None else path.write_bytes(content)
    damaged = (
        rf".*{name}: expected a file as zsltf run wrote it, received a damaged one \(.+\)\. Run the recipe again\."
    )
    missing = rf".*run: expected a run folder with {name}, received none\. Give the folder that zsltf run wrote\."
    refused(["export", tmp_path / "run", "--format", "onnx"], missing if content is None else damaged)


@pytest.fixture(scope="module")
def artifact(run):
    return run / "export" / "model.onnx"


@pytest.fixture
def photo(drawn):
    return next((drawn / "images").rglob("*.png"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [line.pop() for line in lines], "17 semantic columns as in training, received 16 .*large.*"),
        (lambda lines: [line.append("9") for line in lines], r"17 semantic columns as in training, received 18 .*9.*"),
        (
            lambda lines: lines[0].__setitem__(1, "round"),
            r"17 .* received 17 \(differing: circle, round\)\. Use the .*",
        ),
        (
            lambda lines: [line.insert(1, line.pop(2)) for line in lines],
            r"17 .*\(differing: their order\)\. Use the .*",
        ),
    ],
)
def test_class_rows_of_other_columns(run, artifact, photo, drawn, tmp_path, refused, change, message):
    path = new_rows(drawn, tmp_path)
    edit_table(path, change)
    refused(["predict", artifact, photo, "--classes", path], rf"class rows: expected {message}")


def test_class_rows_with_a_name_that_is_taken(artifact, photo, drawn, tmp_path, refused):
    path = new_rows(drawn, tmp_path)
    taken = open_artifact(artifact).card.names[3]
    edit_table(path, lambda lines: lines[1].__setitem__(0, taken))
    message = (
        rf"ClassTable.names: expected at least one name, each once, received \['{taken}'\]\. Rename or remove rows\."
    )
    refused(["predict", artifact, photo, "--classes", path], message)


def new_rows(drawn, folder):
    """A CSV of two new classes."""
    path = Path(shutil.copy(drawn / "attributes.csv", folder / "rows.csv"))

    def change(lines):
        del lines[3:]
        for i, line in enumerate(lines):
            line[:2] = [f"new {i}" if i else "class"]

    edit_table(path, change)
    return path


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.onnx", None, r".*none.onnx: expected an exported file, received none\. Give a .onnx, .*"),
        (
            "model.h5",
            b"",
            r".*model.h5: expected a .onnx, a .tflite or a SavedModel folder, received '.h5'\. Export .*",
        ),
        (
            "bad.onnx",
            b"no model",
            r".*bad.onnx: expected a file that onnxruntime opens, received .*\. Export it again\.",
        ),
        (
            "bad.tflite",
            b"no model",
            r".*bad.tflite: expected a file that LiteRT opens, received .*\. Export it again\.",
        ),
        ("folder", "", r".*folder: expected a SavedModel that zsltf wrote, with .*, received none\. Export it .*"),
    ],
)
def test_what_is_no_exported_file(photo, tmp_path, refused, name, content, message):
    if content == "":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    refused(["predict", tmp_path / name, photo], message.replace("received .*", r"received (?s:.*)"))


def test_photos_that_are_none(artifact, tmp_path, refused):
    refused(
        ["predict", artifact, tmp_path / "none.jpg"], r".*none.jpg: expected a photo or a folder .*, received none\..*"
    )
    (tmp_path / "empty").mkdir()
    refused(
        ["predict", artifact, tmp_path / "empty"], r".*empty: expected a folder with photos, received one without\. .*"
    )


def test_too_few_classes_wanted(artifact, photo, refused):
    refused(
        ["predict", artifact, photo, "--top", "0"], r"top: expected 1 or more, received 0\. Start from the default\."
    )


def test_a_csv_that_cannot_be_written_is_refused_before_the_work(artifact, photo, tmp_path, refused):
    (tmp_path / "file").write_text("")
    message = (
        r".*file: expected a folder that can be written, received Not a directory\. Choose another output folder\."
    )
    refused(["predict", artifact, photo, "--csv", tmp_path / "file" / "out.csv"], message)


def test_a_file_that_holds_no_predictions_is_not_overwritten(artifact, photo, drawn, tmp_path, refused, capsys):
    rows = new_rows(drawn, tmp_path)  # --csv where --classes was meant
    (tmp_path / "folder").mkdir()
    for path in (rows, tmp_path / "folder"):
        message = rf"{path}: expected a new file, or earlier predictions to replace, received another one\. Choose .*"
        refused(["predict", artifact, photo, "--csv", path], message)
    for top in (1, 2):
        assert status_of(["predict", artifact, photo, "--csv", tmp_path / "out.csv", "--top", top]) == 0
        assert len((tmp_path / "out.csv").read_text("utf-8").splitlines()) == 1 + top


def test_another_number_of_rows_than_biases_or_names(artifact):
    opened = open_artifact(artifact)
    vectors = opened.class_vectors
    with pytest.raises(
        ValueError, match=r"class_bias: expected shape \(2,\), received shape \(1,\)\. Give one bias a c"
    ):
        opened.with_table(("a", "b"), vectors[:2], np.zeros(1))
    with pytest.raises(
        ValueError, match=r"class_vectors: expected shape \(3, 17\), received shape \(2, 17\)\. Give on"
    ):
        opened.with_table(("a", "b", "c"), vectors[:2], np.zeros(3))
    with pytest.raises(ValueError, match=r"class_vectors: expected shape \(2, 17\), received shape \(2, 16\)"):
        opened.with_table(("a", "b"), vectors[:2, :-1], np.zeros(2))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 9, 9, 3), np.float32), r"images: expected uint8 in 0\.\.255, received float32\. Don't normalise"),
        (np.zeros((9, 9, 3), np.uint8), r"images: expected shape \(any, any, any, 3\), received shape \(9, 9, 3\)"),
        (np.zeros((2, 9, 9, 4), np.uint8), r"images: expected shape \(any, any, any, 3\), received shape \(2, 9, 9, 4"),
        (np.zeros((0, 9, 9, 3), np.uint8), r"images: expected at least one image of one pixel, received shape \(0, 9"),
        (np.zeros((1, 0, 9, 3), np.uint8), r"images: expected at least one image of one pixel, received shape \(1, 0"),
    ],
)
def test_images_of_another_shape_or_type(artifact, images, message):
    with pytest.raises(ValueError, match=message):
        open_artifact(artifact)(images)
