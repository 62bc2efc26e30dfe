import numpy as np
import pytest

from zsltf.data.prompts import encode_names, fill_template


def encode(sentences):
    return np.array([[len(sentence), sentence.count("a"), 1.0] for sentence in sentences])


def test_templates_are_averaged_and_renormalised():
    templates = ("a photo of a {}", "the {}")
    table = encode_names(encode, ["killer_whale", "ox"], [True, False], templates)
    mean = (encode(["a photo of a killer whale", "a photo of a ox"]) + encode(["the killer whale", "the ox"])) / 2
    np.testing.assert_allclose(table.semantics, mean / np.linalg.norm(mean, axis=1, keepdims=True), rtol=1e-6)
    assert (table.names, table.columns) == (("killer_whale", "ox"), ("text0", "text1", "text2"))
    assert table.seen.tolist() == [True, False]


@pytest.mark.parametrize("template", ["a photo", "{} and {}"])
def test_a_template_without_one_place_for_the_name_is_refused(template):
    with pytest.raises(ValueError, match=r"template: expected one \{\} for the class name, received"):
        fill_template(template, "ox")
