import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.descriptions import attribute_sentences, description_table
from zsltf.data.text_semantics import TextSemantics, read_sentences

SEEN = np.array([True, True, False])
CLASSES = ClassTable(
    names=("red_fox", "owl", "zebra"),
    semantics=np.array([[1, 0, 0.2], [0, 1, 0.1], [0.9, 0, 1]]),
    seen=SEEN,
    columns=("fast", "flies", "stripes"),
)


def encode(sentences):
    """A vector of norm 1 that only depends on the letters."""
    rows = np.array([[sentence.count(letter) + 0.1 for letter in "abcdefgh"] for sentence in sentences])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_sentence_for_each_attribute_above_the_seen_mean():
    assert attribute_sentences(CLASSES, "It is {}.") == {
        "red_fox": ("It is fast.", "It is stripes."),
        "owl": ("It is flies.",),
        "zebra": ("It is fast.", "It is stripes."),
    }
    with pytest.raises(ValueError, match="an attribute above the mean for each class, received none of owl"):
        attribute_sentences(CLASSES.with_semantics(np.array([[1, 1, 1], [0, 0, 0], [1, 1, 1]])))


def test_each_sentence_is_a_block_and_missing_ones_are_zeros():
    calls = []

    def counting(sentences):
        calls.append(list(sentences))
        return encode(sentences)

    table = description_table(counting, {"a": ["x", "y b"], "b": ["y b"]}, [True, False], count=3)
    assert calls == [["x", "y b"]]  # each different one once
    blocks = table.semantics.reshape(2, 3, 8)
    np.testing.assert_allclose(blocks[0, :2], encode(["x", "y b"]), rtol=1e-6)
    np.testing.assert_array_equal(blocks[1, 0], blocks[0, 1])
    assert not blocks[0, 2].any()
    assert not blocks[1, 1:].any()
    assert table.blocks == (8, 8, 8)
    with pytest.raises(ValueError, match="up to 1 for each class, received 2"):
        description_table(encode, {"a": ["x", "y"]}, [True], count=1)
    with pytest.raises(ValueError, match="none for b"):
        description_table(encode, {"a": ["x"], "b": []}, [True, True])


def test_names_are_told_in_templates_whose_mean_has_norm_1():
    text = TextSemantics(templates=("a photo of a {}", "the {}"))
    table = text.table(CLASSES, encode)
    mean = encode(["a photo of a red fox", "the red fox"]).mean(axis=0)
    np.testing.assert_allclose(table.semantics[0], mean / np.linalg.norm(mean), rtol=1e-5)
    np.testing.assert_array_equal(table.seen, SEEN)
    both = TextSemantics(with_attributes=True).table(CLASSES, encode)
    assert both.blocks == (3, 8)
    np.testing.assert_array_equal(both.semantics[:, :3], CLASSES.semantics)
    assert text.table(CLASSES, encode, apart=True).blocks == (8, 8)
    with pytest.raises(ValueError, match=r"with_attributes: expected sentences alone .* received attributes too"):
        TextSemantics(with_attributes=True).table(CLASSES, encode, apart=True)


def test_a_class_whose_vectors_are_nothing_together_is_named():
    def odd(sentences):  # the owl's two sentences say the opposite
        return np.array([[0.0, 1.0 - 2.0 * sentence.startswith("the owl")] for sentence in sentences])

    text = TextSemantics(templates=("a {}", "the {}"))
    with pytest.raises(ValueError, match="vectors that don't come to 0 for each class, received 0 for owl"):
        text.table(CLASSES, odd)


def test_sentences_come_from_a_file(tmp_path):
    path = tmp_path / "said.csv"
    path.write_text(
        'class,sentence\nowl,It flies\nred_fox,"Red, quick"\nowl,It is awake at night\nzebra,It has stripes\n'
    )
    said = read_sentences(path, CLASSES.names)
    assert said["owl"] == ("It flies", "It is awake at night")
    assert said["red_fox"] == ("Red, quick",)
    text = TextSemantics(describe="sentences", sentences=path)
    assert text.table(CLASSES, encode, apart=True).blocks == (8, 8)
    with pytest.raises(ValueError, match="a sentence or more for every class, received none for okapi"):
        read_sentences(path, ("owl", "okapi"))
    path.write_text("class,sentence\nowl,It flies,and hoots\n")
    with pytest.raises(ValueError, match="line 2: expected 2 cells, received 3"):
        read_sentences(path, ("owl",))


def test_a_file_belongs_to_sentences_and_templates_have_a_place(tmp_path):
    for options in ({"describe": "sentences"}, {"sentences": tmp_path / "x.csv"}):
        with pytest.raises(ValueError, match="Give both or neither"):
            TextSemantics(**options)
    with pytest.raises(ValueError, match=r"one \{\} for the class name"):
        TextSemantics(templates=("a photo",))
    with pytest.raises(
        ValueError, match=r"templates: expected one or more, with \{\} for the class name, received none"
    ):
        TextSemantics(templates=())
    with pytest.raises(ValueError, match="describe: expected one of"):
        TextSemantics(describe="pictures")
