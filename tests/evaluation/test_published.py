import pytest

from zsltf.discovery import names
from zsltf.evaluation.published import _GENERALIZED, _SETS, _UNSEEN, published


@pytest.mark.parametrize("method", _GENERALIZED)
def test_each_triple_is_its_own_harmonic_mean(method):
    for name in _SETS:
        if triple := published(method, name).generalized:
            unseen, seen, harmonic = triple
            assert harmonic == pytest.approx(2 * unseen * seen / (unseen + seen), abs=0.11)  # U is printed to a tenth


def test_methods_are_those_of_the_folder_and_sets_are_found_by_their_folders_name():
    assert set(_UNSEEN) | set(_GENERALIZED) <= set(names("zeroshot"))
    assert published("ale", "AwA2").unseen == 62.5
    assert published("ale", "AWA1_SHALLOW") == published("ridge", "CUB") == published("none", "none")
