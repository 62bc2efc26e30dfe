import keras
import numpy as np

from zsltf.similarities.relation import Relation

RNG = np.random.default_rng(0)


def test_it_is_a_network_on_concatenated_pairs():
    a, b = RNG.normal(size=(3, 6)).astype(np.float32), RNG.normal(size=(5, 4)).astype(np.float32)
    layer = Relation(8, scale=2.0)
    layer(a, b)
    layer.set_weights([RNG.normal(size=weight.shape).astype(np.float32) for weight in layer.get_weights()])
    w_a, w_b, c, w, d = layer.get_weights()
    first = keras.layers.Dense(8, activation="relu")
    first.build((None, 10))
    first.set_weights([np.concatenate([w_a, w_b]), c])
    pairs = np.array([[np.concatenate([x, y]) for y in b] for x in a])
    expected = (np.asarray(first(pairs.reshape(15, 10))) @ w + d).reshape(3, 5)
    np.testing.assert_allclose(layer(a, b), 2 * expected, rtol=1e-5, atol=1e-5)


def test_it_can_be_trained_and_reloaded(tmp_path):
    a, b = keras.Input((6,)), keras.Input((4,))
    model = keras.Model([a, b], Relation(16)(a, b))
    x, s = (RNG.normal(size=(64, width)).astype(np.float32) for width in (6, 4))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    y = np.arange(64)
    before = model.evaluate([x, s], y, batch_size=64, verbose=0)
    model.fit([x, s], y, batch_size=64, epochs=200, shuffle=False, verbose=0)
    assert model.evaluate([x, s], y, batch_size=64, verbose=0) < before - 1
    model.save(tmp_path / "relation.keras")
    again = keras.models.load_model(tmp_path / "relation.keras", safe_mode=True)
    scores, reloaded = (net.predict([x, s], batch_size=64, verbose=0) for net in (model, again))
    np.testing.assert_array_equal(reloaded, scores)
