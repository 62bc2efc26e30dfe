"""The web page as a folder: the page, the runtime, and a model that says what Keras says."""

import base64
import json
import shutil

import numpy as np
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from zsltf.artifacts.card import Card
from zsltf.cli import main
from zsltf.data.decode import fitted
from zsltf.export_options import ExportOptions
from zsltf.prediction import open_artifact
from zsltf.runs import Run
from zsltf.serving.browser_runtime import RUNTIMES
from zsltf.serving.web_folder import WebOptions, write_web_folder

PAGE = {"index.html": "<!doctype html><title>A page</title>", "page.js": "export {};", "page.css": "", "notes.md": "no"}


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory):
    """Packages in the pinned versions, without the runtimes' megabytes."""
    folder = tmp_path_factory.mktemp("npm") / "node_modules"
    for package in (package for runtime in RUNTIMES.values() for package in runtime.packages):
        for file in package.files:
            (folder / package.name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / package.name / file).write_text(f"{package.spec}/{file}", "utf-8")
        (folder / package.name / "package.json").write_text(json.dumps({"version": package.version}), "utf-8")
    return folder


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    for name, text in PAGE.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="session", params=RUNTIMES)
def web(request, finished, node_modules, page, tmp_path_factory):
    """Runtime and folder; don't change it."""
    out = tmp_path_factory.mktemp("web") / "page"
    options = WebOptions(runtime=request.param, runtime_files=node_modules)
    delivered = write_web_folder(Run(finished), out, page=page, name="drawn shapes", web=options)
    assert all(proof.holds and proof.precision == "float16" for proof in delivered.proofs)
    return request.param, out


def described(folder):
    return json.loads((folder / "model" / "model.json").read_text("utf-8"))


def numbers(packed):
    return np.frombuffer(base64.b64decode(packed["data"]), "<f4").reshape(packed["shape"])


def test_the_folder_is_the_page_its_runtime_and_the_model(web):
    runtime, folder = web
    model, kind = described(folder), {"onnxruntime-web": "onnx", "litert": "tflite"}[runtime]
    parts = {"network", "project"} | ({"compare"} if runtime == "litert" else set())
    assert {path.name for path in folder.iterdir()} == {*PAGE, "model", "runtime", "README.md"} - {"notes.md"}
    assert {path.name for path in (folder / "model").iterdir()} == {"model.json", *(f"{part}.{kind}" for part in parts)}
    wanted = {name for package in RUNTIMES[runtime].packages for name in package.files.values()}
    assert {path.name for path in (folder / "runtime").iterdir()} == {*wanted, *RUNTIMES[runtime].licences}
    module = folder / "model" / model["runtime_files"]["module"]
    assert module.read_text("utf-8").endswith((".mjs", "dist/index.js"))
    assert (folder / "model" / model["runtime_files"]["wasm"]).resolve() == (folder / "runtime").resolve()
    readme = (folder / "README.md").read_text("utf-8")
    assert "drawn shapes" in readme
    assert "python -m http.server --directory page --bind 127.0.0.1 8080" in readme


def test_the_description_is_the_classifier(web, finished):
    runtime, folder = web
    model, classifier = described(folder), Run(finished).classifier()
    card = Card.from_json(json.dumps(model["card"]), "model.json")
    assert (model["format"], model["name"], model["runtime"]) == (1, "drawn shapes", runtime)
    assert card.names == classifier.names
    assert (card.precision, card.any_size) == ("float16", runtime != "litert")
    np.testing.assert_array_equal(numbers(model["class_vectors"]), classifier.class_vectors)
    np.testing.assert_array_equal(numbers(model["class_bias"]), classifier.class_bias)
    assert [card.columns[i] for i in model["named_columns"]] == list(card.columns)
    assert model["sentences"] is False


def test_what_the_page_computes_is_what_keras_says(web, finished):
    """By the description and the files alone, called as the page calls them."""
    runtime, folder = web
    model, run = described(folder), Run(finished)
    vectors, bias, card = numbers(model["class_vectors"]), numbers(model["class_bias"]), model["card"]
    new = np.array(card["semantics"][:2], np.float32)[:, ::-1].copy()
    classifier, images = run.classifier(), run.golden().images
    files = {part: folder / "model" / name for part, name in model["files"].items() if name}
    if runtime == "litert":
        images = np.stack([fitted(image, card["size"], card["resize"]) for image in images])
        network, compare, project = (
            Interpreter(model_path=str(files[part])).get_signature_runner("entry")
            for part in ("network", "compare", "project")
        )
        more = np.concatenate([project(semantics=row[None])["class_vectors"] for row in new])
        embeddings = [network(images=image[None])["embedding"] for image in images]
        rows = np.concatenate([vectors, more])
        levels = np.append(bias, np.zeros(2, np.float32))
        scores = [
            [
                compare(embedding=a, class_vectors=row[None], class_bias=level[None])["scores"][0, 0]
                for row, level in zip(rows, levels, strict=True)
            ]
            for a in embeddings
        ]
    else:
        network, project = (onnxruntime.InferenceSession(files[part]) for part in ("network", "project"))
        assert {given.name for given in network.get_inputs()} == {"images", "class_vectors", "class_bias"}
        more = project.run(None, {"semantics": new})[0]
        table = {"class_vectors": np.concatenate([vectors, more]), "class_bias": np.append(bias, np.float32([0, 0]))}
        scores = [network.run(["scores"], {"images": image[None], **table})[0][0] for image in images]
    classes = classifier.classes.select([0, 1])
    added = type(classes)(names=("x", "y"), semantics=new, seen=np.zeros(2, bool), columns=classes.columns)
    expected = classifier.with_classes(added).score(images)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-2 * np.median(expected.std(axis=1)))


def export(run, out, node_modules, *given):
    return main(
        ["export", str(run), "--format", "web", "--out", str(out), "--runtime-files", str(node_modules), *given]
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ("--batch", "2"),
            "--format web: expected with onnxruntime-web no more than --precision, --opset, --memory, --ca",
        ),
        (
            ("--runtime", "litert", "--opset", "15"),
            "--format web: expected with litert no more than --precision, received",
        ),
        (
            ("--precision", "float16", "float32"),
            "--precision: expected one, for a page has one model, received float16, ",
        ),
        (("--precision", "dynamic"), "--precision: expected one of float16, float32, int8, received 'dynamic'"),
        (
            ("--runtime", "litert", "--precision", "int8"),
            "--precision: expected one of dynamic, float16, float32, receiv",
        ),
        (
            ("--precision", "int8"),
            "--format web.calibration: expected photos to measure ranges on, received int8 without any",
        ),
        (
            ("--runtime-files", "nowhere"),
            "nowhere: expected a node_modules folder with onnxruntime-web@1.30.0, received",
        ),
        (
            ("--format", "onnx"),
            "--runtime and --runtime-files: expected --format web, which they are for, received onnx",
        ),
    ],
)
def test_what_a_page_can_not_be_is_told_at_once(finished, node_modules, tmp_path, capsys, given, message):
    assert export(finished, tmp_path / "web", node_modules, *given) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_only_an_earlier_page_is_replaced(finished, node_modules, web, page, tmp_path):
    runtime, folder = web
    out = tmp_path / "web"
    options = {"page": page, "name": "m", "web": WebOptions(runtime=runtime, runtime_files=node_modules)}
    out.mkdir()
    (out / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(ValueError, match=r"expected a path where nothing is yet, received an existing one"):
        write_web_folder(Run(finished), out, **options)
    with pytest.raises(
        ValueError, match=r"expected a folder with model/model.json to overwrite, received something el"
    ):
        write_web_folder(Run(finished), out, **options, overwrite=True)
    shutil.copytree(folder, out, dirs_exist_ok=True)
    with pytest.raises(
        ValueError, match=r"expected a folder with zsltf's own files to overwrite, received also mine.tx"
    ):
        write_web_folder(Run(finished), out, **options, overwrite=True)
    (out / "mine.txt").unlink()
    (out / "old.js").write_text("of an earlier version", "utf-8")
    write_web_folder(Run(finished), out, **options, overwrite=True)
    assert described(out)["name"] == "m"
    assert not (out / "old.js").exists()


def test_a_page_that_is_not_there_is_told(finished, node_modules, tmp_path):
    options = WebOptions(runtime_files=node_modules)
    with pytest.raises(
        ValueError, match=r"expected the web page, index.html and what it needs, received none. Install"
    ):
        write_web_folder(Run(finished), tmp_path / "web", page=tmp_path, name="m", web=options)


def test_vectors_of_the_page_go_into_the_other_files(web, finished, tmp_path):
    """A class of photos has its vector in the same space in every file of a run, whatever the runtime and precision."""
    _, folder = web
    model, image = described(folder), Run(finished).golden().images[:1]
    artifact = open_artifact(finished / "export" / "model.onnx")
    np.testing.assert_array_equal(artifact.class_vectors, numbers(model["class_vectors"]))
    by_photo = artifact.with_photos("zebra", [image])
    table = {
        "of": model["card"]["names"],
        "add": [{"name": "zebra", "vector": by_photo.class_vectors[-1].ravel().tolist(), "bias": 0}],
    }
    (tmp_path / "classes.json").write_text(json.dumps(table), "utf-8")
    copy = shutil.copytree(finished / "export", tmp_path / "export")
    assert main(["classes", str(copy / "model.tflite"), "apply", str(tmp_path / "classes.json")]) == 0
    assert open_artifact(copy / "model.tflite").card.names[-1] == "zebra"


def test_a_page_may_have_an_integer_network(drawn, node_modules, page, tmp_path):
    """A pretrained one: features of a random network, whitened, don't keep their top classes in 8 bits."""
    run, web = tmp_path / "run", WebOptions(runtime_files=node_modules)
    photos = ("--images", str(drawn / "images"), "--classes", str(drawn / "attributes.csv"), "--shuffles", "0")
    network = ("--backbone", "efficientnet_lite0", "method:eszsl")
    assert main(["run", "zero_shot", *photos, "--out", str(run), *network]) == 0
    options = ExportOptions(precision=("int8",), calibrate=drawn / "images")
    done = write_web_folder(Run(run), tmp_path / "web", page=page, name="m", web=web, options=options)
    assert {proof.precision for proof in done.proofs} == {"int8"}
    assert described(tmp_path / "web")["card"]["precision"] == "int8"
    network = tmp_path / "web" / "model" / "network.onnx"
    assert network.stat().st_size < 0.35 * 4 * Run(run).classifier().embed.count_params()


def test_an_integer_network_needs_photos(finished, node_modules, page, tmp_path):
    web = WebOptions(runtime_files=node_modules)
    for options, message in (
        (ExportOptions(precision=("int8",)), r"expected photos to measure ranges on, received int8 without any"),
        (
            ExportOptions(calibrate=tmp_path),
            r"--calibrate: expected --int8, or a --precision of integers, received",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            write_web_folder(Run(finished), tmp_path / "web", page=page, name="m", web=web, options=options)
