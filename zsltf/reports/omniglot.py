"""What a few-shot method reached on Omniglot, on the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

from zsltf.evaluation.omniglot import OmniglotOutcome

__all__ = ["print_omniglot"]


def print_omniglot(outcome: OmniglotOutcome, console: Console | None = None) -> None:
    """Accuracy on each task, with its 95 % interval over episodes."""
    table = Table(title="Characters of alphabets that are new to it (%)", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("task", "accuracy", "95 % interval", "episodes"):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    for row in outcome.table():
        ends = f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"
        table.add_row(row["task"], f"{100 * row['accuracy']:.1f}", ends, str(row["episodes"]))
    console = console or Console()
    console.print(table)
    console.print(f"Learning took {outcome.seconds:.0f} s of processor time.", highlight=False)
