"""A fine-tuning's run folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zsltf.evaluation.transfer import Transferred
from zsltf.reports.backbone import describe_backbone
from zsltf.reports.classification import golden_batch, write_classification_run
from zsltf.reports.classification_run import Baseline, ClassificationRun, DataSummary
from zsltf.training.learning_rate_finder import LearningRateRange
from zsltf.training.phases import HEAD, schedule_rows

__all__ = ["write_transfer_run"]


def write_transfer_run(
    folder: Path,
    outcome: Transferred,
    *,
    recipe: str,
    config: dict[str, Any],
    baseline: Transferred | None = None,
    baseline_name: str = "from scratch",
    sweep: LearningRateRange | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Fill a new run folder, report included, and return report.json's content.

    Args:
        folder: empty.
        outcome: what ships.
        recipe: its name.
        config: settings.
        baseline: what it is held against: the same data with a network from scratch, for one.
        baseline_name: what the report calls it.
        sweep: of learning rates, before training.
        notes: lines for the report besides those of the training.
    """
    labelled, state = outcome.labelled, outcome.training.state
    stages = (*outcome.backbone.stages, HEAD)
    run = ClassificationRun(
        recipe=recipe,
        seconds=outcome.seconds,
        backbone=describe_backbone(outcome.backbone),
        data=DataSummary.of(labelled, labelled.split.parts(), outcome.skipped, config),
        schedule=schedule_rows(outcome.method.phases(stages), stages),
        history=state.history,
        proofs=state.proofs,
        learning_rate_finder=None if sweep is None else _sweep(sweep),
        notes=[*state.notes, *_unseen_classes(outcome), *notes],
        open_set=outcome.open_set,
        baseline=None if baseline is None else _baseline(baseline, baseline_name),
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


def _baseline(outcome: Transferred, name: str) -> Baseline:
    history = outcome.training.state.history
    return Baseline(name=name, seconds=outcome.seconds, history=history, report=outcome.report)


def _sweep(sweep: LearningRateRange) -> dict[str, Any]:
    return {"rates": sweep.rates, "losses": sweep.losses, "suggestion": sweep.suggestion}


def _unseen_classes(outcome: Transferred) -> list[str]:
    """A line on the classes that had no photo in training, if the head opens to them."""
    found = outcome.zero_shot
    if found is None:
        return []
    unseen = [name for name, seen in zip(found.classes.names, found.classes.seen, strict=True) if not seen]
    figures = f"{found.unseen_accuracy:.3f} among themselves (chance {found.chance:.3f})"
    among_all = f"among all classes seen {found.seen:.3f}, unseen {found.unseen:.3f}"
    mean = f"harmonic mean {found.harmonic_mean:.3f}"
    return [f"classes without a training image ({', '.join(unseen)}): accuracy {figures}; {among_all}, {mean}"]
