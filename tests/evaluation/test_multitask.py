"""Two heads on one backbone: what is trained together, and what alone."""

import dataclasses

import numpy as np
import pytest
from training.problems import CLASSES, FAST, assert_same_weights, examples, weights

from zsltf.data.collection import named_classes
from zsltf.data.labelled import LabelledImages
from zsltf.data.splits import Split
from zsltf.evaluation.multitask import Multitask, run_multitask
from zsltf.evaluation.transfer import transfer_heads
from zsltf.heads.attributes import AttributeHead
from zsltf.heads.cosine import CosineHead
from zsltf.heads.multi_label import MultiLabelHead
from zsltf.pretrained.choice import BackboneChoice
from zsltf.training.phase_model import Objectives
from zsltf.training.seeds import seed_everything
from zsltf.transfer.fine_tune import FineTune

RANDOM = BackboneChoice(backbone="conv4", weights="random", size=32)
LABELLED = LabelledImages(
    images=examples(36).images,
    classes=CLASSES,
    split=Split(train=np.arange(24), validation=np.arange(24, 30), test=np.arange(30, 36)),
)


def method(**objectives):
    options = dataclasses.replace(FAST, objectives=Objectives(**objectives), keep="last")
    return FineTune(head=CosineHead(), schedule="full", epochs=2, fine_tune_rate=1e-2, training=options)


def run(folder, chosen, labelled=LABELLED, **options):
    tasks = Multitask(**options)
    return run_multitask(chosen, RANDOM, labelled, tasks, folder=folder, announce=lambda rows: None)


def trained(chosen, heads):
    seed_everything(chosen.training.seed)
    return next(iter(transfer_heads(chosen, RANDOM.build(), LABELLED, heads).values())).training


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    return tmp_path_factory.mktemp("multitask") / "events"


@pytest.fixture(scope="module")
def done(events):
    checkpoints = events.parent / "checkpoints"
    return run(checkpoints, method(task_weights=(1.0, 3.0)), alone=True, tensorboard=events)


def test_both_heads_train_together_with_their_weights(done):
    heads = {"class": CosineHead(), "attributes": AttributeHead()}
    assert list(done["together"]) == list(heads)
    assert_same_weights(done["together"]["class"].training, trained(method(task_weights=(1.0, 3.0)), heads))
    assert done["together"]["class"].training is done["together"]["attributes"].training


def test_alone_a_head_is_trained_as_if_there_had_never_been_another(done):
    for name, head in {"class": CosineHead(), "attributes": AttributeHead()}.items():
        assert_same_weights(done[f"{name} alone"][name].training, trained(method(), {name: head}))


@pytest.mark.parametrize("weighing", [{"uncertainty": True}, {"pcgrad": True}])
def test_the_weighing_of_the_heads_is_the_options(done, tmp_path, weighing):
    other = run(tmp_path, method(**weighing))
    assert list(other) == ["together"]
    one, two = (weights(outcomes["together"]["class"].training) for outcomes in (done, other))
    assert max(np.abs(a - b).max() for a, b in zip(one, two, strict=True)) > 1e-3


def test_every_training_has_event_files_of_its_own(done, events):
    assert sorted(path.name for path in events.iterdir()) == sorted(done)
    assert all(list((events / name / "train").glob("events.out.*")) for name in done)


def test_a_finished_training_is_not_trained_again(tmp_path):
    first, again = (run(tmp_path, method(), resume=resume) for resume in (False, True))
    one, two = (outcomes["together"]["class"].training for outcomes in (first, again))
    assert one.state.history == two.state.history
    assert_same_weights(one, two)


def test_images_of_several_classes_are_refused(tmp_path):
    several = dataclasses.replace(method(), head=MultiLabelHead())
    y = np.eye(3)[LABELLED.images.y] + np.eye(3)[0] * (np.arange(36) == 1)[:, None]
    labelled = dataclasses.replace(LABELLED, images=LABELLED.images.with_y(y.astype(np.float32)))
    with pytest.raises(
        ValueError, match=r"labels: expected a single 1 a row of one-hot labels, received 2 for image 1"
    ):
        run(tmp_path, several, labelled)


def test_weights_are_one_a_head(tmp_path):
    with pytest.raises(ValueError, match=r"task_weights: expected 2 numbers, one a head, received \(1\.0,\)"):
        run(tmp_path, method(task_weights=(1.0,)))


def test_a_table_without_attributes_is_refused(tmp_path):
    bare = dataclasses.replace(LABELLED, classes=named_classes(CLASSES.names))
    with pytest.raises(ValueError, match="class table: expected attributes for an attribute head, received none"):
        run(tmp_path, method(), bare)
