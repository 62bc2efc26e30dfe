import numpy as np
import pytest

from zsltf.data.words import word_table

WORDS = {"to": [["t", "o"]], "too": [["t", "o", "o"], ["t", "o"]], "at": [["a", "t"]]}


def test_each_slot_of_each_realisation_has_one_unit_and_short_ones_blanks():
    table = word_table(WORDS, ["a", "o", "t"], [True, False, True])
    grid = table.semantics.reshape(3, 2, 3, 4)
    assert table.names == ("to", "too", "at")
    assert table.blocks == (4,) * 6
    assert table.columns[:5] == ("v0s0=a", "v0s0=o", "v0s0=t", "v0s0=blank", "v0s1=a")
    assert grid[0, 0].argmax(axis=1).tolist() == [2, 1, 3]
    assert grid[1, 0].argmax(axis=1).tolist() == [2, 1, 1]
    assert grid[1, 1].argmax(axis=1).tolist() == [2, 1, 3]
    np.testing.assert_array_equal(grid.sum(axis=3), [[[1] * 3, [0] * 3], [[1] * 3] * 2, [[1] * 3, [0] * 3]])


def test_a_table_of_new_words_has_the_shape_that_is_asked_for():
    table = word_table({"a": [["a"]]}, ["a", "o", "t"], [False], slots=3, variants=2)
    assert table.columns == word_table(WORDS, ["a", "o", "t"], [True] * 3).columns


@pytest.mark.parametrize(
    ("words", "units", "options", "message"),
    [
        ({"x": [["x"]]}, ["a"], {}, r"words: expected units among a, received x\. Add them"),
        ({"x": []}, ["a"], {}, r"expected a realisation of at least one unit for each, received none for x"),
        ({"x": [[]]}, ["a"], {}, r"received none for x"),
        (
            {"x": [["a", "a"]]},
            ["a"],
            {"slots": 1},
            r"word x: expected up to 1 realisations of up to 1 units",
        ),
        ({"x": [["a"]]}, ["a", "a"], {}, r"units: expected different ones, none of them empty"),
    ],
)
def test_what_can_not_be_spelled_is_refused(words, units, options, message):
    with pytest.raises(ValueError, match=message):
        word_table(words, units, [True], **options)
