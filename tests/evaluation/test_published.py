import pytest

from zsltf.discovery import names
from zsltf.evaluation.published import _GENERALIZED, _SETS, _UNSEEN, published


@pytest.mark.parametrize("method", _GENERALIZED)
def test_each_triple_is_its_own_harmonic_mean(method):
    for name in _SETS:
        if triple := published(method, name).generalized:
            unseen, seen, harmonic = triple
            least, most = (
                2 * (unseen + d) * seen / (unseen + d + seen) for d in (-0.05, 0.05)
            )  # U is printed to a tenth
            assert least - 0.06 <= harmonic <= most + 0.06


def test_methods_are_those_of_the_folder_and_sets_are_found_by_their_folders_name():
    assert set(_UNSEEN) | set(_GENERALIZED) <= set(names("zeroshot"))
    assert published("ale", "AwA2").unseen == 62.5
    assert published("ale", "AWA1_SHALLOW") == published("ridge", "CUB") == published("none", "none")


def test_every_method_of_the_papers_tables_is_there_and_what_was_not_read_says_so():
    recalled = {"dap", "iap", "conse", "cmt", "sse", "gfzsl"}
    assert recalled < set(_UNSEEN) == set(_GENERALIZED)
    for method in _UNSEEN:
        assert all(published(method, name).unseen for name in _SETS)
        assert published(method, "CUB").recalled == (method in recalled)
        assert (published(method, "AWA1").generalized is None) == (method in recalled)
    assert published("dem", "AWA1").generalized == (32.8, 84.7, 47.3)
