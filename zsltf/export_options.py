"""What may be asked of an export."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from zsltf.budget import Budget, points
from zsltf.checks import check_choice, fail
from zsltf.discovery import names, plugin_type

__all__ = ["ExportOptions"]

Precision = Literal["float32", "float16", "dynamic", "int8", "int16x8"]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What the exporters are asked for; each takes what it knows."""

    precision: tuple[Precision, ...] | None = None
    """Of the weights, by default float32, and float16 with --format web: a file each, in the formats that have it.
    SavedModel is float32, ONNX not dynamic or int16x8."""
    batch: int | None = None
    """Images a call, 0 for any number; by default 1 in TFLite and any number elsewhere."""
    built_in_only: bool = False
    """TFLite with one entry, of the network's own image size, and with metadata: for MediaPipe and accelerators."""
    open_variant: bool = False
    """ONNX a second time, with required class inputs: for OpenVINO, OpenCV and onnxruntime-web."""
    opset: int = 18
    """Of ONNX, 15 to 18."""
    memory: float | None = None
    """Gigabytes that a conversion to ONNX may take; by default what the machine has left."""
    calibrate: Path | None = None
    """Photos, one folder a class, that the run did not train on: ranges of integer files are measured on them."""
    int8: bool = False
    """Also the smallest integer TFLite file within the budget, found on the photos of --calibrate."""
    budget: str = "0.5pt"
    """What that file may cost: percentage points of accuracy, mean over classes."""
    integer_only: bool = False
    """Of the files that --int8 tries, leave out what computes in float32: for accelerators."""

    def exporters(self, formats: str = "all", calibration: np.ndarray | None = None) -> list[Any]:
        """Exporters by name, comma between them, or "all".

        Args:
            formats: saved_model, tflite, onnx.
            calibration: photos of the network's size, for integer precisions.

        Raises:
            ValueError: for an unknown format, near misses are suggested; a precision that none of them has; or an
                integer one without photos.
        """
        known = names("exporters")
        chosen = list(dict.fromkeys(map(str.strip, formats.split(","))))
        for name in chosen:
            check_choice("format", name, (*known, "all"))
        types = [plugin_type("exporters", name) for name in (known if "all" in chosen else chosen)]
        self._check_used(types, formats)
        precisions = self.precisions()
        for precision in precisions:
            check_choice("precision", precision, sorted({p for kind in types for p in kind.PRECISIONS}))
        return [
            self._exporter(kind, precision, calibration)
            for kind in types
            for precision in precisions
            if precision in kind.PRECISIONS
        ]

    def precisions(self, default: Precision = "float32") -> tuple[Precision, ...]:
        """Those asked for, each once.

        Raises:
            ValueError: if none is.
        """
        given = (default,) if self.precision is None else tuple(dict.fromkeys(self.precision))
        if not given:
            known = ", ".join(get_args(Precision))
            fail("--precision", f"one or more of {known}", "none", "Write it behind the option.")
        return given

    def _check_used(self, types: Sequence[Any], formats: str) -> None:
        """Refuse what none of the formats knows."""
        known = {field.name for kind in types for field in fields(kind)}
        own = ("precision", "calibrate", "int8", "budget", "integer_only")
        for option in fields(self):
            if option.name not in {*known, *own} and getattr(self, option.name) != option.default:
                name = f"--{option.name.replace('_', '-')}"
                fail(name, "a format that knows it", formats, "Leave it out, or add the format.")

    def _exporter(self, kind: Any, precision: str, calibration: np.ndarray | None) -> Any:
        given = {**vars(self), "precision": precision, "calibration": calibration, "batch": self.batch or None}
        if self.batch is None:
            del given["batch"]
        return kind(**{field.name: given[field.name] for field in fields(kind) if field.name in given})

    def search(self) -> Budget | None:
        """For the integer file, if one is asked for.

        Raises:
            ValueError: if there are no photos to search on, or the budget is none.
        """
        if not self.int8:
            if self.integer_only or self.budget != ExportOptions.budget:
                fail("--budget and --integer-only", "--int8, whose search they are for", "none", "Add --int8.")
            if self.calibrate and not {"int8", "int16x8"} & set(self.precisions()):
                fail("--calibrate", "--int8, or a --precision of integers", "neither", "Add one, or leave it out.")
            return None
        if self.calibrate is None:
            fail("--int8", "labelled photos to calibrate, choose and test on", "none", "Give --calibrate FOLDER.")
        return Budget(points=points(self.budget), integer_only=self.integer_only)
