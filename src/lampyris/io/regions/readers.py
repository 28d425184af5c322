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


ANALYSED = "analyzedclickinfo.txt"


def click_folders(path: Path, /) -> tuple[Path, ...]:
    """Folders of Living Image in which regions were drawn: the folder itself, or those of its sequence, by name.

    Parameters
    ----------
    path : Path
        A click, a sequence of clicks, or anything else, which has none.
    """
    if not path.is_dir() or path.is_symlink():
        return ()
    within = sorted(one for one in path.iterdir() if one.is_dir() and not one.is_symlink())
    return tuple(one for one in (path, *within) if any(entry.name.lower() == ANALYSED for entry in one.iterdir()))


def is_region_file(path: Path, /) -> bool:
    """Whether a reader takes files of this name."""
    return path.suffix.lower() in READERS


def read_regions(path: Path, /, *, file: str = "") -> tuple[TiedRegion, ...]:
    """Read a file of regions of any known format.

    Parameters
    ----------
    path : Path
        The file; or a folder of Living Image, a click or a sequence of them.
    file : str
        Path inside the study, for messages; the file's name by default.

    Returns
    -------
    tuple of TiedRegion
        Of a sequence each outline once, though it was drawn on several of its images.

    Raises
    ------
    InputError
        If no reader takes it, or its reader refuses it.
    """
    file = file or path.name
    if path.is_dir():
        return _of_clicks(path, file)
    if not is_region_file(path):
        mend = f"Save it as one of {', '.join(READERS)}."
        raise refusal(file, "regions.unknown-format", "is no known file of regions.", mend)
    module, function = READERS[path.suffix.lower()]
    reader: Any = getattr(importlib.import_module(module), function)
    found: tuple[TiedRegion, ...] = reader(path, file=file)
    return found


def _of_clicks(path: Path, file: str) -> tuple[TiedRegion, ...]:
    from lampyris.io.regions.living_image import read_drawn_regions

    found: dict[tuple[object, ...], TiedRegion] = {}
    for click in click_folders(path):
        inner = click.relative_to(path).as_posix()
        for region in read_drawn_regions(click, file=file if inner == "." else f"{file}/{inner}"):
            found.setdefault((region.name, region.label, region.outline_px), TiedRegion(region, file))
    if not found:
        mend = "Draw regions in Living Image and save, or name a file of regions."
        raise refusal(file, "regions.none", "is a folder in which no region was drawn.", mend)
    return tuple(found.values())
