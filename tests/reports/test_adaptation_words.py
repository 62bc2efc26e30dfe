"""Negative transfer is said in words."""

import pytest

from zsltf.reports.adaptation_words import transfer_verdict


@pytest.mark.parametrize(
    ("gain", "interval", "told"),
    [
        (0.12, (0.05, 0.19), "DANN is 12.0 points above source-only, surely so (95 %)"),
        (0.02, (-0.01, 0.05), "DANN is 2.0 points above source-only, which other seeds might turn (95 % has 0)"),
        (-0.08, (-0.1, -0.06), "Negative transfer: DANN is 8.0 points below source-only, surely so (95 %)"),
        (
            -0.01,
            (-0.05, 0.03),
            "Negative transfer on average: DANN is 1.0 points below source-only, though other seeds",
        ),
        (None, None, "nothing was adapted"),
    ],
)
def test_gains_and_losses(gain, interval, told):
    row = {"name": "DANN", "gain": gain, "gain_interval": interval, "accuracies": [0.5, 0.6]}
    assert told in transfer_verdict(row)


@pytest.mark.parametrize(
    ("gain", "start"), [(0.1, "One seed: DANN is 10.0 points above"), (-0.1, "Negative transfer: ")]
)
def test_one_seed_is_never_sure(gain, start):
    told = transfer_verdict({"name": "DANN", "gain": gain, "gain_interval": (gain, gain), "accuracies": [0.5]})
    assert told.startswith(start)
    assert told.endswith("a single seed tells nothing of others")
