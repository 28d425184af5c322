"""Files of microscopes in formats that RosettaSciIO reads: an optional part, and its licence is not this package's."""

import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import MissingExtraError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.instruments.files import refuse
from lampyris.io.instruments.lengths import length_nm

EXTRA = "microscopes"
READERS = {
    ".ser": "tia", ".emi": "tia", ".emd": "emd", ".hspy": "hspy", ".bcf": "bruker", ".eds": "jeol", ".blo": "blockfile",
}  # fmt: skip
"""Ending of a file to the module of RosettaSciIO that reads it."""


def signals(path: Path, /, *, max_bytes: int, file: str) -> list[dict[str, Any]]:
    """What a file holds, as RosettaSciIO tells it, with its numbers still on disk.

    Parameters
    ----------
    path : Path
        The file; its ending chooses the reader.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    list of dict
        With ``data``, ``axes`` and ``metadata`` each; at least one.

    Raises
    ------
    MissingExtraError
        If RosettaSciIO is not installed.
    ImageError
        If the file is missing, too large, damaged or empty.
    """
    path = Path(path)
    if not path.is_file():
        refuse(file, "instrument.missing", "is not there.", "Check the path, and that the file is there and readable.")
    if path.stat().st_size > max_bytes:
        seen = f"has {path.stat().st_size / 1e6:.0f} MB."
        refuse(file, "instrument.too-large", seen, "If it is the right file, raise max_file_mb.")
    try:
        reader = import_module(f"rsciio.{READERS[path.suffix.lower()]}")
    except ImportError as error:
        seen = f"{path.suffix} files are read by the package rosettasciio, which is not installed."
        mend = f"Install it: pip install 'lampyris[{EXTRA}]'. Or export the file as TIFF, or a spectrum as EMSA/MAS."
        finding = Finding("instrument.extra", Severity.ERROR, Place(file), seen, mend)
        raise MissingExtraError(f"{file} needs an optional part that is missing.", [finding]) from error
    try:
        found: list[dict[str, Any]] = reader.file_reader(str(path), lazy=True)
    except Exception as error:
        # a reader of another package may raise anything at all on a damaged file
        seen = f"cannot be read by rosettasciio ({type(error).__name__}: {str(error)[:120]})."
        refuse(file, "instrument.damaged", seen, "Copy it anew, or export it as TIFF or EMSA/MAS.")
    if not found:
        refuse(file, "instrument.empty", "holds no data.", "Give a file with a picture or a spectrum.")
    return found


def numbers(data: Any, /, *, most: int, file: str) -> NDArray[np.generic]:
    """Numbers of a signal or of a part of one, read from disk once their count is known to be sane.

    Raises
    ------
    ImageError
        If there are more than `most`, or they cannot be read.
    """
    check_count(data, most=most, file=file)
    try:
        return np.asarray(data)
    except Exception as error:
        seen = f"cannot be read to its end ({type(error).__name__}: {str(error)[:120]})."
        refuse(file, "instrument.damaged", seen, "Copy it anew.")


def check_count(data: Any, /, *, most: int, file: str) -> None:
    """Refuse a signal of more numbers than `most`, before any of it is read.

    Raises
    ------
    ImageError
        If there are more.
    """
    count = math.prod(data.shape)
    if count > most:
        refuse(file, "instrument.too-large", f"declares {count} numbers.", "Crop or bin it in its program.")


def axes_of(signal: dict[str, Any], /, *, navigating: bool) -> list[dict[str, Any]]:
    """Axes along which a signal was recorded place by place, or those of each recording."""
    return [axis for axis in signal["axes"] if bool(axis.get("navigate")) is navigating]


def side_nm(axis: dict[str, Any], /) -> float:
    """Step of an axis of length in nm; NaN where its unit is none of length."""
    unit = str(axis.get("units", "")).strip("[]").replace("_", "")
    step = abs(number_of(axis.get("scale")))
    return step * length_nm(unit) if length_nm(unit) else math.nan


def number_of(told: Any, /) -> float:
    """What a file tells as a number; NaN where it tells none, or something else."""
    try:
        return float(told)
    except (TypeError, ValueError):
        return math.nan


def words_of(signal: dict[str, Any], keys: Sequence[str], /) -> dict[str, Any]:
    """Leaves of a signal's metadata by their name, for the names asked for."""
    found: dict[str, Any] = {}

    def look(part: Any) -> None:
        if isinstance(part, dict):
            for name, value in part.items():
                if name in keys and not isinstance(value, dict):
                    found.setdefault(name, value)
                look(value)

    look(signal.get("metadata", {}))
    return found
