import numpy as np
import pytest

from zsltf.evaluation.paired import paired
from zsltf.evaluation.summary import partition_rows
from zsltf.evaluation.zero_shot import ZeroShotProtocol, run_zero_shot
from zsltf.metrics.intervals import paired_interval
from zsltf.training.preparation import Preparation
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.ridge import Ridge

FIXED = ZeroShotProtocol(search=False, preparation=Preparation(), repeats=1, shuffles=0)


def row(partition, per_class, split="a"):
    return {"partition": partition, "split": split, "per_class": per_class}


def test_each_partition_that_both_have_is_compared_class_by_class():
    one, other = [0.9, 0.5, None, 0.7, 0.8, 0.6, 0.75], [0.8, 0.45, None, 0.7, 0.6, 0.5, 0.7]
    (found,) = paired([row("x", one), row("mine", [1.0])], [row("other", [0.0]), row("x", other)])
    known = [np.array(values, float) for values in (one, other)]
    assert found["partition"] == "x"
    assert found["difference"] == pytest.approx(np.mean([0.1, 0.05, 0.0, 0.2, 0.1, 0.05]))
    assert found["interval"] == list(paired_interval(*known))
    assert found["interval"][0] > 0


def test_runs_of_two_methods_can_be_compared(toy_features):
    first, second = (run_zero_shot(method, *toy_features, FIXED) for method in (ESZSL(), Ridge()))
    (found,) = paired(*(partition_rows({"mine": outcome}, {}) for outcome in (first, second)))
    assert found["difference"] == pytest.approx(first.report.unseen_accuracy - second.report.unseen_accuracy)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ([row("y", [0.5])], "a partition that both runs have, received x and y"),
        ([row("x", [0.5], "b")], "the same split in both runs, received a and b for x"),
        ([{"partition": "x"}], "received a and None for x"),
    ],
)
def test_what_cannot_be_compared_is_refused(other, message):
    with pytest.raises(ValueError, match=message):
        paired([row("x", [0.4])], other)


def test_other_classes_under_the_same_rows_are_refused():
    cats, dogs = ({**row("x", [0.5, 0.4]), "unseen_classes": names} for names in (["lynx", "puma"], ["wolf", "fox"]))
    assert paired([cats], [{**cats, "per_class": [0.5, 0.3]}])[0]["difference"] == pytest.approx(0.05)
    with pytest.raises(ValueError, match="same unseen classes in both runs, received lynx, puma and wolf, fox for x"):
        paired([cats], [dogs])
