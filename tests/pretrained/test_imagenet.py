from zsltf.pretrained.imagenet import in_imagenet


def test_a_class_and_what_a_class_is_a_kind_of_are_known():
    found = in_imagenet(["zebra", "Zebras", "great_white_shark", "bear", "wolf"])
    assert {name: found[name] for name in ("zebra", "Zebras", "great_white_shark")} == {
        "zebra": "zebra",
        "Zebras": "zebra",
        "great_white_shark": "great white shark",
    }
    assert found["bear"].endswith("bear")
    assert found["wolf"].endswith("wolf")


def test_parts_of_words_and_first_words_are_not():
    assert in_imagenet(["deer", "horse", "raccoon", "rhinoceros", "cow", "sheep", "fin", ""]) == {}
