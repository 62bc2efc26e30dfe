"""The table of trainings under several seeds."""

import io
from types import SimpleNamespace

from rich.console import Console

from zsltf.reports.repeats import print_repeats, write_repeats_run


def trained(seed, accuracy, seconds):
    return SimpleNamespace(
        method=SimpleNamespace(training=SimpleNamespace(seed=seed)),
        report=SimpleNamespace(mean_class_accuracy=accuracy),
        seconds=seconds,
    )


def lines(outcomes):
    console = Console(width=100, record=True, file=io.StringIO())
    print_repeats(outcomes, console)
    return [line.split() for line in console.export_text().splitlines()]


def test_each_seed_then_mean_and_sample_deviation():
    small = [trained(4, 0.1, 10.2), trained(5, 0.2, 11.2), trained(6, 0.6, 12.2)]
    large = [trained(4, 0.8, 1.0), trained(5, 0.8, 1.0), trained(6, 0.8, 2.0)]
    found = lines({"small": small, "large [x]": large})
    assert ["seed", "small", "large", "[x]"] in found
    for row in (["4", "0.100", "0.800"], ["5", "0.200", "0.800"], ["6", "0.600", "0.800"]):
        assert row in found
    assert ["mean", "0.300", "0.800"] in found
    assert ["sd", "0.265", "0.000"] in found  # sqrt((0.04 + 0.01 + 0.09) / 2)
    assert ["seconds", "each", "11", "1"] in found


def test_the_report_notes_every_training(monkeypatch):
    written = {}
    monkeypatch.setattr(
        "zsltf.reports.repeats.write_transfer_run", lambda _, ships, **rest: written.update(rest, s=ships)
    )
    small, large = [trained(4, 0.1, 1.0), trained(5, 0.2, 1.0), trained(6, 0.6, 1.0)], [trained(4, 0.8, 1.0)]
    write_repeats_run(None, {"small": small, "large": large}, recipe="x", config={})
    assert (written["s"], written["baseline"]) == (large[0], small[0])
    assert written["notes"] == [
        "small: accuracy 0.100, 0.200, 0.600, seeds 4, 5, 6, mean 0.300, sd 0.265",
        "large: accuracy 0.800, seeds 4",
    ]


def test_one_seed_has_no_deviation():
    found = lines({"small": [trained(0, 0.5, 3.0)]})
    assert ["mean", "0.500"] in found
    assert not [line for line in found if line[:1] == ["sd"]]
