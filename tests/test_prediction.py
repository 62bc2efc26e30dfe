import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.card import Card
from zsltf.data.classes import ClassTable
from zsltf.prediction import Prediction, open_artifact, photo_paths, predict, write_predictions

NAMES = ("red", "green", "blue", "black")


def colour_artifact():
    """A file's stand-in: scores are mean colour times class vectors, plus the bias, in NumPy."""

    def score(images, vectors, bias):
        scores = images.mean(axis=(1, 2)) / 255 @ vectors.T + bias
        powers = np.exp(scores)
        return {"scores": scores, "probabilities": powers / powers.sum(axis=1, keepdims=True)}

    card = Card(
        names=NAMES,
        seen=(True, True, False, False),
        columns=("r", "g", "b"),
        semantics=((0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5), (0.0, 0.0, 0.0)),
        gamma=0.5,
        activation="softmax",
        opens_by=("semantics",),
        project=True,
        size=8,
        resize="stretch",
        mean=(0.0, 0.0, 0.0),
        scale=(255.0, 255.0, 255.0),
        channels="rgb",
    )
    vectors = np.concatenate([np.eye(3), np.zeros((1, 3))]).astype(np.float32)
    bias = np.array([-0.5, -0.5, 0, 0], np.float32)
    return Artifact(
        card=card,
        class_vectors=vectors,
        class_bias=bias,
        built_in=lambda images: score(images, vectors, bias),
        open_vocabulary=score,
        run_embed=lambda images: images.mean(axis=(1, 2)) / 255,
        run_project=lambda semantics: 2 * semantics,
    )


def new(names, semantics, columns=("r", "g", "b")):
    return ClassTable(names=names, semantics=np.array(semantics), seen=np.zeros(len(names), bool), columns=columns)


@pytest.fixture
def photos(tmp_path):
    """One photo a colour; the red one is broken."""
    for name, colour in {"a_red": (255, 0, 0), "b_green": (0, 255, 0), "c_blue": (0, 0, 255)}.items():
        Image.new("RGB", (30, 20), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "a_red.png").write_bytes((tmp_path / "a_red.png").read_bytes()[:60])
    return tmp_path


def test_ranks_classes_by_score_and_goes_on_after_a_broken_photo(photos):
    predictions = list(predict(colour_artifact(), photo_paths([photos]), top=2))
    assert [p.photo.name for p in predictions] == ["a_red.png", "b_green.png", "c_blue.png"]
    assert predictions[0].ranking == []
    assert "a_red.png: expected a JPEG, PNG" in predictions[0].error
    assert [[name for name, _, _ in p.ranking] for p in predictions[1:]] == [["green", "blue"], ["blue", "black"]]
    name, probability, score = predictions[1].ranking[0]
    assert (name, score) == ("green", pytest.approx(0.5))
    assert probability == pytest.approx(np.exp(0.5) / np.exp([-0.5, 0.5, 0, 0]).sum())
    assert [p.error for p in predictions[1:]] == ["", ""]


def test_more_classes_are_wanted_than_there_are(photos):
    (prediction,) = predict(colour_artifact(), [photos / "c_blue.png"], top=99)
    assert len(prediction.ranking) == len(NAMES)
    assert sum(probability for _, probability, _ in prediction.ranking) == pytest.approx(1)


def test_photos_reach_the_file_no_bigger_than_the_network_takes(photos):
    shapes, artifact = [], colour_artifact()

    def seeing(images):
        shapes.append(images.shape)
        return artifact.built_in(images)

    for resize in ("stretch", "crop", "pad"):
        card = replace(artifact.card, resize=resize)
        list(predict(replace(artifact, card=card, built_in=seeing), [photos / "c_blue.png"]))
    assert shapes == [(1, 8, 8, 3), (1, 8, 12, 3), (1, 5, 8, 3)]


def test_predictions_are_lazy(photos):
    predictions = predict(colour_artifact(), [photos / "b_green.png", photos / "gone.png"])
    assert next(predictions).ranking[0][0] == "green"


def test_folders_give_their_images_in_order_and_files_are_taken_as_they_are(photos):
    (photos / "below").mkdir()
    for name in ("d.JPG", "e.jpeg", "f.webp", "g.gif", "h.bmp", "notes.txt", "i.tiff"):
        (photos / "below" / name).write_bytes(b"")
    names = [path.name for path in photo_paths([photos / "below" / "notes.txt", photos])]
    expected = ["notes.txt", "a_red.png", "b_green.png", "d.JPG", "e.jpeg", "f.webp", "g.gif", "h.bmp", "c_blue.png"]
    assert names == expected


def test_csv_has_a_line_a_rank_and_one_a_broken_photo(tmp_path):
    ranking = [("a, b", 0.75, 1.23456789), ('"c"', 0.25, -2.0)]
    predictions = [
        Prediction(photo=Path("x.jpg"), ranking=ranking),
        Prediction(photo=Path("y.jpg"), ranking=[], error="y.jpg: broken, sorry"),
    ]
    write_predictions(tmp_path / "out.csv", predictions)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [list(line.values()) for line in lines] == [
        ["x.jpg", "1", "a, b", "0.75", "1.23457", "1", ""],
        ["x.jpg", "2", '"c"', "0.25", "-2", "1", ""],
        ["y.jpg", "", "", "", "", "", "y.jpg: broken, sorry"],
    ]


def test_a_new_class_goes_through_project_with_bias_zero(photos):
    artifact = colour_artifact().with_classes(new(("cyan", "yellow"), [[0, 1, 1], [1, 1, 0]]))
    assert artifact.card.names == (*NAMES, "cyan", "yellow")
    assert artifact.card.seen == (True, True, False, False, False, False)
    np.testing.assert_array_equal(artifact.class_vectors[-2:], [[0, 2, 2], [2, 2, 0]])
    np.testing.assert_array_equal(artifact.class_bias, [-0.5, -0.5, 0, 0, 0, 0])
    assert artifact.edited
    (prediction,) = predict(artifact, [photos / "b_green.png"], top=2)
    assert [name for name, _, _ in prediction.ranking] == ["cyan", "yellow"]
    assert colour_artifact().with_classes(new(("red2",), [[1, 0, 0]])).card.names[-1] == "red2"


def test_a_file_that_does_not_open_by_semantics_says_so():
    closed = colour_artifact()
    for doors, said in (((), "no door"), (("photos",), "photos")):
        artifact = replace(closed, card=replace(closed.card, opens_by=doors))
        with pytest.raises(
            ValueError, match=rf"new class: expected a file that opens by semantics, .* opens by {said}\."
        ):
            artifact.with_classes(new(("x",), [[0, 0, 0]]))


def test_other_columns_or_a_taken_name_are_refused():
    with pytest.raises(ValueError, match=r"class rows: expected 3 semantic columns as in training, received 2"):
        colour_artifact().with_classes(new(("x",), [[0, 0]], columns=("r", "g")))
    with pytest.raises(ValueError, match=r"their order"):
        colour_artifact().with_classes(new(("x",), [[0, 0, 0]], columns=("b", "g", "r")))
    with pytest.raises(ValueError, match=r"each once, received \['red'\]"):
        colour_artifact().with_classes(new(("red",), [[0, 0, 0]]))


def test_a_table_keeps_what_is_known_of_its_classes():
    artifact = colour_artifact()
    table = artifact.card.classes.select([2, 3, 0])
    fewer = artifact.with_table(table, artifact.class_vectors[:3], [1.0, 2.0, 3.0])
    assert fewer.card.names == ("blue", "black", "red")
    assert fewer.card.seen == (False, False, True)
    assert fewer.card.semantics == ((0.0, 0.0, 0.5), (0.0, 0.0, 0.0), (0.5, 0.0, 0.0))
    assert fewer.class_bias.dtype == fewer.class_vectors.dtype == np.float32
    assert not artifact.edited
    np.testing.assert_array_equal(artifact.class_bias, [-0.5, -0.5, 0, 0])


def test_a_photo_below_the_threshold_is_none_of_these(photos, tmp_path):
    artifact = colour_artifact()
    for threshold, known in ((0.4, True), (0.6, False), (None, True)):
        careful = replace(artifact, card=replace(artifact.card, threshold=threshold))
        (prediction,) = predict(careful, [photos / "b_green.png"])
        assert prediction.known is known
        assert prediction.ranking[0][0] == "green"  # what is nearest, all the same
    write_predictions(tmp_path / "out.csv", [replace(prediction, known=False)])
    lines = (tmp_path / "out.csv").read_text("utf-8").splitlines()[1:]
    assert [line.split(",")[5] for line in lines] == ["0"] * 3


def test_a_class_by_photos_is_their_mean(photos):
    closed = colour_artifact()
    with pytest.raises(ValueError, match=r"new class: expected a file that opens by photos, received one that opens b"):
        closed.with_photos("cyan", [np.zeros((1, 8, 8, 3), np.uint8)])
    card = replace(closed.card, opens_by=("photos", "semantics"), photo_level=1.0, prior_photos=2.0)
    images = [np.full((1, 4, 5, 3), shade, np.uint8) for shade in (0, 102)]
    artifact = replace(closed, card=card).with_photos("grey", images)
    np.testing.assert_allclose(artifact.class_vectors[-1], 0.2)
    own = np.mean([0.0, 3 * 0.4 * 0.2])
    assert artifact.class_bias[-1] == pytest.approx(1.0 - own)  # its own photos score as the others' do
    both = replace(closed, card=card).with_photos("grey", images, np.array([0.1, 0.2, 0.3], np.float32))
    np.testing.assert_allclose(both.class_vectors[-1], (2 * 0.2 + 2 * 2 * np.array([0.1, 0.2, 0.3])) / 4, rtol=1e-6)
    assert both.card.semantics[-1] == pytest.approx((0.1, 0.2, 0.3))


def test_classes_are_taken_out_and_renamed():
    artifact = colour_artifact()
    fewer = artifact.without(["green", "red"])
    assert fewer.card.names == ("blue", "black")
    np.testing.assert_array_equal(fewer.class_vectors, artifact.class_vectors[2:])
    assert artifact.renamed({"red": "green", "green": "red"}).card.names == ("green", "red", "blue", "black")
    with pytest.raises(
        ValueError, match=r"classes: expected some of red, green, blue, black, received 'pink'\. zsltf cl"
    ):
        artifact.without(["pink"])
    with pytest.raises(ValueError, match=r"classes to remove: expected fewer than all, received all 4"):
        artifact.without(list(NAMES))
    with pytest.raises(ValueError, match=r"each once, received \['blue'\]"):
        artifact.renamed({"red": "blue"})


def test_a_file_with_the_built_in_entry_alone_is_not_edited():
    artifact = replace(colour_artifact(), card=replace(colour_artifact().card, editable=False))
    for change in (lambda: artifact.without(["red"]), lambda: artifact.embed(np.zeros((1, 8, 8, 3), np.uint8))):
        with pytest.raises(
            ValueError, match=r"the file: expected one with an open entry, received one with the built-in"
        ):
            change()


def test_a_file_has_a_score_for_each_name():
    artifact = colour_artifact()
    two = {name: getattr(artifact.card, name)[:2] for name in ("names", "seen", "semantics")}
    fewer = replace(artifact.card, **two, editable=False)
    with pytest.raises(ValueError, match=r"the file's scores: expected 2, as its names, received 4\. Export it again"):
        replace(artifact, card=fewer)(np.zeros((1, 8, 8, 3), np.uint8))


def test_the_suffix_tells_the_runtime(tmp_path):
    for name, message in {
        "a.onnx": "that onnxruntime opens",
        "a.tflite": "that LiteRT opens",
        "a.zip": "a .onnx, a .tflite or a SavedModel folder, received '.zip'",
    }.items():
        (tmp_path / name).write_bytes(b"nothing of use")
        with pytest.raises(ValueError, match=message):
            open_artifact(tmp_path / name)
    shutil.copytree(tmp_path, tmp_path / "folder.onnx")
    with pytest.raises(ValueError, match=r"folder.onnx: expected a SavedModel that zsltf wrote"):
        open_artifact(tmp_path / "folder.onnx")
