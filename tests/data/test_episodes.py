"""Episodes: what is drawn, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsltf.data.episodes import Episode, Episodes

Y = np.repeat(np.arange(9), 12)[np.random.default_rng(0).permutation(9 * 12)]
RANGES = st.tuples(st.integers(1, 4), st.integers(0, 2)).map(lambda ends: (ends[0], ends[0] + ends[1]))


@given(RANGES, RANGES, st.integers(1, 6), st.booleans(), st.integers(0, 2**32 - 1))
def test_what_is_drawn_is_what_was_asked_for(ways, shots, queries, balanced, seed):
    ways = (ways[0] + 1, ways[1] + 1)
    episodes = Episodes(ways=ways, shots=shots, queries=queries, balanced=balanced)
    for episode in episodes.draw(Y, 3, seed=seed):
        assert ways[0] <= episode.ways <= ways[1]
        assert len(set(episode.classes.tolist())) == episode.ways
        given_shots = np.bincount(episode.support_y, minlength=episode.ways)
        assert given_shots.min() >= shots[0]
        assert given_shots.max() <= shots[1]
        assert not balanced or len(set(given_shots.tolist())) == 1
        assert np.bincount(episode.query_y).tolist() == [queries] * episode.ways
        rows = np.concatenate([episode.support, episode.query])
        assert len(set(rows.tolist())) == len(rows)
        np.testing.assert_array_equal(Y[episode.support], episode.classes[episode.support_y])
        np.testing.assert_array_equal(Y[episode.query], episode.classes[episode.query_y])


def test_a_longer_list_begins_as_a_shorter_one():
    few, many = (Episodes(queries=3).draw(Y, count, seed=3) for count in (2, 5))
    (fourth,) = Episodes(queries=3).draw(Y, 1, seed=3, first=3)
    np.testing.assert_array_equal(fourth.query, many[3].query)
    for one, other in zip(few, many, strict=False):
        np.testing.assert_array_equal(one.query, other.query)
    assert not np.array_equal(many[0].query, Episodes(queries=3).draw(Y, 1, seed=4)[0].query)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ways": 1}, r"Episodes\.ways: expected 2 or more, or a rising range, received 1 to 1"),
        ({"shots": (3, 2)}, r"Episodes\.shots: expected 1 or more, or a rising range, received 3 to 2"),
        ({"queries": 0}, r"Episodes\.queries: expected 1 or more"),
    ],
)
def test_numbers_that_make_no_episode_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Episodes(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ways": 10}, r"Episodes\.ways: expected at most the 9 classes of the set, received 10"),
        ({"shots": 5, "queries": 8}, r"expected 13 examples a class, 5 \+ 8, received fewer in 9: 0 \(12\), 1 \(12\)"),
    ],
)
def test_a_set_that_is_too_small_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Episodes(**options).draw(Y, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": np.array([7])}, "expected 2 ways or more, received 1"),
        ({"support_y": np.array([0, 0])}, "expected an example of every class, received none of class 8"),
        ({"query_y": np.array([2])}, "expected ways 0 to 1, received 2. Queries are of classes in the support"),
        ({"query": np.array([1])}, "expected rows that are not in the support, received some that are"),
        ({"query_y": np.array([0, 1])}, r"Episode\.query_y"),
    ],
)
def test_an_episode_checks_itself(changes, message):
    good = {
        "classes": np.array([7, 8]),
        "support": np.array([0, 1]),
        "support_y": np.array([0, 1]),
        "query": np.array([2]),
        "query_y": np.array([1]),
    }
    assert Episode(**good).ways == 2
    with pytest.raises(ValueError, match=message):
        Episode(**{**good, **changes})
