"""Standards from the sheet to one scale: Lambertian flux over all recorded bands, ph s-1, background taken off."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.amounts import Standard
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RawImage
from lampyris.core.schemas import StandardRow
from lampyris.core.settings import Band, Instrument, StudySettings
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import (
    SATURATED_SHARE,
    lambertian_flux,
    radiance_from_counts,
    radiance_per_count_rate,
)
from lampyris.imaging.standards import flux_in_circle
from lampyris.io.images.frames import mean_image
from lampyris.io.paths import inside
from lampyris.probe.probe import Probe, band_fractions, probe_from_settings
from lampyris.study.opening.views import channel_index
from lampyris.study.rules.sheets import SHEET_STANDARDS

_NAN = math.nan


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of standards.csv and the standard that it became."""

    row: StandardRow
    standard: Standard


def standard_files(rows: Sequence[StandardRow], settings: StudySettings, /) -> tuple[str, ...]:
    """Every file or folder of an image that measuring the standards reads, relative to the study, sorted."""
    files = {path for row in rows if row.image for path in (row.image, row.background) if path}
    if any(row.image for row in rows):
        files |= {band.flat for band in settings.instrument.bands if band.flat}
    return tuple(sorted(files))


def measure_standards(
    study: Path, rows: Sequence[StandardRow], settings: StudySettings, /
) -> tuple[tuple[Measured, ...], tuple[Finding, ...]]:
    """Bring every standard to one scale: Lambertian flux in ph s-1, background taken off.

    Parameters
    ----------
    study : Path
        The study's directory.
    rows : sequence of StandardRow
        Checked rows of standards.csv.
    settings : StudySettings

    Returns
    -------
    measured : tuple of Measured
        In the order of the sheet; those whose image cannot be measured are left out.
    findings : tuple of Finding
        One per standard that is left out.
    """
    first = min((date.fromisoformat(row.date[:10]) for row in rows if row.date), default=None)
    measured, findings = [], []
    for row in rows:
        try:
            flux, sd = _flux_of(study, row, settings)
        except (ImageError, ValueError) as error:
            where = Place(SHEET_STANDARDS, row.row, "image")
            seen = f"the standard {row.standard} cannot be measured: {error}"
            mend = "Correct place and radius, or export the image again; the line is drawn without it."
            findings.append(
                Finding("standards.unmeasured", Severity.WARNING, where, " ".join(seen.split()) + ".", mend)
            )
            continue
        day = _NAN if first is None or not row.date else float((date.fromisoformat(row.date[:10]) - first).days)
        measured.append(Measured(row, _standard(row, settings, day, flux, sd)))
    return tuple(measured), tuple(findings)


def _standard(row: StandardRow, settings: StudySettings, day: float, flux: float, sd: float) -> Standard:
    return Standard(
        name=row.standard,
        kind=row.kind,
        probe=row.probe or _only(settings.probes),
        instrument=row.instrument or settings.instrument.name,
        depth_mm=row.depth_mm,
        amount=row.amount,
        amount_sd=_or(row.amount_sd, 0.0),
        unit=row.unit,
        stock_relative_sd=_or(row.stock_relative_sd, 0.0),
        flux=flux,
        flux_sd=sd,
        day=day,
        replicate=row.replicate,
    )


def _only(names: Mapping[str, object]) -> str:
    return next(iter(names)) if len(names) == 1 else ""


def _flux_of(study: Path, row: StandardRow, settings: StudySettings) -> tuple[float, float]:
    """Flux over all bands, and its standard deviation."""
    instrument = settings.instrument
    name = row.probe or _only(settings.probes)
    probe = probe_from_settings(name, settings.probes[name]) if name in settings.probes else None
    factor = all_bands_over(row.channel, probe, instrument.bands)
    if row.image:
        # a blank well is dark and yet no fault
        radiance = radiance_from_counts(*_opened(study, row, settings), may_be_dark=True)
        flux, sd = flux_in_circle(
            radiance.values.sum(axis=0),
            (row.y_mm, row.x_mm),
            row.radius_mm,
            pixel_mm=radiance.pixel_mm,
            flags=np.bitwise_or.reduce(radiance.flags, axis=0),
        )
        return factor * flux, factor * sd
    factor *= flux_per_unit(row.value_unit, instrument, channel=row.channel)
    return factor * (row.value - _or(row.background_value, 0.0)), factor * _or(row.value_sd, 0.0)


def all_bands_over(channel: str, probe: Probe | None, bands: Sequence[Band], /) -> float:
    """Probe light in all bands over that in one: lesions are measured in all, a standard may be in one.

    Parameters
    ----------
    channel : str
        Band of the standard; empty for all.
    probe : Probe or None
        Whose spectrum; None where it is not known.
    bands : sequence of Band

    Returns
    -------
    float
        1 for all bands.
    """
    if not channel or len(bands) < 2 or probe is None:
        return 1.0
    share = band_fractions(probe, tuple(bands))
    return float(share.sum() / share[[band.channel for band in bands].index(channel)])


def flux_per_unit(unit: str, instrument: Instrument, /, *, channel: str = "") -> float:
    """Lambertian flux, ph s-1, that one unit of a standard's signal stands for.

    Parameters
    ----------
    unit : str
        ``ph s-1``; ``vendor ph s-1`` (4 pi, four times as large); ``radiance sum`` over the pixels, ph s-1 cm-2 sr-1;
        ``counts s-1``, summed over the pixels.
    instrument : Instrument
    channel : str
        Band of the counts, whose filter's transmission counts; the only one by default.

    Returns
    -------
    float
    """
    if unit == "counts s-1":
        index = [band.channel for band in instrument.bands].index(channel) if channel else 0
        return lambertian_flux(radiance_per_count_rate(instrument)[index], instrument.pixel_mm)
    if unit == "radiance sum":
        return lambertian_flux(1.0, instrument.pixel_mm)
    return 0.25 if unit == "vendor ph s-1" else 1.0


def _opened(study: Path, row: StandardRow, settings: StudySettings) -> tuple[ViewInput, Instrument]:
    """The standard's image with its dark and flat, as a session's view is opened, and the instrument of its bands and pitch."""
    instrument = settings.instrument

    def opened(path: str) -> RawImage:
        return mean_image(
            inside(study, path, place=Place(SHEET_STANDARDS, row.row)),
            settings.limits,
            file=path,
            saturation_counts=SATURATED_SHARE * instrument.full_scale_counts,
        )

    image = opened(row.image)
    found = _bands_of(row, image, instrument)
    places = [index for _, index in found]
    bands, counts = tuple(band for band, _ in found), image.counts[places]
    shape = counts.shape[1:]
    if row.background:
        other = opened(row.background)
        dark = np.stack([_plane(other, row.background, band.channel, shape) for band in bands])
    elif image.dark is not None:
        dark = np.asarray(image.dark[places], np.float64)
    else:
        raise ValueError(f"{row.image} brings no dark frame; name one in the column background")
    flat = [
        _plane(opened(band.flat), band.flat, band.channel, shape) if band.flat else np.ones(shape) for band in bands
    ]
    view = ViewInput(
        view="",
        image=RawImage(
            counts=counts,
            channels=tuple(band.channel for band in bands),
            pixel_mm=image.pixel_mm,
            exposure_s=(row.exposure_s,) * len(bands),
            excitation_nm=tuple(image.excitation_nm[place] for place in places),
            emission_nm=tuple(image.emission_nm[place] for place in places),
            frames=image.frames,
        ),
        exposure_s=(row.exposure_s,) * len(bands),
        photo=None,
        dark=dark,
        flat=np.stack(flat),
        file=row.image,
        radiance_per_count_rate=tuple(image.radiance_per_count_rate[place] for place in places)
        if image.radiance_per_count_rate
        else (),
    )
    pixel_mm = image.pixel_mm if image.pixel_mm > 0 else instrument.pixel_mm
    return view, instrument.model_copy(update={"bands": bands, "pixel_mm": pixel_mm})


def _plane(image: RawImage, path: str, channel: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A band of a dark or flat image, which must have the standard's shape."""
    index = channel_index(image, channel)
    if index is None:
        raise ValueError(f"{path} has the channels {', '.join(image.channels)}, not {channel}")
    plane = np.asarray(image.counts[index], np.float64)
    if plane.shape != shape:
        raise ValueError(f"{path} has shape {plane.shape}, the image {shape}")
    return plane


def _bands_of(row: StandardRow, image: RawImage, instrument: Instrument) -> list[tuple[Band, int]]:
    """The bands that a standard is measured in, each with its channel of the image."""
    wanted = [band for band in instrument.bands if row.channel in ("", band.channel)]
    found = [(band, image.channels.index(band.channel)) for band in wanted if band.channel in image.channels]
    if not found and len(wanted) == 1 and len(image.channels) == 1:
        # an image of one channel needs no name
        found = [(wanted[0], 0)]
    if len(found) < len(wanted):
        missing = ", ".join(band.channel for band in wanted if band not in [one for one, _ in found])
        raise ValueError(
            f"{row.image} has the channels {', '.join(image.channels)} and not {missing}; name its band in the column channel"
        )
    return found


def _or(value: float, default: float) -> float:
    return value if math.isfinite(value) else default
