import io

import numpy as np
import pytest
from rich.console import Console

from zsltf.evaluation.summary import describe_outcome
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_zero_shot
from zsltf.reports.choice import print_choice
from zsltf.zeroshot.auto import Auto
from zsltf.zeroshot.eszsl import ESZSL


def printed(report):
    console = Console(file=io.StringIO(), width=200)
    print_choice(report, console)
    return console.file.getvalue()


def report(method, toy_features):
    features, classes = toy_features
    rng = np.random.default_rng(5)  # noise, so that no method is always right
    noisy = features.with_x((features.x + 2.5 * rng.normal(size=features.x.shape)).astype(np.float32))
    outcome = run_zero_shot(method, noisy, classes, ZeroShotProtocol(repeats=1, shuffles=0))
    return {"main": describe_outcome(outcome), "partitions": [{"partition": "[mine]"}]}, outcome


def test_auto_tells_each_candidates_accuracy_share_settings_and_preparation(toy_features):
    told, outcome = report(Auto(methods=("eszsl", "sae", "ridge")), toy_features)
    lines = [line.split() for line in printed(told).splitlines()]
    assert f"{100 * outcome.choice.accuracy:.1f}" in next(line for line in lines if line[:1] == ["sum"])
    shares = {type(member.method).__name__: member.share for member in outcome.choice.method.members}
    assert sum(shares.values()) == pytest.approx(1)
    for choice in outcome.runners_up:
        name = type(choice.method).__name__
        line = next(line for line in lines if line[:1] == [name])
        assert line[1:3] == [f"{100 * choice.accuracy:.1f}", f"{shares.get(name, 0.0):.2f}"]
        assert next(iter(choice.settings)) in line
        assert "semantics" in line
    by_name = {choice["method"]: choice["share"] for choice in told["main"]["tried"]}
    assert by_name == {**dict.fromkeys(("ESZSL", "SAE", "Ridge"), 0.0), **shares, "Ensemble": None}
    assert "within a standard error of the best one" in printed(told)


def test_of_a_single_method_the_chosen_settings_are_told_and_no_share(toy_features):
    told, outcome = report(ESZSL(), toy_features)
    text = printed(told)
    assert "Chosen for [mine]" in text
    assert "share" not in text
    assert [line.split()[:2] for line in text.splitlines() if "ESZSL" in line] == [
        ["ESZSL", f"{100 * outcome.choice.accuracy:.1f}"]
    ]
