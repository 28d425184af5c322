"""From a diffractometer's file to its pattern: Bruker brml, PANalytical xrdml, Rigaku ras, and text with two columns.

Read from files of the formats themselves: brml is a zip of XML whose ``Datum`` rows hold what ``DataViews`` names; xrdml is one
XML; ras and text are lines.
"""

from pathlib import Path

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.formats import FileFormat, read_as

AXES = ("two_theta", "q", "q_nm", "d")
"""What the axis of a text may be: 2 theta in deg, q in 1/A or 1/nm, or distances of planes in A."""

TEXT = FileFormat("text", "diffractometers.text")
FORMATS = (
    # workbooks are archives as well: what their first member is called tells them
    FileFormat(
        "Bruker brml",
        "diffractometers.brml",
        (".brml",),
        rb"PK\x03\x04.{26}(?!\[Content|_rels/|docProps/|xl/|mimetype)",
    ),
    FileFormat("PANalytical xrdml", "diffractometers.xrdml", beginning=rb"\s*(\xef\xbb\xbf)?\s*<.*xrdMeasurement"),
)
"""Formats beside text, which reads whatever is left."""


def read(path: Path, /, *, max_bytes: int, file: str, axis: str = "") -> tuple[Spectrum, ...]:
    """Read every pattern of a diffractometer's file.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file, and largest content of an archive, that is opened.
    file : str
        As the user knows it.
    axis : str
        One of `AXES` where a text does not say, or says it wrongly.

    Returns
    -------
    tuple of Spectrum
        With ``two_theta`` axes in deg, or ``unknown`` ones whose ``axis`` among the words is ``q`` in 1/A or ``d`` in A. Words
        hold, where the file says so, ``anode``, ``alpha1_A``, ``alpha2_A`` and ``alpha_ratio``.

    Raises
    ------
    ImageError
        If the file cannot be read, or its axis cannot be what it is called.
    """
    patterns: tuple[Spectrum, ...] = read_as(path, FORMATS, TEXT, max_bytes=max_bytes, file=file, axis=axis)
    return patterns
