"""A deterministic training that may be killed at any moment.

python interrupted_training.py FOLDER NAME EPOCHS [begin|batch SECONDS]

So many seconds after it begins, or after its first batch, the process kills itself with SIGKILL. The network is conv4,
resnet50 or vgg16; EPOCHS are those of each of the three phases.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

import dataclasses

import keras
import numpy as np
from training.problems import FAST, data, network, real_network

from zsltf.data.augment import Augmentation
from zsltf.training.engine import train
from zsltf.training.optimizers import OptimizerOptions
from zsltf.training.phases import preset
from zsltf.training.seeds import seed_everything


def main(folder: Path, name: str, epochs: int, moment: str = "", seconds: float = 0.0) -> None:
    seed_everything(0, deterministic=True)
    net = network() if name == "conv4" else real_network(name)
    phases = preset("fine_tune", list(net.stages), head_epochs=epochs, epochs=2 * epochs, batch_norm="train")
    options = dataclasses.replace(FAST, optimization=OptimizerOptions(ema=0.9), monitor="loss")
    given = data(augmentation=Augmentation(flip=True, padding=3))
    begun, first = time.perf_counter(), FirstBatch(seconds if moment == "batch" else None)
    if moment == "begin":
        kill_after(seconds)
    callbacks = [first, Ended(folder)]
    outcome = train(net, given, phases, options, folder=folder / "checkpoints", resume=True, callbacks=callbacks)
    np.savez(folder / "final.npz", *(np.array(weight) for weight in outcome.network.model.weights))
    np.save(folder / "losses.npy", [row["loss"] for row in outcome.state.history])
    np.save(folder / "seconds.npy", [first.ended - begun, time.perf_counter() - first.ended])


def kill_after(seconds: float) -> None:
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    timer.start()


class FirstBatch(keras.callbacks.Callback):
    """Notes when the first batch ended; with a number of seconds, the process lives that much longer."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__()
        self.seconds, self.ended = seconds, 0.0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        if not self.ended:
            self.ended = time.perf_counter()
            if self.seconds is not None:
                kill_after(self.seconds)


class Ended(keras.callbacks.Callback):
    """Notes process, phase and number of every epoch that is trained to its end, before its checkpoint is written."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.file = folder / "epochs.txt"

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        with self.file.open("a") as file:
            file.write(f"{os.getpid()} {self.model.phase.name.replace(' ', '_')} {epoch}\n")


if __name__ == "__main__":
    folder, name, epochs, *kill = sys.argv[1:]
    main(Path(folder), name, int(epochs), *kill[:1], *map(float, kill[1:]))
