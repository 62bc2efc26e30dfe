"""SWAD with one epoch, and what it refuses."""

import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.domains import Domains
from zsltf.data.features import Features
from zsltf.generalization.erm import ERM
from zsltf.generalization.swad import SWAD
from zsltf.training.descent import Descent

CLASSES = ClassTable(names=("a", "b"), semantics=np.zeros((2, 0), np.float32), seen=np.ones(2, bool))


def domains(count):
    rng = np.random.default_rng(0)
    y = np.arange(count) % 2
    parts = [Features(x=(rng.normal(size=(count, 3)) + 2 * y[:, None]).astype(np.float32), y=y) for _ in range(2)]
    return Domains(parts=dict(zip(("photo", "sketch"), parts, strict=True)))


def test_of_one_step_it_is_erm_on_what_is_not_held_out():
    descent, given = Descent(epochs=1, batch_size=64, learning_rate=0.1), domains(40)
    method = SWAD(descent=descent)
    found = method.fit(given, CLASSES)
    plain = ERM(descent=descent).fit(method.parts(given)[0], CLASSES)
    scores = [classifier.score(given.pooled.x) for classifier in (found, plain)]
    np.testing.assert_allclose(*(s - s.mean(axis=1, keepdims=True) for s in scores), rtol=1e-5)


def test_a_class_of_one_example_can_not_validate():
    few = Domains(parts={name: part.select([0, 1, 3]) for name, part in domains(40).parts.items()})
    with pytest.raises(ValueError, match="SWAD: expected two examples or more of each class in photo, received 1"):
        SWAD().fit(few, CLASSES)


def test_no_validation_is_refused():
    with pytest.raises(ValueError, match=r"SWAD.validation: expected a share above 0, received 0"):
        SWAD(validation=0.0)


def test_a_share_without_an_example_of_each_class_is_refused():
    with pytest.raises(ValueError, match=r"example of each of 2 classes in both shares of photo, received 1 of 4"):
        SWAD().fit(domains(4), CLASSES)
