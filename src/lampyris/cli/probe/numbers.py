"""Numbers of the tasks of ``probe``: as options, and as they are printed."""

import argparse
from typing import TYPE_CHECKING

from lampyris.cli.arguments import number

if TYPE_CHECKING:
    from lampyris.core.estimate import Estimate


def pair(text: str) -> tuple[float, float]:
    """Two numbers with a comma between them."""
    parts = text.split(",")
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f"needs two numbers with a comma between them, such as 810,40, got {text!r}")
    return number(parts[0]), number(parts[1])


def band_text(value: "Estimate") -> str:
    """An estimate with its interval, for people."""
    unit = "" if value.unit == "1" else f" {value.unit}"
    return f"{value.value:.3g}{unit} ({value.low:.3g} to {value.high:.3g})"
