import json
import shutil

import pytest

from zsltf.artifacts.manifest import (
    check_hashes,
    history_of,
    read_manifest,
    record_change,
    take_back,
    write_manifest,
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "saved_model" / "variables").mkdir(parents=True)
    (tmp_path / "model.onnx").write_bytes(b"one")
    (tmp_path / "saved_model" / "variables" / "data").write_bytes(b"two")
    write_manifest(tmp_path, {"classes": ["a", "b"], "history": []})
    return tmp_path


def test_it_lists_every_file_with_its_hash(folder):
    manifest = read_manifest(folder)
    assert manifest["classes"] == ["a", "b"]
    sizes = {name: entry["bytes"] for name, entry in manifest["files"].items()}
    assert sizes == {"model.onnx": 3, "saved_model/variables/data": 3}
    known = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"  # of "one", by sha256sum
    assert manifest["files"]["model.onnx"]["sha256"] == known
    check_hashes(folder)


@pytest.mark.parametrize(
    ("change", "received"),
    [
        (lambda f: (f / "model.onnx").write_bytes(b"other"), "one with another hash"),
        (lambda f: (f / "model.onnx").unlink(), "none"),
        (lambda f: (f / "saved_model" / "variables" / "data").write_bytes(b""), "one with another hash"),
        (lambda f: (f / "saved_model" / "more").write_bytes(b""), "one that it doesn't"),
    ],
)
def test_what_was_changed_lost_or_added_is_refused(folder, change, received):
    change(folder)
    with pytest.raises(ValueError, match=rf"expected the file that the manifest lists, received {received}"):
        check_hashes(folder)


def test_only_what_is_asked_for_is_checked(folder):
    (folder / "model.onnx").write_bytes(b"other")
    check_hashes(folder, ("saved_model",))
    with pytest.raises(ValueError, match=r"model\.onnx: expected the file that the manifest lists"):
        check_hashes(folder, ("model.onnx",))


STEP = {"change": "added c", "classes": ["a", "b", "c"], "rows": [0, 1, -1]}


@pytest.fixture
def staged(folder):
    """What saved_model is going to be, beside the manifest as a write in progress is."""
    staging = folder / ".saved_model.0f.partial"
    (staging / "variables").mkdir(parents=True)
    (staging / "variables" / "data").write_bytes(b"three")
    (staging / "more").write_bytes(b"four")
    return staging


def test_a_change_keeps_both_hashes_and_touches_no_other_file(folder, staged):
    before = read_manifest(folder)
    (folder / "model.onnx").write_bytes(b"tampered")
    record_change(folder, "saved_model", staged, STEP)
    shutil.rmtree(folder / "saved_model")
    staged.rename(folder / "saved_model")
    after = read_manifest(folder)
    (step,) = after["history"]
    assert {key: step[key] for key in STEP} == STEP
    assert step["file"] == "saved_model"
    assert step["before"] == {"saved_model/variables/data": before["files"]["saved_model/variables/data"]["sha256"]}
    assert set(step["after"]) == {"saved_model/variables/data", "saved_model/more"}
    assert after["files"]["saved_model/more"] == {"sha256": step["after"]["saved_model/more"], "bytes": 4}
    check_hashes(folder, ["saved_model"])
    assert after["files"]["model.onnx"] == before["files"]["model.onnx"]
    with pytest.raises(ValueError, match=r"model\.onnx: expected the file that the manifest lists"):
        check_hashes(folder)


def test_a_change_that_was_cut_off_is_taken_back(folder, staged):
    before = read_manifest(folder)
    record_change(folder, "saved_model", staged, STEP)
    with pytest.raises(ValueError, match=r"saved_model/.*: expected the file that the manifest lists"):
        check_hashes(folder)
    take_back(folder, "model.onnx")  # was not edited
    assert read_manifest(folder)["history"]
    take_back(folder, "saved_model")
    assert read_manifest(folder) == before
    check_hashes(folder)  # whatever the staging folder holds


def test_a_change_that_was_made_stays(folder, staged):
    record_change(folder, "saved_model", staged, STEP)
    shutil.rmtree(folder / "saved_model")
    staged.rename(folder / "saved_model")
    made = read_manifest(folder)
    take_back(folder, "saved_model")
    assert read_manifest(folder) == made


def test_the_history_says_where_classes_come_from(folder, staged):
    record_change(folder, "saved_model", staged, STEP)
    again = {"change": "removed a, renamed", "classes": ["d", "c"], "rows": [1, 2]}
    record_change(folder, "saved_model", staged, again)
    manifest = read_manifest(folder)
    assert history_of(manifest, "saved_model") == (["d", "c"], [1, -1])
    assert history_of(manifest, "model.onnx") == (["a", "b"], [0, 1])


FORM = '{"files": {"a": {"sha256": "0"}}, "classes": ["x"], "history": %s, "artifacts": %s}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"files": {"a": 1}}',
        '{"files": [1]}',
        "[" * 10**5,
        FORM % ("3", "[]"),
        FORM % ("[]", '[{"file": "b"}]'),
        FORM % ("[]", "[{}]"),
        FORM % ('[{"file": "a", "classes": ["x"], "rows": [1], "before": {}}]', "[]"),
        FORM % ('[{"file": "a", "classes": ["x"], "rows": [0, 0], "before": {}}]', "[]"),
        FORM % ('[{"file": "a", "rows": [0]}]', "[]"),
    ],
)
def test_a_damaged_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(
        ValueError, match=r"manifest\.json: expected a manifest as zsltf export wrote it, received a dam"
    ):
        read_manifest(folder)


@pytest.mark.parametrize("name", ["/etc/passwd", "../other", "a/../../b"])
def test_it_does_not_point_outside(folder, name):
    content = json.loads((folder / "manifest.json").read_text("utf-8"))
    content["files"][name] = {"sha256": "0", "bytes": 0}
    (folder / "manifest.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(ValueError, match=r"expected files inside its folder, received some outside"):
        read_manifest(folder)


def test_a_folder_without_one_is_no_export(tmp_path):
    with pytest.raises(ValueError, match=r"expected an export with manifest\.json, received none\. Give the folder"):
        read_manifest(tmp_path)
