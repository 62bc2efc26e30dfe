from dataclasses import replace

from zsltf.artifacts.card import Card
from zsltf.artifacts.model_card import model_card

CARD = Card(
    names=("cow", "yak"),
    seen=(True, False),
    columns=("horns", "stripes"),
    semantics=((1.0, 0.0), (1.0, 0.5)),
    gamma=0.5,
    activation="softmax",
    opens_by=("semantics", "photos"),
    project=False,
    size=224,
    resize="stretch",
    mean=(127.0,) * 3,
    scale=(128.0,) * 3,
    channels="rgb",
    threshold=-1.5,
)
BACKBONE = {"name": "vgg16", "weights": "imagenet", "licence": None}
OPEN_SET = {
    "threshold": -1.5,
    "allowed": 0.05,
    "rejected": 0.061,
    "accepted": 0.25,
    "auroc": 0.9,
    "strangers": "others",
}
PARTITION = {"unseen_accuracy": 0.7, "interval": [0.6, 0.8], "chance": 0.5, "seen": 0.9, "unseen": 0.6}
ZERO_SHOT = {
    "kind": "zero_shot",
    "title": "Zero-shot classification",
    "recipe": "zero_shot",
    "backbone": BACKBONE,
    "features": {"images": 120, "skipped": {"a.jpg": "broken"}},
    "partitions": [{**PARTITION, "harmonic_mean": 0.72, "area": 0.55, "shuffled": 0.48}],
    "open_set": OPEN_SET,
}
CONFIG = {"versions": {"python": "3.12", "keras": "3.15.1"}}


def test_it_says_what_a_zero_shot_run_reached_and_what_it_can_not():
    text = model_card(CARD, ZERO_SHOT, CONFIG)
    for line in (
        "- Network: vgg16, weights imagenet (licence not known).",
        "- New classes without training: by a row of 2 attributes or by a few photos.",
        "- None of these: a photo whose best score is below -1.5. On test photos that refuses 6.1% of known classes"
        " and lets 25.0% of strangers pass (others); AUROC 0.900.",
        "- Images: 120.",
        "- Left out because they can't be decoded: 1.",
        "- unseen classes among themselves: 0.700 (95 % interval over classes 0.600 to 0.800; chance 0.500)",
        "- the same with attributes dealt to classes at random: 0.480",
        "- Told by their semantics alone, without a training image: yak.",
        "- cow",
        "- yak (no training image)",
        "python 3.12, keras 3.15.1",
    ):
        assert line in text.splitlines(), line


def test_it_says_what_a_classification_reached():
    classes = [{"name": name, "sensitivity": s} for name, s in (("cow", 0.5), ("yak", 1.0), ("gnu", None))]
    test = {"images": 40, "mean_class_accuracy": 0.75, "chance": 0.5, "accuracy": 0.8, "majority": 0.6}
    report = {
        "title": "Transfer",
        "recipe": "finetune",
        "backbone": BACKBONE,
        "data": {"images": {"train": 9, "test": 4}},
    }
    report["test"] = {**test, "expected_calibration_error": 0.07, "classes": classes}
    text = model_card(replace(CARD, threshold=None, opens_by=()), report, CONFIG)
    for line in (
        "- New classes without training: no, it has to be trained again.",
        "- None of these: no threshold was chosen, so every photo is given a class.",
        "- Images: 9 train, 4 test.",
        "- accuracy, mean over classes: 0.750 (95 % interval over classes 0.000 to 1.000; chance 0.500)",
        "- accuracy: 0.800 (always the commonest class: 0.600)",
        "- hardest classes: cow 0.50, yak 1.00",
    ):
        assert line in text.splitlines(), line
