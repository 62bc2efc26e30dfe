import numpy as np
import pytest

from zsltf.training.ensemble import Ensemble, Member, choose_ensemble
from zsltf.training.folds import Fold, class_disjoint_folds
from zsltf.training.preparation import Preparation
from zsltf.training.selection import fit_prepared, fold_accuracy, preparations, select
from zsltf.zeroshot.auto import Auto
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.ridge import Ridge
from zsltf.zeroshot.sae import SAE


@pytest.fixture
def problem(toy_features):
    features, classes = toy_features
    rng = np.random.default_rng(5)  # noise, so that no method is always right
    noisy = features.with_x((features.x + 2.5 * rng.normal(size=features.x.shape)).astype(np.float32))
    return noisy.select(classes.seen[features.y]), classes


def test_its_accuracy_is_that_of_its_sum_on_the_folds_and_at_least_the_best_starting_sum(problem):
    train, classes = problem
    folds = list(class_disjoint_folds(train, classes))
    ensemble, *alone = choose_ensemble([ESZSL(), SAE(), Ridge()], folds, rounds=5)
    assert [c.accuracy for c in alone] == sorted((c.accuracy for c in alone), reverse=True)
    for choice in alone:
        assert choice.accuracy == select(type(choice.method)(), folds, preparations(choice.method))[0].accuracy
    reached = []
    for fold in folds:
        total = 0.0
        for member in ensemble.method.members:
            fitted = fit_prepared(member.method, member.preparation, fold.train, fold.classes)
            total = total + member.share / member.spread * fitted.score(fold.validation.x)
        reached.append(fold_accuracy(total, fold))
    assert ensemble.accuracy == pytest.approx(np.mean(reached), abs=1e-6)
    assert sum(member.share for member in ensemble.method.members) == pytest.approx(1.0)


def test_an_ensemble_of_one_is_that_method(problem):
    train, classes = problem
    member = Member(method=ESZSL(), preparation=Preparation(centre=True), share=1.0, spread=2.0)
    fitted = Ensemble(members=(member,)).fit(train, classes)
    expected = fit_prepared(ESZSL(), Preparation(centre=True), train, classes).score(train.x)
    np.testing.assert_allclose(2 * fitted.score(train.x), expected, rtol=1e-4, atol=1e-5)
    assert Ensemble(members=(member,)).settings() == {
        "ESZSL": {
            "share": 1.0,
            "feature_ridge": 1.0,
            "attribute_ridge": 1.0,
            "targets": "-1/+1",
            "centre": True,
            "semantics": "none",
        }
    }


def test_auto_fits_what_it_chooses(problem):
    train, classes = problem
    auto = Auto(methods=("ridge", "eszsl"), rounds=2)
    chosen = auto.choose(list(class_disjoint_folds(train, classes)))[0]
    np.testing.assert_array_equal(
        auto.fit(train, classes).score(train.x), chosen.method.fit(train, classes).score(train.x)
    )


def test_auto_refuses_methods_that_are_none():
    with pytest.raises(ValueError, match="Did you mean 'eszsl'"):
        Auto(methods=("eszl",))
    with pytest.raises(ValueError, match="received 'auto'"):
        Auto(methods=("auto",))
    with pytest.raises(ValueError, match="each once"):
        Auto(methods=("sae", "sae"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("latem", "score is no sum"), ("dazle", "feature maps"), ("description_attention", "sentences apart")],
)
def test_auto_refuses_methods_that_it_cannot_add_up(name, reason):
    with pytest.raises(ValueError, match=rf"added up on pooled features, received {name}, wh.*{reason}"):
        Auto(methods=("eszsl", name))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_auto_says_how_many_seen_classes_it_needs(problem, count):
    train, classes = problem
    few = classes.with_seen(np.arange(len(classes)) < count)
    with pytest.raises(ValueError, match=rf"at least 4 seen classes .* received {count}"):
        Auto().fit(train.select(few.seen[train.y]), few)


def test_auto_refuses_folds_with_a_single_class_to_learn_from(problem):
    train, classes = problem
    rows, table = train.select(train.y < 3), classes.select([0, 1, 2]).with_seen(np.array([True, False, False]))
    fold = Fold(data=rows, tested=(rows.y > 0) | (np.arange(len(rows)) % 5 == 0), classes=table)
    for folds, received in (([fold], 1), ([], 0)):
        with pytest.raises(
            ValueError, match=rf"at least 2 classes to learn from and 2 to test on, received {received}"
        ):
            Auto().choose(folds)
