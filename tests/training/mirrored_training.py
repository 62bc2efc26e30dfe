"""The same small training on one device and on two logical CPU devices; prints the differences as JSON."""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parents[1]))
from training import problems

from zsltf.heads.attributes import AttributeHead
from zsltf.heads.linear import LinearHead
from zsltf.training.batch_norm import batch_norm_layers, recalibrate
from zsltf.training.engine import train
from zsltf.training.learning_rate_finder import find_learning_rate
from zsltf.training.learning_rates import learning_rate_schedule
from zsltf.training.optimizer_state import optimizer_state, restore_optimizer_state
from zsltf.training.optimizers import OptimizerOptions, kernels
from zsltf.training.options import TrainingOptions
from zsltf.training.penalties import Penalty
from zsltf.training.phase_model import Objectives
from zsltf.training.phases import Phase
from zsltf.training.strategy import make_strategy

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(32, 5)).astype(np.float32), RNG.normal(size=(32, 2)).astype(np.float32)


def network(*, norm=False):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, activation="tanh", name="a")(inputs)
    hidden = keras.layers.BatchNormalization(name="norm")(hidden) if norm else hidden
    return keras.Model(inputs, keras.layers.Dense(2, name="b")(hidden))


def compiled(model, options):
    optimizer = options.build(
        learning_rate_schedule("cosine", peak=0.05, steps=12, warmup_steps=2),
        rates={"a/kernel": 0.25},
        decayed=kernels(model.trainable_variables),
        born={"b/bias": 2},
    )
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    return model


def fit(model, epochs=3):
    model.fit(tf.data.Dataset.from_tensor_slices((X, Y)).batch(8), epochs=epochs, verbose=0, shuffle=False)
    return model


def difference(one, other):
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in zip(one, other, strict=True))


def state(model):
    return [value for _, value in sorted(optimizer_state(model.optimizer).items())]


def trained_on_both(strategy, options):
    single = fit(compiled(network(), options))
    with strategy.scope():
        double = fit(compiled(network(), options))
    averages = [value for key, value in sorted(optimizer_state(double.optimizer).items()) if "/average/" in key]
    weights = [keras.ops.convert_to_numpy(v) for v in sorted(double.trainable_variables, key=lambda v: v.path)]
    return single, {
        "moved": difference(single.get_weights(), network().get_weights()),
        "weights": difference(single.get_weights(), double.get_weights()),
        "state": difference(state(single), state(double)),
        "average": difference(averages, weights) if averages else 0,
    }


def resumed(strategy, options, expected):
    """One epoch, a new optimizer that takes over the state, two epochs."""
    with strategy.scope():
        model = fit(compiled(network(), options), epochs=1)
        before = optimizer_state(model.optimizer)
        restore_optimizer_state(compiled(model, options).optimizer, before, strict=True)
        fit(model, epochs=2)
    return difference(expected.get_weights(), model.get_weights())


def recalibrated(strategy):
    found = []
    for scope in (tf.distribute.get_strategy().scope(), strategy.scope()):
        with scope:
            model = network(norm=True)
            recalibrate(model, np.split(X, 4), batch_norm_layers(model))
        found.append(model.get_weights())
    return difference(*found)


def swept(strategy):
    with strategy.scope():
        model = fit(compiled(network(norm=True), OptimizerOptions(ema=0.9)))
    before = [keras.ops.convert_to_numpy(v).copy() for v in (*model.variables, *model.optimizer.variables)]
    found = find_learning_rate(model, [(X, Y)], lowest=1e-4, highest=1e-2, steps=8)
    return {
        "losses": len(found.losses),
        "difference": difference(
            before, map(keras.ops.convert_to_numpy, (*model.variables, *model.optimizer.variables))
        ),
    }


def trained_by_the_engine(strategy, **objectives):
    """Two heads, two phases and a penalty: largest differences of the log and of the weights from one device's.

    The last batch of the validation images holds one image.
    """
    options = TrainingOptions(batch_size=10, keep="last", objectives=Objectives(**objectives))
    head = Phase(name="head", epochs=2, learning_rate=1e-2)
    phases = [head, Phase(name="above", epochs=1, learning_rate=1e-3, train_from="block4")]
    given = problems.data(validation=problems.examples(11, seed=1))
    size = Penalty(name="size", weight=0.1, function=lambda variables: keras.ops.sum(variables[0] ** 2))
    found = []
    for scope in (tf.distribute.get_strategy().scope(), strategy.scope()):
        with scope:
            net = problems.network({"class": LinearHead(), "attributes": AttributeHead()})
            outcome = train(net, given, phases, options, penalties=[size])
        figures = [
            [v for name, v in row.items() if name.endswith(("loss", "accuracy", "size"))]
            for row in outcome.state.history
        ]
        found.append((np.array(figures), problems.weights(outcome)))
    (log, weights), (other_log, other_weights) = found
    return {"log": difference(log, other_log), "weights": difference(weights, other_weights), "figures": log.shape[1]}


def failure(strategy, options):
    with strategy.scope():
        model = compiled(network(), options)
    try:
        fit(model)
    except (RuntimeError, ValueError) as error:
        return str(error)
    return ""


def main():
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy, options = make_strategy("mirrored"), OptimizerOptions(ema=0.9)
    expected, adamw = trained_on_both(strategy, options)
    _, sgd = trained_on_both(strategy, OptimizerOptions(optimizer="sgd", nesterov=True, ema=0.9))
    _, clipped = trained_on_both(strategy, OptimizerOptions(optimizer="sgd", clip_norm=0.5))
    report = {
        "replicas": {name: make_strategy(name).num_replicas_in_sync for name in ("auto", "cpu", "mirrored")},
        "adamw": adamw,
        "sgd": sgd,
        "clipping": clipped["weights"],
        "resumed": resumed(strategy, options, expected),
        "recalibrated": recalibrated(strategy),
        "sweep": swept(strategy),
        "engine": trained_by_the_engine(strategy),
        "uncertainty": trained_by_the_engine(strategy, uncertainty=True),
        "pcgrad": trained_by_the_engine(strategy, pcgrad=True),
        "accumulation": failure(strategy, OptimizerOptions(accumulate=2)),
    }
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
