"""Decays of a file in whatever format it is."""

from pathlib import Path

from lampyris.core.instruments import Decay
from lampyris.io.instruments.formats import FileFormat, read_as

TEXT = FileFormat("text", "counters.text")
FORMATS = (
    FileFormat("PicoQuant PTU", "counters.picoquant", (".ptu",), rb"PQTTTR\0\0"),
    FileFormat("PicoQuant PHU", "counters.picoquant", (".phu",), rb"PQHISTO\0"),
    # its mark stands further on, so that its ending tells it
    FileFormat("Becker & Hickl SDT", "counters.sdt", (".sdt",)),
)
"""Formats beside plain text, which reads whatever is left."""


def read_decays(
    path: Path, /, *, max_bytes: int = 512_000_000, file: str = "", channel_ns: float | None = None, time_unit: str = ""
) -> tuple[Decay, ...]:
    """Read every decay of a file, whatever its format.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it; the bare name by default.
    channel_ns : float, optional
        Width of a channel where a text does not say it.
    time_unit : str
        Unit of a text's time column where its name does not say it: ns, ps, us, ms or s.

    Returns
    -------
    tuple of Decay
        At least one.

    Raises
    ------
    ImageError
        If the file cannot be read; the finding names it and the mend.
    """
    decays: tuple[Decay, ...] = read_as(
        path, FORMATS, TEXT, max_bytes=max_bytes, file=file, channel_ns=channel_ns, time_unit=time_unit
    )
    return decays
