"""From zero shots to few, on small drawn domains."""

import json
import shutil

import numpy as np
import pytest

from zsltf.cli import main
from zsltf.data.domain_folders import read_domains
from zsltf.data.toy_domains import draw_domains, toy_domain_classes
from zsltf.evaluation.domain_tasks import ChainProtocol, domain_tasks
from zsltf.evaluation.zero_to_few_shot import _Stages
from zsltf.runs import opened

QUICK = ("--backbone", "conv4", "--weights", "random", "--size", "16", "--stages", "1", "--steps", "2")
SMALL = ("--per-domain", "4", "--validate-every", "1", "--seeds", "0", "--draws", "1", "--shots", "0", "2")


@pytest.fixture
def few_pictures(monkeypatch, tmp_path):
    """Four pictures of a class in a domain instead of thirty."""
    images = read_domains(draw_domains(tmp_path / "domains", images=4, size=16))
    monkeypatch.setattr("zsltf.evaluation.domain_tasks.drawn_domains", lambda: images)
    return images


def test_writes_what_each_stage_adds_and_a_classifier_that_is_one(few_pictures, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["run", "zero_to_few_shot", *QUICK, *SMALL, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "weights averaged" in printed
    assert "What is added" in printed
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert len(report["rows"]) == 4 * 4 * (2 + 1)  # domains, stages; numbers of photos, and photos alone
    assert {row["head"] for row in report["rows"]} == {"any-shot", "photos alone"}
    means = {(row["stage"], row["head"], row["shots"]): row for row in report["stages"]}
    assert len(means) == 4 * (2 + 1)
    for row in report["rows"]:
        assert row["accuracy"] == pytest.approx((7 * row["known"] + 2 * row["new"]) / 9)
    assert len(report["choices"]) == 4 * 4  # domains, stages
    with opened(out / "classifier.keras") as run:
        classifier = run.classifier()
    assert classifier.names == few_pictures.names
    assert set(classifier.opens_by) == {"semantics", "photos"}
    assert classifier.classes.seen.all()
    pixels = np.stack([few_pictures.images.load(row, 16) for row in range(3)])
    assert np.isfinite(classifier.score(pixels)).all()
    assert main(["run", "zero_to_few_shot", *QUICK, *SMALL, "--out", str(out)]) == 1
    assert "expected a path where nothing is yet" in capsys.readouterr().err


def test_tasks_keep_held_out_classes_and_the_new_domain_out_of_training(few_pictures):
    protocol, y = ChainProtocol(draws=3, shots=(0, 1)), few_pictures.images.y
    tasks = list(domain_tasks(few_pictures, toy_domain_classes(), protocol))
    assert len(tasks) == 4 * 3
    for number, task in enumerate(tasks):
        assert set(few_pictures.domain[task.target]) == {number // 3}
        assert number // 3 not in few_pictures.domain[task.source]
        held_out = {toy_domain_classes().names[label] for label in set(range(9)) - set(y[task.source])}
        assert held_out == set(task.told["held_out"])
        assert len(held_out) == 2
        assert len(task.target) == 9 * 4
    drawn = [tuple(task.told["held_out"]) for task in tasks]
    assert drawn[:3] == drawn[3:6]
    assert len(set(drawn)) == 3


def test_rehearsals_see_source_domains_and_seen_classes_alone(few_pictures):
    """Whoever plays the new domain and the held-out classes is out of their training."""
    protocol = ChainProtocol(draws=1, shots=(0, 1), rehearsals=4)
    task = list(domain_tasks(few_pictures, toy_domain_classes(), protocol))[1]
    none = np.zeros((len(few_pictures), 1))
    chain = _Stages(stages=None, x=none, frozen=none, images=few_pictures, protocol=protocol)
    found = list(chain._rehearsals(task))
    assert len(found) == 4
    played = []
    for inner, rehearsal in found:
        assert {few_pictures.domains[number] for number in inner.images.domain} == {"coarse", "pale", "plain"}
        assert not set(inner.images.names) & set(task.told["held_out"])
        for row in (0, 50, 83):
            assert inner.images.images.paths[row].split("/")[1] == inner.images.names[inner.images.images.y[row]]
        (domain,) = set(inner.images.domain[rehearsal.target])
        assert domain not in inner.images.domain[rehearsal.source]
        assert len(set(inner.images.images.y[rehearsal.source])) == 7 - 2 == rehearsal.classes.seen.sum()
        assert len(set(inner.images.images.y[rehearsal.target])) == 7
        played.append(few_pictures.domains[domain])
    assert played == ["coarse", "pale", "plain", "coarse"]


def run(*arguments):
    return main(["run", "zero_to_few_shot", *QUICK, *map(str, arguments)])


def test_what_does_not_do_is_refused_before_slow_work(few_pictures, tmp_path, capsys):
    out = ("--out", tmp_path / "out")
    assert run("--shots", 0, 4, *out) == 1
    assert "shots: expected fewer than the 4 photos of blue_cross in coarse, received 4" in capsys.readouterr().err
    assert run("--held-out", 6, "--shots", 1, *out) == 1
    assert "held_out: expected four classes more than are held out, received 9 classes" in capsys.readouterr().err
    assert run("--images", few_pictures.images.root, *out) == 1
    assert "expected --images and an encoder, or neither, received images alone" in capsys.readouterr().err
    for domain in ("noisy", "pale"):
        shutil.rmtree(few_pictures.images.root / domain)
    with pytest.raises(ValueError, match=r"domains: expected three or more: .*, received coarse, plain"):
        ChainProtocol().check(read_domains(few_pictures.images.root))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [{"shots": (0,)}, {"shots": (-1,)}, {"seeds": (-1,)}, {"draws": 0}])
def test_settings_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"ChainProtocol\.{name}: expected"):
        ChainProtocol(**options)
