"""Regions of Living Image: what it measured in them (export tables), and how they were drawn (``*** ROIs:`` of a click).

`read_roi_table` takes the tables as they come out of the program and of a spreadsheet: separated by tab, semicolon or comma,
with decimal point or comma, the squared sign as byte 0xB2, in UTF-8, or lost to ``?`` or ``_``.
`read_drawn_regions` turns the shapes of a click into outlines on its image.
"""

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.regions import DrawnRegion
from lampyris.io.images.ivis.click import click_metadata, folder_files, info_text
from lampyris.io.images.ivis.info import decoded, number
from lampyris.io.images.whole_file import file_bytes

MAX_TABLE_BYTES = 16_000_000
"""Longer tables are refused; a thousand regions take a fifth of a megabyte."""
ANALYSED = "analyzedclickinfo.txt"
"""File of a click that holds its regions, in lower case."""

_RADIANCE = ("p/s/cm2/sr", "ph/s/cm2/sr", "photons/s/cm2/sr")
_FLUX = ("p/s", "ph/s", "photons/s")
_MEASURES = {
    "total flux": ("total_flux_4pi_ph_per_s", _FLUX),
    "avg radiance": ("mean_radiance_ph_per_s_cm2_sr", _RADIANCE),
    "average radiance": ("mean_radiance_ph_per_s_cm2_sr", _RADIANCE),
    "stdev radiance": ("sd_radiance_ph_per_s_cm2_sr", _RADIANCE),
    "min radiance": ("min_radiance_ph_per_s_cm2_sr", _RADIANCE),
    "max radiance": ("max_radiance_ph_per_s_cm2_sr", _RADIANCE),
}
_TEXTS = {
    "image number": "image",
    "roi": "region",
    "image layer": "layer",
    "roi label": "label",
    "experiment": "experiment",
}
_MISSING = ("", "n/a", "na", "nan", "-")
_HEADER_LINES = 50
# the squared sign: as it is, as a digit, raised, or lost on its way
_SQUARED = re.compile(r"cm\s*[²2?_�^â]{1,2}(?=\s*/)")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_MEND_TABLE = "Export the measurement table again from Living Image, as text."
_ELLIPSE_CORNERS = 64
_SHAPES = {"square": "square", "rectangle": "square", "circle": "ellipse", "ellipse": "ellipse", "oval": "ellipse"}


@dataclass(frozen=True, slots=True)
class MeasuredRegion:
    """One row of a Living Image table; NaN and "" where it says nothing.

    Parameters
    ----------
    row : int
        Line of the file, from 1.
    image, region, layer, label, experiment : str
        Image number, ROI, image layer, ROI label and experiment.
    total_flux_4pi_ph_per_s : float
        Total flux by the vendor's convention, 4 pi times the radiance summed over the area, ph s-1. Skin that emits as a
        Lambertian surface gives a quarter of it; the two must not be compared.
    mean_radiance_ph_per_s_cm2_sr, sd_radiance_ph_per_s_cm2_sr : float
        Mean and standard deviation over the region's pixels.
    min_radiance_ph_per_s_cm2_sr, max_radiance_ph_per_s_cm2_sr : float
        Extremes.
    """

    row: int
    image: str = ""
    region: str = ""
    layer: str = ""
    label: str = ""
    experiment: str = ""
    total_flux_4pi_ph_per_s: float = math.nan
    mean_radiance_ph_per_s_cm2_sr: float = math.nan
    sd_radiance_ph_per_s_cm2_sr: float = math.nan
    min_radiance_ph_per_s_cm2_sr: float = math.nan
    max_radiance_ph_per_s_cm2_sr: float = math.nan


# tables


def read_roi_table(path: Path, /, *, file: str = "") -> tuple[MeasuredRegion, ...]:
    """Read a measurement table that Living Image exported.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        Its name for messages; the bare name by default.

    Returns
    -------
    tuple of MeasuredRegion
        A row each, in order; unknown columns are left out.

    Raises
    ------
    InputError
        If there is no header with ``ROI`` and a measured quantity, a unit is another one, or a cell is no number; all at once.
    ImageError
        If the file is missing or far too long.
    """
    path = Path(path)
    file = file or path.name
    text = decoded(file_bytes(path, max_bytes=MAX_TABLE_BYTES, file=file))
    rows = _rows(text, file)
    columns, faults = _columns(rows[0][1], Place(file, rows[0][0]))
    found = []
    for line, cells in rows[1:]:
        values, wrong = _values(cells, columns, len(rows[0][1]), Place(file, line))
        faults += wrong
        if not wrong:
            found.append(MeasuredRegion(line, **values))
    faults += _mixed_decimals(rows[1:], columns, file)
    if faults:
        raise InputError(f"{file} cannot be read.", faults)
    return tuple(found)


def _rows(text: str, file: str) -> list[tuple[int, list[str]]]:
    """Line numbers and cells of the header and what follows, empty lines left out."""
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines[:_HEADER_LINES]) if _is_header(line)), None)
    if start is None:
        shown = next((line for line in lines if line.strip()), "")[:80]
        seen = f"has no header with ROI and a measured quantity such as Total Flux; it begins with {shown!r}."
        raise InputError(f"{file} cannot be read.", [_fault("table.header", Place(file), seen, _MEND_TABLE)])
    reader = csv.reader(io.StringIO("\n".join(lines[start:])), delimiter=_separator(lines[start]))
    try:
        rows = [(start + reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        seen = f"is no table: {error}."
        raise InputError(f"{file} cannot be read.", [_fault("table.header", Place(file), seen, _MEND_TABLE)]) from error
    return [(line, cells) for line, cells in rows if any(cells)]


def _separator(line: str) -> str:
    return max("\t;,", key=line.count)


def _is_header(line: str) -> bool:
    names = {_title(cell)[0] for cell in line.split(_separator(line))}
    return "roi" in names and bool(names & set(_MEASURES))


def _title(cell: str) -> tuple[str, str]:
    """Name and unit of a column, in lower case; the unit with a plain 2 for the square."""
    name, _, unit = cell.strip().strip('"').lower().partition("[")
    return " ".join(name.split()), _SQUARED.sub("cm2", unit.partition("]")[0].strip()).replace(" ", "")


def _columns(cells: Sequence[str], place: Place) -> tuple[dict[int, str], list[Finding]]:
    """Field of each known column, the first of each name counting; and columns of another unit."""
    columns: dict[int, str] = {}
    faults = []
    for position, cell in enumerate(cells):
        name, unit = _title(cell)
        field, units = _MEASURES.get(name, (_TEXTS.get(name, ""), ()))
        if not field or field in columns.values():
            continue
        columns[position] = field
        # the program writes the unit of these three only once, at the average
        if units and unit not in units and not (unit == "" and name.startswith(("stdev", "min", "max"))):
            seen = f"column {cell!r} is in {unit or 'no unit'}, where {units[0]} is expected."
            mend = "Export radiance in photons: choose Radiance (Photons) as unit in Living Image."
            faults.append(_fault("table.unit", Place(place.file, place.row, cell[:80]), seen, mend))
    return columns, faults


def _values(
    cells: list[str], columns: dict[int, str], width: int, place: Place
) -> tuple[dict[str, Any], list[Finding]]:
    """Fields of one row, and what is wrong with it."""
    if len(cells) > width and any(cells[width:]):
        seen = f"has {len(cells)} cells under {width} headings."
        mend = "Where a comma is the decimal sign, separate cells by tab or semicolon."
        return {}, [_fault("table.cells", place, seen, mend)]
    values: dict[str, Any] = {}
    faults = []
    for position, field in columns.items():
        cell = cells[position] if position < len(cells) else ""
        if field in _TEXTS.values():
            values[field] = cell
        elif cell.lower() in _MISSING:
            values[field] = math.nan
        elif _NUMBER.fullmatch(cell) and math.isfinite(number(cell)):
            values[field] = number(cell)
        else:
            at = Place(place.file, place.row, field)
            faults.append(_fault("table.number", at, f"{cell[:60]!r} is no number.", "Write such as 1.25E+06."))
    return values, faults


def _mixed_decimals(rows: list[tuple[int, list[str]]], columns: dict[int, str], file: str) -> list[Finding]:
    """A comma beside points may be one of thousands: which it is cannot be told."""
    measured = [position for position, field in columns.items() if field not in _TEXTS.values()]
    cells = [
        (line, row[position])
        for line, row in rows
        for position in measured
        if position < len(row) and _NUMBER.fullmatch(row[position])
    ]
    comma = next(((line, cell) for line, cell in cells if "," in cell), None)
    if comma is None or not any("." in cell for _, cell in cells):
        return []
    seen = f"writes {comma[1]!r} beside numbers with a decimal point: whether that comma is one cannot be told."
    return [_fault("table.decimal", Place(file, comma[0]), seen, "Export the table with one decimal sign.")]


def _fault(rule: str, place: Place, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, place, seen, mend)


# shapes


def read_drawn_regions(path: Path, /, *, file: str = "") -> tuple[DrawnRegion, ...]:
    """Read the regions that were drawn on a click in Living Image.

    Parameters
    ----------
    path : Path
        The click folder; its ``AnalyzedClickInfo.txt`` holds them, in unbinned pixels.
    file : str
        The folder as the user knows it; the bare name by default.

    Returns
    -------
    tuple of DrawnRegion
        Outlines in pixels of the click's binned image; empty where none was drawn. Width and height are taken as whole
        sides or diameters, and the angle in degrees from +x to +y, clockwise on the screen.

    Raises
    ------
    InputError
        If a shape is neither square nor ellipse, or its numbers cannot be true; all at once.
    ImageError
        If it is no click folder, or its binning is not known.
    """
    path = Path(path)
    file = file or path.name
    click = click_metadata(path, file=file)
    names = folder_files(path, file=file)
    if ANALYSED not in names:
        return ()
    text_file = f"{file}/{names[ANALYSED]}"
    entries = [
        (entry.key.upper(), _parts(entry.value))
        for section in info_text(path / names[ANALYSED], file=text_file).named("rois")
        for entry in section.entries
        if entry.key.startswith("roi ")
    ]
    found, faults = [], []
    for name, parts in entries:
        fault = _shape_fault(parts, click.binning)
        if fault:
            mend = "Draw it as square or circle in Living Image, or as a polygon in Fiji."
            faults.append(_fault("region.shape", Place(text_file, None, name[:80]), fault, mend))
        else:
            outline = _outline(parts, click.binning)
            kind = _SHAPES[parts["shape"].lower()]
            found.append(DrawnRegion(name, parts.get("label", ""), f"{file}/{click.luminescent}", outline, kind))
    if faults:
        raise InputError(f"Regions of {file} cannot be read.", faults)
    return tuple(found)


def _parts(text: str) -> dict[str, str]:
    """Values of ``key=value;key=value`` by their key in lower case."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {key.strip().lower(): value.strip() for key, found, value in pairs if found}


def _shape_fault(parts: dict[str, str], binning: float) -> str:
    """Why a shape cannot be drawn; "" where it can."""
    shape = parts.get("shape", "")
    if shape.lower() not in _SHAPES:
        return f"is of shape {shape[:40]!r}; square and circle are read."
    if math.isnan(binning):
        return "is in unbinned pixels, and the click does not say its binning."
    for key in ("xc", "yc", "width", "height"):
        value = number(parts.get(key, ""))
        # no camera has so many pixels
        if not abs(value) < 1e5 or (key in ("width", "height") and value <= 0):
            return f"says {parts.get(key, '')[:40]!r} for {key}, which cannot be true."
    if math.isnan(number(parts.get("angle", "0"))):
        return f"says {parts['angle'][:40]!r} for angle, which is no number."
    return ""


def _outline(parts: dict[str, str], binning: float) -> tuple[tuple[float, float], ...]:
    """Corners (y, x) from the centre of the first binned pixel."""
    x_centre, y_centre, width, height = (number(parts[key]) for key in ("xc", "yc", "width", "height"))
    turn = math.radians(number(parts.get("angle", "0")))
    if _SHAPES[parts["shape"].lower()] == "square":
        around = [(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)]
    else:
        angles = [2 * math.pi * step / _ELLIPSE_CORNERS for step in range(_ELLIPSE_CORNERS)]
        around = [(0.5 * math.sin(angle), 0.5 * math.cos(angle)) for angle in angles]
    corners = []
    for v, u in around:
        along, across = u * width, v * height
        x = x_centre + along * math.cos(turn) - across * math.sin(turn)
        y = y_centre + along * math.sin(turn) + across * math.cos(turn)
        # unbinned coordinates count from the corner of the image
        corners.append((y / binning - 0.5, x / binning - 0.5))
    return tuple(corners)
