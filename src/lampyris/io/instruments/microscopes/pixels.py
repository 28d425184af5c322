"""What readers of micrographs share: the page that is meant, one grey plane, and pixels that are numbers."""

import numpy as np
from numpy.typing import NDArray

from lampyris.io.instruments.files import refuse

MAX_PIXELS = 400_000_000
"""Pixels of one picture; microscopes' cameras have up to 8192 x 8192."""


def chosen_page(count: int, page: int | None, /, *, file: str) -> int:
    """Place of the picture that was asked for, from 0.

    Raises
    ------
    ImageError
        If there are several and none was named, or fewer than that.
    """
    if page is None and count > 1:
        seen = f"holds {count} pictures."
        refuse(file, "micrograph.pages", seen, "Name one with --page, or export each as a file of its own.")
    if page is not None and page > count:
        refuse(file, "micrograph.pages", f"holds {count} pictures, not {page}.", "Name one of these with --page.")
    return (page or 1) - 1


def grey_plane(planes: NDArray[np.generic], /, *, file: str) -> NDArray[np.generic]:
    """The one grey plane of a picture of one sample, or of colours that are all grey, dims (sample, y, x).

    Raises
    ------
    ImageError
        If it is coloured: which of the colours is the signal is not for us to guess.
    """
    if len(planes) == 1:
        return planes[0]
    alike = len(planes) in (3, 4) and all(np.array_equal(planes[0], planes[k]) for k in (1, 2))
    if not alike:
        seen = f"is coloured ({len(planes)} samples a pixel that differ)."
        refuse(file, "micrograph.colour", seen, "Export it in grey, without overlays.")
    return planes[0]


def number_pixels(pixels: NDArray[np.generic], /, *, file: str) -> NDArray[np.generic]:
    """Pixels as unsigned or finite floating numbers of the machine's order.

    Raises
    ------
    ImageError
        If there is none, or one is not finite.
    """
    if pixels.dtype.kind == "i":
        pixels = pixels.astype(np.float32 if pixels.dtype.itemsize < 4 else np.float64)
    if pixels.dtype.kind == "f":
        pixels = pixels.astype(np.float32 if pixels.dtype.itemsize < 4 else pixels.dtype.newbyteorder("="))
        # squares of what is larger would not be numbers
        if not (np.abs(pixels) < 1e15).all():
            refuse(file, "micrograph.not-finite", "holds pixels that are no numbers.", "Export raw counts.")
    pixels = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))
    if min(pixels.shape) < 16:
        seen = f"has {pixels.shape[1]} x {pixels.shape[0]} pixels."
        refuse(file, "micrograph.small", seen, "Give the picture itself, not a thumbnail of it.")
    return pixels
