"""SPX of Bruker Esprit: an X-ray spectrum as XML."""

import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from lampyris.core.errors import UnsafeFileError
from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.binary import MAX_POINTS
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.numeric_text import NUMBER
from lampyris.io.instruments.spectrometers.axes import checked_axis
from lampyris.io.safe_xml import DeclarationError, xml_root

_CHANNELS = re.compile(r"\s*\d{1,15}(\s*,\s*\d{1,15})*\s*,?\s*")


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read every spectrum of an SPX file.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it.

    Returns
    -------
    tuple of Spectrum
        Over keV; `words` has the beam's kV and the live time as in `emsa`.

    Raises
    ------
    ImageError
        If it is no such XML, or counts or calibration are missing.
    UnsafeFileError
        If it declares a document type or entities.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    try:
        root = xml_root(data)
    except DeclarationError:
        mend = "Export the spectrum again from the instrument's software."
        seen = "declares a document type or entities, or is not of plain bytes."
        refuse(file, "spx.doctype", seen, mend, kind=UnsafeFileError)
    except ValueError as error:
        mend = "It is cut short or damaged: export it again."
        refuse(file, "spx.xml", f"is no XML that can be read ({error}).", mend)
    spectra = [one for one in root.iter("ClassInstance") if one.get("Type") == "TRTSpectrum"]
    if not spectra:
        refuse(file, "spx.no-spectrum", "holds no spectrum of an EDS.", "Export the spectrum as SPX.")
    return tuple(_spectrum(one, file) for one in spectra)


def _spectrum(element: ET.Element, file: str) -> Spectrum:
    text = element.findtext("Channels") or ""
    # each count takes two characters or more, so the text itself bounds what is made of it
    if not _CHANNELS.fullmatch(text) or text.count(",") > MAX_POINTS:
        refuse(file, "spx.channels", "has channels that are no whole numbers.", "Export it again.")
    counts = np.array([float(one) for one in text.strip().rstrip(",").split(",")])
    said = _number(element, "ChannelCount", file)
    if said != counts.size:
        seen = f"holds {counts.size} channels, ChannelCount says {said:g}."
        refuse(file, "spx.channels", seen, "The file is cut short or damaged: export it again.")
    start, step = _number(element, "CalibAbs", file), _number(element, "CalibLin", file)
    if not (math.isfinite(start) and 0 < step < 10):
        refuse(
            file, "spx.axis", f"says CalibAbs {start:g} and CalibLin {step:g} keV.", "Calibrate and export it again."
        )
    axis = start + step * np.arange(counts.size, dtype=np.float64)
    checked_axis(axis, "xray_energy", file=file)
    live_ms, beam_kv = _number(element, "LifeTime", file), _number(element, "PrimaryEnergy", file)
    words = {} if math.isnan(beam_kv) else {"BEAMKV": f"{beam_kv:g}"}
    name = element.get("Name") or Path(file).stem
    return Spectrum(
        axis, counts, "xray_energy", "counts", name=name, file=file, integration_s=live_ms / 1000.0, words=words
    )


def _number(element: ET.Element, tag: str, file: str) -> float:
    """Number of the first element of that name, NaN where there is none."""
    text = next((one.text for one in element.iter(tag) if one.text), None)
    if text is None:
        return math.nan
    if not NUMBER.fullmatch(text.replace(",", ".").strip()):
        refuse(file, "spx.number", f"says {tag} {text[:30]!r}, which is no number.", "Export it again.")
    return float(text.replace(",", "."))
