import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from onnx import numpy_helper

from zsltf.artifacts.card import Card
from zsltf.cli import main
from zsltf.data.classes import ClassTable
from zsltf.data.decode import decode
from zsltf.delivery import deliver
from zsltf.export_options import ExportOptions
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.saved_model import SavedModel
from zsltf.exporters.tflite import TFLite
from zsltf.proof import Proof
from zsltf.runs import Run

ABOUT = {"manifest.json", "golden.npz", "MODEL_CARD.md"}
FILES = {"onnx": "model.onnx", "tflite": "model.tflite", "saved_model": "saved_model"}
EXPORTERS = {"onnx": Onnx, "tflite": TFLite, "saved_model": SavedModel}
CLASSES = 24


@pytest.fixture(scope="module")
def run(drawn, tmp_path_factory):
    """A run folder, exported to every format."""
    folder = tmp_path_factory.mktemp("delivery") / "run"
    photos = ("--images", str(drawn / "images"), "--classes", str(drawn / "attributes.csv"))
    network = ("--backbone", "conv4", "--weights", "random", "--shuffles", "0")
    assert main(["run", "zero_shot", *network, *photos, "--out", str(folder), "method:eszsl"]) == 0
    assert main(["export", str(folder)]) == 0
    return Run(folder)


@pytest.fixture(scope="module")
def classifier(run):
    return run.classifier()


@pytest.fixture(scope="module", params=FILES)
def artifact(request, run):
    return EXPORTERS[request.param].read(run.path / "export" / FILES[request.param])


@pytest.fixture
def copied(run, tmp_path):
    """A private copy of the run, without its export."""
    return Run(shutil.copytree(run.path, tmp_path / "run", ignore=shutil.ignore_patterns("export*")))


def listing(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def pictures(count):
    """Random uint8 images of an odd size."""
    return np.random.default_rng(count).integers(0, 256, (count, 53, 71, 3), np.uint8)


def spread(scores):
    return scores.std(axis=1).mean()


def assert_close(got, expected):
    """Within a two-thousandth of the scores' spread over classes, or of their size where there is one class."""
    unit = spread(expected) if expected.shape[1] > 1 else np.abs(expected).mean()
    np.testing.assert_allclose(got, expected, rtol=0, atol=5e-4 * unit)


def new_classes(classifier, count, seed=0):
    rng, columns = np.random.default_rng(seed), classifier.columns
    names = tuple(f"new class {i}" for i in range(count))
    rows = rng.integers(0, 2, (count, len(columns))).astype(np.float32)
    return ClassTable(names=names, semantics=rows, seen=np.zeros(count, bool), columns=columns)


# --- what an export leaves


def test_an_export_holds_each_format_and_the_proofs(run):
    projects = ("model.project.onnx", "model.project.tflite")
    assert names_in(run.path / "export") == {*FILES.values(), *projects, *ABOUT}
    listed = json.loads((run.path / "export" / "manifest.json").read_text("utf-8"))
    proofs = [Proof(**row) for artifact in listed["artifacts"] for row in artifact["proofs"]]
    cases = {(proof.format, proof.file, proof.classes, proof.batch) for proof in proofs}
    batches = {"Onnx": (1, 7), "SavedModel": (1, 7), "TFLite": (1,)}
    expected = {
        (kind.__name__, FILES[name], classes, batch)
        for name, kind in EXPORTERS.items()
        for classes in (CLASSES, CLASSES + 4)
        for batch in batches[kind.__name__]
    }
    assert cases == expected
    assert len(proofs) == len(expected)
    for proof in proofs:
        assert proof.holds
        assert proof.tolerance == {"Onnx": 5e-5, "SavedModel": 5e-6, "TFLite": 2e-4}[proof.format]
        path = run.path / "export" / proof.file
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        assert proof.megabytes == sum(file.stat().st_size for file in files) / 1e6


def test_the_run_keeps_the_proofs_and_shows_them(run):
    listed = json.loads((run.path / "export" / "manifest.json").read_text("utf-8"))["artifacts"]
    rows = [row for artifact in listed for row in artifact["proofs"]]
    assert run.read_json("export.json") == {"proofs": rows, "quantisation": None}
    page = (run.path / "report.html").read_text("utf-8").replace("<wbr>", "")
    assert all(name in page for name in FILES.values())


def test_chosen_formats_in_a_chosen_place(copied, tmp_path, capsys):
    out = tmp_path / "new" / "place"
    assert main(["export", str(copied.path), "--format", "onnx,tflite", "--out", str(out)]) == 0
    projects = ("model.project.onnx", "model.project.tflite")
    assert names_in(out) == {"model.onnx", "model.tflite", *projects, *ABOUT}
    assert {proof["format"] for proof in copied.read_json("export.json")["proofs"]} == {"Onnx", "TFLite"}
    printed = capsys.readouterr().out
    assert f"zsltf predict {out / 'model.onnx'} PHOTO" in printed
    assert "export" not in names_in(copied.path)


def test_an_unknown_format_is_answered_with_the_nearest(copied, capsys):
    assert main(["export", str(copied.path), "--format", "onnx,tflit"]) == 1
    known = "all, mobile, onnx, saved_model, serving, tflite, web"
    message = f"--format: expected one of {known}, received 'tflit'. Did you mean 'tflite'?"
    assert capsys.readouterr().err == f"zsltf export: {message}\n"
    assert "export" not in names_in(copied.path)


def test_all_formats_are_the_folders_files():
    assert [type(exporter) for exporter in ExportOptions().exporters()] == [Onnx, SavedModel, TFLite]
    assert [type(exporter) for exporter in ExportOptions().exporters("tflite,onnx")] == [TFLite, Onnx]
    assert ExportOptions().exporters("all,onnx") == ExportOptions().exporters()
    twice = ExportOptions(precision=("float32", "float16", "float32")).exporters("tflite")
    assert [exporter.precision for exporter in twice] == ["float32", "float16"]


def test_an_earlier_export_is_kept_or_replaced_whole(copied, capsys):
    export = copied.path / "export"
    assert main(["export", str(copied.path), "--format", "onnx"]) == 0
    before = listing(copied.path)
    assert main(["export", str(copied.path), "--format", "tflite"]) == 1
    assert "expected a path where nothing is yet, received an existing one" in capsys.readouterr().err
    assert listing(copied.path) == before
    assert main(["export", str(copied.path), "--format", "tflite", "--overwrite"]) == 0
    assert names_in(export) == {"model.project.tflite", "model.tflite", *ABOUT}
    assert {proof["format"] for proof in copied.read_json("export.json")["proofs"]} == {"TFLite"}


def test_what_is_no_export_is_not_overwritten(copied, capsys):
    (copied.path / "export").mkdir()
    (copied.path / "export" / "precious").write_text("mine")
    assert main(["export", str(copied.path), "--format", "onnx", "--overwrite"]) == 1
    assert "expected a folder with manifest.json to overwrite" in capsys.readouterr().err
    assert listing(copied.path / "export") == ["precious"]


# --- what is not published


def test_a_file_that_differs_from_keras_is_not_published(copied, monkeypatch, capsys):
    assert main(["export", str(copied.path), "--format", "tflite"]) == 0
    before = {path: path.read_bytes() for path in copied.path.rglob("*") if path.is_file()}
    monkeypatch.setattr(Onnx, "tolerance", 0.0)
    for out in (copied.path / "export", copied.path / "other"):
        assert main(["export", str(copied.path), "--format", "tflite,onnx", "--out", str(out), "--overwrite"]) == 1
        error = capsys.readouterr().err
        assert error.startswith("zsltf export: model.onnx: expected scores within 0e+00 of Keras, received ")
        assert "(same top class: 100%); the first layer that differs is '" in error
        assert error.endswith("'. The file is not published: change that layer.\n")
    assert {path: path.read_bytes() for path in copied.path.rglob("*") if path.is_file()} == before
    assert not (copied.path / "other").exists()


def test_a_converter_that_goes_wrong_publishes_nothing(copied, monkeypatch, tmp_path):
    write = TFLite.write
    monkeypatch.setattr(TFLite, "write", lambda self, model, path: write(self, model.calibrate(gamma=0.1), path))
    with pytest.raises(
        ValueError, match=r"model.tflite: expected scores within 2e-04 of Keras, received .*no layer by itself differs"
    ):
        deliver(copied, tmp_path / "export", formats="tflite")
    assert not list(tmp_path.glob("*export*"))


@pytest.mark.parametrize(
    ("difference", "agreement", "holds"),
    [(1e-4, 1.0, True), (2e-4, 1.0, True), (3e-4, 1.0, False), (1e-4, 0.9, False), (np.nan, 1.0, False)],
)
def test_a_proof_holds_if_scores_and_top_classes_agree(difference, agreement, holds):
    figures = {
        "difference": difference,
        "agreement": agreement,
        "tolerance": 2e-4,
        "margin": 2e-4,
        "megabytes": 1.0,
        "seconds": 1.0,
    }
    named = {"format": "TFLite", "file": "model.tflite", "classes": 3, "batch": 1, "precision": "float32", **figures}
    assert Proof(**named, probability_error=1e-6).holds is holds
    assert not Proof(**named, probability_error=1e-4).holds


def test_a_changed_model_is_refused(copied, classifier, capsys):
    embed = copied.classifier()
    kernel = max(embed.embed.weights, key=lambda variable: variable.shape.num_elements())
    changed = kernel.numpy()
    changed.flat[np.abs(changed).argmax()] *= 1.5
    kernel.assign(changed)
    embed.save(copied.path / "model.keras")
    assert main(["export", str(copied.path)]) == 1
    error = capsys.readouterr().err
    assert "model.keras: expected the golden batch's scores, received " in error
    assert error.endswith(" off. The run folder was changed: run the recipe again.\n")
    assert "export" not in names_in(copied.path)


def test_a_changed_class_table_is_refused(copied, capsys):
    loaded = copied.classifier()
    loaded.with_classes(new_classes(loaded, 2)).save(copied.path / "model.keras")
    assert main(["export", str(copied.path)]) == 1
    assert (
        "model.keras: expected the golden batch's scores, received those of 26 classes. The run"
        in capsys.readouterr().err
    )


def test_an_untouched_model_is_what_the_golden_batch_says(run, classifier):
    golden = run.golden()
    assert golden.images.dtype == np.uint8
    assert golden.images.shape == (7, 84 * 17 // 16, 84 * 9 // 8, 3)
    np.testing.assert_allclose(
        classifier.score(golden.images), golden.scores, rtol=0, atol=1e-4 * spread(golden.scores)
    )


# --- files read back, against Keras on images that no export has seen


@pytest.mark.parametrize("batch", [1, 7])
def test_built_in_classes_score_as_in_keras(artifact, classifier, batch):
    outputs, expected = artifact(pictures(batch)), classifier.score(pictures(batch))
    assert artifact.card.names == classifier.names
    assert outputs["scores"].dtype == np.float32
    assert_close(outputs["scores"], expected)


@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("count", [1, CLASSES - 2])
def test_fewer_classes_score_as_in_keras(artifact, classifier, batch, count):
    rows = np.random.default_rng(count).permutation(CLASSES)[:count]
    table = classifier.classes.select(rows)
    fewer = artifact.with_table(table, artifact.class_vectors[rows], artifact.class_bias[rows])
    assert fewer.card.names == table.names
    assert fewer.card.seen == tuple(table.seen)
    outputs = fewer(pictures(batch))
    assert_close(outputs["scores"], classifier.score(pictures(batch))[:, rows])
    assert_softmax(outputs)


@pytest.mark.parametrize("batch", [1, 7])
def test_more_classes_score_as_in_keras(artifact, classifier, batch):
    new = new_classes(classifier, 4)
    more = artifact.with_classes(new)
    assert more.card.names == (*classifier.names, *new.names)
    assert more.card.seen == (*classifier.classes.seen, False, False, False, False)
    outputs = more(pictures(batch))
    assert_close(outputs["scores"], classifier.with_classes(new).score(pictures(batch)))
    assert_softmax(outputs)
    assert_close(artifact(pictures(batch))["scores"], classifier.score(pictures(batch)))  # the first is as it was


def assert_softmax(outputs):
    scores = outputs["scores"].astype(np.float64)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(outputs["probabilities"], powers / powers.sum(axis=1, keepdims=True), atol=2e-6)


def test_probabilities_are_the_softmax_of_scores(artifact):
    assert_softmax(artifact(pictures(3)))


def test_the_table_is_the_classifiers(artifact, classifier):
    np.testing.assert_array_equal(artifact.class_vectors, np.asarray(classifier.class_vectors))
    np.testing.assert_array_equal(artifact.class_bias, np.asarray(classifier.class_bias))
    assert artifact.card == Card.of(classifier)
    assert not artifact.edited


def test_the_same_table_by_the_open_entry_scores_the_same(artifact):
    images = pictures(3)
    again = artifact.with_table(artifact.card.classes, artifact.class_vectors, artifact.class_bias)
    assert_close(again(images)["scores"], artifact(images)["scores"])
    assert_close(artifact(np.ascontiguousarray(images[::-1]))["scores"][::-1], artifact(images)["scores"])


def test_a_new_classs_bias_is_zero_and_a_seen_ones_is_minus_gamma(artifact, classifier):
    more = artifact.with_classes(new_classes(classifier, 2))
    expected = np.append(-classifier.gamma * classifier.classes.seen, [0, 0])
    np.testing.assert_allclose(more.class_bias, expected, rtol=1e-6)


# --- each format as others see it


def dimensions(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def test_onnx_names_its_inputs_outputs_and_dimensions(run):
    graph = onnx.load(run.path / "export" / "model.onnx").graph
    assert {value.name: dimensions(value) for value in graph.input} == {
        "images": ["batch", "height", "width", 3],
        "class_vectors": ["classes", 17],
        "class_bias": ["classes"],
    }
    assert {value.name: dimensions(value) for value in graph.output} == {
        "embedding": ["batch", 17],
        "scores": ["batch", "classes"],
        "probabilities": ["batch", "classes"],
    }
    project = onnx.load(run.path / "export" / "model.project.onnx").graph
    assert [(value.name, dimensions(value)[0]) for value in (*project.input, *project.output)] == [
        ("semantics", "classes"),
        ("class_vectors", "classes"),
    ]


def test_onnx_needs_images_only_and_carries_the_card(run, classifier):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(run.path / "export" / "model.onnx", options)
    assert [value.name for value in session.get_inputs()] == ["images"]
    assert [value.name for value in session.get_overridable_initializers()] == ["class_vectors", "class_bias"]
    assert Card.from_json(session.get_modelmeta().custom_metadata_map["zsltf"], "file") == Card.of(classifier)
    scores, probabilities = session.run(["scores", "probabilities"], {"images": pictures(2)})
    assert_close(scores, classifier.score(pictures(2)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_onnx_files_class_table_can_be_edited_without_tensorflow(run, classifier, tmp_path):
    model, rows = onnx.load(run.path / "export" / "model.onnx"), [5, 1, 7]
    for tensor in model.graph.initializer:
        if tensor.name in ("class_vectors", "class_bias"):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[rows], tensor.name))
    onnx.save(model, tmp_path / "edited.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(tmp_path / "edited.onnx", options)
    assert_close(session.run(["scores"], {"images": pictures(2)})[0], classifier.score(pictures(2))[:, rows])


def test_tflite_has_two_named_entries_and_the_built_in_one_runs_first(run, classifier):
    interpreter = Interpreter(str(run.path / "export" / "model.tflite"))
    outputs = ["embedding", "probabilities", "scores"]
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["images"], "outputs": outputs},
        "open_vocabulary": {"inputs": ["class_bias", "class_vectors", "images"], "outputs": outputs},
    }
    (images,) = interpreter.get_input_details()  # of the classic API
    assert images["name"] == "images"
    assert images["dtype"] == np.uint8
    assert list(images["shape_signature"]) == [1, -1, -1, 3]
    interpreter.resize_tensor_input(images["index"], pictures(1).shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(images["index"], pictures(1))
    interpreter.invoke()
    scores = {detail["name"]: interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()}
    assert_close(scores["scores"], classifier.score(pictures(1)))


def test_tflite_stores_its_weights_once_and_the_card_as_zip(run, classifier):
    path = run.path / "export" / "model.tflite"
    weights = 4 * sum(int(np.prod(variable.shape)) for variable in classifier.embed.weights)
    assert path.stat().st_size < 1.2 * weights
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["zsltf.json", "labels.txt"]
        assert archive.read("labels.txt").decode() == "\n".join(classifier.names)
        assert Card.from_json(archive.read("zsltf.json"), "file") == Card.of(classifier)


def test_the_tflite_files_class_table_can_be_edited_without_tensorflow(run, classifier, tmp_path):
    rows, content = np.random.default_rng(0).permutation(CLASSES), (run.path / "export" / "model.tflite").read_bytes()
    for variable in (classifier.class_vectors, classifier.class_bias):
        table = np.ascontiguousarray(np.asarray(variable), np.float32)
        assert content.count(table.tobytes()) == 1
        content = content.replace(table.tobytes(), np.ascontiguousarray(table[rows]).tobytes())
    (tmp_path / "edited.tflite").write_bytes(content)
    edited = TFLite.read(tmp_path / "edited.tflite")
    np.testing.assert_array_equal(edited.class_vectors, np.asarray(classifier.class_vectors)[rows])
    assert_close(edited(pictures(2))["scores"], classifier.score(pictures(2))[:, rows])


def test_saved_model_has_named_signatures(run, classifier):
    signatures = tf.saved_model.load(run.path / "export" / "saved_model").signatures
    inputs = {
        "serving_default": {"images": [None, None, None, 3]},
        "from_bytes": {"encoded": [None]},
        "embed": {"images": [None, None, None, 3]},
        "open_vocabulary": {"images": [None, None, None, 3], "class_vectors": [None, 17], "class_bias": [None]},
        "table": {"rows": [None]},
        "project": {"semantics": [None, 17]},
    }
    taken = {
        name: {key: spec.shape.as_list() for key, spec in signature.structured_input_signature[1].items()}
        for name, signature in signatures.items()
    }
    assert taken == inputs
    outputs = {name: sorted(signature.structured_outputs) for name, signature in signatures.items()}
    assert outputs == {
        "serving_default": ["label", "probabilities", "scores"],
        "from_bytes": ["label", "probabilities", "scores"],
        "embed": ["embedding"],
        "open_vocabulary": ["probabilities", "scores"],
        "table": ["class_bias", "class_vectors", "names"],
        "project": ["class_vectors"],
    }
    assert_close(
        signatures["serving_default"](images=tf.constant(pictures(2)))["scores"], classifier.score(pictures(2))
    )


def test_saved_model_refuses_a_single_bias_for_many_classes(run, classifier):
    serve = tf.saved_model.load(run.path / "export" / "saved_model").signatures["open_vocabulary"]
    vectors = tf.constant(np.asarray(classifier.class_vectors))
    with pytest.raises(tf.errors.InvalidArgumentError, match="class_bias: expected one a row of class_vectors"):
        serve(images=tf.constant(pictures(2)), class_vectors=vectors, class_bias=tf.zeros(1))


def test_saved_model_takes_encoded_photos_and_answers_with_labels(run, classifier, drawn):
    serve = tf.saved_model.load(run.path / "export" / "saved_model").signatures["from_bytes"]
    photos = sorted((drawn / "images").rglob("*.png"))[::17]
    answers = serve(encoded=tf.constant([photo.read_bytes() for photo in photos]))
    size, resize = classifier.preprocess.size, classifier.preprocess.resize_policy
    expected = np.concatenate([classifier.score(decode(photo, size, resize)[None]) for photo in photos])
    assert_close(answers["scores"].numpy(), expected)
    best, least = expected.argmax(axis=1), expected.max(axis=1)
    told = [
        classifier.names[i] if s >= classifier.reject_below else "none of these"
        for i, s in zip(best, least, strict=True)
    ]
    assert [label.decode() for label in answers["label"].numpy()] == told


def test_saved_model_stores_its_weights_once(run, classifier):
    folder = run.path / "export" / "saved_model"
    (data,) = (folder / "variables").glob("*.data*")
    weights = 4 * sum(int(np.prod(variable.shape)) for variable in classifier.variables)
    matrices = 4 * sum(int(np.prod(v.shape)) for v in classifier.embed.variables if len(v.shape) > 1)
    assert matrices <= data.stat().st_size < weights + 2000  # vectors are constants in the graph
    assert (folder / "saved_model.pb").stat().st_size < 250_000
    card = run.path / "export" / "saved_model" / "assets.extra" / "zsltf.json"
    assert Card.from_json(card.read_text("utf-8"), "file") == Card.of(classifier)


@pytest.mark.parametrize("name", ["model.project.onnx", "model.project.tflite"])
def test_a_lost_project_file_is_missed_when_it_is_needed(run, classifier, tmp_path, name):
    folder = Path(shutil.copytree(run.path / "export", tmp_path / "export"))
    (folder / name).unlink()
    opened = EXPORTERS[name.rpartition(".")[2]].read(folder / name.replace(".project", ""))
    assert opened(pictures(1))["scores"].shape == (1, CLASSES)
    with pytest.raises(
        ValueError, match=rf"{name}: expected an? .* file, received none\. Keep the files of an export tog"
    ):
        opened.with_classes(new_classes(classifier, 1))


def test_a_file_of_others_is_no_export(run, tmp_path):
    model = onnx.load(run.path / "export" / "model.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(
        ValueError, match=r"model.onnx: expected an ONNX file that zsltf wrote, received one without its"
    ):
        Onnx.read(tmp_path / "model.onnx")
    path = run.path / "export" / "model.project.tflite"  # a TFLite file without a card
    with pytest.raises(
        ValueError, match=r"tflite: expected a TFLite file that zsltf wrote, received one without its car"
    ):
        TFLite.read(path)


@pytest.mark.parametrize("opset", [14, 19])
def test_an_opset_that_the_converter_does_not_know_is_refused(opset):
    with pytest.raises(ValueError, match=rf"Onnx.opset: expected 15 to 18, received {opset}\. tf2onnx knows no later"):
        Onnx(opset=opset)
