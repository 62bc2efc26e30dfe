"""A fine-tuning's run folder."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from zsltf.evaluation.transfer import Transferred
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, write_classification_run
from zsltf.reports.classification_run import Baseline, ClassificationRun, DataSummary
from zsltf.training.phases import HEAD, schedule_rows

__all__ = ["write_transfer_run"]


def write_transfer_run(
    folder: Path, outcome: Transferred, *, recipe: str, config: dict[str, Any], baseline: Transferred | None = None
) -> dict[str, Any]:
    """Fill a new run folder, report included, and return report.json's content.

    Args:
        folder: empty.
        outcome: what ships.
        recipe: its name.
        config: settings.
        baseline: the same data with a network from scratch.
    """
    labelled, state = outcome.labelled, outcome.training.state
    stages = (*outcome.backbone.stages, HEAD)
    data = DataSummary(
        source=str(config.get("images", {}).get("data") or "drawn pictures"),
        images={part: len(rows) for part, rows in labelled.split.parts().items()},
        skipped=outcome.skipped,
        folders_left_out=labelled.left_out,
        duplicates=[asdict(pair) for pair in labelled.near_duplicates],
    )
    run = ClassificationRun(
        recipe=recipe,
        seconds=outcome.seconds,
        backbone=describe_backbone(outcome.backbone),
        data=data,
        schedule=schedule_rows(outcome.method.phases(stages), stages),
        history=state.history,
        proofs=state.proofs,
        notes=state.notes,
        baseline=None if baseline is None else _baseline(baseline),
    )
    return write_classification_run(
        folder,
        run=run,
        classifier=outcome.classifier,
        report=outcome.report,
        images=outcome.test,
        golden=golden_batch(outcome.test, outcome.backbone.preprocess),
        config=config,
    )


def _baseline(outcome: Transferred) -> Baseline:
    history = outcome.training.state.history
    return Baseline(name="from scratch", seconds=outcome.seconds, history=history, report=outcome.report)
