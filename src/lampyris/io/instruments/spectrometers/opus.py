"""OPUS of Bruker: every final spectrum of a file (absorbance, transmittance, reflectance, attenuated total reflection).

The file is a directory of blocks; a block of numbers has a block of parameters that says its points, ends, unit and factor. Single
channels, interferograms and phases stand in the same file and are left out where a final spectrum is there.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.binary import array_at, even_axis, unpacked, words_at
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.spectrometers.axes import as_share, placed

MAGIC = b"\n\n\xfe\xfe"
_MAX_BLOCKS = 1000
_SIGNALS = {
    1: "intensity", 4: "absorbance", 5: "transmittance", 10: "intensity", 11: "intensity", 12: "reflectance",
    15: "absorbance", 16: "absorbance",
}  # fmt: skip
_TITLES = {
    1: "single channel", 4: "absorbance", 5: "transmittance", 10: "Raman", 11: "emission", 12: "reflectance",
    15: "log(1/R)", 16: "attenuated total reflection",
}  # fmt: skip
_FINAL = (4, 5, 10, 12, 15, 16)
_AXES = {
    "WN": ("wavenumber", 1.0), "MI": ("wavelength", 1000.0), "RSH": ("raman_shift", 1.0), "RSHIFT": ("raman_shift", 1.0),
}  # fmt: skip
_STATUS = 1
_SAMPLE = 10


@dataclass(frozen=True, slots=True)
class _Block:
    """A block: what kind it is, and where."""

    kind: int
    offset: int
    length: int

    @property
    def parameter(self) -> int:
        return self.kind >> 4 & 63

    @property
    def data(self) -> int:
        return self.kind >> 10 & 127

    @property
    def of(self) -> int:
        """Kind without what says whether it is numbers or their parameters."""
        return self.kind & ~(63 << 4)


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read the final spectra of an OPUS file, or its single channels where there is none.

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

    Raises
    ------
    ImageError
        If it is no OPUS file, is cut short, or holds no spectrum.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    blocks = _directory(data, file)
    said = {one.of: _parameters(data, one, file) for one in blocks if one.parameter == _STATUS}
    name = next((_parameters(data, one, file).get("SNM", "") for one in blocks if one.parameter == _SAMPLE), "")
    curves = [one for one in blocks if one.parameter == 0 and one.data in _SIGNALS and one.of in said]
    final = [one for one in curves if one.data in _FINAL] or curves
    if not final:
        refuse(file, "opus.no-spectrum", "holds no spectrum.", "Save the spectrum itself in the file.")
    return tuple(_spectrum(data, one, said[one.of], str(name), file) for one in final)


def _directory(data: bytes, file: str) -> list[_Block]:
    if not data.startswith(MAGIC):
        refuse(file, "opus.format", "does not begin as a file of OPUS does.", "Give the file that OPUS wrote.")
    start, _, count = unpacked(data, "<iii", 12, file=file, what="header")
    if not 1 <= count <= _MAX_BLOCKS:
        refuse(file, "opus.directory", f"says that it has {count} blocks.", "The file is damaged: copy it again.")
    blocks = []
    for k in range(count):
        kind, words, offset = unpacked(data, "<iii", start + 12 * k, file=file, what="directory")
        if offset < 0 or words < 0 or offset + 4 * words > len(data):
            seen = f"ends at byte {len(data)}; its block {k + 1} should reach from {offset} to {offset + 4 * words}."
            refuse(file, "instrument.truncated", seen, "The file is cut short or damaged: copy it again.")
        blocks.append(_Block(kind, offset, 4 * words))
    return blocks


def _parameters(data: bytes, block: _Block, file: str) -> dict[str, int | float | str]:
    found: dict[str, int | float | str] = {}
    place, end = block.offset, block.offset + block.length
    while place + 8 <= end:
        name = words_at(data, place, 3)
        if name == "END":
            break
        form, length = unpacked(data, "<HH", place + 4, file=file, what="parameters")
        at = place + 8
        if form == 0 and length >= 2:
            found[name] = unpacked(data, "<i", at, file=file, what=name)[0]
        elif form == 1 and length >= 4:
            found[name] = unpacked(data, "<d", at, file=file, what=name)[0]
        else:
            found[name] = words_at(data, at, 2 * length)
        place = at + 2 * length
    return found


def _spectrum(data: bytes, block: _Block, said: dict[str, int | float | str], name: str, file: str) -> Spectrum:
    count, first, last, factor = (said.get(key, 1.0 if key == "CSF" else None) for key in ("NPT", "FXV", "LXV", "CSF"))
    form = said.get("DPF", 1)
    if (
        not isinstance(count, int)
        or not all(isinstance(one, float) for one in (first, last, factor))
        or form not in (1, 2)
    ):
        refuse(file, "opus.parameters", "lacks number of points, ends or factor of its spectrum.", "Save it again.")
    kind = "<f4" if form == 1 else "<i4"
    signal = array_at(data, kind, block.offset, count, file=file, what="spectrum") * float(factor)  # type: ignore[arg-type]
    if not np.isfinite(signal).all() or 4 * count > block.length:
        refuse(file, "opus.parameters", "says more points than its block holds, or a wrong factor.", "Copy it again.")
    axis_name, scale = _AXES.get(str(said.get("DXU", "")).upper(), ("unknown", 1.0))
    x = even_axis(float(first), float(last), count, file=file) * scale  # type: ignore[arg-type]
    axis, signal, averaged = placed(x, signal, axis_name, file=file)
    signal_name = _SIGNALS[block.data]
    signal, scaled = as_share(signal, signal_name)
    dated: dict[str, str] = {key: str(said[key]) for key in ("DAT", "TIM") if key in said}
    words = {"block": _TITLES[block.data], **dated, **averaged, **scaled}
    return Spectrum(axis, signal, axis_name, signal_name, name=name or Path(file).stem, file=file, words=words)
