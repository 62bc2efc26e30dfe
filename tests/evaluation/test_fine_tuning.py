"""What goes with a fine-tuning leaves it as it is: the sweep before it, the run from scratch beside it."""

import dataclasses

import numpy as np
import pytest
from training.problems import CLASSES, FAST, assert_same_weights, examples

from zsltf.backbones.conv4 import conv4
from zsltf.data.labelled import LabelledImages
from zsltf.data.splits import Split
from zsltf.evaluation.fine_tuning import TransferProtocol, run_fine_tuning, scratch_method
from zsltf.pretrained.choice import BackboneChoice
from zsltf.training.batch_norm import batch_norm_layers
from zsltf.training.learning_rate_finder import LearningRateRange
from zsltf.training.phases import PRESETS, Phase
from zsltf.transfer.fine_tune import FineTune

STAGES = ("block1", "block2", "block3", "block4", "head")
METHOD = FineTune(schedule="lp_ft", head_epochs=2, epochs=1, training=FAST)
RANDOM = BackboneChoice(backbone="conv4", weights="random", size=32)
LABELLED = LabelledImages(
    images=examples(36).images,
    classes=CLASSES,
    split=Split(train=np.arange(24), validation=np.arange(24, 30), test=np.arange(30, 36)),
)


def run(folder, *, announced=None, network=RANDOM, **options):
    rows = [] if announced is None else announced
    protocol = TransferProtocol(**options)
    return run_fine_tuning(METHOD, network, LABELLED, protocol, folder=folder, announce=rows.append)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """With a sweep, a run from scratch and TensorBoard's events."""
    folder, announced = tmp_path_factory.mktemp("shown"), []
    done = run(
        folder, announced=announced, find_learning_rate="show", baseline=True, tensorboard=folder.parent / "events"
    )
    return done, announced, folder


def test_what_is_shown_beside_it_changes_nothing(plain, shown):
    done, _, _ = shown
    assert_same_weights(done.main.training, plain.main.training)
    assert done.main.report.probabilities.tolist() == plain.main.report.probabilities.tolist()
    assert (plain.sweep, plain.baseline) == (None, None)


def test_the_run_from_scratch_trains_everything_for_as_many_epochs(shown):
    done, announced, _ = shown
    state = done.baseline.training.state
    assert len(state.history) == len(done.main.training.state.history) == 3
    assert [sorted(proof["moved"]) for proof in state.proofs] == [sorted(STAGES)]
    assert [[row["phase"] for row in rows] for rows in announced] == [["head", "all"], ["all"]]
    assert announced[1][0]["rates"] == dict.fromkeys(STAGES, METHOD.learning_rate)
    assert done.baseline.backbone.model is not done.main.backbone.model
    momenta = [[n.momentum for n in batch_norm_layers(run.backbone.model)] for run in (done.main, done.baseline)]
    assert momenta == [[0.99] * 4, [0.9] * 4]


def test_each_has_event_files_of_its_own(shown):
    events = shown[2].parent / "events"
    for part in ("train", "validation", "from_scratch/train", "from_scratch/validation"):
        assert len(list((events / part).glob("events.out.*"))) == 1


def test_a_resumed_training_keeps_its_sweep(shown, monkeypatch):
    done, _, folder = shown
    monkeypatch.setattr("zsltf.evaluation.fine_tuning.sweep_first_phase", None)
    again = run(folder, find_learning_rate="show", baseline=True, resume=True)
    np.testing.assert_array_equal(again.sweep.losses, done.sweep.losses)
    assert again.sweep.suggestion == done.sweep.suggestion
    for one, other in ((again.main, done.main), (again.baseline, done.baseline)):
        assert one.training.state.history == other.training.state.history
        assert_same_weights(one.training, other.training)


def test_the_suggestion_is_used_for_the_first_phase_if_asked(shown, tmp_path, capsys):
    announced = []
    done = run(tmp_path, announced=announced, find_learning_rate="use")
    np.testing.assert_array_equal(done.sweep.losses, shown[0].sweep.losses)
    rates = [row["rates"]["head"] for row in announced[0]]
    assert rates == [done.sweep.suggestion, METHOD.fine_tune_rate]
    assert done.main.training.state.history[0]["learning_rate"] == pytest.approx(done.sweep.suggestion, rel=1e-6)
    assert f"the loss falls fastest at {done.sweep.suggestion:.2g}" in " ".join(capsys.readouterr().out.split())


def test_a_sweep_that_suggests_nothing_is_shown_and_cannot_be_used(tmp_path, monkeypatch, capsys):
    rising = LearningRateRange(rates=np.geomspace(1e-3, 1, 3), losses=np.array([1.0, 1.5, 5.0]))
    monkeypatch.setattr("zsltf.evaluation.fine_tuning.sweep_first_phase", lambda *_: rising)
    done = run(tmp_path / "shown", find_learning_rate="show")
    assert done.main.training.state.history
    assert "the loss never falls." in " ".join(capsys.readouterr().out.split())
    message = r"learning rate sweep: expected a loss that falls, received its best value, 1, at the first rate\. Give"
    with pytest.raises(ValueError, match=message):
        run(tmp_path / "used", find_learning_rate="use")


@pytest.mark.parametrize("schedule", PRESETS)
def test_from_scratch_there_is_one_phase_without_the_care_for_pretrained_weights(schedule):
    training = dataclasses.replace(FAST, l2_sp=0.1)
    method = FineTune(
        schedule=schedule, head_start="probe", layer_decay=0.9, batch_norm="recalibrate", training=training
    )
    (phase,) = scratch_method(method, STAGES).phases(STAGES)
    assert scratch_method(method, STAGES).head_start == "random"
    assert phase.epochs == sum(each.epochs for each in method.phases(STAGES))
    assert phase.rates(STAGES) == dict.fromkeys(STAGES, 1e-3)
    assert (phase.layer_decay, phase.batch_norm) == (1.0, "train")
    assert scratch_method(method, STAGES).training.l2_sp == 0


def test_from_scratch_phases_of_ones_own_are_one_too():
    phases = (Phase(name="a", epochs=2, learning_rate=1e-2), Phase(name="b", epochs=3, learning_rate=1e-3))
    (phase,) = scratch_method(FineTune(own_phases=phases), STAGES).phases(STAGES)
    assert (phase.name, phase.epochs) == ("all", 5)


def test_events_of_two_trainings_are_not_mixed(tmp_path):
    (tmp_path / "events").mkdir()
    with pytest.raises(ValueError, match=r"events: expected a folder that is not there yet, received one that is"):
        run(tmp_path, tensorboard=tmp_path / "events")


def test_a_network_without_random_weights_has_no_run_from_scratch(tmp_path):
    """Known before anything is trained."""
    announced = []
    conv4(None, size=32).model.save(tmp_path / "mine.keras")
    mine = BackboneChoice(backbone="keras_model", weights=str(tmp_path / "mine.keras"))
    with pytest.raises(ValueError, match="random"):
        run(tmp_path / "checkpoints", announced=announced, network=mine, baseline=True)
    assert announced == []
