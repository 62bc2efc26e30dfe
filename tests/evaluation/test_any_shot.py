import numpy as np
import pytest

from zsltf.cli import main
from zsltf.evaluation.any_shot import run_any_shot
from zsltf.metrics.accuracy import mean_class_accuracy
from zsltf.zeroshot.any_shot import AnyShot


@pytest.fixture(scope="module")
def problem(toy_features):
    features, classes = toy_features
    noise = np.random.default_rng(7).normal(size=features.x.shape)
    return features.with_x((features.x + 3 * noise).astype(np.float32)), classes


@pytest.fixture(scope="module")
def outcome(problem):
    return run_any_shot(*problem, shots=(0, 1, 5), draws=8)


def test_photos_help_and_attributes_help_most_where_photos_are_few(outcome):
    both, photos = ({n: np.mean(values) for n, values in of.items()} for of in (outcome.both, outcome.photos))
    assert both[0] > 0.5  # chance 0.25
    assert both[5] > both[0]
    assert both[1] > photos[1]
    assert 0 not in photos
    assert [len(outcome.both[n]) for n in (0, 1, 5)] == [1, 8, 8]


def test_it_is_what_the_classifier_does_with_those_photos(problem):
    features, classes = problem
    outcome = run_any_shot(features, classes, shots=(0, 3), draws=1, seed=4)
    rng, new = np.random.default_rng([4, 3]), np.flatnonzero(~classes.seen)
    grown, rest = outcome.classifier, []
    grown = type(grown)(
        grown.embed,
        classes.select(np.flatnonzero(classes.seen)),
        project=grown.project,
        similarity=grown.similarity,
        opens_by=grown.opens_by,
        prior_photos=outcome.choice.method.kappa,
    )
    mine = np.flatnonzero(~classes.seen[features.y])
    for label in new:
        rows = np.flatnonzero(features.y[mine] == label)
        drawn = rng.choice(rows, 3, replace=False)
        grown = grown.with_photos(classes.names[label], features.x[mine[drawn]], classes.semantics[label])
        rest += sorted(set(mine[rows]) - set(mine[drawn]))
    scores = grown.score(features.x[rest])[:, -len(new) :]
    accuracy = mean_class_accuracy(features.y[rest] - new[0], scores.argmax(axis=1))
    assert outcome.both[3] == [pytest.approx(accuracy, abs=1e-9)]


def test_where_no_fold_has_photos_to_try_kappa_on_it_is_the_default(problem):
    features, classes = problem
    first = np.concatenate([np.flatnonzero(features.y == label)[:4] for label in np.flatnonzero(classes.seen)])
    few_seen = features.select(np.concatenate([first, np.flatnonzero(~classes.seen[features.y])]))
    for data, shots in ((features, (0,)), (few_seen, (0, 6))):
        outcome = run_any_shot(data, classes, shots=shots, draws=1)
        assert outcome.choice.method.kappa == outcome.classifier.prior_photos == AnyShot().kappa


def test_a_class_needs_a_photo_to_be_tested_on(problem):
    with pytest.raises(ValueError, match="numbers from 0 to 9: an unseen class has 10 photos"):
        run_any_shot(*problem, shots=(0, 10))


def test_without_a_draw_there_is_nothing_to_tell(problem, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"any_shot\.draws: expected a number > 0, received 0"):
        run_any_shot(*problem, shots=(0, 1), draws=0)
    assert main(["run", "any_shot", "--draws", "0", "--out", str(tmp_path / "a.keras")]) == 1  # before slow work
    assert "any_shot.draws: expected a number > 0, received 0" in capsys.readouterr().err
