"""Photos through exported files: `zsltf predict` beside the bare runtime on the same file, one photo a call."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from speed_comparison import Comparison, in_turn
from speed_materials import Pictures, Scale, backbone

from zsltf.artifacts.artifact import Artifact
from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.decode import Resize, decode
from zsltf.exporters.onnx import Onnx
from zsltf.exporters.tflite import TFLite
from zsltf.prediction import open_artifact, predict

NETWORKS = ("efficientnet_lite0", "resnet50")


def exported(pictures: Pictures, scale: Scale) -> Iterator[Comparison]:
    """Decoding included on both sides: the photos are small, and it is the least part. Many short rounds."""
    files = pictures.files(scale.images // 8)
    photos = [Path(files.root, path) for path in files.paths]
    for name in NETWORKS:
        network = backbone(name, scale.size)
        vectors = np.random.default_rng(0).normal(size=(10, network.feature_size))
        table = ClassTable(names=tuple("abcdefghij"), semantics=vectors, seen=np.ones(10, bool))
        classifier = Classifier(network.features(), table, preprocess=network.preprocess)
        for exporter, bare in ((Onnx(), _onnxruntime), (TFLite(), _litert)):
            path = pictures.scratch / f"{name}{exporter.SUFFIX}"
            exporter.write(classifier, path)
            artifact = open_artifact(path)
            ways = {
                "ours": partial(_predicted, artifact, photos),
                "theirs": partial(_called, bare(path), photos, (artifact.card.size, artifact.card.resize)),
            }
            speeds = in_turn(ways, len(photos), 3 * scale.rounds)
            yield Comparison(
                what=f"`zsltf predict`, {name}, {exporter.SUFFIX[1:]}, {scale.size} px",
                ours=speeds["ours"],
                against=f"bare {bare.__doc__}",
                theirs=speeds["theirs"],
                wanted=1 / 1.05,
            )


def _predicted(artifact: Artifact, photos: list[Path]) -> None:
    for _ in predict(artifact, photos):
        pass


def _called(run: Callable[[np.ndarray], Any], photos: list[Path], shape: tuple[int, Resize]) -> None:
    for photo in photos:
        run(decode(photo, *shape)[None])


def _onnxruntime(path: Path) -> Callable[[np.ndarray], Any]:
    """ONNX Runtime"""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["scores", "probabilities"], {"images": images})


def _litert(path: Path) -> Callable[[np.ndarray], Any]:
    """LiteRT"""
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    return lambda images: runner(images=images)
