import numpy as np
from scipy.special import expit, softmax

from zsltf.layers.attribute_attention import AttributeAttention


def test_it_is_the_published_sum_over_places():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(2, 2, 3, 5)).astype(np.float32)
    layer = AttributeAttention(4, width=6)
    scores = np.asarray(layer(maps))
    v, where, what, matters = layer.get_weights()
    for image, row in zip(maps.reshape(2, 6, 5), scores, strict=True):
        for i in range(4):
            alpha = softmax([v[i] @ where @ place for place in image])
            found = sum(a * place for a, place in zip(alpha, image, strict=True))
            expected = expit(v[i] @ matters @ found) * (v[i] @ what @ found)
            np.testing.assert_allclose(row[i], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.asarray(layer.attention(maps)).sum(axis=1), 1, rtol=1e-5)


def test_the_order_of_places_does_not_matter_and_a_vector_is_a_map_of_one_place():
    maps = np.random.default_rng(0).normal(size=(2, 2, 3, 5)).astype(np.float32)
    layer = AttributeAttention(4)
    np.testing.assert_allclose(layer(maps[:, ::-1]), layer(maps), rtol=1e-4, atol=1e-6)
    vectors = AttributeAttention(4)
    np.testing.assert_allclose(vectors(maps[:, 0, 0]), vectors(maps[:, :1, :1]), rtol=1e-4, atol=1e-6)
