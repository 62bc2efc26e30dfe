"""Leave one domain out: who sees what, how settings are chosen, and what is refused."""

from dataclasses import dataclass, field
from typing import ClassVar

import keras
import numpy as np
import pytest
from scipy import stats

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.embeds import adapter, identity
from zsltf.evaluation.domain_generalisation import GeneralizationProtocol, run_domain_generalization
from zsltf.evaluation.generalisation_trials import GeneralizationOutcome, Trial, chosen
from zsltf.generalization.erm import ERM
from zsltf.generalization.group_dro import GroupDRO
from zsltf.generalization.irm import IRM
from zsltf.generalization.wise_ft import WiSEFT
from zsltf.metrics.intervals import class_interval
from zsltf.training.descent import Descent

CLASSES = ClassTable(names=("a", "b", "c"), semantics=np.zeros((3, 0), np.float32), seen=np.ones(3, bool))
NAMES = ("art", "clip", "photo", "sketch")
QUICK = GeneralizationProtocol(seeds=(0,), learning_rates=(0.03,), penalties=(1e-5,), epochs=10)


def domain(seed, count=30):
    """Whose first number tells which example of which domain it is."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = np.concatenate([np.zeros((count, 1)), 3 * np.eye(3, 5)[y] + rng.normal(size=(count, 5))], axis=1)
    x[:, 0] = 0.001 * seed + 1e-5 * np.arange(count)
    return Features(x=x.astype(np.float32), y=y)


@pytest.fixture(scope="module")
def domains():
    return Domains(parts={name: domain(number + 1) for number, name in enumerate(NAMES)})


@dataclass(frozen=True, kw_only=True)
class Constant:
    """Says one class of all, and tells what it was trained on."""

    says: int = 0
    descent: Descent = field(default_factory=Descent)
    SEARCH: ClassVar = {"says": (0, 1, 2)}
    seen: ClassVar[list] = []

    def fit(self, domains, classes, *, network=None):
        Constant.seen.append((self, domains))
        vectors = np.zeros((3, 6), np.float32)
        return Classifier(identity(6), classes, class_vectors=vectors, bias=np.eye(3)[self.says], opens_by=())


def test_nobody_sees_the_new_domain_nor_what_is_held_out(domains):
    Constant.seen.clear()
    told = []
    protocol = GeneralizationProtocol(seeds=(3,), learning_rates=(0.1,), penalties=(0.0,))
    run_domain_generalization(
        {"ERM": Constant()}, domains, CLASSES, protocol, announce=lambda name, trial: told.append((name, trial.domain))
    )
    assert told == [("ERM", name) for name in NAMES]
    trained = [tuple(given.parts) for _, given in Constant.seen]
    without_two = [("photo", "sketch"), ("clip", "sketch"), ("clip", "photo"), ("art", "sketch"), ("art", "photo")]
    assert trained[:6] == [*without_two, ("art", "clip")]
    assert trained[6:] == [tuple(name for name in NAMES if name != new) for new in NAMES]
    kept = {name: {part.x[:, 0].tobytes() for _, given in Constant.seen for n, part in given.parts.items() if n == name}
            for name in NAMES}  # fmt: skip
    assert all(len(parts) == 1 for parts in kept.values()), "the same examples each time"
    assert {len(part) for _, given in Constant.seen for part in given.parts.values()} == {24}
    assert {setting.descent.seed for setting, _ in Constant.seen} == {3}


def test_settings_are_as_many_for_each_method_and_begin_with_its_own(domains):
    protocol = GeneralizationProtocol()
    assert len(protocol.settings(ERM())) == len(protocol.settings(IRM())) == 4
    found = protocol.settings(IRM(weight=5.0))
    assert [setting.weight for setting in found] == [5, 1, 10, 100]
    pairs = [(setting.descent.learning_rate, setting.descent.penalty) for setting in found]
    assert len(set(pairs)) == 4
    assert {setting.descent.batch_size for setting in found} == {32}
    only = GeneralizationProtocol(learning_rates=(0.1,), penalties=(0.0,), epochs=3).settings(WiSEFT(share=0.2))
    assert [(setting.share, setting.descent.epochs) for setting in only] == [(0.2, 3)]


def test_accuracies_to_choose_by_are_those_of_the_parts_they_name():
    """Of domains with other shares of class a each, of which a classifier that always says a is right."""
    parts = {}
    for name, share in zip(NAMES, (0.2, 0.4, 0.6, 0.8), strict=True):
        y = np.repeat([0, 1, 2], [round(100 * share), round(50 * (1 - share)), round(50 * (1 - share))])
        parts[name] = Features(x=np.zeros((100, 6), np.float32), y=y)
    protocol = GeneralizationProtocol(seeds=(0,), learning_rates=(0.1,), penalties=(0.0,))
    outcome = run_domain_generalization({"ERM": Constant()}, Domains(parts=parts), CLASSES, protocol)
    for trial, own in zip(outcome.trials["ERM"], (0.2, 0.4, 0.6, 0.8), strict=True):
        assert trial.accuracy == pytest.approx(own)
        assert trial.by["oracle"] == pytest.approx(own)
        assert trial.by["training domains"] == pytest.approx((2.0 - own) / 3)
        assert trial.by["source left out"] == pytest.approx((2.0 - own) / 3)


def test_methods_learn_a_domain_that_they_never_saw(domains):
    methods = {"ERM": ERM(), "GroupDRO": GroupDRO(rate=0.0)}
    outcome = run_domain_generalization(methods, domains, CLASSES, QUICK, network=lambda seed: adapter(6, 4, seed))
    assert outcome.accuracies("ERM", "training domains").shape == (1, 4)
    assert outcome.accuracies("ERM", "training domains").mean() > 0.8
    for one, other in zip(*outcome.trials.values(), strict=True):  # switched off it is ERM
        assert (one.accuracy, one.by) == (other.accuracy, other.by)
    assert outcome.above_reference("GroupDRO", "oracle") == (0.0, (0.0, 0.0))


def test_three_domains_do_without_the_choice_that_leaves_a_source_out(domains):
    outcome = run_domain_generalization({"ERM": ERM()}, domains.without("art"), CLASSES, QUICK)
    assert outcome.selections == ("training domains", "oracle")
    with pytest.raises(ValueError, match="selection: expected one of oracle, training domains"):
        outcome.accuracies("ERM", "source left out")


def trial(accuracy, domain="art", seed=0, setting=0, **by):
    by = {"training domains": by.get("t", 0.5), "source left out": by.get("s", 0.5), "oracle": by.get("o", 0.5)}
    return Trial(domain=domain, seed=seed, setting=setting, accuracy=accuracy, by=by, seconds=0.0)


def test_a_choice_looks_at_its_own_column_and_takes_the_middle_of_equals():
    trials = [trial(0.1, t=0.9, s=0.1, o=0.3), trial(0.2, t=0.1, s=0.9, o=0.3), trial(0.3, t=0.2, s=0.2, o=0.3)]
    assert [chosen(trials, name).accuracy for name in ("training domains", "source left out", "oracle")] == [
        0.1, 0.2, 0.2
    ]  # fmt: skip


def test_figures_are_over_seeds_and_gains_over_domains():
    def trials(shift):
        return [
            trial(
                shift * number + 0.1 * number + 0.01 * seed + 0.5 * (setting == 0),
                name,
                seed,
                setting,
                t=float(setting),
            )
            for seed in (0, 1, 2)
            for number, name in enumerate(("art", "clip", "photo"))
            for setting in (0, 1)
        ]

    outcome = GeneralizationOutcome(trials={"ERM": trials(0.0), "other": trials(-0.05)}, reference="ERM")
    expected = np.array([[0.1 * number + 0.01 * seed for number in range(3)] for seed in range(3)])
    np.testing.assert_allclose(outcome.accuracies("ERM", "training domains"), expected, atol=1e-12)
    assert outcome.interval("ERM", "training domains") == class_interval(expected.mean(axis=1))
    gain, interval = outcome.above_reference("other", "training domains")
    assert gain == pytest.approx(-0.05)
    half = stats.t.ppf(0.975, 2) * 0.05 / np.sqrt(3)  # of the gains 0, -0.05 and -0.1 in three domains
    np.testing.assert_allclose(interval, (-0.05 - half, -0.05 + half), atol=1e-9)
    assert outcome.best_setting("ERM") == 0
    assert outcome.domains == ("art", "clip", "photo")


def test_domains_that_do_not_do_are_refused_before_training(domains):
    def run(given, methods=None):
        run_domain_generalization(methods or {"ERM": Constant()}, given, CLASSES, QUICK)

    Constant.seen.clear()
    with pytest.raises(ValueError, match=r"domains: expected three or more: .*, received photo, sketch"):
        run(domains.without("art").without("clip"))
    with pytest.raises(ValueError, match="methods: expected 'ERM' among them, received IRM"):
        run(domains, {"IRM": IRM()})
    poor = domains.parts["photo"].select(domains.parts["photo"].y < 2)
    with pytest.raises(ValueError, match="expected the same classes in each, received c missing in photo"):
        run(Domains(parts={**domains.parts, "photo": poor}))
    single = domains.parts["photo"].select([0, 1, 2, 3, 4])
    with pytest.raises(ValueError, match="two examples or more of every class, received 1 of c in photo"):
        run(Domains(parts={**domains.parts, "photo": single}))
    assert not Constant.seen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": 0.0}, "expected seeds, settings and a share above 0"),
        ({"seeds": ()}, "expected seeds, settings"),
        ({"validation": 1.0}, r"validation: expected a share in \[0, 1\)"),
        ({"learning_rates": (-1.0,)}, "learning_rate: expected a number > 0"),
        ({"epochs": 0}, "epochs: expected a number > 0"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GeneralizationProtocol(**options)


def test_an_adapter_starts_as_nothing_and_is_its_formula():
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    model = adapter(5, 3, 0)
    np.testing.assert_array_equal(model(x), x)
    kernel, bias, last, offset = (
        np.random.default_rng(1).normal(size=w.shape).astype(np.float32) for w in model.weights
    )
    model.set_weights([kernel, bias, last, offset])
    expected = x + np.maximum(x @ kernel + bias, 0) @ last + offset
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(adapter(5, 3, 7).get_weights()[0], adapter(5, 3, 7).get_weights()[0])
    assert isinstance(model, keras.Model)
