"""SavedModel: the folder that TensorFlow Serving takes."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zsltf.artifacts.artifact import Artifact, Images, Outputs
from zsltf.artifacts.card import Card
from zsltf.checks import fail

if TYPE_CHECKING:
    from zsltf.classifier import Classifier

__all__ = ["SavedModel"]

_GRAPHS = ("resize", "decode", "network", "compare", "project")
"""What the signatures are made of, each stored once."""


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """A SavedModel folder; its weights are stored once.

    Signatures: `serving_default` (images uint8 (B, H, W, 3)) and `from_bytes` (encoded: JPEG, PNG, GIF or BMP files)
    answer `scores`, `probabilities` and the `label` of the best class; `open_vocabulary` (images, class_vectors,
    class_bias) answers the first two; `embed` (images), `project` (semantics) where semantics are not the class vectors
    themselves, and `table` (rows, none for all): `names`, `class_vectors` and `class_bias` of built-in classes. Names
    and semantics are the assets `labels.txt` and `classes.csv`.
    """

    SUFFIX: ClassVar[str] = ""
    CARD: ClassVar[str] = "assets.extra/zsltf.json"
    """Where the card is in the folder."""
    PRECISIONS: ClassVar[tuple[str, ...]] = ("float32",)

    tolerance: ClassVar[float] = 5e-6
    """Of scores, relative to their spread over classes."""
    batches: ClassVar[tuple[int, ...]] = (1, 7)
    """What it is tried with."""
    variant: ClassVar[str] = ""

    def write(self, classifier: "Classifier", path: Path) -> None:
        """Trace and save."""
        from zsltf.artifacts import graph

        preprocess: Any = classifier.preprocess
        graphs = {
            "resize": graph.resize_function(preprocess),
            "decode": graph.decode_function(preprocess),
            "network": graph.network_function(classifier),
            "compare": graph.similarity_function(classifier),
        }
        if classifier.project is not None:
            graphs["project"] = graph.project_function(classifier)
        read = (variable for function in graphs.values() for variable in function.get_concrete_function().variables)
        weights = {variable.ref(): variable for variable in read}.values()
        _save(graphs, list(weights), Card.of(classifier), graph.table(classifier), path)

    @staticmethod
    def edit(path: Path, to: Path, artifact: Artifact) -> None:
        """The file at `path` with the artifact's class table, written to `to`."""
        loaded = _load(path)
        graphs = {name: getattr(loaded, name) for name in _GRAPHS if hasattr(loaded, name)}
        table = {"class_vectors": artifact.class_vectors, "class_bias": artifact.class_bias}
        _save(graphs, loaded.weights, artifact.card, table, to)

    @staticmethod
    def files(path: Path) -> list[Path]:
        """The folder."""
        return [path]

    @staticmethod
    def replay(function: Any, images: Images) -> np.ndarray:
        """What a file of this format makes of a graph's `tap`, image after image."""
        import tensorflow as tf

        from zsltf.artifacts.graph import save

        module = tf.Module()
        module.function, module.weights = function, list(function.get_concrete_function().variables)
        with tempfile.TemporaryDirectory() as folder:
            save(module, Path(folder), {"tap": function})
            run = tf.saved_model.load(folder).signatures["tap"]
            return np.concatenate([run(images=tf.constant(image[None]))["tap"].numpy() for image in images])

    @staticmethod
    def read(path: Path) -> Artifact:
        """Load with tf.saved_model.

        Raises:
            ValueError: if the folder is no SavedModel of zsltf's.
        """
        file = path / SavedModel.CARD
        if not file.is_file():
            expected = f"a SavedModel that zsltf wrote, with {SavedModel.CARD}"
            fail(str(path), expected, "none", "Export it with zsltf export.")
        card = Card.from_json(file.read_bytes(), str(file))
        loaded = _load(path)

        def run(signature: str) -> Callable[..., Outputs]:
            import tensorflow as tf

            def call(**inputs: np.ndarray) -> Outputs:
                tensors = {name: tf.constant(value) for name, value in inputs.items()}
                return {name: value.numpy() for name, value in loaded.signatures[signature](**tensors).items()}

            return call

        table = run("table")(rows=np.empty(0, np.int32))
        return Artifact(
            card=card,
            class_vectors=table["class_vectors"],
            class_bias=table["class_bias"],
            built_in=lambda images: run("serving_default")(images=images),
            open_vocabulary=lambda images, vectors, bias: run("open_vocabulary")(
                images=images, class_vectors=vectors, class_bias=bias
            ),
            run_embed=lambda images: run("embed")(images=images)["embedding"],
            run_project=lambda semantics: (
                run("project")(semantics=semantics)["class_vectors"] if card.project else semantics
            ),
        )


def _load(path: Path) -> Any:
    import tensorflow as tf

    try:
        return tf.saved_model.load(path)
    except Exception as error:  # noqa: BLE001 (TensorFlow raises of every kind on a damaged folder)
        fail(str(path), "a SavedModel that loads", f"a damaged one ({error})", "Export it again.")


def _save(graphs: Mapping[str, Any], weights: Any, card: Card, table: Mapping[str, np.ndarray], path: Path) -> None:
    import tensorflow as tf

    from zsltf.artifacts.graph import save
    from zsltf.exporters._serving import Serving

    serving = Serving(graphs, weights, card, table)
    with tempfile.TemporaryDirectory() as folder:
        labels, classes = Path(folder, "labels.txt"), Path(folder, "classes.csv")
        labels.write_text("\n".join(card.names), "utf-8")
        card.classes.to_csv(classes)
        serving.assets = [tf.saved_model.Asset(str(file)) for file in (labels, classes)]
        save(serving, path, serving.signatures())
    file = path / SavedModel.CARD
    file.parent.mkdir()
    file.write_text(card.to_json(), "utf-8")
