"""What report.json holds of a classification run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from zsltf.data.labelled import LabelledImages
from zsltf.evaluation.classification_report import ClassificationReport
from zsltf.metrics.rejection import OpenSet

__all__ = ["Baseline", "ClassificationRun", "DataSummary"]


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """What was read and what was left out; every field is a key of report.json's `data`."""

    source: str
    """The folder, table or data set."""
    images: Mapping[str, int]
    """Part -> number of images: training, validation, test."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """File that could not be decoded -> reason."""
    not_images: Sequence[str] = ()
    """Files whose name is not an image's."""
    folders_left_out: Sequence[str] = ()
    """Folders that are no class."""
    duplicates: Sequence[Mapping[str, Any]] = ()
    """Pairs of images of two parts that are the same or nearly so: first, second, distance in bits (0: the same)."""

    @classmethod
    def of(
        cls, labelled: LabelledImages, parts: Mapping[str, Any], skipped: Mapping[str, str], config: Mapping[str, Any]
    ) -> Self:
        """Of a recipe's images.

        Args:
            labelled: what was read.
            parts: part -> rows.
            skipped: file that could not be decoded -> reason.
            config: settings, with the LabelledSource's under `images`.
        """
        return cls(
            source=str(config.get("images", {}).get("data") or "drawn pictures"),
            images={part: len(rows) for part, rows in parts.items()},
            skipped=skipped,
            not_images=labelled.not_images,
            folders_left_out=labelled.left_out,
            duplicates=[asdict(pair) for pair in labelled.near_duplicates],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """A run that this one is held against: the same data, from scratch for one."""

    name: str
    seconds: float
    history: Sequence[Mapping[str, Any]]
    """As in ClassificationRun."""
    report: ClassificationReport


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassificationRun:
    """What report.json holds of a classification: every field is a key, beside `kind`, `test` and `samples`.

    `test` is `describe_classification` of the test set, `baseline` the same without its arrays and with name, seconds
    and history; `samples` are the worst mistakes, each with the file of its picture.
    """

    recipe: str
    """Its name, as `zsltf run` takes it."""
    seconds: float
    """Of the whole run."""
    backbone: Mapping[str, Any]
    """Of `describe_backbone`."""
    data: DataSummary
    schedule: Sequence[Mapping[str, Any]]
    """Of `schedule_rows`."""
    history: Sequence[Mapping[str, Any]]
    """A row an epoch: phase, loss, metrics, val_ and penalty_ columns; a row may lack some."""
    proofs: Sequence[Mapping[str, Any]]
    """A row a phase: phase, and its stages that are bit-equal (frozen) and that moved."""
    title: str = "Classification by transfer learning"
    learning_rate_finder: Mapping[str, Any] | None = None
    """rates, losses and suggestion of a sweep."""
    baseline: Baseline | None = None
    open_set: OpenSet | None = None
    """What the rejection threshold does, where there is one."""
    notes: Sequence[str] = ()
    """What training has to say of its phases: whether activations were cached, for one."""
