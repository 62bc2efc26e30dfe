"""A deterministic training that may be killed at any moment: python interrupted_training.py FOLDER NAME [KILL_AT].

KILL_AT seconds after training begins the process kills itself with SIGKILL. The network is conv4, resnet50 or vgg16.
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


def main(folder: Path, name: str, kill_at: float | None = None) -> None:
    seed_everything(0, deterministic=True)
    net = network() if name == "conv4" else real_network(name)
    phases = preset("fine_tune", list(net.stages), head_epochs=2, epochs=4, batch_norm="train")
    options = dataclasses.replace(FAST, optimization=OptimizerOptions(ema=0.9), monitor="loss")
    if kill_at is not None:
        threading.Thread(target=kill_after, args=(kill_at,), daemon=True).start()
    given = data(augmentation=Augmentation(flip=True, padding=3))
    outcome = train(net, given, phases, options, folder=folder / "checkpoints", resume=True, callbacks=[Ended(folder)])
    np.savez(folder / "final.npz", *(np.array(weight) for weight in outcome.network.model.weights))
    np.save(folder / "losses.npy", [row["loss"] for row in outcome.state.history])


def kill_after(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


class Ended(keras.callbacks.Callback):
    """Notes process, phase and number of every epoch that is trained to its end, before its checkpoint is written."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.file = folder / "epochs.txt"

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        with self.file.open("a") as file:
            file.write(f"{os.getpid()} {self.model.phase.name.replace(' ', '_')} {epoch}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else None)
