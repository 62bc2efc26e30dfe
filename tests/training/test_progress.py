import io
import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from rich.console import Console

from zsltf.training.progress import Progress

SCHEDULE = [{"phase": "head", "epochs": 2}, {"phase": "from [block5]", "epochs": 1}]


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, progress, epochs, **options):
    x, y = np.ones((24, 3), np.float32), np.arange(24) % 2
    return model.fit(x, y, batch_size=8, epochs=epochs, callbacks=[progress], verbose=0, **options).history


def run(model, *, terminal, schedule=SCHEDULE):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with Progress(batch_size=8, schedule=schedule, console=console) as progress:
        for row in SCHEDULE:
            model.phase = SimpleNamespace(name=row["phase"])
            fit(model, progress, row["epochs"], validation_split=1 / 3)
    return out.getvalue()


def by_hand(console, clock, monkeypatch, *, steps=2, **options):
    """One epoch of 5 whose events come at these seconds."""
    now = iter(clock)
    monkeypatch.setattr("zsltf.training.progress.time.perf_counter", lambda: next(now))
    with Progress(batch_size=8, console=console, **options) as progress:
        progress.set_model(SimpleNamespace(phase=SimpleNamespace(name="head")))
        progress.set_params({"epochs": 5, "steps": steps})
        progress.on_train_begin()
        progress.on_epoch_begin(2)
        for step in range(2):
            progress.on_train_batch_end(step, {"loss": 1 / (step + 1)})
        progress.on_epoch_end(2, {"accuracy": 0.25, "val_accuracy": 0.125, "loss": 0.5, "val_loss": 0.75})
        progress.on_train_end()
    return console.file.getvalue()


def test_without_a_terminal_one_line_an_epoch(model):
    text = run(model, terminal=False)
    assert not set(text) & set("\x1b\r━")
    figures = r"  loss [\d.]+  accuracy [\d.]+  val_loss [\d.]+  val_accuracy [\d.]+  [\d,.]+ images/s  0:00:\d\d"
    left = r"  about 0:\d\d:\d\d left"
    titles = [f"head 1/2{figures}{left}", f"head 2/2{figures}{left}", rf"from \[block5\] 1/1{figures}"]
    assert re.fullmatch("".join(f"{line}\n" for line in titles), text)


def test_on_a_terminal_a_bar_that_goes_away_and_the_same_lines(model):
    text = run(model, terminal=True)
    assert "━" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 2  # the cursor is back after each phase
    kept = [line for line in re.split(r"[\r\n]+", text) if " images/s  0:00:" in line]
    assert [re.search(r"\d/\d", line)[0] for line in kept] == ["1/2", "2/2", "1/1"]


def test_a_models_without_a_phase_is_announced_by_its_epoch(model):
    out = io.StringIO()
    progress = Progress(batch_size=8, console=Console(file=out, width=100))
    history = fit(model, progress, 2)
    for i, line in enumerate(out.getvalue().splitlines()):
        assert line.startswith(f"epoch {i + 1}/2  loss {history['loss'][i]:.4g}  accuracy {history['accuracy'][i]:.4g}")


def test_figures_of_an_epoch(monkeypatch):
    console = Console(file=io.StringIO(), width=40)  # narrower than the line, which stays one line
    text = by_hand(console, [100.0, 101.0, 102.0, 107.0], monkeypatch)  # 5 seconds of validation
    figures = "loss 0.5  accuracy 0.25  val_loss 0.75  val_accuracy 0.125"
    assert text == f"head 3/5  {figures}  8 images/s  0:00:07  about 0:00:14 left\n"


def test_the_time_left_counts_the_phases_to_come(monkeypatch):
    schedule = [{"phase": "before", "epochs": 90}, {"phase": "head", "epochs": 5}, {"phase": "all", "epochs": 98}]
    console = Console(file=io.StringIO(), width=100)
    text = by_hand(console, [0.0, 1.0, 2.0, 60.0], monkeypatch, schedule=schedule)
    assert text.endswith("  0:01:00  about 1:40:00 left\n")


def test_an_unknown_number_of_steps(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    assert "head 3/5  loss 0.5  " in by_hand(console, [0.0, 1.0, 2.0, 3.0], monkeypatch, steps=None)


def test_a_failing_training_gives_the_terminal_back(model):
    out = io.StringIO()

    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("stop here")

    console = Console(file=out, force_terminal=True, color_system=None)
    with pytest.raises(RuntimeError, match="stop here"), Progress(batch_size=8, console=console) as progress:
        model.fit(np.ones((8, 3)), np.zeros(8), callbacks=[progress, Fail()], verbose=0)
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1
