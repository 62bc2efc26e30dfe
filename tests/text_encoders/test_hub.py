"""SavedModels from strings to vectors, in each of the forms in which TensorFlow Hub has them."""

import numpy as np
import pytest
import tensorflow as tf

from zsltf.text_encoders.hub import HubText

WORDS = ["a", "cat", "dog", "owl"]


class Sentences(tf.Module):
    """Means of word vectors, inside a graph with a table."""

    def __init__(self):
        super().__init__()
        initializer = tf.lookup.KeyValueTensorInitializer(tf.constant(WORDS), tf.range(1, 5, dtype=tf.int64))
        self.table = tf.lookup.StaticHashTable(initializer, 0)
        self.vectors = tf.Variable(np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32))

    def numbers(self, strings):
        return self.table.lookup(tf.strings.split(strings).to_tensor(default_value=""))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, strings):
        return tf.reduce_sum(tf.gather(self.vectors, self.numbers(strings)), axis=1)


class Preprocessor(Sentences):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, strings):
        numbers = self.numbers(strings)
        return {"input_word_ids": numbers, "input_mask": tf.cast(numbers > 0, tf.int32)}


class Encoder(tf.Module):
    def __init__(self):
        super().__init__()
        self.vectors = tf.Variable(np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32))

    @tf.function(
        input_signature=[
            {
                "input_word_ids": tf.TensorSpec([None, None], tf.int64),
                "input_mask": tf.TensorSpec([None, None], tf.int32),
            }
        ]
    )
    def __call__(self, inputs):
        tokens = tf.gather(self.vectors, inputs["input_word_ids"])
        return {"sequence_output": tokens, "pooled_output": tokens[:, 0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    for name, module in (("sentences", Sentences()), ("prepare", Preprocessor()), ("encoder", Encoder())):
        tf.saved_model.save(module, str(folder / name))
    signed = Sentences()
    tf.saved_model.save(tf.Module(), str(folder / "nothing"))
    called = signed.__call__.get_concrete_function()
    plain = tf.Module()
    plain.parts = signed
    tf.saved_model.save(plain, str(folder / "signed"), signatures={"serving_default": called})
    return folder


@pytest.mark.parametrize("name", ["sentences", "signed"])
def test_one_model_from_strings(folder, name):
    vectors = np.asarray(Sentences().vectors)
    rows = HubText(model=str(folder / name)).encode(["a cat", "owl"], batch_size=1)
    expected = np.stack([vectors[1] + vectors[2], vectors[4]])
    np.testing.assert_allclose(rows, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-5)


def test_a_transformer_with_its_preprocessor_is_averaged_over_words(folder):
    encoder = HubText(model=str(folder / "encoder"), preprocessor=str(folder / "prepare"))
    vectors = np.asarray(Encoder().vectors)
    expected = np.stack([vectors[[1, 3, 4]].mean(axis=0), vectors[2]])
    rows = encoder.encode(["a dog owl", "cat"])
    np.testing.assert_allclose(rows, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-5)
    pooled = HubText(model=str(folder / "encoder"), preprocessor=str(folder / "prepare"), output="pooled_output")
    np.testing.assert_allclose(pooled.encode(["cat"]), expected[1:] / np.linalg.norm(expected[1]), rtol=1e-5)


def test_what_is_no_text_model_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match=r"expected a folder with saved_model.pb"):
        HubText(model=str(tmp_path)).encode(["a cat"])
    with pytest.raises(ValueError, match="expected a SavedModel that can be called"):
        HubText(model=str(folder / "nothing")).encode(["a cat"])
    with pytest.raises(ValueError, match="expected one of pooled_output, sequence_output, received other"):
        HubText(model=str(folder / "encoder"), preprocessor=str(folder / "prepare"), output="other").encode(["a"])
    with pytest.raises(ValueError, match="received nothing in number 2"):
        HubText(model=str(folder / "sentences")).encode(["a", " "])
