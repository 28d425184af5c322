"""From a file's name and first bytes to the reader of its spectra; formats are imported when first needed."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from lampyris.core.instruments import Spectrum

FALLBACK = "lampyris.io.instruments.spectrum_text"


@dataclass(frozen=True, slots=True)
class SpectrumFormat:
    """A format of spectra.

    Parameters
    ----------
    title : str
        As a person calls it.
    suffixes : tuple of str
        Endings of its files, in lower case.
    beginnings : tuple of bytes
        First bytes that tell it whatever the name; they win over the ending.
    module : str
        Module with its ``read``.
    """

    title: str
    suffixes: tuple[str, ...]
    beginnings: tuple[bytes, ...]
    module: str


FORMATS = (
    SpectrumFormat("JCAMP-DX", (".jdx", ".dx", ".jcamp", ".jcm"), (b"##TITLE",), "lampyris.io.instruments.jcamp"),
    SpectrumFormat("OPUS", tuple(f".{k}" for k in range(10)), (b"\n\n\xfe\xfe",), "lampyris.io.instruments.opus"),
    SpectrumFormat("OMNIC SPA", (".spa",), (b"Spectral Data File",), "lampyris.io.instruments.spa"),
    SpectrumFormat("GRAMS SPC", (".spc",), (), "lampyris.io.instruments.spc"),
    SpectrumFormat("EMSA/MAS", (".msa", ".emsa"), (b"#FORMAT",), "lampyris.io.instruments.emsa"),
    SpectrumFormat("Bruker SPX", (".spx",), (), "lampyris.io.instruments.spx"),
)
"""Formats beside plain text, which reads whatever is left."""


def read_spectra(
    path: Path,
    /,
    *,
    max_bytes: int = 512_000_000,
    file: str = "",
    axis: str = "wavelength",
    axis_unit: str = "",
    signal: str = "",
) -> tuple[Spectrum, ...]:
    """Read every curve of a file, whatever its format.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it; the bare name by default.
    axis, axis_unit, signal : str
        What a text's axis and signals are where it does not say; formats that say it keep their word.

    Returns
    -------
    tuple of Spectrum
        At least one.

    Raises
    ------
    ImageError
        If the file cannot be read; the finding names it and the mend.
    """
    path = Path(path)
    file = file or path.name
    found = format_of_spectrum(path)
    if found is not None:
        curves: tuple[Spectrum, ...] = import_module(found.module).read(path, max_bytes=max_bytes, file=file)
        return curves
    text = import_module(FALLBACK)
    read: tuple[Spectrum, ...] = text.read(
        path, max_bytes=max_bytes, file=file, axis=axis, axis_unit=axis_unit, signal=signal
    )
    return read


def format_of_spectrum(path: Path, /) -> SpectrumFormat | None:
    """Format of a file by its first bytes, then by its ending; None for text."""
    try:
        with path.open("rb") as stream:
            beginning = stream.read(512)
    except OSError:
        # the reader says why it cannot be opened
        beginning = b""
    told = next(
        (
            one
            for one in FORMATS
            if any(text.startswith(magic) for text in (beginning, beginning.lstrip()) for magic in one.beginnings)
        ),
        None,
    )
    return told or next((one for one in FORMATS if path.suffix.lower() in one.suffixes), None)
