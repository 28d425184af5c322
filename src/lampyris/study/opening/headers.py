"""Compares what image files say of themselves with what the sheet says of them.

Rules ``header.*`` are faults of the sheet or of the choice of files and stop everything; rules ``image.*`` are faults of one
file and stop its animal.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.schemas import SampleRow
from lampyris.core.settings import StudySettings
from lampyris.imaging.body.lanes import find_bodies, strangers
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import SATURATED_SHARE
from lampyris.imaging.radiance.photographs import PHOTO_MEND, photograph_fault
from lampyris.io.images.frames import mean_image
from lampyris.study.clock import check_clock
from lampyris.study.opening.views import (
    file_reader,
    find_view_lanes,
    lanes_named,
    no_dark,
    open_view,
    stage_photograph,
)
from lampyris.study.rules.samples import WAVELENGTH_TOLERANCE_NM
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_LANDMARKS, Sheets

# files round exposures to milliseconds and pixel pitches to micrometres
EXPOSURE_TOLERANCE = 0.01
PIXEL_TOLERANCE = 0.005
# this many pixels at exactly the brightest count are not chance: the camera ends there
PILED_UP = 5
# of so many pixels a hundredth is known well enough
ENOUGH_PIXELS = 4096


@dataclass(frozen=True, slots=True)
class Header:
    """What is kept of an image once its pixels are let go.

    Parameters
    ----------
    channels : tuple of str
        Names.
    shape : tuple of int
        Rows and columns.
    pixel_mm : float
        Pixel pitch; NaN where not said.
    exposure_s, excitation_nm, emission_nm : tuple of float
        Per channel; NaN where not said.
    acquired : str
        ISO 8601 time of acquisition, or "".
    synthetic : bool
        Simulated.
    constant : tuple of bool
        Per channel: every pixel is the same.
    saturated : tuple of float
        Per channel: share of pixels at full scale.
    highest : tuple of float
        Per channel: the largest count.
    at_highest : tuple of int
        Per channel: pixels that hold exactly that count.
    dark : bool
        It brings a dark frame along.
    photo : tuple of int
        Rows and columns of the photograph that it brings along; empty where it brings none.
    photo_pixel_mm : float
        Pixel pitch of that photograph; NaN where not said.
    floor, level, spread : tuple of float
        Per channel: the count below which a hundredth of the pixels lie, the median, and half of what the middle 68 % span.
    dark_level, dark_spread : tuple of float
        The last two of the dark frame that it brings along; empty where it brings none.
    """

    channels: tuple[str, ...]
    shape: tuple[int, ...]
    pixel_mm: float
    exposure_s: tuple[float, ...]
    excitation_nm: tuple[float, ...]
    emission_nm: tuple[float, ...]
    acquired: str
    synthetic: bool
    constant: tuple[bool, ...]
    saturated: tuple[float, ...]
    highest: tuple[float, ...]
    at_highest: tuple[int, ...]
    dark: bool = False
    photo: tuple[int, ...] = ()
    photo_pixel_mm: float = math.nan
    floor: tuple[float, ...] = ()
    level: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    dark_level: tuple[float, ...] = ()
    dark_spread: tuple[float, ...] = ()

    def index(self, channel: str) -> int | None:
        """Which channel is called so; an image of one channel needs no name."""
        if channel in self.channels:
            return self.channels.index(channel)
        return 0 if len(self.channels) == 1 else None


Headers = Mapping[str, Header | None]


def open_headers(sheets: Sheets, settings: StudySettings, /) -> tuple[dict[str, Header | None], list[Finding]]:
    """Open every file that the sheets name; each is decoded once and let go.

    Parameters
    ----------
    sheets : Sheets
        The study's sheets.
    settings : StudySettings
        Its settings.

    Returns
    -------
    headers : dict of str to Header or None
        By path; None where a file cannot be read.
    findings : list of Finding
        Of those.
    """
    headers: dict[str, Header | None] = {}
    findings: list[Finding] = []
    full_scale = settings.instrument.full_scale_counts
    for path in _paths(sheets, settings):
        try:
            opened = mean_image(
                sheets.study / path, settings.limits, file=path, saturation_counts=SATURATED_SHARE * full_scale
            )
            headers[path] = _summary(opened, full_scale)
        except ImageError as error:
            headers[path] = None
            findings += _unreadable(path, error, sheets, settings)
    return headers, findings


def check_files(sheets: Sheets, settings: StudySettings, headers: Headers, /) -> Iterator[Finding]:
    """Compare files with the sheets that name them, and animals on shared images with the lanes that are named.

    Parameters
    ----------
    sheets : Sheets
        The study's sheets.
    settings : StudySettings
        Its settings.
    headers : mapping of str to Header or None
        From `open_headers`.

    Yields
    ------
    Finding
        Rule ``header.*`` or ``image.*``.
    """
    told: set[str] = set()
    bands = {band.channel for band in settings.instrument.bands}
    for row in sheets.samples:
        image = headers.get(row.image)
        # a channel that the settings do not know is told once, by its own rule
        if image is not None and row.channel in bands:
            found = [*_check_image(row, image, settings, told), *_check_companions(row, image, headers, settings)]
            # what is said of an image that several animals share is said once; of their rows, for each
            yield from (one for one in found if one.place.file == SHEET or _is_new(one, told))
    yield from _check_full_scale(sheets, headers, settings)
    yield from _check_landmarks(sheets, headers, settings)
    yield from check_clock(sheets.samples, {path: one.acquired for path, one in headers.items() if one is not None})
    yield from _check_lanes(sheets, headers, settings)


def _is_new(finding: Finding, told: set[str]) -> bool:
    key = f"{finding.rule} {finding.place}"
    new = key not in told
    told.add(key)
    return new


def _check_lanes(sheets: Sheets, headers: Headers, settings: StudySettings) -> Iterator[Finding]:
    """As many animals in an image as the sheet names."""
    views: dict[str, dict[tuple[str, str, str], list[SampleRow]]] = {}
    for row in sheets.samples:
        views.setdefault(row.image, {}).setdefault((row.animal, row.session, row.view), []).append(row)
    for image, lanes in lanes_named(sheets.samples).items():
        rows = next(iter(views[image].values()))
        if any(headers.get(path) is None for row in rows for path in (row.image, row.photo, row.background) if path):
            continue
        try:
            view = open_view(file_reader(sheets.study, settings), rows, settings)
            find_view_lanes(view, lanes, settings)
            yield from _check_unnamed_lanes(image, view, lanes, settings)
        except ImageError as error:
            # what else may be wrong with the files is told by the rules above
            yield from (one for one in error.findings if one.rule == "image.lane-count")


def _check_unnamed_lanes(
    image: str, view: ViewInput, lanes: tuple[int, ...], settings: StudySettings
) -> Iterator[Finding]:
    """Animals between borders that no row names; without borders the count is wrong, and said so."""
    if not settings.stage.lane_edges_mm:
        return
    pixel_mm = settings.instrument.pixel_mm
    bodies = find_bodies(stage_photograph(view, settings), pixel_mm=pixel_mm, stage=settings.stage)
    for lane in strangers(bodies, settings.stage, lanes):
        seen = f"lane {lane} shows an animal, and no row of {SHEET} names it."
        mend = "Add its rows, or leave it: the lane is not analysed."
        yield Finding("image.lane-unnamed", Severity.WARNING, Place(image), seen, mend)


def _check_landmarks(sheets: Sheets, headers: Headers, settings: StudySettings) -> Iterator[Finding]:
    """Landmarks lie on the image."""
    images = {(row.animal, row.session, row.view): headers.get(row.image) for row in sheets.samples}
    for mark in sheets.landmarks:
        image = images.get((mark.animal, mark.session, mark.view))
        if image is None:
            continue
        pixel = settings.instrument.pixel_mm
        turned = image.shape if settings.stage.head in ("up", "down") else image.shape[::-1]
        for column, value, count in zip(("y_mm", "x_mm"), (mark.y_mm, mark.x_mm), turned, strict=True):
            if value > (count - 1) * pixel:
                seen = f"{value:g} mm is off the image, which ends at {(count - 1) * pixel:g} mm."
                mend = "Write millimetres from the centre of the first pixel, not pixels."
                place = Place(SHEET_LANDMARKS, mark.row, column)
                yield Finding("header.landmark", Severity.ERROR, place, seen, mend)


def _check_full_scale(sheets: Sheets, headers: Headers, settings: StudySettings) -> Iterator[Finding]:
    """A camera of fewer bits than its files piles up below `full_scale_counts`: saturation would go unnoticed."""
    full = settings.instrument.full_scale_counts
    named = {(row.channel, row.image): row for row in sheets.samples}
    found: dict[str, list[tuple[float, int, SampleRow]]] = {}
    for (channel, path), row in named.items():
        image = headers.get(path)
        index = None if image is None else image.index(channel)
        if image is not None and index is not None and not image.constant[index]:
            entry = (image.highest[index], image.at_highest[index], row)
            found.setdefault(channel, []).append(entry)
    if any(highest >= full for entries in found.values() for highest, _, _ in entries):
        return
    for channel, entries in found.items():
        top = max(highest for highest, _, _ in entries)
        piled = [(count, row) for highest, count, row in entries if highest == top and count >= PILED_UP]
        if piled:
            count, row = piled[0]
            seen = (
                f"no image reaches {full:g} counts, and {count} pixels of {channel} in {row.image} share its largest count, "
                f"{top:g}: the camera may end there, and saturation would go unnoticed."
            )
            mend = "Write the count at which the converter saturates: 4095 for 12 bits, 16383 for 14 bits."
            place = Place(SETTINGS, None, "instrument.full_scale_counts")
            yield Finding("header.full-scale", Severity.WARNING, place, seen, mend)


def _paths(sheets: Sheets, settings: StudySettings) -> list[str]:
    named = [path for row in sheets.samples for path in (row.image, row.background, row.photo)]
    named += [band.flat for band in settings.instrument.bands]
    return [path for path in dict.fromkeys(named) if path and (sheets.study / path).exists()]


def _spread_of(planes: Iterable[NDArray[Any]]) -> tuple[tuple[float, ...], ...]:
    """Floor, median and spread per plane, from enough of its pixels."""
    found = []
    for plane in planes:
        some = plane.ravel()[:: max(plane.size // ENOUGH_PIXELS, 1)]
        floor, low, middle, high = np.percentile(some, (1, 16, 50, 84)) if some.size else (math.nan,) * 4
        found.append((float(floor), float(middle), float(high - low) / 2))
    return tuple(zip(*found, strict=True)) if found else ((), (), ())


def _summary(image: RawImage, full_scale: float) -> Header:
    planes = list(image.counts)
    floor, level, spread = _spread_of(planes)
    _, dark_level, dark_spread = _spread_of(
        () if image.dark is None else np.broadcast_to(image.dark, image.counts.shape)
    )
    return Header(
        channels=image.channels,
        shape=image.counts.shape[1:],
        pixel_mm=image.pixel_mm,
        exposure_s=image.exposure_s,
        excitation_nm=image.excitation_nm,
        emission_nm=image.emission_nm,
        acquired=image.acquired,
        synthetic=image.synthetic,
        constant=tuple(not (plane.size and plane.min() < plane.max()) for plane in planes),
        saturated=tuple(
            float(np.count_nonzero(plane >= SATURATED_SHARE * full_scale)) / max(plane.size, 1) for plane in planes
        ),
        highest=tuple(float(plane.max(initial=0)) for plane in planes),
        at_highest=tuple(int(np.count_nonzero(plane == plane.max(initial=0))) for plane in planes),
        dark=image.dark is not None,
        photo=() if image.photo is None else image.photo.shape,
        photo_pixel_mm=image.photo_pixel_mm,
        floor=floor,
        level=level,
        spread=spread,
        dark_level=dark_level,
        dark_spread=dark_spread,
    )


def _unreadable(path: str, error: ImageError, sheets: Sheets, settings: StudySettings) -> Iterator[Finding]:
    row = next((row for row in sheets.samples if path in (row.image, row.background, row.photo)), None)
    where = f" (row {row.row} of {SHEET})" if row is not None else f" (a flat of {SETTINGS})"
    for finding in error.findings:
        rule = finding.rule if finding.rule.startswith("image.") else f"image.{finding.rule.split('.')[-1]}"
        yield Finding(rule, Severity.ERROR, Place(path), finding.seen + where, finding.mend)
    if not error.findings:
        yield Finding("image.unreadable", Severity.ERROR, Place(path), f"{error}{where}.", "Export it again.")


def _check_image(row: SampleRow, image: Header, settings: StudySettings, told: set[str]) -> Iterator[Finding]:
    index = image.index(row.channel)
    if index is None:
        seen = f"{row.image} has the channels {', '.join(image.channels)}, not {row.channel}."
        mend = "Correct the channel, or name the file that holds it."
        yield _fault("header.channel", row, "channel", seen, mend)
        return
    yield from _check_number(row, "exposure_s", image.exposure_s[index], "s", EXPOSURE_TOLERANCE * row.exposure_s)
    for column, value in (("excitation_nm", image.excitation_nm[index]), ("emission_nm", image.emission_nm[index])):
        yield from _check_number(row, column, value, "nm", WAVELENGTH_TOLERANCE_NM)
    if row.image not in told:
        told.add(row.image)
        yield from _check_whole_image(row, image, settings)
    if image.constant[index]:
        place = Place(row.image, None, row.channel)
        mend = "Export it again; if the camera failed, take this session's rows out of the sheet."
        seen = f"the channel {row.channel} is empty: every pixel is the same (row {row.row} of {SHEET})."
        yield Finding("image.constant", Severity.ERROR, place, seen, mend)
    elif image.saturated[index] > settings.analysis.saturated_fraction_max:
        share, most = 100 * image.saturated[index], 100 * settings.analysis.saturated_fraction_max
        seen = f"{share:.2g} % of all pixels of {row.channel} are saturated; {most:g} % of the animal's are allowed."
        mend = "Image again with a shorter exposure; the analysis refuses this image if they lie on the animal."
        yield Finding("image.saturated", Severity.WARNING, Place(row.image, None, row.channel), seen, mend)


def _check_whole_image(row: SampleRow, image: Header, settings: StudySettings) -> Iterator[Finding]:
    expected = settings.instrument.pixel_mm
    if math.isfinite(image.pixel_mm) and abs(image.pixel_mm - expected) > PIXEL_TOLERANCE * expected:
        seen = f"{row.image} says {image.pixel_mm:g} mm a pixel, {SETTINGS} says {expected:g} mm."
        mend = _unit_mend(expected, image.pixel_mm, "mm", "micrometres", "instrument.pixel_mm")
        yield _fault("header.pixel", row, "image", seen, mend)
    if image.synthetic and not settings.study.synthetic:
        seen = f"{row.image} says that it was simulated, and {SETTINGS} does not."
        yield _fault("header.synthetic", row, "image", seen, f"Write synthetic = true under [study] in {SETTINGS}.")


def _check_companions(row: SampleRow, image: Header, headers: Headers, settings: StudySettings) -> Iterator[Finding]:
    band = next((band for band in settings.instrument.bands if band.channel == row.channel), None)
    companions = (("background", row.background), ("flat", band.flat if band else ""))
    if not row.background and not image.dark:
        yield _fault("header.no-dark", row, "background", *no_dark(row))
    yield from _check_photo(row, image, headers, settings)
    for column, path in companions:
        other = headers.get(path)
        if other is None:
            continue
        if other.shape != image.shape:
            seen = f"{path} has {_pixels(other)}, {row.image} has {_pixels(image)}."
            mend = "Name a file of the same binning and field of view."
            yield _fault("header.shape", row, "image" if column == "flat" else column, seen, mend)
        index = other.index(row.channel)
        if index is None:
            seen = f"{path} has the channels {', '.join(other.channels)}, not {row.channel}."
            yield _fault("header.channel", row, "channel", seen, f"Name a {column} file of this band.")
        elif column == "background":
            exposure = other.exposure_s[index]
            if math.isfinite(exposure) and abs(exposure - row.exposure_s) > EXPOSURE_TOLERANCE * row.exposure_s:
                seen = f"the dark frame {path} was exposed {exposure:g} s, the image {row.exposure_s:g} s."
                yield _fault("header.dark-exposure", row, column, seen, "Name a dark frame of the same exposure.")


def _check_photo(row: SampleRow, image: Header, headers: Headers, settings: StudySettings) -> Iterator[Finding]:
    """The photograph, of whatever scale, shows the image's field."""
    path = row.photo or row.image
    source = headers.get(path)
    if source is None or not (row.photo or source.photo):
        return
    own, pixel_mm = (source.photo, source.photo_pixel_mm) if source.photo else (source.shape, source.pixel_mm)
    fault = photograph_fault(
        (own[0], own[1]),
        (image.shape[0], image.shape[1]),
        pixel_mm=settings.instrument.pixel_mm,
        photo_pixel_mm=pixel_mm,
    )
    if fault:
        what = path if row.photo else f"the photograph of {path}"
        yield _fault("header.shape", row, "photo" if row.photo else "image", f"{what} {fault}.", PHOTO_MEND)


def _check_number(row: SampleRow, column: str, value: float, unit: str, tolerance: float) -> Iterator[Finding]:
    given = getattr(row, column)
    if not math.isfinite(value) or abs(value - given) <= tolerance:
        return
    seen = f"the sheet says {given:g} {unit}, {row.image} says {value:g} {unit}."
    smaller = {"s": "milliseconds", "nm": "picometres"}[unit]
    yield _fault(f"header.{column.rsplit('_', 1)[0]}", row, column, seen, _unit_mend(given, value, unit, smaller, "it"))


def _unit_mend(given: float, value: float, unit: str, smaller: str, what: str) -> str:
    """Name the slip of unit, where the ratio is one."""
    if math.isclose(given, 1000 * value, rel_tol=0.02):
        return f"It looks like {smaller}: write {value:g}."
    if math.isclose(given * 1000, value, rel_tol=0.02):
        bigger = {"s": "kiloseconds", "nm": "micrometres", "mm": "metres"}[unit]
        return f"It looks like {bigger}: write {value:g}."
    return f"Correct {what}, or name the right file."


def _fault(rule: str, row: SampleRow, column: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, Place(SHEET, row.row, column), seen, mend)


def _pixels(header: Header) -> str:
    return f"{header.shape[0]} x {header.shape[1]} pixels"
