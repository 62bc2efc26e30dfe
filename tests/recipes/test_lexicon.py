import numpy as np
import pytest

from zsltf.classifier import Classifier
from zsltf.cli import main
from zsltf.data.digit_strips import StripSource
from zsltf.data.words import word_table
from zsltf.metrics.zero_shot import unseen_accuracy
from zsltf.prediction import open_artifact


def test_words_that_training_never_had_are_read_and_more_can_be_added(tmp_path, capsys):
    out = tmp_path / "lexicon.keras"
    small = ("--seen", "40", "--unseen", "30", "--strips", "6", "--seeds", "0")
    assert main(["run", "lexicon", *small, "--out", str(out)]) == 0
    assert "seed 0" in capsys.readouterr().out
    drawn, classifier = StripSource(seen=40, unseen=30, strips=6).draw(0), Classifier.load(out)
    strips = np.rint(255 * drawn.test.x.reshape(-1, *drawn.shape, 1)).astype(np.uint8).repeat(3, axis=-1)
    assert unseen_accuracy(classifier.score(strips), drawn.test.y, drawn.words.seen) > 0.6  # chance 1 in 30
    digits, free = "0123456789", [f"{n:03d}" for n in range(1000) if f"{n:03d}" not in drawn.words.names][:5]
    more = word_table({word: [list(word)] for word in free}, digits, np.zeros(5, bool), slots=3)
    assert classifier.with_classes(more).names[-5:] == tuple(free)
    assert main(["run", "lexicon", *small, "--out", str(out)]) == 1  # not without --overwrite
    assert main(["export", str(out), "--format", "onnx"]) == 0
    exported = open_artifact(tmp_path / "lexicon" / "export" / "model.onnx")
    expected = classifier.score(strips[:20])
    np.testing.assert_allclose(exported(strips[:20])["scores"], expected, atol=1e-4 * expected.std())


@pytest.mark.slow
@pytest.mark.parametrize("digits", [None, "mnist_10k.npz"])
def test_the_accuracy_that_is_claimed(digits, tmp_path, test_data, capsys):
    given = () if digits is None else ("--digits", str(test_data / "digits" / digits))
    assert main(["run", "lexicon", *given, "--out", str(tmp_path / "lexicon.keras")]) == 0
    mean = next(line for line in capsys.readouterr().out.splitlines() if "seed mean" in line).split()
    assert float(mean[2]) >= 80  # top-1 on unseen words, chance 1
    if digits is None:
        assert float(mean[2]) == pytest.approx(93.9, abs=1.5)
