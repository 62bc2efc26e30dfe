import numpy as np
import pytest

from zsltf.data.word_vectors import name_vectors, read_word_vectors

WORDS = {"cat": [1, 2], "Dog": [3, 4], "killer_whale": [5, 6], "whale": [7, 8], "blue": [9, 10], "at & t": [0, 1]}


def text(path, header):
    lines = [f"{word} {a} {b}" for word, (a, b) in WORDS.items()]
    path.write_text("\n".join([f"{len(WORDS)} 2", *lines] if header else lines), "utf-8")
    return path


def binary(path):
    rows = [word.replace(" ", "_").encode() + b" " + np.array(v, "<f4").tobytes() + b"\n" for word, v in WORDS.items()]
    path.write_bytes(f"{len(rows)} 2\n".encode() + b"".join(rows))
    return path


@pytest.fixture(params=["glove", "word2vec", "binary"])
def file(request, tmp_path):
    return (
        binary(tmp_path / "v.bin")
        if request.param == "binary"
        else text(tmp_path / "v.txt", request.param == "word2vec")
    )


def test_words_are_found_as_written_or_in_lower_case(file):
    found = read_word_vectors(file, {"Cat", "Dog", "none"})
    assert {word: vector.tolist() for word, vector in found.items()} == {"Cat": [1, 2], "Dog": [3, 4]}


def test_a_name_is_one_word_where_the_file_has_it_and_else_the_mean_of_its_words(file):
    np.testing.assert_array_equal(name_vectors(file, ["killer+whale", "blue whale", "cat"]), [[5, 6], [8, 9], [1, 2]])


def test_all_missing_words_are_named(file):
    with pytest.raises(ValueError, match=r"received none for otter, sea, lion\. Rename .*, or use a sentence enc"):
        name_vectors(file, ["otter", "sea lion", "cat", "sea_otter"])


def test_a_word_may_hold_a_space(tmp_path):
    assert read_word_vectors(text(tmp_path / "v.txt", header=False), {"at & t"})["at & t"].tolist() == [0, 1]


def test_ragged_rows_and_other_files_are_refused(tmp_path):
    (tmp_path / "v.txt").write_text("cat 1 2\ndog 3\n")
    with pytest.raises(ValueError, match=r"v\.txt, line 2: expected a word and 2 numbers, received 1 numbers"):
        read_word_vectors(tmp_path / "v.txt", {"dog"})
    content = binary(tmp_path / "v.bin").read_bytes()
    (tmp_path / "v.bin").write_bytes(content[:-5])
    with pytest.raises(ValueError, match=r"v\.bin: expected 6 words, received 5 whole ones"):
        read_word_vectors(tmp_path / "v.bin", {"cat"})
    (tmp_path / "v.bin").write_bytes(b"cat 1 2\n")
    with pytest.raises(ValueError, match=r"expected word2vec's binary form, which begins with two counts, rec"):
        read_word_vectors(tmp_path / "v.bin", {"cat"})
    with pytest.raises(ValueError, match=r"none\.txt: expected a file of word vectors, received none"):
        read_word_vectors(tmp_path / "none.txt", {"cat"})
