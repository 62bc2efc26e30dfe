import dataclasses

import numpy as np
import pytest
from training.problems import FAST, data, network

from zsltf.training.engine import train
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.phases import Phase
from zsltf.training.timeline import Timeline

PHASE = Phase(name="all", epochs=1, learning_rate=1e-3, schedule="constant", train_from="block2", layer_decay=0.5)


def timeline(net, phases, history=()):
    return Timeline(network=net, phases=phases, steps_per_epoch=4, history=history)


def test_a_layer_learns_more_slowly_than_the_one_above():
    net = network()
    net.freeze(PHASE)
    shares = timeline(net, [PHASE]).shares(0)
    expected = {"block2": 0.125, "block3": 0.25, "block4": 0.5, "class": 1.0}
    assert {path.split("_")[0]: share for path, share in shares.items()} == expected
    both = timeline(net, [dataclasses.replace(PHASE, stage_decay=0.1)]).shares(0)
    assert both["block3_conv/kernel"] == pytest.approx(0.25 * 0.1**2)


def test_two_layers_of_a_stage_have_rates_of_their_own():
    net = network()
    whole = dataclasses.replace(
        net.backbone, stages={"body": tuple(n for s in net.backbone.stages.values() for n in s)}
    )
    net = dataclasses.replace(net, backbone=whole)
    phase = dataclasses.replace(PHASE, train_from="body")
    net.freeze(phase)
    shares = timeline(net, [phase]).shares(0)
    assert [shares[f"block{i}_conv/kernel"] for i in (1, 2, 3, 4)] == [0.0625, 0.125, 0.25, 0.5]


def test_a_rate_that_moves_no_float32_is_refused_before_training():
    slow = dataclasses.replace(PHASE, train_from="block1", layer_decay=0.01)
    message = r"Phase 'all', rate of block1: expected at least 1e-09, .*, received 1e-11\. Raise stage_decay or layer"
    with pytest.raises(ValueError, match=message):
        train(network(), data(), [slow], FAST)
    one_step = dataclasses.replace(FAST, batch_size=30, keep="last")
    fastest = dataclasses.replace(slow, layer_decay=0.0325)  # 1.1e-9 at the bottom, in one step
    assert train(network(), data(), [fastest], one_step).state.proofs[0]["frozen"] == []


def test_the_heads_may_be_frozen():
    net = network()
    phase = dataclasses.replace(PHASE, train_from="block1", train_to="block2")
    net.freeze(phase)
    shares = timeline(net, [phase]).shares(0)
    assert {path.split("_")[0]: share for path, share in shares.items()} == {"block1": 0.5, "block2": 1.0}


def test_one_step_moves_every_layer_by_its_rate():
    net = network()
    options = dataclasses.replace(
        FAST, keep="last", batch_size=30, optimization=OptimizerOptions(weight_decay=0.0, epsilon=1e-12)
    )
    before = {layer: np.array(net.model.get_layer(layer).kernel) for layer in ("block3_conv", "class_scores")}
    train(net, data(), [PHASE], options)
    moved = {layer: np.abs(net.model.get_layer(layer).kernel - kernel).max() for layer, kernel in before.items()}
    assert moved["class_scores"] == pytest.approx(1e-3, rel=1e-2)
    assert moved["block3_conv"] == pytest.approx(0.25e-3, rel=1e-2)


def test_a_phase_begins_where_the_one_before_ended():
    first, second = (dataclasses.replace(PHASE, name=name, epochs=9) for name in ("first", "second"))
    line = timeline(network(), [first, second], [{"phase": "first"}] * 3)  # it ended early
    assert [line.start(0), line.start(1)] == [0, 12]
    assert line.course(1).start == 12
    assert line.course(0).start == 0


def test_a_weight_is_as_old_as_its_training_without_a_break():
    head = Phase(name="head", epochs=2, learning_rate=1.0)
    below = Phase(name="below", epochs=1, learning_rate=1.0, train_from="block4", train_to="block4")
    both = Phase(name="both", epochs=1, learning_rate=1.0, train_from="block4")
    history = [{"phase": "head"}, {"phase": "head"}, {"phase": "below"}]
    line = timeline(network(), [head, below, both], history)
    born = line.born(2)
    assert (born["block4_conv/kernel"], born["class_scores/kernel"]) == (8, 12)
