import dataclasses

import keras
import numpy as np
import pytest
from training.problems import FAST, data, losses, network

from zsltf.heads.linear import LinearHead
from zsltf.heads.vgg import VGGHead
from zsltf.training.engine import train
from zsltf.training.penalties import Penalty
from zsltf.training.phase_model import Objectives
from zsltf.training.phases import Phase

LAST = dataclasses.replace(FAST, keep="last")  # 30 images in batches of 8: the last one has 6
HEAD = Phase(name="head", epochs=2, learning_rate=1e-2, schedule="constant")


def test_a_penalty_stands_beside_the_loss_though_batches_differ_in_size():
    still = Penalty(
        name="size", weight=5.0, function=lambda v: keras.ops.stop_gradient(sum(keras.ops.sum(w**2) for w in v))
    )
    plain, beside = (train(network(), data(), [HEAD], LAST, penalties=p) for p in ((), (still,)))
    np.testing.assert_allclose(losses(beside), losses(plain), rtol=1e-5)
    assert beside.state.history[1]["penalty_size"] != beside.state.history[0]["penalty_size"]


def test_two_heads_of_the_same_kind_are_told_apart():
    net = network({"first": LinearHead(), "second": VGGHead(units=5)})
    row = train(net, data(), [HEAD], LAST).state.history[-1]
    figures = {
        f"{part}{head}_{figure}"
        for part in ("", "val_")
        for head in ("first", "second")
        for figure in ("loss", "accuracy")
    }
    assert figures <= set(row)
    assert row["loss"] == pytest.approx(row["first_loss"] + row["second_loss"], rel=1e-5)


@pytest.mark.parametrize("objectives", [Objectives(pcgrad=True), Objectives(task_weights=(1.0, 1.0))])
def test_heads_that_share_nothing_that_trains_do_not_conflict(objectives):
    """Frozen trunk: a head's gradient is its own, projected or not."""
    plain, other = (
        train(
            network({"first": LinearHead(), "second": LinearHead()}),
            data(),
            [HEAD],
            dataclasses.replace(LAST, objectives=chosen),
        )
        for chosen in (Objectives(), objectives)
    )
    np.testing.assert_allclose(losses(other), losses(plain), rtol=1e-5)
