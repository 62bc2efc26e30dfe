import numpy as np
import pytest

from zsltf.data.digit_strips import StripSource, read_digits


@pytest.fixture(scope="module")
def drawn():
    return StripSource(seen=30, unseen=20, strips=4).draw(seed=1)


def test_words_are_written_by_digits_of_their_units(drawn):
    images, values = read_digits()
    of = {image.tobytes(): value for image, value in zip(images, values, strict=True)}
    for features in (drawn.train, drawn.test):
        for x, label in zip(features.x, features.y, strict=True):
            slots = x.reshape(8, 3, 8).transpose(1, 0, 2)
            read = "".join(str(of[slot.tobytes()]) if slot.any() else "" for slot in map(np.ascontiguousarray, slots))
            assert read == drawn.words.names[label]


def test_no_handwriting_and_no_unseen_word_is_in_both_parts(drawn):
    def pictures(features):
        return {s.tobytes() for x in features.x for s in map(np.ascontiguousarray, np.split(x.reshape(8, 24), 3, 1))}

    assert pictures(drawn.train) & pictures(drawn.test) <= {np.zeros((8, 8), np.float32).tobytes()}
    assert set(drawn.train.y) == set(np.flatnonzero(drawn.words.seen))
    assert set(drawn.test.y) == set(range(50))
    assert sorted(map(len, drawn.words.names)) == [2] * 25 + [3] * 25
    assert drawn.words.seen.sum() == 30


def test_a_file_of_digits_is_read_or_refused(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (40, 5, 4), dtype=np.uint8), np.arange(40) % 10
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    images, values = read_digits(tmp_path / "mine.npz")
    np.testing.assert_allclose(images, x / 255, rtol=1e-6)
    np.testing.assert_array_equal(values, y)
    strips = StripSource(digits=tmp_path / "mine.npz", seen=8, unseen=6, slots=2, strips=2).draw()
    assert strips.train.x.shape == (16, 5 * 2 * 4)
    np.savez(tmp_path / "other.npz", pictures=x)
    with pytest.raises(ValueError, match="arrays x and y, received pictures"):
        read_digits(tmp_path / "other.npz")
    np.savez(tmp_path / "few.npz", x=x, y=y % 3)
    with pytest.raises(ValueError, match="all digits 0 to 9"):
        read_digits(tmp_path / "few.npz")


def test_more_words_than_there_are_cannot_be_asked_for():
    with pytest.raises(ValueError, match="at most 20 words of 2 slots, received 30 words"):
        StripSource(seen=20, unseen=10, slots=2)
