"""Opens the micrographs of a section: which channel shows nuclei, which the label, and how wide a pixel is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lampyris.assays.histology.section import NUCLEAR_STAINS
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.schemas import AssayRow
from lampyris.core.settings import Limits
from lampyris.io.images.frames import mean_image
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import inside
from lampyris.study.rules.assays import PIXELS_DIFFER
from lampyris.study.rules.histology import LABEL, NUCLEI
from lampyris.study.rules.sheets import SHEET_ASSAYS


@dataclass(frozen=True, slots=True, eq=False)
class SectionImage:
    """Both channels of a section.

    Parameters
    ----------
    image : RawImage
        Two channels: nuclei, label.
    pixel_um : float
        Width of a pixel in the tissue.
    names : tuple of (str, str)
        Channels of nuclei and label, as the file calls them.
    """

    image: RawImage
    pixel_um: float
    names: tuple[str, str]


def open_section(
    study: Path, rows: Sequence[AssayRow], limits: Limits, /, *, pixel_um: float = math.nan
) -> SectionImage:
    """Open both channels of a section, from one file or two.

    Parameters
    ----------
    study : Path
    rows : sequence of AssayRow
        Of one section: one without a stain, or one of each.
    limits : Limits
        Caps on what is read.
    pixel_um : float
        Width of a pixel where a row gives none; the file's own where this is NaN.

    Returns
    -------
    SectionImage

    Raises
    ------
    ImageError
        If a file cannot be read, has no such channel or no pixel size, or both channels are not of one field.
    """
    images = {
        row.file: mean_image(inside(study, row.file, place=Place(SHEET_ASSAYS, row.row, "file")), limits, file=row.file)
        for row in rows
    }
    if len(rows) == 1 and not rows[0].stain:
        image = images[rows[0].file]
        first, second = _channels_of(image, "", "", rows[0].file, row=rows[0])
        planes = [image.counts[first], image.counts[second]]
        names = image.channels[first], image.channels[second]
        rows = (rows[0], rows[0])
    else:
        rows = tuple(next(row for row in rows if row.stain == stain) for stain in (NUCLEI, LABEL))
        at = [_channel(images[row.file], row.channel, row.file, row) for row in rows]
        planes = [images[row.file].counts[index] for row, index in zip(rows, at, strict=True)]
        names = tuple(images[row.file].channels[index] for row, index in zip(rows, at, strict=True))  # type: ignore[assignment]
    if planes[0].shape != planes[1].shape:
        seen = f"nuclei have {planes[0].shape} pixels, the label in {rows[1].file} {planes[1].shape}."
        raise _refusal(
            rows[0].file, "histology.shape", seen, "Export both channels of one field, on the same pixels.", rows[1]
        )
    pixels = [
        _pixel_um(row.pixel_um if math.isfinite(row.pixel_um) else pixel_um, images[row.file], row.file, row)
        for row in rows
    ]
    if abs(pixels[0] / pixels[1] - 1.0) > PIXELS_DIFFER:
        seen = f"nuclei have pixels of {pixels[0]:g} um, the label of {pixels[1]:g} um."
        raise _refusal(
            rows[0].file, "histology.pixel-size", seen, "Write the same pixel_um in both rows.", rows[1], "pixel_um"
        )
    return SectionImage(_two_channels(images[rows[0].file], np.stack(planes), names), pixels[0], names)


def open_micrograph(path: Path, /, *, nuclei: str = "", label: str = "", pixel_um: float = math.nan) -> SectionImage:
    """Open a single micrograph that holds both channels.

    Parameters
    ----------
    path : Path
    nuclei, label : str
        Channels, by name or by number from 0; from their own names if left out.
    pixel_um : float
        Width of a pixel; the file's own where this is NaN.

    Returns
    -------
    SectionImage

    Raises
    ------
    ImageError
        If the file cannot be read, or its channels or pixel size are not known.
    """
    image = mean_image(path, Limits(), file=path.name)
    first, second = _channels_of(image, nuclei, label, path.name)
    pixel = _pixel_um(pixel_um, image, path.name)
    names = image.channels[first], image.channels[second]
    return SectionImage(_two_channels(image, image.counts[[first, second]], names), pixel, names)


def _channels_of(image: RawImage, nuclei: str, label: str, file: str, row: AssayRow | None = None) -> tuple[int, int]:
    """Nuclei and label: as named, else by the one channel that is called after a nuclear stain, of two."""
    count = len(image.channels)
    if count < 2:
        raise _refusal(
            file, "histology.channels", f"has {count} channel; nuclei and label are two.", "Name a file of both.", row
        )
    stained = [k for k, name in enumerate(image.channels) if any(one in name.casefold() for one in NUCLEAR_STAINS)]
    if nuclei:
        first = _channel(image, nuclei, file, row)
    elif len(stained) == 1:
        first = stained[0]
    else:
        mend = f"Name them: --nuclei-channel and --label-channel, or rows with stain and channel. They are {', '.join(image.channels)}."
        raise _refusal(file, "histology.channels", "no channel is called after a stain of nuclei.", mend, row)
    if label:
        second = _channel(image, label, file, row)
    elif count == 2:
        second = 1 - first
    else:
        seen = f"has {count} channels: which is the label's is not said."
        raise _refusal(file, "histology.channels", seen, f"Name it: {', '.join(image.channels)}.", row)
    if first == second:
        raise _refusal(file, "histology.channels", "nuclei and label are one channel.", "Name two.", row)
    return first, second


def _two_channels(image: RawImage, counts: np.ndarray, names: tuple[str, str]) -> RawImage:
    nan = (math.nan, math.nan)
    return RawImage(
        counts,
        (f"nuclei {names[0]}", f"label {names[1]}"),
        image.pixel_mm,
        nan,
        nan,
        nan,
        image.acquired,
        image.synthetic,
    )


def _pixel_um(given: float, image: RawImage, file: str, row: AssayRow | None = None) -> float:
    own = 1e3 * image.pixel_mm
    if math.isfinite(given):
        return given
    if math.isfinite(own) and own > 0:
        return own
    mend = "Write pixel_um in assays.csv (or --pixel-um): the width of a pixel in the tissue, in um."
    raise _refusal(file, "histology.pixel-size", "neither sheet nor file says its pixel size.", mend, row, "pixel_um")


def _channel(image: RawImage, wanted: str, file: str, row: AssayRow | None = None) -> int:
    """Place of a channel by its name, or by its number from 0."""
    if wanted in image.channels:
        return image.channels.index(wanted)
    folded = [name.casefold() for name in image.channels]
    if wanted.casefold() in folded:
        return folded.index(wanted.casefold())
    if wanted.isdecimal() and int(wanted) < len(image.channels):
        return int(wanted)
    if not wanted and len(image.channels) == 1:
        return 0
    near = did_you_mean(wanted, image.channels) if wanted else ""
    mend = f"Did you mean {near}?" if near else f"Its channels are {', '.join(image.channels)}; a number counts from 0."
    seen = f"there is no channel {wanted!r}." if wanted else f"has {len(image.channels)} channels and none is named."
    raise _refusal(file, "histology.channel", seen, mend, row)


def _refusal(
    file: str, rule: str, seen: str, mend: str, row: AssayRow | None = None, column: str = "channel"
) -> ImageError:
    place = Place(SHEET_ASSAYS, row.row, column) if row is not None else Place(file)
    return ImageError(f"{file} cannot be counted.", [Finding(rule, Severity.ERROR, place, f"{file}: {seen}", mend)])
