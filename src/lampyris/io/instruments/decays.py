"""From a file's name and first bytes to the reader of its decays; formats are imported when first needed."""

from importlib import import_module
from pathlib import Path

from lampyris.core.instruments import Decay
from lampyris.io.instruments.spectra import SpectrumFormat

FALLBACK = "lampyris.io.instruments.decay_text"

FORMATS = (
    SpectrumFormat("PicoQuant PTU", (".ptu",), (b"PQTTTR\0\0",), "lampyris.io.instruments.picoquant"),
    SpectrumFormat("PicoQuant PHU", (".phu",), (b"PQHISTO\0",), "lampyris.io.instruments.picoquant"),
    # its mark stands further on, so that its ending tells it
    SpectrumFormat("Becker & Hickl SDT", (".sdt",), (), "lampyris.io.instruments.sdt"),
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
    path = Path(path)
    file = file or path.name
    try:
        with path.open("rb") as stream:
            beginning = stream.read(16)
    except OSError:
        # the reader says why it cannot be opened
        beginning = b""
    told = next((one for one in FORMATS if any(beginning.startswith(magic) for magic in one.beginnings)), None)
    told = told or next((one for one in FORMATS if path.suffix.lower() in one.suffixes), None)
    if told is not None:
        decays: tuple[Decay, ...] = import_module(told.module).read(path, max_bytes=max_bytes, file=file)
        return decays
    text = import_module(FALLBACK)
    read: tuple[Decay, ...] = text.read(
        path, max_bytes=max_bytes, file=file, channel_ns=channel_ns, time_unit=time_unit
    )
    return read
