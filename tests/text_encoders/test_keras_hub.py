"""Small text models of KerasHub, with presets on disk."""

import numpy as np
import pytest

from zsltf.text_encoders.keras_hub import KerasHubText

keras_hub = pytest.importorskip("keras_hub")
models = keras_hub.models
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "dog", "small"]
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "max_sequence_length": 12}
    model = models.BertBackbone(vocabulary_size=len(words), **sizes)
    model.save_to_preset(str(folder))
    models.BertTokenizer(vocabulary=words).save_to_preset(str(folder))
    return folder, model


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    sizes = {"hidden_dim": 16, "num_layers": 2, "num_heads": 2, "intermediate_dim": 32}
    model = models.CLIPBackbone(
        models.CLIPVisionEncoder(patch_size=8, image_shape=(16, 16, 3), **sizes),
        models.CLIPTextEncoder(vocabulary_size=8, embedding_dim=16, max_sequence_length=8, **sizes),
        projection_dim=12,
    )
    model.save_to_preset(str(folder))
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2, "d": 3, "o": 4, "g</w>": 5, "do": 6, "dog</w>": 7}
    models.CLIPTokenizer(vocabulary=words, merges=["d o", "do g</w>"]).save_to_preset(str(folder))
    return folder, model


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_bert_is_the_mean_of_its_tokens_without_padding(bert):
    folder, model = bert
    rows = KerasHubText(preset=str(folder)).encode(["a small cat", "dog"], batch_size=1)
    for row, tokens in zip(rows, ([2, 5, 8, 6, 3], [2, 7, 3]), strict=True):
        ids = np.array([tokens])
        inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
        expected = np.asarray(model(inputs)["sequence_output"])[0].mean(axis=0)
        np.testing.assert_allclose(row, unit(expected), atol=1e-4)


def test_clip_gives_what_it_compares_with_images(clip):
    folder, model = clip
    rows = KerasHubText(preset=str(folder)).encode(["a DOG", "dog"])
    assert rows.shape == (2, 12)
    expected = np.asarray(model.get_text_embeddings(np.array([[0, 2, 7, 1, 1, 1, 1, 1]])))
    np.testing.assert_allclose(rows[0], unit(expected)[0], atol=1e-4)


def test_batches_do_not_matter(bert):
    encoder = KerasHubText(preset=str(bert[0]))
    sentences = ["a cat", "small small dog", "cat", "a"]
    np.testing.assert_allclose(encoder.encode(sentences, batch_size=3), encoder.encode(sentences), atol=1e-5)


def test_what_is_no_preset_of_text_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a preset of KerasHub with a tokenizer"):
        KerasHubText(preset=str(tmp_path / "none")).encode(["a"])
    with pytest.raises(ValueError, match="received nothing in number 1"):
        KerasHubText(preset=str(tmp_path)).encode([""])
