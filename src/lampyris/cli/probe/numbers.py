"""Numbers of the tasks of ``probe``: as options, and as they are printed."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lampyris.core.estimate import Estimate
    from lampyris.report.scene import Scene


def number(text: str) -> float:
    """A finite number; a comma for the decimal point is told apart from a wrong word."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        mend = "; write the decimal point as '.'" if "," in text else "; write it without its unit"
        raise argparse.ArgumentTypeError(f"needs a number, got {text!r}{mend}")
    return value


def pair(text: str) -> tuple[float, float]:
    """Two numbers with a comma between them."""
    parts = text.split(",")
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f"needs two numbers with a comma between them, such as 810,40, got {text!r}")
    return number(parts[0]), number(parts[1])


def figure_path(text: str) -> Path:
    """File of a figure, .svg or .png."""
    path = Path(text)
    if path.suffix not in (".svg", ".png"):
        raise argparse.ArgumentTypeError(f"writes .svg or .png, got {path.name!r}")
    return path


def write_figure(scene: "Scene", path: Path, /) -> None:
    """Write a scene as its file's ending says."""
    from lampyris.io.durable import write_bytes
    from lampyris.report.scene import file_svg

    if path.suffix == ".svg":
        write_bytes(path, file_svg(scene))
        return
    from lampyris.report.raster import png_bytes

    write_bytes(path, png_bytes(scene))


def estimate_entry(value: "Estimate | None") -> dict[str, Any] | None:
    """An estimate as JSON has it."""
    if value is None:
        return None
    return {
        "value": value.value,
        "sd": value.sd,
        "low": value.low,
        "high": value.high,
        "level": value.level,
        "unit": value.unit,
        "method": value.method,
    }


def band_text(value: "Estimate") -> str:
    """An estimate with its interval, for people."""
    unit = "" if value.unit == "1" else f" {value.unit}"
    return f"{value.value:.3g}{unit} ({value.low:.3g} to {value.high:.3g})"
