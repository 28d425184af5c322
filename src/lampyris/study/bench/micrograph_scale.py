"""The scale of a picture: what its file, its bar and the user say of a pixel's side, and what is left out of the measurement."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lampyris.bench.micrographs.legend import BAR_END_SD_PX, legend_rows, scale_bar, written_pixels
from lampyris.core.instruments import Micrograph
from lampyris.core.techniques.micrographs import MicrographSettings
from lampyris.io.instruments.files import refuse
from lampyris.io.instruments.micrographs import read_micrograph


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """A picture ready to measure.

    Parameters
    ----------
    micrograph : Micrograph
        Without its legend.
    ignored : numpy.ndarray of bool or None
        Pixels of bar and text.
    pixel_nm, relative_sd : float
        Side of a pixel, and its standard uncertainty as a share of it.
    source : str
        Where it comes from.
    disagree : float
        By how much bar and file differ, as a share; NaN where only one speaks.
    """

    micrograph: Micrograph
    ignored: np.ndarray[tuple[int, int], np.dtype[np.bool_]] | None
    pixel_nm: float
    relative_sd: float
    source: str
    disagree: float


def scaled_picture(path: Path, file: str, settings: MicrographSettings) -> Scaled:
    """A picture with its scale, without its legend.

    Raises
    ------
    ImageError
        If it cannot be read, shows no bar that the user gave a length of, or nobody says its scale.
    """
    read = read_micrograph(path, max_bytes=int(settings.max_file_mb * 1e6), file=file, page=settings.page)
    pixels = read.pixels
    legend = settings.ignore_bottom_px
    if legend is None:
        # where the microscope says it, the legend begins below the picture's own rows
        rows = int(read.words.get("image rows", "0"))
        legend = pixels.shape[0] - rows if 32 <= rows <= pixels.shape[0] else legend_rows(pixels)
    if legend > pixels.shape[0] - 32:
        refuse(
            file, "micrograph.legend", f"has {pixels.shape[0]} rows, and {legend} are to be left out.", "Give fewer."
        )
    bar = scale_bar(pixels, legend=legend)
    bar_pixel = math.nan
    if settings.bar_nm is not None and settings.pixel_nm is None:
        if bar is None:
            seen = "shows no scale bar: no even bar of black or white in its lower part."
            refuse(file, "micrograph.bar", seen, "Measure the bar by hand and give --pixel-nm.")
        bar_pixel = settings.bar_nm / bar.length_px
    if settings.pixel_nm is not None:
        pixel, source, sd = settings.pixel_nm, "given", 0.0
    elif not math.isnan(bar_pixel) and bar is not None:
        pixel, sd = bar_pixel, BAR_END_SD_PX / bar.length_px
        source = f"scale bar of {bar.length_px} pixels"
    else:
        pixel, source, sd = read.pixel_nm, read.scale_source, 0.0
    if math.isnan(pixel):
        seen = "says no scale: how many nm a pixel is."
        refuse(
            file, "micrograph.scale", seen, "Give --pixel-nm, or --bar-nm with the length of the bar in the picture."
        )
    other = read.pixel_nm if source != read.scale_source else math.nan
    kept = pixels[: pixels.shape[0] - legend]
    ignored = written_pixels(pixels, bar)[: kept.shape[0]] if bar is not None and bar.top < kept.shape[0] else None
    cut = Micrograph(kept, pixel, source, read.bright_particles, read.name, file, read.words)
    sd = math.hypot(sd, settings.scale_uncertainty_percent / 100.0)
    return Scaled(cut, ignored, pixel, sd, source, abs(other / pixel - 1.0))
