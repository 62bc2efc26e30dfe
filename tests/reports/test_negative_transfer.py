"""Words for negative transfer."""

import pytest

from zsltf.metrics.intervals import paired_interval
from zsltf.reports.negative_transfer import transfer_note


@pytest.mark.parametrize(
    ("gain", "interval", "told"),
    [
        (-0.02, (-0.03, -0.01), "Negative transfer: IRM ends 2.0 points below ERM (-3.0 to -1.0, 95 %), surely so"),
        (0.02, (0.01, 0.03), "IRM ends 2.0 points above ERM (+1.0 to +3.0, 95 %), surely so"),
        (0.02, (-0.01, 0.05), "IRM ends 2.0 points above ERM (-1.0 to +5.0, 95 %): other seeds might turn it"),
        (
            -0.02,
            (-0.05, 0.01),
            "Negative transfer can't be ruled out: IRM ends 2.0 points below ERM (-5.0 to +1.0, 95 %): other seeds "
            "might turn it",
        ),
        (
            -0.02,
            (-0.02, -0.02),
            "Negative transfer can't be ruled out: IRM ends 2.0 points below ERM, each time alike: other seeds might "
            "turn it",
        ),
        (0.02, (0.02, 0.02), "IRM ends 2.0 points above ERM, each time alike: other seeds might turn it"),
    ],
)
def test_the_words_follow_the_interval(gain, interval, told):
    assert transfer_note("IRM", "ERM", gain, interval) == told


def test_what_might_turn_it_is_what_the_pairs_are_of():
    assert transfer_note("IRM", "ERM", 0.02, (-0.01, 0.05), over="domains").endswith("other domains might turn it")
    assert transfer_note("IRM", "ERM", 0.02, (0.02, 0.02), over="domains").endswith("other domains might turn it")


def test_a_single_pair_is_never_sure():
    told = transfer_note("IRM", "ERM", 0.5, paired_interval([0.75], [0.25]))
    assert told == "IRM ends 50.0 points above ERM (-100.0 to +100.0, 95 %): other seeds might turn it"


def test_pairs_that_are_all_alike_are_not_told_as_one():
    told = transfer_note("IRM", "ERM", 0.5, paired_interval([0.75] * 5, [0.25] * 5))
    assert told == "IRM ends 50.0 points above ERM, each time alike: other seeds might turn it"
