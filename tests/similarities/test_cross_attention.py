import keras
import numpy as np
import pytest
from scipy.special import softmax

from zsltf.similarities.cross_attention import CrossAttention

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_it_is_attention_written_out_in_loops(heads):
    a, b = RNG.normal(size=(3, 16)).astype(np.float32), RNG.normal(size=(5, 4, 16)).astype(np.float32)
    b[1, 2:] = 0  # two descriptions only
    expected = np.zeros((3, 5))
    for image in range(3):
        query, vector = np.split(a[image], 2)
        for label in range(5):
            rows = b[label][b[label].any(axis=1)]
            keys, values = rows[:, :8], rows[:, 8:]
            found = []
            for head in np.split(np.arange(8), heads):
                weights = softmax(keys[:, head] @ query[head] / len(head) ** 0.5)
                found.append(weights @ values[:, head])
            found = np.concatenate(found)
            expected[image, label] = 3 * vector @ found / np.linalg.norm(vector) / np.linalg.norm(found)
    layer = CrossAttention(heads, scale=3.0)
    np.testing.assert_allclose(layer(a, b), expected, rtol=1e-4, atol=1e-5)
    attention = np.asarray(layer.attention(a, b))
    assert attention.shape == (heads, 3, 5, 4)
    np.testing.assert_allclose(attention.sum(axis=-1), 1, rtol=1e-5)
    assert not attention[:, :, 1, 2:].any()


def test_it_agrees_with_keras_own_attention():
    heads, width = 2, 8
    ours = CrossAttention(heads)
    theirs = keras.layers.MultiHeadAttention(heads, width // heads, use_bias=False)
    a, rows = RNG.normal(size=(4, 2 * width)).astype(np.float32), RNG.normal(size=(1, 3, 2 * width)).astype(np.float32)
    query, image = np.split(a, 2, axis=1)
    keys, values = np.split(rows, 2, axis=2)
    theirs.build((None, 1, width), (None, 3, width), (None, 3, width))
    identity = np.eye(width, dtype=np.float32).reshape(width, heads, -1)
    theirs.set_weights([identity, identity, identity, identity.transpose(1, 2, 0)])
    found = np.asarray(theirs(query[:, None], np.repeat(values, 4, axis=0), np.repeat(keys, 4, axis=0)))[:, 0]
    expected = (image * found).sum(axis=1) / np.linalg.norm(image, axis=1) / np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(np.asarray(ours(a, rows))[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_the_order_of_descriptions_and_empty_ones_do_not_matter():
    a, b = RNG.normal(size=(3, 16)).astype(np.float32), RNG.normal(size=(5, 4, 16)).astype(np.float32)
    layer, padded = CrossAttention(2), np.concatenate([b[:, [2, 0, 3, 1]], np.zeros((5, 2, 16), np.float32)], axis=1)
    np.testing.assert_allclose(layer(a, padded), layer(a, b), rtol=1e-4, atol=1e-5)
