"""The protocol on Omniglot: who learns from what, and what a table says."""

import numpy as np
import pytest

from zsltf.data.collection import Collection, named_classes
from zsltf.data.few_shot_images import FewShotImages
from zsltf.data.few_shot_layouts import ClassParts
from zsltf.data.image_array import ImageArray
from zsltf.evaluation.few_shot import FewShotProtocol
from zsltf.evaluation.omniglot import OmniglotNetwork, OmniglotTest, omniglot_sets, run_omniglot
from zsltf.fewshot.nearest_class_mean import NearestClassMean
from zsltf.training.embedded_learner import EmbeddedLearner

NETWORK = OmniglotNetwork(filters=8)
TEST = OmniglotTest(tasks=((3, 1), (4, 2)), queries=2, count=7, seed=3)


@pytest.fixture(scope="module")
def images():
    """Twelve classes of six drawings; two of the novel ones are turned."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(12), 6)
    pixels = np.clip(rng.integers(0, 256, (12, 28, 28, 1))[y] + rng.normal(0, 30, (72, 28, 28, 1)), 0, 255)
    names = [f"A/character{i}" for i in range(10)] + [f"A/character{i} turned by 90" for i in range(2)]
    return FewShotImages(
        collection=Collection(
            images=ImageArray(pixels=pixels.repeat(3, axis=3).astype(np.uint8), y=y), classes=named_classes(names)
        ),
        parts=ClassParts(base=np.arange(4), validation=np.arange(4, 6), novel=np.arange(6, 12)),
    )


class Spy(NearestClassMean):
    def learn(self, base, *, validation=None, network=None):
        self.given.append((base, validation, network))
        return EmbeddedLearner(network=network, metric=NearestClassMean())


def test_base_and_validation_are_learnt_from_and_novel_classes_tested_on(images):
    backbone, Spy.given = NETWORK.build(), []
    outcome = run_omniglot(Spy(), images, backbone, TEST)
    ((base, validation, network),) = Spy.given
    assert (sorted(set(base.y)), sorted(set(validation.y))) == ([0, 1, 2, 3], [4, 5])
    white = np.full((1, 28, 28, 3), 255, np.uint8)
    np.testing.assert_array_equal(backbone.preprocess(white), 0 * white)
    sets = omniglot_sets(images, backbone)
    rows = outcome.table()
    assert [row["task"] for row in rows] == ["3-way 1-shot", "4-way 2-shot"]
    embedded = np.asarray(network(sets.novel.x))
    for row, protocol in zip(rows, TEST.protocols().values(), strict=True):
        right = []
        for one in protocol.draw(sets.novel):
            support, query = embedded[one.support], embedded[one.query]
            means = np.stack([support[one.support_y == way].mean(axis=0) for way in range(one.ways)])
            distances = ((query[:, None] - means) ** 2).sum(axis=2)
            right.append((distances.argmin(axis=1) == one.query_y).mean())
        assert row["accuracy"] == pytest.approx(np.mean(right), abs=1e-6)
        assert row["low"] < row["accuracy"] < row["high"]
        assert row["episodes"] == 7
    assert rows[0]["list"] != rows[1]["list"]


def test_the_reader_knows_upright_characters_by_their_first_drawings(images):
    backbone, Spy.given = NETWORK.build(), []
    outcome = run_omniglot(Spy(), images, backbone, TEST)
    reader = outcome.reader(images, backbone, shots=4)
    assert reader.names == tuple(f"A/character{i}" for i in range(6, 10))
    pixels = images.collection.images.pixels
    embedded = np.asarray(outcome.learner.network(backbone.preprocess(pixels))).reshape(12, 6, -1)
    means, rest = embedded[6:10, :4].mean(axis=1), embedded[6:10, 4:].reshape(8, -1)
    expected = -((rest[:, None] - means) ** 2).sum(axis=2)
    found = reader.score(np.concatenate([pixels[6 * label + 4 : 6 * label + 6] for label in range(6, 10)]))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * expected.std())


def test_episodes_that_the_novel_classes_can_not_give_are_refused_first(images):
    Spy.given = []
    with pytest.raises(ValueError, match="novel classes: expected 9 examples a class"):
        run_omniglot(Spy(), images, NETWORK.build(), OmniglotTest(tasks=((3, 1), (3, 7)), queries=2))
    assert not Spy.given


def test_each_task_is_a_protocol():
    protocols = OmniglotTest().protocols()
    assert list(protocols) == ["5-way 1-shot", "5-way 5-shot", "20-way 1-shot"]
    assert all(isinstance(one, FewShotProtocol) and one.episodes == 600 for one in protocols.values())
