import subprocess
import sys

import pytest
import tensorflow as tf

from zsltf.training.scalars import ScalarLog

ROWS = [
    {"epoch": 0, "phase": "head", "loss": 0.5, "val_loss": 0.75, "images_per_second": 100},
    {"epoch": 1, "phase": "all", "loss": 0.25, "learning_rate": 1e-4},
]


def events(folder):
    """Tag -> [(step, value)], read from the records themselves."""
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found.setdefault(value.tag, []).append((event.step, tf.make_ndarray(value.tensor).item()))
    return found


def test_a_chart_a_figure_with_training_and_validation_as_runs(tmp_path):
    log = ScalarLog(tmp_path)
    for row in ROWS:
        log.write(row)
    assert events(tmp_path / "train") == {
        "loss": [(0, 0.5), (1, 0.25)],
        "images_per_second": [(0, 100.0)],
        "learning_rate": [(1, pytest.approx(1e-4))],
    }
    assert events(tmp_path / "validation") == {"loss": [(0, 0.75)]}


def test_a_resumed_training_adds_to_what_is_there(tmp_path):
    ScalarLog(tmp_path).write(ROWS[0])
    ScalarLog(tmp_path).write(ROWS[1])
    assert sorted(events(tmp_path / "train")["loss"]) == [(0, 0.5), (1, 0.25)]


def test_the_tensorboard_package_is_not_needed(tmp_path):
    program = (
        "import sys; sys.modules['tensorboard'] = None\n"
        "from pathlib import Path; from zsltf.training.scalars import ScalarLog\n"
        f"ScalarLog(Path({str(tmp_path)!r})).write({ROWS[0]!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert events(tmp_path / "train")["loss"] == [(0, 0.5)]
