"""Which reader reads which file of regions."""

import importlib
from pathlib import Path
from typing import Any

from lampyris.core.regions import TiedRegion
from lampyris.io.regions.refusals import refusal

READERS: dict[str, tuple[str, str]] = {
    ".geojson": ("lampyris.io.regions.geojson", "read_geojson"),
    ".json": ("lampyris.io.regions.geojson", "read_geojson"),
    ".roi": ("lampyris.io.regions.fiji", "read_fiji"),
    ".zip": ("lampyris.io.regions.fiji", "read_fiji"),
}
"""Module and function per suffix."""


def is_region_file(path: Path, /) -> bool:
    """Whether a reader takes files of this name."""
    return path.suffix.lower() in READERS


def read_regions(path: Path, /, *, file: str = "") -> tuple[TiedRegion, ...]:
    """Read a file of regions of any known format.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        Path inside the study, for messages; the file's name by default.

    Returns
    -------
    tuple of TiedRegion

    Raises
    ------
    InputError
        If no reader takes it, or its reader refuses it.
    """
    file = file or path.name
    if not is_region_file(path):
        mend = f"Save it as one of {', '.join(READERS)}."
        raise refusal(file, "regions.unknown-format", "is no known file of regions.", mend)
    module, function = READERS[path.suffix.lower()]
    reader: Any = getattr(importlib.import_module(module), function)
    found: tuple[TiedRegion, ...] = reader(path, file=file)
    return found
