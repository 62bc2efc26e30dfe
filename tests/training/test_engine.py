"""The engine: what freezes stays, what goes on goes on, and what is cached changes nothing."""

import dataclasses

import keras
import numpy as np
import pytest
from training.problems import (
    CLASSES,
    FAST,
    assert_same_weights,
    data,
    examples,
    losses,
    network,
    real_network,
    weights,
)

from zsltf.data.augment import Augmentation
from zsltf.data.image_array import ImageArray
from zsltf.heads.attributes import AttributeHead
from zsltf.heads.cosine import CosineHead
from zsltf.heads.linear import LinearHead
from zsltf.heads.multi_label import MultiLabelHead
from zsltf.training.checkpoints import values_of
from zsltf.training.engine import train
from zsltf.training.examples import Examples
from zsltf.training.freeze_proof import freeze_proof
from zsltf.training.network import Network
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.penalties import Penalty
from zsltf.training.phase_model import Objectives
from zsltf.training.phases import Phase, preset

CACHED, PLAIN = (dataclasses.replace(FAST, cache=cache, keep="last") for cache in ("auto", "off"))
LAST = dataclasses.replace(FAST, keep="last")


def fine_tune(net, epochs=4, **changes):
    return preset("fine_tune", list(net.stages), head_epochs=3, epochs=epochs, **changes)


def optimized(**changes):
    return dataclasses.replace(LAST, optimization=OptimizerOptions(**changes))


@pytest.mark.parametrize(
    ("augmentation", "views"),
    [(Augmentation(), None), (Augmentation(flip=True, padding=3), 2)],
    ids=["as they are", "two views"],
)
def test_training_from_cached_activations_is_the_plain_training(augmentation, views):
    given = data(augmentation=augmentation, views=views)
    outcomes = [train(net := network(), given, fine_tune(net), options) for options in (CACHED, PLAIN)]
    assert "in memory" in outcomes[0].state.notes[0]
    assert outcomes[1].state.notes[0] == "head: the cache is off"
    for figure in ("loss", "accuracy", "val_loss", "val_accuracy"):
        first, second = ([row[figure] for row in outcome.state.history] for outcome in outcomes)
        np.testing.assert_allclose(first, second, rtol=1e-5)


def test_statistics_are_measured_on_plain_images_though_views_are_cached():
    given = data(augmentation=Augmentation(flip=True, padding=3), views=2)
    above = Phase(name="above", epochs=3, learning_rate=1e-2, train_from="block4", batch_norm="recalibrate")
    phases = [above, dataclasses.replace(above, name="again")]
    outcomes = [train(network(), given, phases, options) for options in (CACHED, PLAIN)]
    assert "in memory" in outcomes[0].state.notes[1]
    np.testing.assert_allclose(*map(losses, outcomes), rtol=1e-5)


def test_a_disk_holds_what_memory_cannot(monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", type("Memory", (), {"available": 10}))
    monkeypatch.setattr("zsltf.training.activations.Activations.largest_constant", 0)
    on_disk = train(net := network(), data(), fine_tune(net), CACHED)
    assert "on disk: memory is too small" in on_disk.state.notes[0]
    monkeypatch.undo()
    np.testing.assert_allclose(
        losses(on_disk), losses(train(net := network(), data(), fine_tune(net), PLAIN)), rtol=1e-5
    )


def test_without_room_anywhere_the_phase_runs_the_plain_way(monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", type("Memory", (), {"available": 10}))
    monkeypatch.setattr("psutil.disk_usage", lambda _: type("Disk", (), {"free": 10})())
    phases = preset("head_only", ["head"], head_epochs=2)
    notes = train(network(), data(), phases, CACHED).state.notes
    assert "fit neither in memory nor on disk" in notes[0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"augmentation": Augmentation(flip=True)}, "augmentation is new every epoch"),
        ({"augmentation": Augmentation(mixup=0.2)}, "MixUp and CutMix mix pixels"),
    ],
)
def test_augmentation_before_the_cut_is_not_cached(changes, why):
    phases = preset("head_only", ["head"], head_epochs=2)
    assert why in train(network(), data(**changes), phases, CACHED).state.notes[0]


def test_two_phases_that_train_the_same_are_one_long_phase():
    """Slots, bias correction, averages and random numbers go on over the recompile."""
    whole = Phase(name="whole", epochs=4, learning_rate=1e-2, schedule="constant", train_from="block4")
    halves = [dataclasses.replace(whole, name=name, epochs=2) for name in ("first", "second")]
    options = optimized(ema=0.9, clip_norm=1.0, accumulate=2)
    one, two = train(network(), data(), [whole], options), train(network(), data(), halves, options)
    assert losses(one) == losses(two)
    assert_same_weights(one, two)


def test_stages_above_can_be_frozen_instead():
    phase = Phase(
        name="bottom", epochs=1, learning_rate=1e-2, train_from="block1", train_to="block2", batch_norm="train"
    )
    proof = train(network(), data(), [phase], LAST).state.proofs[0]
    assert (proof["moved"], proof["frozen"]) == (["block1", "block2"], ["block3", "block4", "head"])


@pytest.mark.parametrize("name", ["conv4", pytest.param("resnet50", marks=pytest.mark.slow), "vgg16"])
def test_every_phase_is_proved(name):
    net = network() if name == "conv4" else real_network(name)
    stages = list(net.stages)
    proofs = train(net, data(), fine_tune(net, epochs=2), LAST).state.proofs
    assert [proof["moved"] for proof in proofs] == [["head"], stages[-2:], stages]
    assert [proof["frozen"] for proof in proofs] == [stages[:-1], stages[:-2], []]


def test_a_frozen_stage_that_moves_is_an_error():
    class Vandal(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            net.model.get_layer("block2_conv").kernel.assign_add(np.full((3, 3, 64, 64), 1e-6, np.float32))

    net = network()
    phases = preset("head_only", list(net.stages), head_epochs=1)
    with pytest.raises(RuntimeError, match=r"Phase 'head': stage block2 moved though it is frozen"):
        train(net, data(), phases, LAST, callbacks=[Vandal()])


def test_a_trained_stage_that_stands_still_is_an_error():
    net = network()
    phase = Phase(name="all", epochs=1, learning_rate=1e-3, train_from="block1")
    net.freeze(phase)
    with pytest.raises(RuntimeError, match="stage block1 did not move though it trains"):
        freeze_proof(net, phase, values_of(net.model.variables))


@pytest.mark.parametrize("name", ["conv4", pytest.param("resnet50", marks=pytest.mark.slow)])
@pytest.mark.parametrize("policy", ["frozen", "train", "recalibrate"])
def test_batch_norm_does_as_its_policy_says(name, policy):
    net = network() if name == "conv4" else real_network(name)
    phase = Phase(name="all", epochs=1, learning_rate=1e-3, train_from=next(iter(net.stages)), batch_norm=policy)
    layers = [layer for layer in net.model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [[np.array(weight) for weight in layer.weights] for layer in layers]
    train(net, data(), [phase], LAST)
    moved = [
        [not np.array_equal(new, old) for new, old in zip(layer.weights, olds, strict=True)]
        for layer, olds in zip(layers, before, strict=True)
    ]
    expected = {"frozen": [False] * 4, "train": [True] * 4, "recalibrate": [False, False, True, True]}[policy]
    assert moved == [expected] * len(layers)


def test_recalibrated_statistics_are_those_of_the_training_images():
    net = network()
    phase = Phase(name="all", epochs=1, learning_rate=1e-3, train_from="block1", batch_norm="recalibrate")
    train(net, data(), [phase], dataclasses.replace(LAST, batch_size=30))
    conv, norm = net.model.get_layer("block1_conv"), net.model.get_layer("block1_bn")
    pixels = net.backbone.preprocess(data().train.images.pixels)
    maps = np.asarray(conv(pixels), np.float64)
    np.testing.assert_allclose(norm.moving_mean, maps.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, maps.var(axis=(0, 1, 2)), rtol=1e-3)


def test_the_best_epoch_is_kept_and_patience_ends_a_phase():
    hot = Phase(name="hot", epochs=12, learning_rate=0.1, schedule="constant")
    options = dataclasses.replace(FAST, patience=2, monitor="loss")
    outcome = train(net := network(), data(), [hot], options)
    rows = outcome.state.history
    assert len(rows) < 12
    assert outcome.state.best == int(np.argmin([row["val_loss"] for row in rows])) == len(rows) - 3
    scores = outcome.classifiers()["class"].score(data().validation.images.pixels)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(data().validation.images.y, scores)
    assert float(loss) == pytest.approx(rows[outcome.state.best]["val_loss"], rel=1e-4)
    assert net is outcome.network


def test_the_moving_average_is_what_validates_and_ships():
    phase = Phase(name="head", epochs=2, learning_rate=1e-2, schedule="constant")
    averages = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            averages.append(np.array(net.model.get_layer("class_scores").kernel))

    net = network()
    outcome = train(net, data(), [phase], optimized(ema=0.5), callbacks=[Watch()])
    start = averages[0].astype(np.float64)
    for kernel in averages[1:]:
        start = 0.5 * start + 0.5 * kernel
    np.testing.assert_allclose(net.model.get_layer("class_scores").kernel, start, rtol=1e-5, atol=1e-7)
    scores = outcome.classifiers()["class"].score(data().validation.images.pixels)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(data().validation.images.y, scores)
    assert float(loss) == pytest.approx(outcome.state.history[-1]["val_loss"], rel=1e-4)


def test_penalties_pull_and_stand_beside_the_loss():
    phase = Phase(name="head", epochs=1, learning_rate=1e-9, schedule="constant")
    size = Penalty(name="size", weight=2.0, function=lambda variables: sum(keras.ops.sum(v**2) for v in variables))
    plain, pulled = (train(network(), data(), [phase], LAST, penalties=p).state.history[0] for p in ((), (size,)))
    assert pulled["loss"] == pytest.approx(plain["loss"], rel=1e-5)
    net = network()
    squares = sum(float((np.array(w) ** 2).sum()) for w in net.weights_of("head"))
    assert pulled["penalty_size"] == pytest.approx(squares, rel=1e-4)
    hot = dataclasses.replace(phase, learning_rate=1e-2, epochs=3)
    shrunk = train(network(), data(), [hot], LAST, penalties=[dataclasses.replace(size, weight=100.0)])
    assert sum(float((w**2).sum()) for w in weights(shrunk)[-4:]) < squares / 2


def test_l2_sp_keeps_the_backbone_near_its_pretrained_weights():
    phase = Phase(name="all", epochs=3, learning_rate=1e-2, schedule="constant", train_from="block1")
    drifts = []
    for strength in (0.0, 10.0):
        net = network()
        before = [np.array(weight) for weight in net.backbone.model.weights]
        outcome = train(net, data(), [phase], dataclasses.replace(LAST, l2_sp=strength))
        drifts.append(
            sum(((np.array(w) - b) ** 2).sum() for w, b in zip(net.backbone.model.weights, before, strict=True))
        )
    assert drifts[1] < drifts[0] / 4
    assert "penalty_l2_sp" in outcome.state.history[0]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "step", "plateau"])
def test_every_course_of_the_rate_trains(schedule):
    phase = Phase(name="head", epochs=2, learning_rate=1e-2, schedule=schedule, warmup=float(schedule != "plateau"))
    rows = train(network(), data(), [phase], LAST).state.history
    assert all(0 <= row["learning_rate"] <= 0.0100001 for row in rows)


def test_a_plateau_lowers_the_rate():
    phase = Phase(name="head", epochs=10, learning_rate=1.0, schedule="plateau")
    rates = [row["learning_rate"] for row in train(network(), data(), [phase], LAST).state.history]
    assert rates[0] == pytest.approx(1.0)
    assert min(rates) <= 0.11


def test_deeper_stages_learn_more_slowly():
    phase = Phase(name="all", epochs=1, learning_rate=1e-3, schedule="constant", train_from="block1", stage_decay=0.1)
    options = dataclasses.replace(LAST, batch_size=30, optimization=OptimizerOptions(weight_decay=0.0))
    net = network()
    before = {stage: [np.array(w) for w in net.weights_of(stage, trainable=True)] for stage in net.stages}
    train(net, data(), [phase], options)  # one step of Adam: every weight with a gradient moves by its rate
    largest = {
        stage: max(np.abs(np.array(w) - b).max() for w, b in zip(net.weights_of(stage), before[stage], strict=False))
        for stage in ("block4", "head")
    }
    assert largest["head"] == pytest.approx(1e-3, rel=1e-2)
    assert largest["block4"] == pytest.approx(1e-4, rel=2e-2)


def test_xla_changes_speed_and_nothing_else():
    """But for dropout's random numbers: this head has none."""
    phase = Phase(name="head", epochs=2, learning_rate=1e-3, schedule="constant")
    plain, compiled = (
        train(network({"class": LinearHead()}), data(), [phase], dataclasses.replace(LAST, jit_compile=jit))
        for jit in (False, True)
    )
    np.testing.assert_allclose(losses(compiled), losses(plain), rtol=1e-4)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_and_ships_float32(precision):
    phase = Phase(name="all", epochs=2, learning_rate=1e-3, schedule="constant", train_from="block3")
    exact, mixed = (
        train(network(), data(), [phase], dataclasses.replace(LAST, precision=p)) for p in ("float32", precision)
    )
    np.testing.assert_allclose(losses(mixed)[0], losses(exact)[0], rtol=0.05)  # later ones drift apart
    assert losses(mixed) != losses(exact)
    assert {weight.dtype for weight in mixed.network.model.weights} == {"float32"}
    assert mixed.classifiers()["class"].embed.dtype_policy.name == "float32"


@pytest.mark.parametrize("objectives", [{}, {"uncertainty": True}, {"pcgrad": True}, {"task_weights": (1.0, 0.5)}])
def test_several_heads_train_together_and_each_is_a_classifier(objectives):
    heads = {"class": LinearHead(), "attributes": AttributeHead()}
    options = dataclasses.replace(LAST, objectives=Objectives(**objectives), cache="off")
    net = network(heads)
    outcome = train(net, data(), fine_tune(net, epochs=6, fine_tune_rate=3e-3, batch_norm="train"), options)
    assert {"class_loss", "attributes_loss", "class_accuracy", "val_class_accuracy"} <= set(outcome.state.history[0])
    classifiers = outcome.classifiers()
    assert (classifiers["class"].opens_by, classifiers["attributes"].opens_by) == (("photos",), ("semantics",))
    for classifier in classifiers.values():
        assert classifier.score(examples(6).images.pixels).shape == (6, 3)
        assert classifier.names == CLASSES.names


def test_multi_hot_labels_train_a_sigmoid_a_class():
    y = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0]], np.float32)[np.arange(30) % 3]
    images = ImageArray(pixels=examples().images.pixels, y=y)
    net = network({"class": MultiLabelHead()})
    phases = preset("head_only", list(net.stages), head_epochs=2)
    outcome = train(net, data(train=Examples(images=images), validation=Examples(images=images)), phases, LAST)
    assert "val_mean_average_precision" in outcome.state.history[0]
    classifier = outcome.classifiers()["class"]
    assert classifier.activation == "sigmoid"


@pytest.mark.parametrize("head", [LinearHead(), CosineHead()])
def test_a_trained_head_takes_a_class_from_a_few_photos(head):
    rng = np.random.default_rng(0)
    pretrained = network()
    everything = Phase(name="all", epochs=6, learning_rate=3e-3, train_from="block1", batch_norm="train")
    train(pretrained, data(), [everything], LAST)  # features that know more than the two classes of the head
    two = Examples(images=examples(60).images.select(np.arange(60) % 3 < 2))
    net = Network.build(pretrained.backbone, {"class": head}, CLASSES.select([0, 1]))
    phases = preset("head_only", list(net.stages), head_epochs=30, learning_rate=3e-3)
    classifier = train(net, data(train=two, validation=None), phases, LAST).classifiers()["class"]
    blue = examples(60, seed=5).images.select(np.arange(60) % 3 == 2).pixels
    opened = classifier.with_photos("blue", blue[rng.permutation(20)[:5]])
    test = examples(60, seed=6).images
    right = opened.score(test.pixels).argmax(axis=1) == test.y
    assert right.mean() > 0.8


def test_balanced_class_weights_are_as_if_every_class_had_as_many_images():
    rows = np.concatenate([np.flatnonzero(np.arange(30) % 3 == 0), [1, 4], [2, 5, 8]])
    few = Examples(images=examples().images.select(rows))
    phase = Phase(name="head", epochs=1, learning_rate=1e-9)
    options = dataclasses.replace(LAST, class_weights="balanced", batch_size=15, cache="off")
    net = network({"class": LinearHead()})
    row = train(net, data(train=few, validation=None), [phase], options).state.history[0]
    scores = np.asarray(net.model(net.backbone.preprocess(few.images.pixels), training=False))
    loss = np.asarray(keras.losses.sparse_categorical_crossentropy(few.images.y, scores, from_logits=True))
    assert row["loss"] == pytest.approx(np.mean([loss[few.images.y == c].mean() for c in range(3)]), rel=1e-5)


@pytest.mark.parametrize("jit", [False, True], ids=["plain", "XLA"])
def test_a_loss_that_is_not_finite_stops_and_names_the_batch(jit, tmp_path):
    poison = Penalty(name="poison", weight=1.0, function=lambda v: keras.ops.log(keras.ops.sum(v[0]) * 0.0 - 1.0))
    net = network()
    phases = preset("head_only", list(net.stages), head_epochs=1)
    message = (
        r"loss: expected a finite number, received NaN or infinity in phase 'head', epoch 1, step 1, of image \d+,"
    )
    options = dataclasses.replace(LAST, jit_compile=jit)
    with pytest.raises(ValueError, match=message):
        train(net, data(), phases, options, penalties=[poison], folder=tmp_path)
    train(network(), data(), phases, LAST, folder=tmp_path)


def test_corrupt_files_count_for_nothing(tmp_path):
    class Broken(ImageArray):
        one_size = False

        def load(self, index, size, policy="stretch"):
            if index == 4:
                raise ValueError("image 4: broken")
            return super().load(index, size, policy)

    images = Broken(pixels=examples().images.pixels, y=examples().images.y)
    outcome = train(net := network(), data(train=Examples(images=images)), fine_tune(net), CACHED)
    assert outcome.stream.skipped == {4: "image 4: broken"}
    weight = np.ones(30, np.float32)
    weight[4] = 0
    without = Examples(images=examples().images, sample_weight=weight)
    expected = train(net := network(), data(train=without), fine_tune(net), CACHED)
    np.testing.assert_allclose(losses(outcome), losses(expected), rtol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"options": dataclasses.replace(LAST, batch_size=31)},
            r"batch_size: expected at most the 30 training images, received 31",
        ),
        (
            {"train": Examples(images=ImageArray(pixels=np.zeros((9, 8, 8, 3), np.uint8), y=np.arange(9) // 2))},
            r"train labels: expected rows 0 to 2 of the ClassTable, received 3 for image 6",
        ),
        (
            {"train": Examples(images=ImageArray(pixels=np.zeros((9, 8, 8, 3), np.uint8), y=np.arange(9) % 2))},
            r"training images: expected an image of every seen class, received none of blue",
        ),
        (
            {"phases": [Phase(name="x", epochs=1, learning_rate=1, train_from="blok4")]},
            r"Phase 'x'\.train_from: expected one of .*Did you mean 'block4'",
        ),
        ({"phases": []}, r"schedule: expected one phase or more, received none"),
    ],
)
def test_bad_input_is_refused_before_training(wrong, message):
    phases = wrong.pop("phases", preset("head_only", ["head"], head_epochs=1))
    options = wrong.pop("options", LAST)
    with pytest.raises(ValueError, match=message):
        train(network(), data(**wrong), phases, options)
