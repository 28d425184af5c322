"""Bruker brml: a zip of XML, each ``RawData`` of which holds rows of numbers and says what they are."""

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np

from lampyris.core.instruments import Spectrum
from lampyris.io.data_tables.archives import FAULTS
from lampyris.io.instruments.diffractometers.scans import MAX_POINTS, parsed_xml, scan_of, wavelength_words
from lampyris.io.instruments.files import content, refuse

MAX_MEMBERS = 10_000
MOST_TIMES = 300
"""A member may be this many times larger than it is packed: XML packs to a fiftieth, a bomb to a thousandth."""
_RAW = re.compile(r"(^|/)RawData\d*\.xml$", re.IGNORECASE)


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read the scans over 2 theta of an archive.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file, and largest content of the archive, that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    tuple of Spectrum

    Raises
    ------
    ImageError
        If it is no such archive, unpacks to more than `max_bytes`, or holds no scan over 2 theta.
    """
    data = content(path, max_bytes=max_bytes, file=file)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            raw = [one for one in members if _RAW.search(one.filename)]
            if len(members) > MAX_MEMBERS or sum(one.file_size for one in raw) > max_bytes:
                seen = f"unpacks to {sum(one.file_size for one in raw)} bytes in {len(members)} members."
                refuse(file, "instrument.size", seen, "If it is the right file, raise max_file_mb.")
            texts = [_member(archive, one, file) for one in sorted(raw, key=lambda one: one.filename)]
    except FAULTS as error:
        refuse(file, "xrd.archive", f"is no archive that can be opened: {error}.", "Copy the .brml file again.")
    found: list[Spectrum] = []
    for text in texts:
        found += _scans(parsed_xml(text, file=file), file, len(found))
    if not found:
        refuse(file, "xrd.no-data", "holds no scan over 2 theta.", "Give a powder scan over 2 theta.")
    return tuple(found)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: str) -> bytes:
    if member.file_size > 100_000 + MOST_TIMES * member.compress_size:
        seen = f"holds {member.filename[:60]}, which unpacks to {member.file_size} bytes from {member.compress_size}."
        refuse(file, "xrd.archive", seen, "Copy the .brml file again.")
    with archive.open(member) as stream:
        text = stream.read(member.file_size + 1)
    if len(text) != member.file_size:
        refuse(file, "xrd.archive", f"holds {member.filename[:60]} of another size than it says.", "Copy it again.")
    return text


def _scans(root: ET.Element, file: str, before: int) -> list[Spectrum]:
    words = wavelength_words(
        next((one.text or "" for one in root.iter("TubeMaterial")), ""),
        *(_value(root, tag) for tag in ("WaveLengthAlpha1", "WaveLengthAlpha2", "WaveLengthRatio")),
    )
    found: list[Spectrum] = []
    for route in root.iter("DataRoute"):
        if route.get("RouteFlag", "Measured") not in ("Measured", "Final"):
            continue
        rows = [one.text or "" for one in route.iter("Datum")]
        columns = _columns(route)
        if not rows or "TwoTheta" not in columns or "signal" not in columns:
            continue
        name = Path(file).stem
        shown = f"{name} {before + len(found) + 1}" if before + len(found) else name
        found.append(_scan(rows, columns, file, shown, words))
    return found


def _value(root: ET.Element, tag: str) -> str:
    return next((one.get("Value") or one.text or "" for one in root.iter(tag)), "")


def _columns(route: ET.Element) -> dict[str, int]:
    """Place of each number in a row, by what the views of the data say."""
    columns: dict[str, int] = {}
    for view in route.iter("RawDataView"):
        start = view.get("Start", "")
        if not start.isascii() or not start.isdigit() or len(start) > 4:
            continue
        at = int(start)
        if view.get("LogicName"):
            columns.setdefault(str(view.get("LogicName")), at)
        for step, axis in enumerate(view.iter("FieldDefinitions")):
            columns.setdefault(axis.get("FieldName", ""), at + step)
        if view.find("Recording") is not None:
            columns.setdefault("signal", at)
    if "TwoTheta" not in columns:
        # older files name only the axes of the scan, after the two fixed numbers
        axes = [one.get("AxisId", "") for one in route.iter("ScanAxisInfo")]
        if "TwoTheta" in axes:
            columns["TwoTheta"] = 2 + axes.index("TwoTheta")
            columns.setdefault("signal", 2 + len(axes))
    return columns


def _scan(rows: list[str], columns: dict[str, int], file: str, name: str, words: dict[str, str]) -> Spectrum:
    if len(rows) > MAX_POINTS:
        refuse(file, "xrd.points", f"holds more than {MAX_POINTS} points.", "Split the scan.")
    wanted = [columns["TwoTheta"], columns["signal"]]
    factor = columns.get("AbsorptionFactor")
    values = np.empty((len(rows), 3))
    for k, row in enumerate(rows):
        cells = row.split(",")
        try:
            values[k, 0], values[k, 1] = (float(cells[at]) for at in wanted)
            values[k, 2] = 1.0 if factor is None else float(cells[factor])
        except (ValueError, IndexError):
            refuse(file, "xrd.row", f"holds {row[:40]!r} among its data.", "Copy the .brml file again.", column="Datum")
    if not np.isfinite(values).all():
        refuse(file, "xrd.points", "holds numbers that are not finite.", "Export it again.")
    attenuated = bool((values[:, 2] != 1.0).any())
    told = {**words, **({"attenuator": "used"} if attenuated else {})}
    return scan_of(
        values[:, 0],
        values[:, 1] * values[:, 2],
        file=file,
        name=name,
        words=told,
        signal_name="count_rate" if attenuated else "counts",
    )
