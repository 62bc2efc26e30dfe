import numpy as np
import pytest

from zsltf.data.text_semantics import TextSemantics
from zsltf.text_encoders.word_vectors import WordVectors


@pytest.fixture
def file(tmp_path):
    (tmp_path / "v.txt").write_text("red 3 0\nfox 0 4\nkiller_whale 0 2\nnothing 0 0\n", "utf-8")
    return tmp_path / "v.txt"


def test_a_name_is_the_mean_of_its_words_at_norm_1(file):
    rows = WordVectors(path=file).encode(["red fox", "killer whale", "RED"])
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 1], [1, 0]], rtol=1e-6)


def test_the_file_is_read_once_for_the_same_names(file):
    encoder = WordVectors(path=file)
    first = encoder.encode(["red", "fox"])
    file.unlink()
    np.testing.assert_array_equal(encoder.encode(["fox", "red"]), first[::-1])


def test_missing_words_are_listed_and_zeros_are_refused(file):
    with pytest.raises(ValueError, match=r"received none for okapi, zebra\. Rename .*, or use a sentence encoder"):
        WordVectors(path=file).encode(["okapi", "red zebra"])
    with pytest.raises(ValueError, match=r"expected a vector for every word, received zeros for 'nothing'"):
        WordVectors(path=file).encode(["red", "nothing"])


def test_names_stand_alone_unless_templates_are_asked_for(file):
    encoder = WordVectors(path=file)
    assert TextSemantics().suited(encoder).templates == ("{}",)
    assert TextSemantics(templates=("the {}",)).suited(encoder).templates == ("the {}",)
    table = TextSemantics().suited(encoder).new_classes(["red_fox"], encoder.encode, ["text0", "text1"])
    np.testing.assert_allclose(table.semantics, [[0.6, 0.8]], rtol=1e-6)
