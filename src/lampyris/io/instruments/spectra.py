"""Spectra of a file in whatever format it is."""

from pathlib import Path

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.formats import FileFormat, read_as

TEXT = FileFormat("text", "spectrometers.text")
FORMATS = (
    FileFormat("JCAMP-DX", "spectrometers.jcamp", (".jdx", ".dx", ".jcamp", ".jcm"), rb"\s*##TITLE"),
    FileFormat("OPUS", "spectrometers.opus", tuple(f".{k}" for k in range(10)), rb"\n\n\xfe\xfe"),
    FileFormat("OMNIC SPA", "spectrometers.spa", (".spa",), rb"Spectral Data File"),
    FileFormat("GRAMS SPC", "spectrometers.spc", (".spc",)),
    FileFormat("EMSA/MAS", "spectrometers.emsa", (".msa", ".emsa"), rb"\s*#FORMAT"),
    FileFormat("Bruker SPX", "spectrometers.spx", (".spx",)),
    FileFormat("JEOL EDS, Bruker BCF, Velox or HyperSpy", "spectrometers.rosetta", (".eds", ".bcf", ".emd", ".hspy")),
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
    curves: tuple[Spectrum, ...] = read_as(
        path, FORMATS, TEXT, max_bytes=max_bytes, file=file, axis=axis, axis_unit=axis_unit, signal=signal
    )
    return curves
