"""Real photos: a class that nobody trained or exported, big photos, and the figures that are claimed."""

import csv
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from zsltf.cli import main
from zsltf.data.decode import decode
from zsltf.layers.preprocess import Preprocess
from zsltf.prediction import open_artifact
from zsltf.runs import Run


def command(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def animals(test_data):
    return test_data / "animals"


@pytest.fixture(scope="module")
def tables(animals, tmp_path_factory):
    """The attribute table without the zebra, and the zebra's row alone."""
    folder = tmp_path_factory.mktemp("tables")
    with (animals / "attributes.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    for name, lines in {
        "rest.csv": [header, *(row for row in rows if row[0] != "zebra")],
        "zebra.csv": [["class", *header[2:]], *(["zebra", *row[2:]] for row in rows if row[0] == "zebra")],
    }.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(lines)
    return folder


@pytest.fixture(scope="module")
def run(animals, tables, tmp_path_factory):
    """Trained and exported without the zebra."""
    out = tmp_path_factory.mktemp("animals") / "run"
    photos = ("--images", animals / "images", "--classes", tables / "rest.csv")
    assert command("run", "zero_shot", *photos, "--shuffles", 0, "--out", out, "method:eszsl") == 0
    assert command("export", out, "--format", "onnx,tflite") == 0
    return Run(out)


@pytest.fixture(scope="module")
def zebras(animals, tmp_path_factory):
    """A folder of 20 zebra photos."""
    folder = tmp_path_factory.mktemp("photos")
    for path in sorted((animals / "images" / "zebra").iterdir())[:20]:
        shutil.copy(path, folder)
    return folder


def predicted(artifact, photos, out, *more):
    """Likeliest class of each photo."""
    assert command("predict", artifact, photos, "--csv", out, *more) == 0
    with out.open(newline="", encoding="utf-8") as file:
        return [line["class"] for line in csv.DictReader(file) if line["rank"] == "1"]


def test_the_zebra_was_in_neither_training_nor_export(run):
    assert "zebra" in run.read_json("report.json")["features"]["folders_left_out"]
    assert "zebra" not in run.read_json("classes.json")["names"]
    for name in ("model.onnx", "model.tflite"):
        card = open_artifact(run.path / "export" / name).card
        assert len(card.names) == 24
        assert "zebra" not in card.names


@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
def test_a_row_of_attributes_makes_an_exported_file_recognise_a_new_class(run, tables, zebras, tmp_path, name):
    artifact = run.path / "export" / name
    without = predicted(artifact, zebras, tmp_path / "without.csv")
    assert len(without) == 20
    assert "zebra" not in without
    assert predicted(artifact, zebras, tmp_path / "with.csv", "--classes", tables / "zebra.csv").count("zebra") >= 10


def test_the_new_class_takes_hardly_a_photo_from_the_others(run, tables, animals, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in run.read_json("classes.json")["names"]:
        shutil.copy(animals / "images" / name / "003.jpg", folder / f"{name}.jpg")
    artifact = run.path / "export" / "model.onnx"
    answers = predicted(artifact, folder, tmp_path / "out.csv", "--classes", tables / "zebra.csv")
    assert answers.count("zebra") <= 2


def test_both_runtimes_and_keras_say_the_same_of_photos(run, zebras):
    classifier, artifacts = (
        run.classifier(),
        [open_artifact(run.path / "export" / f"model{s}") for s in (".onnx", ".tflite")],
    )
    for path in sorted(zebras.iterdir())[:3]:
        image = decode(path, 224)[None]
        expected = classifier.score(image)
        for artifact in artifacts:
            np.testing.assert_allclose(artifact(image)["scores"], expected, rtol=0, atol=2e-4 * expected.std())


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def big_photos(animals):
    """JPEG photos of 12 megapixels, each with its thumbnail of 320 pixels, lossless and as JPEG."""
    photos = []
    for name in ("antelope", "chimpanzee", "horse", "pig", "fox", "otter", "tiger", "wolf"):
        with Image.open(animals / "images" / name / "000.jpg") as image:
            big = jpeg(image.convert("RGB").resize((4000, 3000), Image.Resampling.LANCZOS))
        with Image.open(io.BytesIO(big)) as image:
            image.thumbnail((320, 320))
            lossless = io.BytesIO()
            image.save(lossless, "PNG")
            photos.append((big, lossless.getvalue(), jpeg(image)))
    return photos


@pytest.mark.parametrize("policy", ["stretch", "crop", "pad"])
def test_a_photo_of_12_megapixels_scores_as_its_thumbnail(run, big_photos, policy):
    classifier = run.classifier()
    classifier.preprocess = Preprocess.from_config({**classifier.preprocess.get_config(), "resize": policy})
    found = []
    for files in big_photos:
        images = [decode(content, 224, policy) for content in files]
        assert max(map(max, (image.shape for image in images))) <= 224 * 4 / 3 + 1  # shrunk at the door
        big, *thumbnails = (classifier.score(image[None])[0] for image in images)
        found.append([(big - thumbnail) / big.std() for thumbnail in thumbnails])
    lossless, compressed = np.abs(np.array(found)).swapaxes(0, 1)  # (photos, classes), in spreads over classes
    assert lossless.max() <= 0.1
    assert np.sqrt(np.mean(compressed**2, axis=1)).max() <= 0.1  # JPEG artefacts of the thumbnail come on top


@pytest.mark.slow
def test_the_accuracy_on_photos_that_is_claimed(animals, tmp_path):
    photos = ("--images", animals / "images", "--classes", animals / "attributes.csv")
    out = tmp_path / "run"
    assert command("run", "zero_shot", *photos, "--partitions", animals / "partitions.csv", "--out", out) == 0
    report = Run(out).read_json("report.json")
    rows = {row["partition"]: row for row in report["partitions"]}
    random = [rows[f"random_{i}"] for i in range(10)]
    assert np.mean([row["unseen_accuracy"] for row in random]) >= 0.65
    assert np.mean([row["shuffled"] for row in random]) <= 0.25
    assert rows["not_in_imagenet"]["unseen_accuracy"] >= 0.58
    assert report["spread"]["random"]["unseen_accuracy"]["mean"] == pytest.approx(
        np.mean([row["unseen_accuracy"] for row in random])
    )
