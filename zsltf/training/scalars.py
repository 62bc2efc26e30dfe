"""Training's figures for TensorBoard, written without it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

__all__ = ["ScalarLog"]


class ScalarLog:
    """Event files that `tensorboard --logdir FOLDER` shows: runs `train` and `validation`, a chart a figure.

    `tf.summary.scalar` and Keras' callback ask for the tensorboard package; the events themselves need TensorFlow only.

    Args:
        folder: where the event files go; a resumed training adds to those that are there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one row of the history, at step row["epoch"]; what is no number is left out."""
        for name, value in row.items():
            if name != "epoch" and isinstance(value, int | float):
                run = "validation" if name.startswith("val_") else "train"
                with self._writer(run).as_default():
                    tf.summary.write(name.removeprefix("val_"), float(value), step=row["epoch"], metadata=_scalar())
        for writer in self._writers.values():
            writer.flush()

    def _writer(self, run: str) -> Any:
        if run not in self._writers:
            self._writers[run] = tf.summary.create_file_writer(str(self._folder / run))
        return self._writers[run]


def _scalar() -> Any:
    """What marks an event as one of TensorBoard's scalars."""
    metadata = tf.compat.v1.SummaryMetadata
    return metadata(plugin_data=metadata.PluginData(plugin_name="scalars"))
