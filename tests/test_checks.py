import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zsltf.checks import check_choice, check_finite, check_positive, check_sentences, check_shape, fail


def test_fail_says_what_expected_received_and_fix():
    with pytest.raises(
        ValueError, match=r"^Features\.y: expected shape \(40\), received shape \(39\)\. Run it again\.$"
    ):
        fail("Features.y", "shape (40)", "shape (39)", "Run it again.")


@settings(deadline=None)
@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False))
def test_positive_numbers_pass(value):
    check_positive("ESZSL", feature_ridge=value)


@pytest.mark.parametrize("value", [0, 0.0, -1, -1e-300, math.nan, math.inf, -math.inf])
def test_what_is_not_positive_is_refused_by_the_fields_name(value):
    expected = f"ESZSL.ridge: expected a number > 0, received {value:g}. Start from the default"
    with pytest.raises(ValueError, match=re.escape(expected)):
        check_positive("ESZSL", good=1, ridge=value)


@settings(deadline=None)
@given(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0), st.data())
def test_a_shape_passes_where_each_length_is_equal_or_any(shape, data):
    wanted = [data.draw(st.sampled_from([None, length])) for length in shape]
    check_shape("x", np.zeros(shape), wanted, "Mend it.")
    for axis in range(len(shape)):
        other = [*shape[:axis], shape[axis] + 1, *shape[axis + 1 :]]
        with pytest.raises(ValueError, match=r"^x: expected shape .* Mend it\.$"):
            check_shape("x", np.zeros(shape), other, "Mend it.")
    with pytest.raises(ValueError, match=r"^x: expected shape .* Mend it\.$"):
        check_shape("x", np.zeros(shape), [*wanted, None], "Mend it.")


def test_a_wrong_shape_is_written_as_numpy_writes_it():
    with pytest.raises(ValueError, match=r"x: expected shape \(any, 3\), received shape \(2, 4\)\. Mend it\."):
        check_shape("x", np.zeros((2, 4)), (None, 3), "Mend it.")
    with pytest.raises(ValueError, match=r"x: expected shape \(3,\), received shape \(2,\)\."):
        check_shape("x", np.zeros(2), (3,), "Mend it.")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_first_value_that_is_not_finite_is_named_by_its_index(bad):
    array = np.zeros((3, 4))
    check_finite("x", array, "Mend it.")
    array[1, 2] = array[2, 0] = bad
    with pytest.raises(ValueError, match=rf"x: expected finite numbers, received {bad} at \(1, 2\)\. Mend it\."):
        check_finite("x", array, "Mend it.")


def test_finite_takes_integers_and_empty_arrays():
    check_finite("x", np.arange(3), "Mend it.")
    check_finite("x", np.zeros((0, 2)), "Mend it.")


def test_a_choice_passes_and_a_near_miss_is_suggested():
    check_choice("resize", "crop", ("stretch", "crop", "pad"))
    with pytest.raises(
        ValueError, match=r"^resize: expected one of crop, pad, stretch, received 'strech'\. Did you mean 'stretch'\?$"
    ):
        check_choice("resize", "strech", ("stretch", "crop", "pad"))


def test_a_far_miss_gets_the_list_and_an_empty_list_is_called_none():
    with pytest.raises(ValueError, match=r"expected one of crop, pad, received 'xyz'\. Choose one of them\.$"):
        check_choice("resize", "xyz", iter(("pad", "crop")))
    with pytest.raises(ValueError, match=r"expected one of \(none\), received 'xyz'"):
        check_choice("resize", "xyz", ())


def test_the_index_is_that_of_the_whole_array_when_it_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr("zsltf.checks._PIECE", 4)
    array = np.zeros((5, 3))
    array[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"received nan at \(3, 1\)"):
        check_finite("x", array, "Mend it.")
    with pytest.raises(ValueError, match=r"received inf at \(\)"):
        check_finite("x", np.array(np.inf), "Mend it.")


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("hello", r"sentences: expected a list of texts, received the text 'hello' by itself\. Put it into a list"),
        (["a", 1], r"sentences: expected a list of texts, received int 1\."),
        ([], r"sentences: expected text, received none"),
    ],
)
def test_sentences_are_a_list_of_texts(sentences, message):
    with pytest.raises(ValueError, match=message):
        check_sentences(sentences)
