"""The curve of accuracy over labels."""

import re

from zsltf.reports.label_curve import label_curve


def row(method, use, labels, accuracy, gain):
    told = {"method": method, "use": use, "labels": labels, "share": labels / 100, "accuracy": accuracy}
    return {**told, "interval": [accuracy - 0.1, accuracy + 0.1], "scratch": gain}


def means():
    gain = {"gain": 0.1, "interval": [0.05, 0.15], "verdict": "helps"}
    return [
        row(method, use, labels, accuracy, told)
        for method, use, told in (
            ("raw features", "linear probe", None),
            ("from scratch", "fine-tuning", None),
            ("A & B", "linear probe", gain),
        )
        for labels, accuracy in ((5, 0.3), (50, 0.5), (500, 0.7))
    ]


def test_it_names_each_way_the_methods_first_and_the_numbers_of_labels():
    drawing = label_curve(means())
    texts = re.findall(r"<text[^>]*>\s*([^<]+?)\s*</text>", drawing)
    ways = [text for text in texts if "," in text]
    assert ways == ["A &amp; B, linear probe", "raw features, linear probe", "from scratch, fine-tuning"]
    assert {"5", "50", "500"} <= set(texts)
    assert drawing == label_curve(means())


def test_one_number_of_labels_does():
    assert "<svg" in label_curve([one for one in means() if one["labels"] == 5])
