"""Words for negative transfer."""

import pytest

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
            "Negative transfer can't be ruled out: IRM ends 2.0 points below ERM, once: other seeds might turn it",
        ),
        (0.02, (0.02, 0.02), "IRM ends 2.0 points above ERM, once: other seeds might turn it"),
    ],
)
def test_the_words_follow_the_interval(gain, interval, told):
    assert transfer_note("IRM", "ERM", gain, interval) == told
