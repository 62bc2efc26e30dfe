import numpy as np
import pytest
import tensorflow as tf

from zsltf.fewshot.meta_baseline import MetaBaseline
from zsltf.training.descent import Descent
from zsltf.training.ensemble import Ensemble, Member
from zsltf.training.episodic import EpisodicTraining
from zsltf.training.minibatches import for_each_batch, padded_batches
from zsltf.training.preparation import Preparation
from zsltf.training.seeds import draws, with_seed
from zsltf.zeroshot.eszsl import ESZSL
from zsltf.zeroshot.gaussian_generation import GaussianGeneration
from zsltf.zeroshot.softmax import Softmax


@pytest.mark.parametrize(("count", "size"), [(7, 3), (6, 3), (2, 5), (1, 1)])
def test_every_row_is_visited_once_in_its_order(count, size):
    order = np.random.default_rng(0).permutation(count)
    seen, widths = tf.Variable(np.zeros(0, np.int32), shape=[None]), tf.Variable(np.zeros(0, np.int32), shape=[None])

    @tf.function
    def epoch(batches):
        def step(rows):
            seen.assign(tf.concat([seen, rows], axis=0))
            widths.assign(tf.concat([widths, [tf.size(rows)]], axis=0))

        for_each_batch(batches, step)

    epoch(tf.constant(padded_batches(order, size)))
    assert seen.numpy().tolist() == order.tolist()
    assert widths.numpy().tolist() == [size] * (count // size) + ([count % size] if count % size else [])


def test_a_seed_goes_where_a_method_draws():
    assert with_seed(ESZSL(), 3) == ESZSL()
    assert with_seed(GaussianGeneration(), 3) == GaussianGeneration(seed=3)
    short = Softmax(descent=Descent(epochs=2))
    assert with_seed(short, 3) == Softmax(descent=Descent(epochs=2, seed=3))


def test_a_seed_reaches_both_trainings_of_a_method():
    short = MetaBaseline(training=EpisodicTraining(steps=2))
    seeded = MetaBaseline(training=EpisodicTraining(steps=2, seed=3), descent=Descent(seed=3))
    assert with_seed(short, 3) == seeded


def test_a_seed_reaches_an_ensembles_members():
    def member(method):
        return Member(method=method, preparation=Preparation(), share=0.5, spread=1.0)

    both = Ensemble(members=(member(ESZSL()), member(GaussianGeneration())))
    assert with_seed(both, 3) == Ensemble(members=(member(ESZSL()), member(GaussianGeneration(seed=3))))


def test_methods_that_draw_are_told_from_closed_forms():
    assert not draws(ESZSL())
    assert draws(GaussianGeneration())
    assert draws(Softmax())
