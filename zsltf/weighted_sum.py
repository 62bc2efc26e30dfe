"""A weighted sum of Classifiers is a Classifier: their embeddings side by side, and their class vectors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zsltf.checks import check_finite, fail
from zsltf.classifier import Classifier
from zsltf.layers.append_one import AppendOne
from zsltf.layers.distance_vectors import DistanceVectors
from zsltf.similarities.cosine import Cosine
from zsltf.similarities.distance import Distance
from zsltf.similarities.dot import Dot

__all__ = ["weighted_sum"]

_AS_DOT: Mapping[type, tuple[Callable[[], Any], Callable[[], Any]]] = {
    Dot: (keras.layers.Identity, keras.layers.Identity),
    Cosine: (keras.layers.UnitNormalization, keras.layers.UnitNormalization),
    Distance: (AppendOne, DistanceVectors),
}
"""Similarity -> layers f and g with s(a, b) = f(a).g(b), up to a number of the image's own."""


def weighted_sum(members: Sequence[Classifier], weights: Sequence[float]) -> Classifier:
    """The Classifier whose logits are the weighted sum of the members', up to a number of each image's own.

    It exports, calibrates and takes new classes like any other, by semantics if every member does.

    Args:
        members: on the same features, with the same class table.
        weights: one a member.

    Raises:
        ValueError: if there is no member, tables or inputs differ, or a similarity isn't dot, cosine or distance.
    """
    if not members or len(weights) != len(members):
        fail("weighted_sum", "a weight for each of one member or more", f"{len(weights)}, {len(members)}", "Add them.")
    check_finite("weights", np.asarray(weights, float), "Give numbers.")
    for member in members:
        _check(member, members[0])
    forms = [_AS_DOT[type(member.similarity)] for member in members]
    x = keras.Input(members[0].embed.input_shape[1:], name="x")
    s = keras.Input((len(members[0].columns),), name="semantics")
    embeddings, projected, vectors = [], [], []
    for i, (member, weight, (to_a, to_b)) in enumerate(zip(members, weights, forms, strict=True)):
        scale = keras.layers.Rescaling(float(weight * member.similarity.scale))
        embeddings.append(scale(to_a()(_copied(member.embed, f"embed_{i}")(x))))
        projected.append(to_b()(s if member.project is None else _copied(member.project, f"project_{i}")(s)))
        vectors.append(keras.ops.convert_to_numpy(to_b()(member.class_vectors)))
    opens = all("semantics" in member.opens_by for member in members)
    return Classifier(
        keras.Model(x, _beside(embeddings), name="embed"),
        members[0].classes,
        project=keras.Model(s, _beside(projected), name="project") if opens else None,
        class_vectors=np.concatenate(vectors, axis=1),
        bias=sum(w * keras.ops.convert_to_numpy(member.bias) for w, member in zip(weights, members, strict=True)),
        gamma=sum(weight * member.gamma for weight, member in zip(weights, members, strict=True)),
        opens_by=("semantics",) if opens else (),
    )


def _check(member: Classifier, first: Classifier) -> None:
    if type(member.similarity) not in _AS_DOT:
        received = type(member.similarity).__name__
        fail("weighted_sum", "members that compare by dot, cosine or distance", received, "Leave it out.")
    if member.preprocess is not None:
        fail("weighted_sum", "members on features", "one on images", "Sum them before they are put on a backbone.")
    for what in ("names", "columns"):
        if getattr(member, what) != getattr(first, what):
            fail("weighted_sum", f"members with the same {what}", "others", "Fit them on one class table.")
    if member.embed.input_shape[1:] != first.embed.input_shape[1:]:
        received = f"{member.embed.input_shape[1:]} and {first.embed.input_shape[1:]}"
        fail("weighted_sum", "members on the same features", received, "Fit them on the same features.")


def _copied(model: keras.Model, name: str) -> keras.Model:
    """Members may share layers, which Keras would not save twice."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return keras.Model(copy.inputs, copy.outputs[0], name=name)


def _beside(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate()(parts)
