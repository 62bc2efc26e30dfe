"""What figures on new domains say, and what they don't, in words."""

from zsltf.evaluation.generalisation_photos import REFERENCE, GeneralizedPhotos
from zsltf.evaluation.generalisation_trials import ORACLE, TRAINING_DOMAINS
from zsltf.reports.negative_transfer import transfer_note

__all__ = ["generalisation_notes"]


def generalisation_notes(done: GeneralizedPhotos) -> list[str]:
    """Lines without a full stop."""
    outcome, name = done.outcome, next(iter(done.outcome.trials))
    count = len(outcome.seeds)
    settings = len(done.protocol.settings(done.setting))
    notes = [
        f"Each domain in turn is new: nothing was trained or chosen on it, but by the {ORACLE}, which looks at a share "
        f"of it and tells what a better choice would be worth; chance {1 / len(done.classes):.3f}",
        f"Of {settings} settings of each method one is chosen for each new domain and seed"
        if settings > 1
        else "One setting of each method: there was nothing to choose",
    ]
    if name != REFERENCE:
        gain, interval = outcome.above_reference(name, TRAINING_DOMAINS)
        notes.append(transfer_note(name, REFERENCE, gain, interval, over="domains"))
    if count < 3:
        notes.append(f"{count} seed{'' if count == 1 else 's'} say little of the spread: 3 or more are usual")
    notes.append(
        "The model of this folder is trained on all domains, with the setting that did best on domains that were left "
        "out; what it does on yet another one was not measured"
    )
    return notes
