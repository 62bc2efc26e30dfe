"""TFLite metadata: what a phone's libraries read beside the graph, as fields 0, 1, ... of the public schema M001."""

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers

__all__ = ["LABELS", "classifier_metadata"]

LABELS = "labels.txt"
_LABELS_OF_AN_AXIS, _RGB, _IMAGE, _NORMALISATION = 2, 1, 2, 1  # of AssociatedFileType, ColorSpaceType and two unions


def classifier_metadata(outputs: Sequence[str], *, name: str, description: str, licence: str) -> bytes:
    """For one image input in 0..255 that is normalised in the graph, and outputs with one number a class.

    Args:
        outputs: names, as the graph has them in order; `labels.txt` beside the graph names their classes.
        name: of the model.
        description: in a sentence.
        licence: of the weights.
    """
    builder = flatbuffers.Builder(1024)
    colours = _table(builder, {0: _byte(_RGB)})
    content = _table(builder, {0: _byte(_IMAGE), 1: colours})
    normalisation = _table(builder, {0: _floats(builder, (0.0,)), 1: _floats(builder, (1.0,))})
    unit = _table(builder, {0: _byte(_NORMALISATION), 1: normalisation})
    images = _table(builder, {0: builder.CreateString("images"), 3: content, 4: _offsets(builder, [unit])})
    labels = _table(builder, {0: builder.CreateString(LABELS), 2: _byte(_LABELS_OF_AN_AXIS)})
    answers = [_table(builder, {0: builder.CreateString(output), 6: _offsets(builder, [labels])}) for output in outputs]
    graph = _table(builder, {2: _offsets(builder, [images]), 3: _offsets(builder, answers)})
    texts = {0: name, 1: description, 5: licence, 7: "1.0.0"}
    strings = {slot: builder.CreateString(text) for slot, text in texts.items()}
    builder.Finish(_table(builder, {**strings, 3: _offsets(builder, [graph])}), b"M001")
    return bytes(builder.Output())


def _byte(value: int) -> tuple[int]:
    return (value,)


def _table(builder: Any, fields: Mapping[int, int | tuple[int]]) -> int:
    """A table of offsets and, in tuples, bytes."""
    builder.StartObject(max(fields) + 1)
    for slot, value in fields.items():
        if isinstance(value, tuple):
            builder.PrependInt8Slot(slot, *value, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
    return builder.EndObject()


def _offsets(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _floats(builder: Any, values: Sequence[float]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value)
    return builder.EndVector()
