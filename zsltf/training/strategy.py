"""Where a training runs: one device, several of this machine, or a TPU."""

from typing import Literal

import tensorflow as tf

from zsltf.checks import check_choice, fail
from zsltf.training.options import TrainingOptions

__all__ = ["StrategyName", "check_replicas", "make_strategy"]

StrategyName = Literal["auto", "cpu", "mirrored", "tpu"]


def make_strategy(name: StrategyName = "auto") -> tf.distribute.Strategy:
    """A strategy; build the model and train it in its `scope()`.

    auto: all GPUs if there are several, else the one GPU or the CPU. cpu: the CPU, whatever else there is. mirrored:
    all GPUs, or without one all logical CPU devices. tpu: the one that TensorFlow finds by the environment; untested.

    Args:
        name: one of auto, cpu, mirrored, tpu.

    Raises:
        ValueError: if the name is unknown or there is no TPU.
    """
    check_choice("strategy", name, ("auto", "cpu", "mirrored", "tpu"))
    gpus = tf.config.list_logical_devices("GPU")
    if name == "tpu":
        return _tpu()
    if name == "cpu":
        return tf.distribute.OneDeviceStrategy("/cpu:0")
    if name == "mirrored" or len(gpus) > 1:
        return tf.distribute.MirroredStrategy([device.name for device in gpus or tf.config.list_logical_devices("CPU")])
    return tf.distribute.get_strategy()


def check_replicas(strategy: tf.distribute.Strategy, options: TrainingOptions) -> None:
    """Refuse what doesn't work, or means something else, on several devices.

    Raises:
        ValueError: for a batch that can't be shared out equally, for gradient accumulation, which TensorFlow can't
            trace there, and for clipping, where Keras would clip every device's share before it adds them up.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return
    if options.batch_size % replicas:
        expected = f"a multiple of the {replicas} devices"
        fail("TrainingOptions.batch_size", expected, str(options.batch_size), "The devices share a batch.")
    accumulate, clip_norm = options.optimization.accumulate, options.optimization.clip_norm
    if accumulate > 1:
        fix = "Take larger batches: the devices share them."
        fail("OptimizerOptions.accumulate", f"1 on {replicas} devices", str(accumulate), fix)
    if clip_norm:
        fail("OptimizerOptions.clip_norm", f"0 on {replicas} devices", f"{clip_norm:g}", "Train on one device.")


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
    except ValueError as error:
        fail("strategy tpu", "a TPU", f"none ({error})", "Set TPU_NAME, or take strategy auto.")
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)
