"""Whether a method helps or hurts, in words."""

from zsltf.reports.negative_transfer import transfer_note


def test_whether_a_method_hurts_is_said_in_words():
    assert transfer_note("IRM", "ERM", -0.02, (-0.03, -0.01)).startswith("Negative transfer: IRM ends below ERM, -2.0")
    assert transfer_note("IRM", "ERM", 0.02, (0.01, 0.03)).startswith("IRM ends above ERM, +2.0 points (+1.0 to +3.0")
    assert "can't be told apart" in transfer_note("IRM", "ERM", 0.02, (-0.01, 0.03))
    assert transfer_note("IRM", "ERM", -0.02, (-0.05, 0.01)).startswith("Negative transfer can't be ruled out")
    assert transfer_note("IRM", "ERM", -0.02, (-0.02, -0.02)).startswith("Negative transfer can't be ruled out")
    assert "can't be told apart" in transfer_note("IRM", "ERM", 0.02, (0.02, 0.02))
