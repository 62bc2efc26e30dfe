"""Fine-tune on labelled images and test on those that nothing has looked at."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zsltf.classifier import Classifier
from zsltf.data.images import Images
from zsltf.data.labelled import LabelledImages
from zsltf.data.labels import class_counts
from zsltf.evaluation.classification import evaluate_classification
from zsltf.evaluation.classification_report import ClassificationReport
from zsltf.pretrained.backbone import Backbone
from zsltf.training.batches import Examples
from zsltf.training.engine import Training
from zsltf.training.phases import schedule_rows
from zsltf.training.progress import Progress
from zsltf.training.scoring import score_images
from zsltf.transfer.fine_tune import FineTune

__all__ = ["Transferred", "transfer"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Transferred:
    """A fine-tuned backbone and what it reaches on the test images."""

    method: FineTune
    backbone: Backbone
    labelled: LabelledImages
    classifier: Classifier
    training: Training
    report: ClassificationReport
    test: Images
    """The test images that could be decoded, row for row those of the report."""
    skipped: dict[str, str]
    """Test and training images that could not: name -> reason."""
    seconds: float


def transfer(
    method: FineTune, backbone: Backbone, labelled: LabelledImages, *, folder: Path | None = None, resume: bool = False
) -> Transferred:
    """Train on the training part, choose on the validation part, test on the test part.

    Args:
        method: head, schedule and options.
        backbone: is changed.
        labelled: images, split.
        folder: for checkpoints.
        resume: go on from the folder's checkpoint.
    """
    start = time.perf_counter()
    split, weights = labelled.split, labelled.sample_weight
    train, validation = (
        Examples(images=labelled.images.select(rows), sample_weight=None if weights is None else weights[rows])
        for rows in (split.train, split.validation)
    )
    rows = schedule_rows(method.phases((*backbone.stages, "head")), (*backbone.stages, "head"))
    with Progress(batch_size=method.training.batch_size, schedule=rows) as bar:
        training = method.train(
            backbone,
            train,
            labelled.classes,
            validation=validation if len(validation) else None,
            folder=folder,
            resume=resume,
            callbacks=[bar],
        )
    classifier = training.classifiers()["class"]
    scores, good = score_images(classifier, labelled.test)
    test = labelled.test.select(good)
    report = evaluate_classification(
        scores[good],
        test.y,
        labelled.classes.names,
        activation=classifier.activation,
        train_images=class_counts(train.images.y, len(labelled.classes)),
    )
    broken = np.flatnonzero(~good)
    skipped = {labelled.test.names[row]: "can't be decoded" for row in broken}
    skipped |= {train.images.names[row]: reason for row, reason in training.stream.skipped.items()}
    return Transferred(
        method=method,
        backbone=backbone,
        labelled=labelled,
        classifier=classifier,
        training=training,
        report=report,
        test=test,
        skipped=skipped,
        seconds=time.perf_counter() - start,
    )
