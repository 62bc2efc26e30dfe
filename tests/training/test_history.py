import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zsltf.training.history import read_history, write_history

ROWS = [
    {"epoch": 0, "phase": "head", "loss": 1.0, "accuracy": 1 / 3, "learning_rate": 1e-3},
    {"epoch": 1, "phase": "1", "loss": 0.1 + 0.2, "val_loss": float("inf"), "penalty_l2_sp": 1e-30},
    {"epoch": 2, "phase": 'from "block5", all\nof it', "loss": -2.0},
]


def test_rows_come_back_as_they_were(tmp_path):
    write_history(tmp_path / "history.csv", ROWS)
    assert read_history(tmp_path / "history.csv") == ROWS


def test_columns_are_the_union_in_order_of_appearance(tmp_path):
    write_history(tmp_path / "history.csv", ROWS)
    first, second, *_ = (tmp_path / "history.csv").read_text("utf-8").splitlines()
    assert first == "epoch,phase,loss,accuracy,learning_rate,val_loss,penalty_l2_sp"
    assert second == "0,head,1.0,0.3333333333333333,0.001,,"


@settings(deadline=None, max_examples=30)
@given(st.floats(allow_nan=False))
def test_numbers_to_the_last_bit(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("history") / "history.csv"
    write_history(path, [{"epoch": 0, "loss": value}])
    assert read_history(path)[0]["loss"] == value


def test_numbers_of_numpy_and_no_rows(tmp_path):
    write_history(tmp_path / "history.csv", [{"epoch": np.int64(3), "loss": np.float32(0.1), "val_loss": np.nan}])
    (row,) = read_history(tmp_path / "history.csv")
    assert (row["epoch"], row["loss"]) == (3, 0.1)
    assert np.isnan(row["val_loss"])
    write_history(tmp_path / "history.csv", [])
    assert read_history(tmp_path / "history.csv") == []


def test_a_failing_write_leaves_the_old_rows(tmp_path):
    path = tmp_path / "history.csv"
    write_history(path, ROWS)

    class Unprintable:
        def __str__(self):
            raise RuntimeError("no text")

    with pytest.raises(RuntimeError, match="no text"):
        write_history(path, [*ROWS, {"loss": Unprintable()}])
    assert read_history(path) == ROWS
    assert [entry.name for entry in tmp_path.iterdir()] == ["history.csv"]


def test_a_damaged_cell_is_named(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss\n0,0.5\n1,O.4\n")
    with pytest.raises(ValueError, match=re.escape("history.csv, line 3, loss: expected a number, received 'O.4'.")):
        read_history(path)


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"history\.csv: expected a history\.csv, received no file"):
        read_history(tmp_path / "history.csv")
