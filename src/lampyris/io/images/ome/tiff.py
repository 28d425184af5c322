"""OME-TIFF, and plain TIFF, both ways: one view of one animal, dims (channel, y, x).

Reading trusts nothing: the file is taken into memory up to a cap, `lampyris.io.images.tiff` checks all that it declares before
decoding, and `lampyris.io.images.ome.xml` reads its description without following anything out of it.
Writing gives the same bytes for the same image.
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import RawImage
from lampyris.io.durable import write_bytes
from lampyris.io.images.ome.xml import MAX_BYTES, ome_description, ome_metadata, plain_metadata
from lampyris.io.images.tiff import Caps, Page, Tiff, page_pixels, refuse, tiff_pages
from lampyris.io.images.whole_file import file_bytes


def read_ome_tiff(path: Path, /, *, max_pixels: int, max_pages: int, max_bytes: int, file: str = "") -> RawImage:
    """Read an image that nobody vouches for.

    Parameters
    ----------
    path : Path
        The file.
    max_pixels, max_pages, max_bytes : int
        Caps: pixels of all channels together, pages, and bytes of the file.
    file : str
        The image as the user knows it, for messages; the bare file name by default.

    Returns
    -------
    RawImage
        Counts in the machine's byte order. A TIFF that is no OME-TIFF has channels "0", "1", ... and NaN elsewhere.

    Raises
    ------
    ImageError
        If the file is missing, empty, cut short, damaged, of a kind that is not read, or holds NaN or infinity.
    UnsafeFileError
        If it declares more than the caps, runs in a circle, or points to another file.

    Examples
    --------
    >>> import tempfile
    >>> image = RawImage(np.ones((1, 2, 3), np.uint16), ("800",), 0.1, (5.0,), (660.0,), (800.0,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_ome_tiff(Path(folder) / "m01.ome.tif", image)
    ...     back = read_ome_tiff(Path(folder) / "m01.ome.tif", max_pixels=100, max_pages=9, max_bytes=10_000)
    >>> back.channels, back.exposure_s, back.counts.shape
    (('800',), (5.0,), (1, 2, 3))
    """
    path = Path(path)
    file = file or path.name
    data = file_bytes(path, max_bytes=max_bytes, file=file)
    tiff, pages = tiff_pages(data, caps=Caps(max_pixels, max_pages), file=file)
    samples, height, width = pages[0].shape
    count = samples * len(pages)
    description = pages[0].description
    # an OME description begins within its first few hundred bytes, after the XML declaration and a comment
    is_ome = b"<OME" in description[:4096].tobytes()
    metadata = (
        ome_metadata(description[: MAX_BYTES + 1].tobytes(), shape=(count, height, width), file=file)
        if is_ome
        else plain_metadata(count)
    )
    counts = _decoded(tiff, pages)
    if metadata.planes != tuple(range(count)):
        counts = counts[list(metadata.planes)]
    if counts.dtype.kind == "f" and not np.isfinite(counts).all():
        bad = int(np.size(counts) - np.count_nonzero(np.isfinite(counts)))
        mend = "Export raw counts; a camera records no such values."
        refuse(file, "image.not-finite", f"holds {bad} pixels that are NaN or infinite.", mend)
    return RawImage(
        counts=counts,
        channels=metadata.channels,
        pixel_mm=metadata.pixel_mm,
        exposure_s=metadata.exposure_s,
        excitation_nm=metadata.excitation_nm,
        emission_nm=metadata.emission_nm,
        acquired=metadata.acquired,
        synthetic=metadata.synthetic,
    )


def _decoded(tiff: Tiff, pages: tuple[Page, ...]) -> NDArray[np.generic]:
    """Pixels of all pages, dims (channel, y, x)."""
    if len(pages) == 1:
        return page_pixels(tiff, pages[0])
    samples, height, width = pages[0].shape
    counts = np.empty((len(pages), samples, height, width), pages[0].dtype.newbyteorder("="))
    for number, page in enumerate(pages):
        counts[number] = page_pixels(tiff, page)
    return counts.reshape(-1, height, width)


def write_ome_tiff(path: Path, image: RawImage, /, *, description: str = "") -> None:
    """Write an image as OME-TIFF, durably.

    Parameters
    ----------
    path : Path
        Final name, ending ``.ome.tif``.
    image : RawImage
        What `read_ome_tiff` shall return.
    description : str
        Free text, stored in the file.

    Raises
    ------
    ValueError
        As `ome_tiff_bytes`.
    LampyrisError
        If the file cannot be written.
    """
    write_bytes(path, ome_tiff_bytes(image, description=description))


def ome_tiff_bytes(image: RawImage, /, *, description: str = "") -> bytes:
    """Return an image as an uncompressed OME-TIFF without time, host or program: the same bytes always.

    Parameters
    ----------
    image : RawImage
        Counts are unsigned integers of up to 32 bits or floats. Numbers that are NaN are left out; a date becomes midnight of
        that day, as OME knows no bare dates. Its dark frame and photograph are not stored.
    description : str
        Free text, stored in the file.

    Returns
    -------
    bytes
        Little-endian TIFF, a page per channel, with OME-XML 2016-06.

    Raises
    ------
    ValueError
        If the format cannot hold the image's type, texts or numbers.
    """
    import tifffile

    xml = ome_description(image, description=description)
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, byteorder="<", ome=False) as writer:
        writer.write(
            np.asarray(image.counts),
            photometric="minisblack",
            planarconfig=None,
            metadata=None,
            software=False,
            description=xml.encode("ascii"),
            contiguous=True,
        )
    return stream.getvalue()
