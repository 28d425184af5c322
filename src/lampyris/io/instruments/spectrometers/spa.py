"""SPA of Thermo Nicolet's OMNIC: one spectrum with its axis.

A table of keys at byte 304 says where things stand: key 2 the header of the spectrum, key 3 its numbers.
"""

from pathlib import Path

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.binary import array_at, even_axis, unpacked, words_at
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.spectrometers.axes import as_share, placed

MAGIC = b"Spectral Data File"
_COUNT_AT, _KEYS_AT, _KEY = 294, 304, 16
_MAX_KEYS = 1000
_AXES = {1: ("wavenumber", 1.0), 3: ("wavelength", 1.0), 4: ("wavelength", 1000.0), 32: ("raman_shift", 1.0)}
_SIGNALS = {
    11: "reflectance",
    12: "absorbance",
    16: "transmittance",
    17: "absorbance",
    22: "intensity",
    31: "intensity",
}


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read the spectrum of an SPA file.

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
        One; transmittance and reflectance as shares of 1.

    Raises
    ------
    ImageError
        If it is no SPA file, is cut short, or holds no spectrum.
    """
    data = content(Path(path), max_bytes=max_bytes, file=file)
    if not data.startswith(MAGIC):
        refuse(file, "spa.format", "does not begin as a file of OMNIC does.", "Give the file that OMNIC wrote.")
    count = unpacked(data, "<H", _COUNT_AT, file=file, what="table of keys")[0]
    header = numbers = size = 0
    for k in range(min(count, _MAX_KEYS)):
        key, _, place, length = unpacked(data, "<BBII", _KEYS_AT + _KEY * k, file=file, what="table of keys")
        if key == 2:
            header = place
        elif key == 3 and not numbers:
            numbers, size = place, length
    if not header or not numbers:
        refuse(file, "spa.no-spectrum", "holds no spectrum.", "Save the spectrum itself as SPA, or as JCAMP-DX.")
    return (_spectrum(data, header, numbers, size, file),)


def _spectrum(data: bytes, header: int, numbers: int, size: int, file: str) -> Spectrum:
    points, unit, _, kind = unpacked(data, "<IB3sB", header + 4, file=file, what="header of the spectrum")
    first, last = unpacked(data, "<ff", header + 16, file=file, what="header of the spectrum")
    if points != size // 4:
        seen = f"says {points} points and {size} bytes of them."
        refuse(file, "spa.points", seen, "The file is damaged: copy or export it again.")
    signal = array_at(data, "<f4", numbers, points, file=file, what="spectrum")
    axis_name, scale = _AXES.get(unit, ("unknown", 1.0))
    x = even_axis(first, last, points, file=file) * scale
    axis, signal, averaged = placed(x, signal, axis_name, file=file)
    signal_name = _SIGNALS.get(kind, "unknown")
    signal, scaled = as_share(signal, signal_name)
    name = words_at(data, 30, 255) or Path(file).stem
    return Spectrum(axis, signal, axis_name, signal_name, name=name, file=file, words={**averaged, **scaled})
