"""What the page of a few-shot run shows besides its report.json."""

from collections.abc import Mapping
from typing import Any

__all__ = ["few_shot_content"]


def few_shot_content(report: Mapping[str, Any]) -> dict[str, Any]:
    """The method that the page is about, and the one that it is held against, if there is another."""
    main, *others = report["methods"]
    return {"main": main, "reference": others[-1] if others else None}
