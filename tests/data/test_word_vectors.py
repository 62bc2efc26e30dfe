import gzip

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
    with pytest.raises(ValueError, match=r"v\.txt, line 2: expected a word and 2 numbers, received 1 behind 'dog'"):
        read_word_vectors(tmp_path / "v.txt", {"dog"})
    content = binary(tmp_path / "v.bin").read_bytes()
    (tmp_path / "v.bin").write_bytes(content[:-5])
    with pytest.raises(ValueError, match=r"v\.bin: expected 6 words, received 5 whole ones"):
        read_word_vectors(tmp_path / "v.bin", {"cat"})
    for width in (b"0", b"99999999999"):
        (tmp_path / "v.bin").write_bytes(b"6 " + width + b"\ncat ")
        with pytest.raises(ValueError, match=rf"vectors of 1 to 100000 numbers, received {width.decode()}"):
            read_word_vectors(tmp_path / "v.bin", {"cat"})
    (tmp_path / "v.bin").write_bytes(b"cat 1 2\n")
    with pytest.raises(ValueError, match=r"expected word2vec's binary form, which begins with two counts, rec"):
        read_word_vectors(tmp_path / "v.bin", {"cat"})
    with pytest.raises(ValueError, match=r"none\.txt: expected a file of word vectors, received none"):
        read_word_vectors(tmp_path / "none.txt", {"cat"})


def test_words_of_the_file_match_in_any_case(tmp_path):
    (tmp_path / "v.txt").write_text("DOG 1 2\nCat 3 4\ncat 5 6\nÖL 7 8\n", "utf-8")
    found = read_word_vectors(tmp_path / "v.txt", {"dog", "Dog", "CAT", "Cat", "öl"})
    expected = {"dog": [1, 2], "Dog": [1, 2], "CAT": [5, 6], "Cat": [3, 4], "öl": [7, 8]}
    assert {word: vector.tolist() for word, vector in found.items()} == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat 1 2\ndog 3 4 5\n", r"line 2: expected a word and 2 numbers, received 3 behind 'dog'"),
        (b"cat 1\ndog 3 4\n", r"line 2: expected a word and 1 numbers, received 2 behind 'dog'"),
        (b"2 2\ncat 1\ndog 3 4\n", r"line 2: expected a word and 2 numbers, received 1 behind 'cat'"),
        (b"3 2\ncat 1 2\ndog 3 4\n", r"v\.txt: expected 3 words, as its first line says, received 2\. Fetch"),
        (b"cat 1 2\ndog nan 4\n", r"line 2: expected finite numbers, received nan at \(0,\)"),
        (b"cat 1 2\ndog 3 -inf\n", r"line 2: expected finite numbers, received -inf at \(1,\)"),
        (b"cat 1 2\ndog 3 x\n", r"line 2: expected a word and 2 numbers, received 'x'\. Mend"),
        (b"cat a b\n", r"line 1: expected a word and its numbers, received 2 behind 'cat'"),
        (
            b"2 2\ndog \xff\x80\0\0\x80?\0\0\ncat",
            r"line 2: expected text, received binary data\. Unpack .* in \.bin if",
        ),
        (b"PK\3\4\0\0", r"line 1: expected text, received binary data\. Unpack the file"),
        (b"\x1f\x8b\x08\0\0", r"v\.txt: expected a whole gzip file, received a damaged one"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path, content, message):
    (tmp_path / "v.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_word_vectors(tmp_path / "v.txt", {"cat", "dog"})


@pytest.mark.parametrize(
    "content",
    [
        b"cat\t1\t2\ndog\t3\t4\n",
        b"\xef\xbb\xbfcat 1 2\ndog 3 4\n",
        b"cat  1 2 \r\ndog 3  4\r\n\r\n\n",
        b"cat 1 2\ndog 3 4",
    ],
    ids=["tabs", "byte order mark", "blanks", "no last line break"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_other_ways_of_writing_lines(tmp_path, content, pack):
    (tmp_path / "v.txt").write_bytes(pack(content))
    found = read_word_vectors(tmp_path / "v.txt", {"cat", "dog"})
    assert {word: vector.tolist() for word, vector in found.items()} == {"cat": [1, 2], "dog": [3, 4]}


def test_binary_files_may_be_compressed_and_hold_finite_numbers(tmp_path):
    (tmp_path / "v.bin.gz").write_bytes(gzip.compress(binary(tmp_path / "v.bin").read_bytes()))
    assert read_word_vectors(tmp_path / "v.bin.gz", {"dog"})["dog"].tolist() == [3, 4]
    (tmp_path / "v.bin").write_bytes(b"1 2\ncat " + np.array([1, np.nan], "<f4").tobytes())
    with pytest.raises(ValueError, match=r"v\.bin, word 1: expected finite numbers, received nan at \(1,\)"):
        read_word_vectors(tmp_path / "v.bin", {"cat"})
