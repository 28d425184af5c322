"""What the analysis of a session needs: opened files and sheet entries, nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.images import RawImage


@dataclass(frozen=True, slots=True, eq=False)
class ViewInput:
    """One view of one session, opened.

    Parameters
    ----------
    view : str
        ``dorsal`` or ``ventral``.
    image : RawImage
        Counts, channels in the order of ``settings.instrument.bands``; exposures checked against the sheet.
    exposure_s : tuple of float
        Exposure per channel, from the sheet.
    photo : ndarray, dims (y, x), or None
        Photograph on the image's grid, any scale; None where the study has none: the animal is then sought in its own glow.
    dark : ndarray, dims (channel, y, x)
        Dark frames of the same exposures, counts.
    flat : ndarray, dims (channel, y, x)
        Flat fields, any scale; ones where the study has none.
    file : str
        Path of the image inside the study, for messages.
    landmarks : tuple of (str, float, float)
        Places that a person named: landmark, y and x in mm from the view's first pixel centre.
    radiance_per_count_rate : tuple of float
        Per channel the radiance, ph s-1 cm-2 sr-1, that one count per second stands for, where the files bring their own
        coefficients; empty where the instrument's settings hold.
    origin_px : tuple of int
        Row and column of the image file, turned head up, at which the view begins: an image may show several animals.
    flat_level : tuple of float
        Per channel the flat's level in the middle of the whole image, which the view need not hold; empty where the view is the
        whole image.
    not_own : ndarray of bool, dims (y, x), or None
        Pixels that were emptied, since they are another animal's; None where there are none.
    file_shape : tuple of int
        Rows and columns of the image as it lies in its file; zeros where it comes from none.
    """

    view: str
    image: RawImage
    exposure_s: tuple[float, ...]
    photo: NDArray[np.floating] | None
    dark: NDArray[np.floating]
    flat: NDArray[np.floating]
    file: str
    landmarks: tuple[tuple[str, float, float], ...] = ()
    radiance_per_count_rate: tuple[float, ...] = ()
    origin_px: tuple[int, int] = (0, 0)
    flat_level: tuple[float, ...] = ()
    not_own: NDArray[np.bool_] | None = None
    file_shape: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class SessionInput:
    """One animal in one session, opened.

    Parameters
    ----------
    animal, session, date, group, probe : str
        From the sample sheet; `probe` is empty for unlabelled controls.
    day : float
        Days since inoculation.
    inoculation, injection : str
        From animals.csv, one of `lampyris.core.schemas.INJECTION_SITES` or "".
    views : tuple of ViewInput
        Dorsal first where both are there.
    """

    animal: str
    session: str
    day: float
    date: str
    group: str
    probe: str
    inoculation: str
    injection: str
    views: tuple[ViewInput, ...]
