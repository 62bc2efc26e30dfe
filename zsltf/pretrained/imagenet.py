"""Which classes networks that were trained on ImageNet know already."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

__all__ = ["in_imagenet"]


def in_imagenet(names: Sequence[str]) -> dict[str, str]:
    """Those of the names that are an ImageNet-1k class or what one is a kind of -> that class: "bear" -> "brown bear".

    Only names are compared: another word for the same thing is not found.

    Source: the class names of ILSVRC 2012 (Russakovsky et al., "ImageNet large scale visual recognition challenge",
    IJCV 2015), each by its first WordNet 3.0 word.

    Args:
        names: of classes; case, underscores and a plural s don't matter.
    """
    found = {}
    for name in names:
        words = _words(name)
        kinds = [known for known in _classes() if words == _words(known)[-len(words) :]] if words else []
        if kinds:
            found[name] = min(kinds, key=len)
    return found


@cache
def _classes() -> tuple[str, ...]:
    lines = Path(__file__).with_name("imagenet_classes.txt").read_text("utf-8").splitlines()
    return tuple(line.partition(" ")[2] for line in lines)


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.removesuffix("s") for word in re.split(r"[\s_+-]+", name.lower()) if word)
