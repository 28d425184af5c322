"""Micrographs as PNG or JPEG: pixels without a scale, JPEG with the losses of its compression."""

import math
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np

from lampyris.core.instruments import Micrograph
from lampyris.io.instruments.files import content, refuse
from lampyris.io.instruments.microscopes.pixels import MAX_PIXELS, grey_plane, number_pixels

_MEND = "Copy it anew, or export it as TIFF, which also keeps the scale."


def read(path: Path, /, *, max_bytes: int, file: str, page: int | None = None) -> Micrograph:
    """Read a picture.

    Raises
    ------
    ImageError
        If it is damaged, coloured or too large.
    """
    from PIL import Image

    data = content(path, max_bytes=max_bytes, file=file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture: Image.Image = Image.open(BytesIO(data), formats=("PNG", "JPEG"))
            width, height = picture.size
            if width * height > MAX_PIXELS or width * height > 2000 * len(data):
                refuse(file, "micrograph.header", f"declares {width} x {height} pixels.", _MEND)
            if picture.mode == "P":
                picture = picture.convert("RGB")
            if picture.mode not in ("L", "LA", "I", "I;16", "RGB", "RGBA"):
                refuse(file, "micrograph.colour", f"stores pixels of the kind {picture.mode}.", _MEND)
            pixels = np.asarray(picture)
    # what a damaged file makes the decoder raise is not one kind
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        refuse(file, "micrograph.damaged", f"cannot be decoded: {str(error)[:120]}.", _MEND)
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    # transparency is no signal
    plane = grey_plane(planes[:1] if len(planes) == 2 else planes, file=file)
    words = {"lossy": "JPEG"} if picture.format == "JPEG" or data[:2] == b"\xff\xd8" else {}
    return Micrograph(number_pixels(plane, file=file), math.nan, "", None, Path(file).stem, file, words)
