"""Classes added, removed and renamed in exported files: the file, its manifest and its history change together."""

import csv
import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from zsltf.artifacts.manifest import check_hashes, read_manifest
from zsltf.class_edits import add_photos
from zsltf.classifier import Classifier
from zsltf.cli import main
from zsltf.data.attributes import read_new_classes
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode
from zsltf.data.descriptions import description_table
from zsltf.data.text_semantics import TextSemantics
from zsltf.exporters.onnx import Onnx
from zsltf.layers.preprocess import Preprocess
from zsltf.prediction import open_artifact
from zsltf.runs import Run
from zsltf.similarities.cross_attention import CrossAttention
from zsltf.text_encoders.hub import HubText

FILES = ("model.onnx", "model.tflite", "saved_model")
WITHOUT_TENSORFLOW = """
import sys
from zsltf.cli import main
status = main(sys.argv[1:])
heavy = {"tensorflow", "keras"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else status)
"""


@pytest.fixture(params=FILES)
def path(request, run):
    return run / "export" / request.param


@pytest.fixture
def new_rows(drawn, tmp_path):
    """Two new classes by attributes."""
    with (drawn / "attributes.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    with (tmp_path / "new.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["class", *header[2:]], ["yak", *lines[0][2:]], ["zebu", *lines[5][2:]]])
    return tmp_path / "new.csv"


def edit(path, *arguments):
    return main(["classes", str(path), *map(str, arguments)])


def some_photos(drawn, count=3):
    return sorted((drawn / "images").rglob("*.png"))[:count]


def assert_as(path, classifier, photos):
    """The file says what the Classifier says."""
    artifact = open_artifact(path)
    assert artifact.card.names == classifier.names
    np.testing.assert_allclose(artifact.card.classes.semantics, classifier.classes.semantics, atol=1e-6)
    for photo in photos:
        image = decode(photo, artifact.card.size, artifact.card.resize)[None]
        expected = classifier.score(image)
        np.testing.assert_allclose(artifact(image)["scores"], expected, atol=5e-4 * expected.std())


def test_the_list_says_which_classes_had_no_image(path, capsys):
    assert edit(path, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    names = read_manifest(path.parent)["classes"]
    assert [line.partition("  (")[0] for line in lines] == names
    assert sum(line.endswith("(no training image)") for line in lines) == 6


def test_classes_by_attributes_are_those_of_keras(path, run, new_rows, drawn, capsys):
    before = read_manifest(path.parent)
    assert edit(path, "add", "--rows", new_rows) == 0
    assert capsys.readouterr().out.endswith(f"{path.name}: added yak, zebu\n")
    classifier = Run(run).classifier()
    with new_rows.open(newline="") as file:
        rows = np.array([line[1:] for line in list(csv.reader(file))[1:]], np.float32)
    new = type(classifier.classes)(
        names=("yak", "zebu"), semantics=rows, seen=np.zeros(2, bool), columns=classifier.columns
    )
    assert_as(path, classifier.with_classes(new), some_photos(drawn))
    after = read_manifest(path.parent)
    check_hashes(path.parent)
    (step,) = after["history"]
    assert (step["file"], step["change"], step["classes"][-2:]) == (path.name, "added yak, zebu", ["yak", "zebu"])
    for key, digest in step["before"].items():
        assert before["files"][key]["sha256"] == digest
    for key, digest in step["after"].items():
        assert after["files"][key]["sha256"] == digest
    assert main(["verify", str(path)]) == 0


def test_a_class_by_photos_is_that_of_keras(path, run, drawn, capsys):
    shots = some_photos(drawn, 4)
    assert edit(path, "add", "--name", "newcomer", "--photos", *shots) == 0
    classifier = Run(run).classifier()
    size, resize = classifier.preprocess.size, classifier.preprocess.resize_policy
    images = np.stack([decode(photo, size, resize) for photo in shots])
    assert_as(path, classifier.with_photos("newcomer", images), some_photos(drawn, 6))


def test_a_class_by_attributes_and_photos_is_that_of_keras(path, run, new_rows, drawn, tmp_path, capsys):
    shots, classifier = some_photos(drawn, 4), Run(run).classifier()
    rows = read_new_classes(new_rows, classifier.classes)
    size, resize = classifier.preprocess.size, classifier.preprocess.resize_policy
    images = np.stack([decode(photo, size, resize) for photo in shots])
    expected = classifier.with_photos("zebu", images, rows.semantics[1])
    assert edit(path, "add", "--rows", new_rows, "--name", "zebu", "--photos", *shots) == 0
    assert_as(path, expected, some_photos(drawn, 6))
    row = dict(zip(rows.columns, rows.semantics[1].tolist(), strict=True))
    entry = {"name": "twin", "semantics": row, "photos": list(map(str, shots))}
    (tmp_path / "table.json").write_text(json.dumps({"add": [entry]}), "utf-8")
    assert edit(path, "apply", tmp_path / "table.json") == 0
    vectors = open_artifact(path).class_vectors
    np.testing.assert_array_equal(vectors[-1], vectors[-2])
    assert edit(path, "add", "--rows", new_rows, "--name", "okapi", "--photos", *shots) == 1
    assert "rows, class: expected one of yak, zebu, received 'okapi'" in capsys.readouterr().err


def test_a_file_that_takes_photos_alone_refuses_attributes_beside_them(run, new_rows, drawn):
    artifact = open_artifact(run / "export" / "model.onnx")
    alone = replace(artifact, card=replace(artifact.card, prior_photos=0.0))
    rows = read_new_classes(new_rows, artifact.card.classes)
    with pytest.raises(ValueError, match=r"add: expected a file that weighs attributes .* received one that takes eit"):
        add_photos(alone, "yak", some_photos(drawn), rows)


def test_a_missing_attribute_is_no_number(run, new_rows, tmp_path, capsys):
    path = run / "export" / "model.onnx"
    header, first, _ = (line.split(",") for line in new_rows.read_text("utf-8").splitlines())
    first[1] = "-1"
    new_rows.write_text(",".join(header) + "\n" + ",".join(first), "utf-8")
    told = f"1 marked -1 (missing), the first {header[1]} of yak"
    assert edit(path, "add", "--rows", new_rows) == 1
    assert told in capsys.readouterr().err
    assert main(["predict", str(path), str(new_rows), "--classes", str(new_rows)]) == 1
    assert told in capsys.readouterr().err
    entry = {"name": "yak", "semantics": dict(zip(header[1:], map(float, first[1:]), strict=True))}
    (tmp_path / "table.json").write_text(json.dumps({"add": [entry]}), "utf-8")
    assert edit(path, "apply", tmp_path / "table.json") == 1
    assert told in capsys.readouterr().err


def test_removed_and_renamed_classes(path, run, drawn, capsys):
    names = list(read_manifest(path.parent)["classes"])
    assert edit(path, "remove", names[0], names[3]) == 0
    assert edit(path, "rename", f"{names[1]}=first of all") == 0
    assert main(["verify", str(path)]) == 0
    classifier, kept = Run(run).classifier(), [1, 2, *range(4, len(names))]
    artifact = open_artifact(path)
    assert artifact.card.names == ("first of all", names[2], *names[4:])
    image = decode(some_photos(drawn)[0], artifact.card.size, artifact.card.resize)[None]
    expected = classifier.score(image)[:, kept]
    np.testing.assert_allclose(artifact(image)["scores"], expected, atol=5e-4 * expected.std())
    changes = [step["change"] for step in read_manifest(path.parent)["history"]]
    assert changes == [f"removed {names[0]}, {names[3]}", f"renamed {names[1]} to first of all"]


def test_a_table_does_all_of_it_at_once(path, run, drawn, tmp_path, capsys):
    card = open_artifact(path).card
    (tmp_path / "shots").mkdir()
    for number, photo in enumerate(some_photos(drawn)):
        (tmp_path / "shots" / f"{number}.png").write_bytes(photo.read_bytes())
    row = dict(zip(card.columns, card.semantics[2], strict=True))
    table = {
        "remove": [card.names[0]],
        "rename": {card.names[1]: "second"},
        "add": [{"name": "by row", "semantics": row}, {"name": "by photos", "photos": ["shots"]}],
    }
    (tmp_path / "table.json").write_text(json.dumps(table), "utf-8")
    assert edit(path, "apply", tmp_path / "table.json") == 0
    told = f"added by row, by photos; removed {card.names[0]}; renamed {card.names[1]} to second"
    assert told in capsys.readouterr().out
    assert open_artifact(path).card.names == ("second", *card.names[2:], "by row", "by photos")
    assert main(["verify", str(path)]) == 0


def test_every_class_may_leave_where_others_come(path, tmp_path, capsys):
    before = open_artifact(path)
    names, columns = before.card.names, before.card.columns
    row = dict(zip(columns, before.card.semantics[0], strict=True))
    table = {"of": names, "remove": names, "add": [{"name": names[0], "semantics": {**row, columns[0]: 0.25}}]}
    (tmp_path / "table.json").write_text(json.dumps(table), "utf-8")
    assert edit(path, "apply", tmp_path / "table.json") == 0
    assert capsys.readouterr().out.endswith(f"added {names[0]}; removed {', '.join(names)}\n")
    after = open_artifact(path)
    assert after.card.names == names[:1]
    assert after.card.semantics[0][0] == 0.25
    assert np.abs(after.class_vectors[0] - before.class_vectors[0]).max() > 1e-4
    assert read_manifest(path.parent)["history"][-1]["rows"] == [-1]
    assert main(["verify", str(path)]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rename": ["FIRST"]}, "FIRST in both. Take them out of one."),
        ({}, "classes to remove: expected fewer than all, received all"),
    ],
)
def test_a_table_that_leaves_nothing_to_show_changes_nothing(run, tmp_path, capsys, change, message):
    path = run / "export" / "model.onnx"
    before, names = path.read_bytes(), open_artifact(path).card.names
    table = {"remove": names, **{part: {names[0]: "new"} for part in change}}
    (tmp_path / "table.json").write_text(json.dumps(table), "utf-8")
    assert edit(path, "apply", tmp_path / "table.json") == 1
    assert message.replace("FIRST", names[0]) in capsys.readouterr().err
    assert path.read_bytes() == before


def test_what_the_page_found_is_what_the_photos_say(path, drawn, tmp_path, capsys):
    artifact = open_artifact(path)
    card, photos = artifact.card, some_photos(drawn, 6)
    images = [decode(photo, card.size, card.resize)[None] for photo in photos]
    by_photos = artifact.with_photos("zebra", images[:3])
    by_both = by_photos.with_photos("okapi", images[3:], np.array(card.semantics[2], np.float32))
    kept = by_both.renamed({card.names[1]: "second"}).without([card.names[0]])
    found = [
        {"name": name, "vector": vector.ravel().tolist(), "bias": float(bias)}
        for name, vector, bias in zip(
            ("zebra", "okapi"), by_both.class_vectors[-2:], by_both.class_bias[-2:], strict=True
        )
    ]
    found[1]["semantics"] = dict(zip(card.columns, card.semantics[2], strict=True))
    table = {"of": card.names, "remove": [card.names[0]], "rename": {card.names[1]: "second"}, "add": found}
    (tmp_path / "classes.json").write_text(json.dumps(table), "utf-8")
    assert edit(path, "apply", tmp_path / "classes.json") == 0
    edited = open_artifact(path)
    assert edited.card == kept.card
    np.testing.assert_array_equal(edited.class_vectors, kept.class_vectors)
    np.testing.assert_array_equal(edited.class_bias, kept.class_bias)
    for image in images:
        expected = kept(image)["scores"]
        np.testing.assert_allclose(edited(image)["scores"], expected, atol=1e-5 * expected.std())
    assert main(["verify", str(path)]) == 0
    capsys.readouterr()
    assert edit(path, "apply", tmp_path / "classes.json") == 1
    count = len(card.names)
    told = f"expected a table of edits to this file's {count + 1} classes, received one made for others (number 1 is "
    assert f"{told}{card.names[0]} there and second here)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table["of"].append("unicorn"), "made for others (number 25 is unicorn there and missing here)"),
        (lambda table: table["of"].pop(), " there and "),
        (lambda table: table["add"][0]["vector"].pop(), " numbers, received "),
        (lambda table: table["add"][0].update(name=table["of"][3]), "each once, received"),
        (lambda table: table["add"][0].update(semantics={"size": 1}), "a number for every column of semantics"),
    ],
)
def test_a_table_of_another_file_changes_nothing(run, tmp_path, capsys, change, message):
    path = run / "export" / "model.onnx"
    before, artifact = path.read_bytes(), open_artifact(path)
    vector = artifact.class_vectors[0].tolist()
    table = {"of": list(artifact.card.names), "add": [{"name": "zebra", "vector": vector, "bias": 0.0}]}
    change(table)
    (tmp_path / "classes.json").write_text(json.dumps(table), "utf-8")
    assert edit(path, "apply", tmp_path / "classes.json") == 1
    assert message in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("file", ["model.onnx", "model.tflite"])
def test_no_tensorflow_is_needed(run, new_rows, file):
    for arguments in (("list",), ("add", "--rows", new_rows), ("remove", "yak")):
        command = [sys.executable, "-c", WITHOUT_TENSORFLOW, "classes", run / "export" / file, *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_a_file_by_itself_is_edited_without_a_manifest(run, tmp_path, capsys):
    alone = tmp_path / "alone.onnx"
    alone.write_bytes((run / "export" / "model.onnx").read_bytes())
    first = open_artifact(alone).card.names[0]
    assert edit(alone, "remove", first) == 0
    assert first not in open_artifact(alone).card.names
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["alone.onnx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("remove", "unicorn"), "classes: expected some of "),
        (("rename", "unicorn"), "rename: expected OLD=NEW, received unicorn. Write cow=cattle, for one."),
        (("add",), "add: expected --rows FILE, or --name and --photos, or all, received others."),
        (("add", "--name", "x"), "add: expected --rows FILE, or --name and --photos"),
        (
            ("add", "--name", "x", "--photos", "nowhere.jpg"),
            "nowhere.jpg: expected a photo or a folder of photos, recei",
        ),
        (("apply", "TABLE"), '{"remove": [name], "rename": {old: new}, "add": [{"name": ..., "semantics" or "photos"'),
        (("rename", "FIRST=FIRST"), "the edit: expected a change of the class table, received none. Name what shall"),
        (("rename", "FIRST=two\nlines"), "names without line breaks and control characters, received ['two\\nlines']"),
    ],
)
def test_what_can_not_be_done_changes_nothing(run, tmp_path, capsys, arguments, message):
    path = run / "export" / "model.onnx"
    before = path.read_bytes(), read_manifest(run / "export")
    (tmp_path / "table.json").write_text('{"delete": ["a"]}', "utf-8")
    first = open_artifact(path).card.names[0]
    given = [argument.replace("TABLE", str(tmp_path / "table.json")).replace("FIRST", first) for argument in arguments]
    assert edit(path, *given) == 1
    assert message in capsys.readouterr().err
    assert (path.read_bytes(), read_manifest(run / "export")) == before


def test_a_tampered_file_is_not_edited(run, capsys):
    path = run / "export" / "model.tflite"
    path.write_bytes(path.read_bytes() + b"\0")
    assert edit(path, "remove", "whatever") == 1
    assert (
        "model.tflite: expected the file that the manifest lists, received one with another hash"
        in capsys.readouterr().err
    )


def test_a_tampered_projection_is_not_used(run, new_rows, monkeypatch, capsys):
    path = run / "export" / "model.tflite"
    project = path.with_suffix(".project.tflite")
    project.write_bytes(b"somebody's")
    assert edit(path, "add", "--rows", new_rows) == 1
    assert "model.project.tflite: expected the file that the manifest lists, received one" in capsys.readouterr().err


def test_names_may_be_exchanged(path, capsys):
    first, second, *_ = open_artifact(path).card.names
    assert edit(path, "rename", f"{first}={second}", f"{second}={first}") == 0
    assert f"renamed {first} to {second}, {second} to {first}" in capsys.readouterr().out
    assert open_artifact(path).card.names[:2] == (second, first)
    assert main(["verify", str(path)]) == 0


def test_a_class_that_leaves_and_comes_back_is_another_one(path, new_rows, capsys):
    names = list(open_artifact(path).card.names)
    rows = new_rows.read_text("utf-8").replace("yak", names[0])
    new_rows.write_text(rows, "utf-8")
    assert edit(path, "remove", names[0]) == 0
    assert edit(path, "add", "--rows", new_rows) == 0
    assert capsys.readouterr().out.endswith(f"added {names[0]}, zebu\n")
    assert [step["rows"][-2:] for step in read_manifest(path.parent)["history"]] == [[22, 23], [-1, -1]]
    assert main(["verify", str(path)]) == 0


def test_a_linked_file_is_edited_where_it_lies(path, tmp_path, capsys):
    link = tmp_path / "link" / path.name
    link.parent.mkdir()
    link.symlink_to(path)
    assert edit(link, "remove", open_artifact(path).card.names[0]) == 0
    assert link.is_symlink()
    assert len(open_artifact(path).card.names) == 23
    check_hashes(path.parent)
    assert len(read_manifest(path.parent)["history"]) == 1


KILLED = """
import os, pathlib, sys
from zsltf.cli import main
import zsltf.class_edits as edits
record = edits.record_change
edits.record_change = lambda *given: (record(*given), os.kill(os.getpid(), 9))
main(sys.argv[1:])
"""


def test_an_edit_that_is_killed_midway_does_not_block_the_next_one(path, capsys):
    first = open_artifact(path).card.names[0]
    command = [sys.executable, "-c", KILLED, "classes", str(path), "remove", first]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -9
    assert main(["verify", str(path)]) == 1
    assert "its last edit was stopped midway; edit it once more" in capsys.readouterr().out
    assert edit(path, "remove", first) == 0
    (step,) = read_manifest(path.parent)["history"]
    assert step["change"] == f"removed {first}"
    assert main(["verify", str(path.parent)]) == 0


RENAMED = """
import pathlib, os, sys
from zsltf.cli import main
rename = pathlib.Path.rename
def killed(self, target):
    rename(self, target)
    if str(target).endswith("saved_model") and ".old" in str(target):
        os.kill(os.getpid(), 9)
pathlib.Path.rename = killed
main(sys.argv[1:])
"""


def test_a_folder_that_was_moved_aside_by_a_killed_edit_is_put_back(run, capsys):
    path = run / "export" / "saved_model"
    first = open_artifact(path).card.names[0]
    command = [sys.executable, "-c", RENAMED, "classes", str(path), "remove", first]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -9
    assert not path.exists()
    assert edit(path, "remove", first) == 0
    assert [step["change"] for step in read_manifest(path.parent)["history"]] == [f"removed {first}"]
    assert main(["verify", str(path.parent)]) == 0
    assert not [entry for entry in path.parent.iterdir() if entry.name.startswith(".")]


def test_edits_at_the_same_time_wait_for_each_other(run, tmp_path):
    names = open_artifact(run / "export" / "model.onnx").card.names
    commands = [
        [sys.executable, "-m", "zsltf", "classes", str(run / "export" / file), "remove", name]
        for file, name in (("model.onnx", names[0]), ("model.onnx", names[1]), ("model.tflite", names[2]))
    ]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert len(open_artifact(run / "export" / "model.onnx").card.names) == len(names) - 2
    assert len(read_manifest(run / "export")["history"]) == 3
    check_hashes(run / "export")
    assert main(["verify", str(run / "export")]) == 0


def test_an_export_of_links_gets_a_file_of_its_own(run, tmp_path, capsys):
    path, store = run / "export" / "model.onnx", tmp_path / "blob"
    path.rename(store)
    path.symlink_to(store)
    before = store.read_bytes()
    assert edit(path, "remove", open_artifact(path).card.names[0]) == 0
    assert store.read_bytes() == before  # others may use it
    assert not path.is_symlink()
    assert main(["verify", str(path.parent)]) == 0


def test_of_two_equal_classes_the_one_that_was_named_leaves(path, new_rows, capsys):
    lines = new_rows.read_text("utf-8").splitlines()
    new_rows.write_text("\n".join([lines[0], lines[1], lines[1].replace("yak", "twin")]), "utf-8")
    assert edit(path, "add", "--rows", new_rows) == 0
    assert edit(path, "remove", "yak") == 0
    assert capsys.readouterr().out.endswith("removed yak\n")
    assert main(["verify", str(path)]) == 0


def test_a_file_keeps_its_permissions(run):
    path = run / "export" / "model.tflite"
    path.chmod(0o600)
    assert edit(path, "remove", open_artifact(path).card.names[0]) == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_built_in_only_file_is_not_edited(finished, tmp_path, capsys):
    out = tmp_path / "export"
    assert main(["export", str(finished), "--format", "tflite", "--built-in-only", "--out", str(out)]) == 0
    path = out / "model.built_in.tflite"
    for change in (("remove", open_artifact(path).card.names[0]), ("rename", "a=b")):
        assert edit(path, *change) == 1
        assert "the file: expected one with an open entry, received one with the built-in" in capsys.readouterr().err


class Words(tf.Module):
    """A text encoder: strings to fixed directions by their hash."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, strings):
        angles = tf.cast(tf.strings.to_hash_bucket_fast(strings, 1000), tf.float32)[:, None] * tf.range(1.0, 5.0)
        return tf.sin(angles)


def test_classes_by_text_where_semantics_are_vectors_of_the_same_encoder(run, tmp_path, capsys):
    tf.saved_model.save(Words(), str(tmp_path / "words"))
    text, encoder = TextSemantics(), HubText(model=str(tmp_path / "words"))

    def told(*names):
        nothing = np.zeros((len(names), 0), np.float32)
        return text.table(ClassTable(names=names, semantics=nothing, seen=np.ones(len(names), bool)), encoder.encode)

    images = keras.Input((24, 24, 3))
    embed = keras.Model(images, keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(images)))
    classifier = Classifier(embed, told("cow", "horse"), preprocess=Preprocess(24, scale=(255.0,) * 3))
    path = tmp_path / "model.onnx"
    Onnx().write(classifier, path)
    new = ("add-text", "zebra", "okapi", "encoder:hub", "--model", tmp_path / "words")
    assert edit(path, *new) == 0
    assert "added zebra, okapi" in capsys.readouterr().out
    pixels, expected = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3), dtype=np.uint8), told("zebra", "okapi")
    scores = classifier.with_classes(expected).score(pixels)
    np.testing.assert_allclose(open_artifact(path)(pixels)["scores"], scores, atol=5e-5 * scores.std())
    assert edit(run / "export" / "model.onnx", *new) == 1
    assert (
        "add-text: expected a file whose semantics are vectors of text, received one whose semantics are attributes"
        in (capsys.readouterr().err)
    )


def test_a_class_by_sentences_where_each_stands_apart(tmp_path, capsys):
    tf.saved_model.save(Words(), str(tmp_path / "words"))
    encode = HubText(model=str(tmp_path / "words")).encode
    said = {"cow": ["It moos.", "It has horns.", "It gives milk."], "horse": ["It neighs."]}
    table = description_table(encode, said, [True, True])
    semantics = keras.Input((12,))
    images = keras.Input((24, 24, 3))
    classifier = Classifier(
        keras.Model(images, keras.layers.Dense(16)(keras.layers.GlobalAveragePooling2D()(images))),
        table,
        preprocess=Preprocess(24, scale=(255.0,) * 3),
        project=keras.Model(semantics, keras.layers.Dense(16)(keras.layers.Reshape((3, 4))(semantics))),
        similarity=CrossAttention(2),
    )
    path = tmp_path / "model.onnx"
    Onnx().write(classifier, path)
    (tmp_path / "s.csv").write_text("class,sentence\nzebra,It has stripes.\nzebra,It neighs.\n", "utf-8")
    new = ("add-text", "zebra", "encoder:hub", "--model", tmp_path / "words")
    assert edit(path, *new, "--describe", "sentences", "--sentences", tmp_path / "s.csv") == 0
    expected = description_table(encode, {"zebra": ["It has stripes.", "It neighs."]}, [False], count=3)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3), dtype=np.uint8)
    scores = classifier.with_classes(expected).score(pixels)
    np.testing.assert_allclose(open_artifact(path)(pixels)["scores"], scores, atol=5e-5 * scores.std())
    many = "".join(f"okapi,Sentence {n}.\n" for n in range(4))
    (tmp_path / "s.csv").write_text(f"class,sentence\n{many}", "utf-8")
    new = ("add-text", "okapi", *new[2:])
    assert edit(path, *new, "--describe", "sentences", "--sentences", tmp_path / "s.csv") == 1
    assert "sentences: expected up to 3 for each class, received 4" in capsys.readouterr().err
