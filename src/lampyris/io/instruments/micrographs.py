"""Micrographs of a file in whatever format it is."""

from pathlib import Path

from lampyris.core.instruments import Micrograph
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.formats import FileFormat, format_of

FORMATS = (
    FileFormat("TIFF", "microscopes.tiff", (".tif", ".tiff"), rb"II[*+]\0|MM\0[*+]"),
    FileFormat("Gatan DigitalMicrograph", "microscopes.digital_micrograph", (".dm3", ".dm4"), rb"\0\0\0[\x03\x04]"),
    FileFormat("PNG or JPEG", "microscopes.picture", (".png", ".jpg", ".jpeg"), rb"\x89PNG|\xff\xd8\xff"),
    FileFormat("MRC", "microscopes.mrc", (".mrc", ".mrcs")),
    FileFormat("TIA, Velox, HyperSpy or Blockfile", "microscopes.rosetta", (".ser", ".emi", ".emd", ".hspy", ".blo")),
)


def read_micrograph(
    path: Path, /, *, max_bytes: int = 512_000_000, file: str = "", page: int | None = None
) -> Micrograph:
    """Read one picture, whatever its format.

    Parameters
    ----------
    path : Path
        The file.
    max_bytes : int
        Largest file that is opened.
    file : str
        As the user knows it; the bare name by default.
    page : int, optional
        Which picture of a file of several, from 1.

    Returns
    -------
    Micrograph

    Raises
    ------
    ImageError
        If the file cannot be read, holds several pictures and none was named, or colours.
    """
    path = Path(path)
    file = file or path.name
    found = format_of(path, FORMATS)
    if found is None:
        # says so of a folder, and of a file that is not there
        content(path, max_bytes=max_bytes, file=file)
        listed = ", ".join(one.title for one in FORMATS)
        refuse(file, "micrograph.format", "is in no format that is read.", f"Export one of: {listed}.")
    picture: Micrograph = found.read(path, max_bytes=max_bytes, file=file, page=page)
    return picture
