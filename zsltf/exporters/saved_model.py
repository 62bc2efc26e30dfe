"""SavedModel: the folder that TensorFlow Serving takes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zsltf.artifacts.artifact import Artifact, Outputs
from zsltf.artifacts.card import Card
from zsltf.checks import fail

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["SavedModel"]

_CARD = "assets.extra/zsltf.json"


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """A SavedModel folder; its weights are stored once.

    Signatures: `serving_default` (images), `open_vocabulary` (images, class_vectors, class_bias), `table` (the built-in
    class_vectors and class_bias) and, where semantics are not the class vectors themselves, `project` (semantics).
    """

    SUFFIX: ClassVar[str] = ""
    TOLERANCE: ClassVar[float] = 5e-6
    """Of scores, relative to their spread over classes."""
    BATCHES: ClassVar[tuple[int, ...]] = (1, 7)

    def write(self, classifier: "Classifier", path: Path) -> None:
        """Trace and save."""
        import tensorflow as tf

        from zsltf.artifacts.graph import project_function, save, score_function

        module = tf.Module()
        module.weights = [variable.value for variable in classifier.variables]
        module.score = score_function(classifier)

        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8, name="images")], autograph=False)
        def serve(images: Any) -> dict[str, Any]:
            return module.score(images, classifier.class_vectors.value, classifier.class_bias)

        @tf.function(input_signature=[], autograph=False)
        def table() -> dict[str, Any]:
            vectors = tf.identity(classifier.class_vectors.value)
            return {"class_vectors": vectors, "class_bias": tf.convert_to_tensor(classifier.class_bias)}

        signatures = {"serving_default": serve, "open_vocabulary": module.score, "table": table}
        if classifier.project is not None:
            signatures["project"] = project_function(classifier)
        save(module, path, signatures)
        (path / _CARD).parent.mkdir()
        (path / _CARD).write_text(Card.of(classifier).to_json(), "utf-8")

    @staticmethod
    def read(path: Path) -> Artifact:
        """Load with tf.saved_model.

        Raises:
            ValueError: if the folder is no SavedModel of zsltf's.
        """
        if not (path / _CARD).is_file():
            fail(str(path), f"a SavedModel that zsltf wrote, with {_CARD}", "none", "Export it with zsltf export.")
        import tensorflow as tf

        card = Card.from_json((path / _CARD).read_bytes(), str(path / _CARD))
        try:
            loaded = tf.saved_model.load(path)
        except Exception as error:  # noqa: BLE001 (TensorFlow raises of every kind on a damaged folder)
            fail(str(path), "a SavedModel that loads", f"a damaged one ({error})", "Export it again.")

        def run(signature: str) -> Callable[..., Outputs]:
            def call(**inputs: np.ndarray) -> Outputs:
                tensors = {name: tf.constant(value) for name, value in inputs.items()}
                return {name: value.numpy() for name, value in loaded.signatures[signature](**tensors).items()}

            return call

        table = run("table")()
        return Artifact(
            card=card,
            class_vectors=table["class_vectors"],
            class_bias=table["class_bias"],
            built_in=lambda images: run("serving_default")(images=images),
            open_vocabulary=lambda images, vectors, bias: run("open_vocabulary")(
                images=images, class_vectors=vectors, class_bias=bias
            ),
            run_project=lambda semantics: (
                run("project")(semantics=semantics)["class_vectors"] if card.project else semantics
            ),
        )
