"""A run from a few photos a class: it exports in every format, and each file says what it says of one photo."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from zsltf.class_edits import add_photos
from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.data.support_photos import SupportSource
from zsltf.delivery import deliver
from zsltf.discovery import names, plugin_type
from zsltf.evaluation.support import adapt
from zsltf.files import atomic_directory
from zsltf.prediction import open_artifact
from zsltf.pretrained.run_backbone import open_backbone
from zsltf.reports.support import write_support_run
from zsltf.runs import Run

FILES = ("model.onnx", "model.tflite", "saved_model")
WAYS, SHOTS = 4, 3


@pytest.fixture(scope="module")
def folders(drawn, tmp_path_factory):
    """support/ (4 classes, 3 pictures), test/ (the other 2), base/ (the other 20 classes with 5 pictures)."""
    root = tmp_path_factory.mktemp("photos")
    for number, folder in enumerate(sorted((drawn / "images").iterdir())):
        if number >= WAYS:
            shutil.copytree(folder, root / "base" / folder.name)
            continue
        for place, picture in enumerate(sorted(folder.iterdir())):
            target = root / ("support" if place < SHOTS else "test") / folder.name / picture.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, target)
    return root


def command(finished, folders, out, *arguments):
    return main(["adapt", str(finished), "--support", str(folders / "support"), "--out", str(out), *arguments])


def method_of(name):
    """With a training that base classes of five pictures are enough for, in a few steps."""
    method = plugin_type("fewshot", name)()
    if hasattr(method, "training"):
        few = {"steps": 3, "episodes": 2, "ways": 3, "shots": 2, "queries": 3, "validation_episodes": 2}
        method = replace(method, training=replace(method.training, **few))
    return method


def quick_only(name):
    return pytest.param(name, marks=() if name == "nearest_class_mean" else pytest.mark.slow)


@pytest.mark.parametrize("name", [quick_only(name) for name in names("fewshot")])
def test_every_method_exports_and_says_the_same_of_a_photo(name, finished, folders, tmp_path):
    photos = SupportSource(support=folders / "support", base=folders / "base").read()
    unequal = replace(photos, support=photos.support.select([0, 1, 2, 3, 4, 6, 7, 8, 9]))
    adapted = adapt(method_of(name), open_backbone(finished), unequal)
    assert list(adapted.shots.values()) == [3, 2, 3, 1]
    with atomic_directory(tmp_path / "run") as staging:
        write_support_run(staging, adapted, {})
    delivered = deliver(Run(tmp_path / "run"), tmp_path / "export")
    assert all(proof.holds for proof in delivered.proofs)
    classifier = Run(tmp_path / "run").classifier()
    for file in FILES:
        artifact = open_artifact(tmp_path / "export" / file)
        assert artifact.card.names == photos.classes.names
        for picture in sorted((folders / "test").rglob("*.png")):
            image = decode(picture, artifact.card.size, artifact.card.resize)[None]
            expected = classifier.score(image)
            np.testing.assert_allclose(artifact(image)["scores"], expected, atol=5e-4 * expected.std())
    opened = open_artifact(tmp_path / "export" / "model.onnx")
    shots = sorted((folders / "base").rglob("*.png"))[:3]
    if "photos" not in classifier.opens_by:
        with pytest.raises(
            ValueError, match="new class: expected a file that opens by photos, received one that opens"
        ):
            add_photos(opened, "newcomer", shots)
        return
    images = np.stack([decode(shot, opened.card.size, opened.card.resize) for shot in shots])
    expected = classifier.with_photos("newcomer", images).score(images)
    received = [add_photos(opened, "newcomer", shots)(image[None])["scores"][0] for image in images]
    np.testing.assert_allclose(received, expected, atol=5e-4 * expected.std())


def test_the_command_writes_a_run_that_is_adapted_exported_and_verified(finished, folders, tmp_path, capsys):
    assert command(finished, folders, tmp_path / "new", "method:nearest-class-mean", "--method.cosine") == 0
    printed = capsys.readouterr().out
    assert "NearestClassMean on 3 photos a class: 4 classes." in printed
    assert (
        "12 photos of the support, each scored by a classifier that learnt from the others, but one a class" in printed
    )
    report = json.loads((tmp_path / "new" / "report.json").read_text("utf-8"))
    assert report["test"]["images"] == 12
    assert report["backbone"]["name"] == "conv4"
    page = (tmp_path / "new" / "report.html").read_text("utf-8")
    assert "12 photos of the support" in page
    assert main(["export", str(tmp_path / "new"), "--format", "onnx"]) == 0
    assert main(["verify", str(tmp_path / "new" / "export")]) == 0
    card = (tmp_path / "new" / "export" / "MODEL_CARD.md").read_text("utf-8")
    assert "made by `zsltf adapt`" in card
    assert "On 12 photos of the support, each scored" in card
    again = ("--test", str(folders / "test"), "--base", str(folders / "base"))
    assert command(tmp_path / "new", folders, tmp_path / "again", *again) == 0  # an adapted run is a run
    assert "8 photos of --test, from which nothing was learnt." in capsys.readouterr().out
    first, second = (open_backbone(run).fingerprint for run in (finished, tmp_path / "again"))
    assert first == second


def test_one_photo_a_class_leaves_nothing_to_test_on(finished, folders, tmp_path, capsys):
    for folder in (folders / "support").iterdir():
        (tmp_path / "one" / folder.name).mkdir(parents=True)
        shutil.copy(min(folder.iterdir()), tmp_path / "one" / folder.name)
    out = tmp_path / "out"
    assert main(["adapt", str(finished), "--support", str(tmp_path / "one"), "--out", str(out)]) == 0
    assert "Accuracy" not in capsys.readouterr().out
    assert "test" not in json.loads((out / "report.json").read_text("utf-8"))
    assert "with one photo a class none is left to test on" in (out / "report.html").read_text("utf-8")
    assert main(["export", str(out), "--format", "onnx"]) == 0
    assert "Not tested: with one photo a class" in (out / "export" / "MODEL_CARD.md").read_text("utf-8")


def test_what_does_not_do_is_refused_before_anything_is_written(finished, folders, tmp_path, capsys):
    (tmp_path / "there").mkdir()
    assert command(finished, folders, tmp_path / "there") == 1
    assert "expected a path where nothing is yet, received an existing one" in capsys.readouterr().err
    assert command(tmp_path / "none", folders, tmp_path / "out") == 1
    assert "expected a run folder with report.json, received none" in capsys.readouterr().err
    assert command(finished, folders, folders / "support" / "out") == 1
    assert "expected a folder outside" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_method_that_needs_base_classes_says_so(finished, folders):
    class Learner:
        """Learns from base classes alone."""

    photos = SupportSource(support=folders / "support").read()
    with pytest.raises(
        ValueError, match="--base: expected photos of other classes, from which Learner learns, received"
    ):
        adapt(Learner(), open_backbone(finished), photos)


def test_many_photos_are_noted(finished, folders, tmp_path):
    support = shutil.copytree(folders / "support", tmp_path / "support")
    rng = np.random.default_rng(0)
    first = min(support.iterdir())
    for number in range(21 - SHOTS):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(first / f"more_{number}.png")
    photos = SupportSource(support=support).read()
    adapted = adapt(plugin_type("fewshot", "nearest_class_mean")(), open_backbone(finished), photos)
    (tmp_path / "run").mkdir()
    report = write_support_run(tmp_path / "run", adapted, {})
    assert report["title"] == "NearestClassMean on 3 to 21 photos a class"
    assert report["notes"] == [
        f"{first.name} has more than 20 photos: with so many, linear_probe or finetune may reach more"
    ]


def test_a_method_that_has_no_network_to_train_says_so(finished, folders, tmp_path, capsys):
    out = tmp_path / "out"
    assert command(finished, folders, out, "--base", str(folders / "base"), "method:anil", "--method.steps", "1") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "ANIL trains a network, of which adapt has none: the 20 base classes taught it nothing" in said
