"""Transfer and meta-learning on the same episodes."""

import numpy as np
import pytest

from zsltf.data.collection import Collection, named_classes
from zsltf.data.features import Features
from zsltf.data.few_shot_images import FewShotImages
from zsltf.data.few_shot_layouts import ClassParts
from zsltf.data.image_array import ImageArray
from zsltf.evaluation.transfer_and_meta import TRAININGS, FusionProtocol, fusion_means, run_transfer_and_meta
from zsltf.evaluation.transfer_starts import Start, from_scratch, residual_network, small_network
from zsltf.fewshot.nearest_class_mean import NearestClassMean

QUICK = FusionProtocol(ways=3, shots=(1, 2), queries=3, episodes=40, epochs=(1, 30), steps=60, seeds=(0,))


@pytest.fixture(scope="module")
def found():
    """Fifteen classes of sixteen examples: what tells them apart is four of eight numbers, the others are louder."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(15), 16)
    x = rng.normal(size=(240, 8)) * np.r_[np.full(4, 0.4), np.full(4, 5.0)]
    x[:, :4] += 2 * rng.normal(size=(15, 4))[y]
    images = ImageArray(pixels=np.zeros((240, 8, 8, 3), np.uint8), y=y)
    parts = ClassParts(base=np.arange(9), validation=np.arange(9, 12), novel=np.arange(12, 15))
    names = tuple(f"class {i}" for i in range(15))
    loaded = FewShotImages(collection=Collection(images=images, classes=named_classes(names)), parts=parts)
    features = Features(x=x.astype(np.float32), y=y)
    start = Start(name="toy", features=features, network=lambda: residual_network(8, 64), learning_rate=1e-2)
    return loaded, start


@pytest.fixture(scope="module")
def rows(found):
    told = []
    returned = run_transfer_and_meta(lambda seed: found[0], [found[1]], QUICK, announce=told.append)
    assert told == returned
    return {(row["training"], row["shots"]): row for row in returned}


def test_every_training_meets_the_same_episodes(found, rows):
    """The untrained network is the identity, so that its row is the plain nearest class mean by cosine."""
    assert set(rows) == {(training, shots) for training in TRAININGS for shots in (1, 2)}
    x, novel = found[1].features.x, found[1].features.select(np.arange(240) >= 12 * 16)
    for shots in (1, 2):
        episodes = QUICK.sampler(shots).draw(novel.y, 40, seed=0)
        right = []
        for one in episodes:
            logits = NearestClassMean(cosine=True).logits(
                *(part[None] for part in (novel.x[one.support], one.support_y, novel.x[one.query])), 3
            )
            right.append((np.asarray(logits)[0].argmax(axis=1) == one.query_y).mean())
        assert rows["neither", shots]["accuracy"] == pytest.approx(np.mean(right))
        assert rows["neither", shots]["difference"] == 0
    assert len(x) == 240


def test_training_helps_where_the_network_has_something_to_learn(rows):
    for training in ("pretraining", "meta-learning", "both"):
        row = rows[training, 2]
        assert row["difference"] == pytest.approx(row["accuracy"] - rows["neither", 2]["accuracy"])
        assert row["difference_interval"][0] > 0.05, training


def test_epochs_are_chosen_on_validation_classes(rows):
    assert rows["pretraining", 1]["epochs"] == rows["both", 1]["epochs"] == 30
    assert "epochs" not in rows["meta-learning", 1]


def test_means_over_seeds():
    rows = [
        {"start": "a", "training": "both", "shots": 1, "seed": seed, "accuracy": 0.5 + seed / 10, "difference": 0.1}
        for seed in range(3)
    ]
    (row,) = fusion_means(rows)
    assert row["accuracy"] == pytest.approx(0.6)
    assert row["by_seed"] == [0.5, 0.6, 0.7]
    assert row["difference_interval"] == pytest.approx([0.1, 0.1])
    np.testing.assert_allclose(np.mean(row["interval"]), 0.6)


def test_classes_without_a_role_and_too_few_examples_are_refused(found):
    loaded, start = found
    none = np.zeros(0, np.int64)
    without = FewShotImages(
        collection=loaded.collection, parts=ClassParts(base=np.arange(9), validation=none, novel=np.arange(9, 15))
    )
    with pytest.raises(ValueError, match=r"expected base and validation classes, received none\. Give --base and"):
        run_transfer_and_meta(lambda seed: without, [start], QUICK, announce=print)
    many = FusionProtocol(ways=3, shots=(1, 10), queries=15)
    with pytest.raises(ValueError, match=r"novel classes: expected 25 examples a class .*class 12 \(16\)"):
        run_transfer_and_meta(lambda seed: loaded, [start], many, announce=print)


@pytest.mark.parametrize("options", [{"shots": ()}, {"epochs": (0,)}, {"seeds": ()}, {"steps": 0}, {"episodes": 0}])
def test_settings_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"FusionProtocol\.{name}: expected"):
        FusionProtocol(**options)


def test_an_image_alone_is_embedded_as_among_others():
    network = small_network(16, 8)
    x = np.random.default_rng(0).normal(size=(4, 16, 16, 3)).astype(np.float32)
    together = np.asarray(network(x, training=True))
    np.testing.assert_allclose(network(x[:1], training=True), together[:1], atol=1e-5)
    assert together.std(axis=0).max() > 0


def test_the_residual_network_begins_as_the_identity():
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    np.testing.assert_array_equal(residual_network(6, 5)(x), x)


def test_small_images_are_preprocessed_pixels(private_cache):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    start = from_scratch(ImageArray(pixels=pixels, y=np.arange(3)), size=16, filters=8)
    np.testing.assert_allclose(start.features.x, (pixels - 127.5) / 63.75, atol=1e-5)
    assert start.network().input_shape == (None, 16, 16, 3)
