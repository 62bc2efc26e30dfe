"""What adaptation methods refuse before they train."""

import numpy as np
import pytest

from zsltf.adaptation.coral import CORAL
from zsltf.adaptation.dan import DAN
from zsltf.adaptation.deep_coral import DeepCORAL
from zsltf.adaptation.subspace_alignment import SubspaceAlignment
from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.evaluation.adaptation import AdaptationProtocol
from zsltf.training.descent import Descent

CLASSES = ClassTable(names=("a", "b"), semantics=np.zeros((2, 0), np.float32), seen=np.ones(2, bool))


def domain(seed, count=20):
    x = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    return Features(x=x, y=np.arange(count) % 2)


@pytest.mark.parametrize("method", [DAN, DeepCORAL])
def test_batches_of_one_have_nothing_to_compare(method):
    with pytest.raises(ValueError, match=r"Descent.batch_size: expected 2 or more, received 1"):
        method(descent=Descent(batch_size=1))
    method(weight=0.0, descent=Descent(batch_size=1))


@pytest.mark.parametrize("method", [CORAL(), SubspaceAlignment(size=2)])
def test_a_single_target_example_has_no_covariance(method):
    with pytest.raises(ValueError, match="target: expected 2 examples or more, received 1"):
        method.fit(domain(0), domain(1, 1).unlabelled(), CLASSES)


def test_features_that_do_not_vary_are_refused():
    still = domain(0).with_x(np.ones((20, 4), np.float32))
    with pytest.raises(ValueError, match="CORAL, source: expected features of full rank, or a ridge on them"):
        CORAL().fit(still, still.unlabelled(), CLASSES)


def test_negative_seeds_of_a_protocol_are_refused():
    with pytest.raises(ValueError, match="AdaptationProtocol: expected seeds, and shares above 0"):
        AdaptationProtocol(seeds=(-1,))
    with pytest.raises(ValueError, match=r"AdaptationProtocol.split_seed: expected 0 to 4294967295, received -1"):
        AdaptationProtocol(split_seed=-1)
