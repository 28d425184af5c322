"""Organs on a tray: one image to the probe light of each organ and how much of it left the tissue.

In the order of use: `analyse_tray` (calibrate, outline, name, measure, correct), then `lampyris.assays.exvivo.amounts` for what the
light amounts to.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from lampyris.assays.exvivo.escape import (
    Escape,
    escape_estimate,
    mean_height_mm,
    organ_escape,
    stands_in,
    tissue_of,
    unevenness,
)
from lampyris.assays.exvivo.light import OrganLight, measure_light, share_beside
from lampyris.assays.exvivo.names import (
    Fit,
    SizeCheck,
    check_sizes,
    is_organ_name,
    name_organs,
    sheet_reader,
    sizes_judge,
)
from lampyris.assays.exvivo.outlines import Segment, find_organs, touches, with_drawn
from lampyris.assays.exvivo.partings import Judge
from lampyris.core.assays import OrganFlag
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import FLUX_UNIT, Radiance
from lampyris.core.regions import TiedRegion
from lampyris.core.schemas import OrganRow
from lampyris.core.settings import StudySettings
from lampyris.imaging.detection.outlines import closed_outline
from lampyris.imaging.drawn import polygon_mask
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import radiance_from_counts
from lampyris.imaging.radiance.unmix import mixing_matrix, unmix
from lampyris.probe.probe import Probe, probe_from_settings
from lampyris.statistics.intervals import normal_interval

WEIGHING_SD_G = 0.0002
# below so many standard deviations an organ's light is not told from nothing
FAINT_SDS = 2.0
# light in spots beyond this share is said; less is what domes and tissue make of even probe
UNEVEN_SHARE = 0.3
# the light of an organ of whose escape less than this is left leans on the correction
THICK_ESCAPE = 1.0 / 3.0
# an organ whose tissue is not known is computed as muscle's neighbour with this spread of its escape
UNKNOWN_TISSUE, UNKNOWN_LOG_SD = "heart", 0.6
INNER_MM = 0.8
# light that a tray of organs and nothing else has away from its outlines is a few per cent
MOST_BESIDE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredOrgan:
    """An organ with its light, before any amount.

    Parameters
    ----------
    row : OrganRow
    probe : str
        Key of [probes]; empty for unlabelled animals.
    place : int
    segment : Segment
    outline_mm : tuple of (y, x)
    area_mm2, y_mm, x_mm, thickness_mm : float
    tissue : str
    weight_g : Estimate
    flux : Estimate
        ph s-1, calibration included in its interval.
    flux_sd : float
        Without the calibration, for ratios to standards of the same camera.
    tray_flux : float
    escape : Estimate
    flags : tuple of str
    """

    row: OrganRow
    probe: str
    place: int
    segment: Segment
    outline_mm: tuple[tuple[float, float], ...]
    area_mm2: float
    y_mm: float
    x_mm: float
    thickness_mm: float
    tissue: str
    weight_g: Estimate
    flux: Estimate
    flux_sd: float
    tray_flux: float
    escape: Estimate
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredTray:
    """A tray, measured.

    Parameters
    ----------
    organs : tuple of MeasuredOrgan
        By place.
    photo, probe : ndarray, dims (y, x), float32
        Photograph, 0 to 1, and non-negative probe radiance.
    pixel_mm : float
    remarks : tuple of Finding
        Warnings of organs whose outline and weight do not go together.
    """

    organs: tuple[MeasuredOrgan, ...]
    photo: NDArray[np.float32]
    probe: NDArray[np.float32]
    pixel_mm: float
    remarks: tuple[Finding, ...] = ()


def analyse_tray(
    view: ViewInput,
    rows: Sequence[OrganRow],
    probes: Mapping[str, str],
    settings: StudySettings,
    /,
    *,
    drawn: Sequence[TiedRegion] = (),
) -> MeasuredTray:
    """Measure the organs of one tray.

    Parameters
    ----------
    view : ViewInput
        Opened image; its photograph if there is one.
    rows : sequence of OrganRow
        Organs on it.
    probes : mapping of animal to str
        Probe of each animal; "" for unlabelled ones.
    settings : StudySettings
        Instrument with the bands and the pixel of this image.
    drawn : sequence of TiedRegion
        A person's outlines, in pixels of the image.

    Returns
    -------
    MeasuredTray

    Raises
    ------
    ImageError
        If the image cannot be calibrated, its organs cannot be outlined or named, or its light lies beside them.
    """
    instrument = settings.instrument
    radiance = radiance_from_counts(view, instrument)
    pixel = instrument.pixel_mm
    glow = radiance.values.sum(axis=0)
    looks = view.photo if view.photo is not None else glow
    by_hand = _by_hand(drawn, radiance.values.shape[1:], rows)
    tied, checks, remarks = _tied(looks, glow, by_hand, rows, pixel, view.file)
    tied = tuple(_trusted(one, check) for one, check in zip(tied, checks, strict=True))
    used = sorted({name for name in (probes.get(row.animal, "") for row in rows) if name})
    shown = used[0] if used else next(iter(settings.probes))
    lights = {
        name: _lights(radiance, name, [segment.mask for _, segment, _ in tied], settings) for name in (used or [shown])
    }
    organs = []
    for index, (row, segment, place) in enumerate(tied):
        name = probes.get(row.animal, "")
        organs.append(_organ(index, (row, segment, place, name), lights[name or shown], tied, settings, checks[index]))
    scaled = np.asarray(looks, np.float64)
    low, high = np.percentile(scaled, [0.5, 99.8])
    return MeasuredTray(
        tuple(organs),
        np.clip((scaled - low) / max(high - low, 1e-12), 0.0, 1.0).astype(np.float32),
        np.maximum(lights[shown].net, 0.0).astype(np.float32),
        pixel,
        remarks,
    )


def _trusted(one: tuple[OrganRow, Segment, int], check: SizeCheck) -> tuple[OrganRow, Segment, int]:
    """An organ without a weight that cannot be its own."""
    row, segment, place = one
    return (replace(row, weight_g=math.nan), segment, place) if check.fit is Fit.WEIGHT else one


def _tied(
    looks: NDArray[np.floating],
    glow: NDArray[np.float64],
    by_hand: Sequence[Segment],
    rows: Sequence[OrganRow],
    pixel_mm: float,
    file: str,
) -> tuple[tuple[tuple[OrganRow, Segment, int], ...], tuple[SizeCheck, ...], tuple[Finding, ...]]:
    """Organs with their outlines, and how these fit their weights.

    Where the picture does not say which cuts part organs that touch, or the organs that its cuts make cannot be those of the sheet, the
    weights are asked which cuts do.
    """

    def read(judge: Judge | None) -> tuple[Any, tuple[SizeCheck, ...], tuple[Finding, ...]]:
        segments = _outlined(looks, glow, by_hand, rows, pixel_mm, file, judge)
        tied = name_organs(segments, rows, pixel_mm=pixel_mm, file=file)
        return tied, *check_sizes(tied, pixel_mm=pixel_mm, file=file)

    judge = None if by_hand else sizes_judge(rows, pixel_mm=pixel_mm)
    try:
        found = read(None)
    except ImageError as error:
        if judge is None:
            raise
        try:
            return read(judge)
        except ImageError:
            raise error from None
    if judge is None or not _misparted(found):
        return found
    # a cut in the wrong place shifts the names of all that follow: without a better one nothing on the tray is sure
    again = read(judge)
    if _misparted(again):
        raise ImageError(
            f"{file}: the organs on the tray cannot be named",
            [replace(one, severity=Severity.ERROR) for one in again[2]],
        )
    return again


def _misparted(found: tuple[Any, tuple[SizeCheck, ...], tuple[Finding, ...]]) -> bool:
    """Whether organs touch and one, wherever it lies, cannot be of its weight: a wrong cut gives names to the wrong organs."""
    tied, checks, _ = found
    touching = any(segment.touching for _, segment, _ in tied)
    return touching and any(one.fit not in (Fit.USUAL, Fit.ODD) for one in checks)


def _outlined(
    looks: NDArray[np.floating],
    glow: NDArray[np.float64],
    by_hand: Sequence[Segment],
    rows: Sequence[OrganRow],
    pixel_mm: float,
    file: str,
    judge: Judge | None,
) -> tuple[Segment, ...]:
    """Outlines by a person, and automatic ones of what these leave."""
    if len(by_hand) == len(rows):
        # every organ is outlined by a person: nothing else on the tray counts
        return with_drawn((), by_hand)
    count, reader = (None, None) if by_hand else (len(rows), sheet_reader(rows, pixel_mm=pixel_mm))
    try:
        found = find_organs(looks, pixel_mm=pixel_mm, count=count, glow=glow, judge=judge, reader=reader, file=file)
    except ImageError:
        # what is wrong with the photograph is said before what is wrong with the sheet
        _check_field(glow, find_organs(looks, pixel_mm=pixel_mm, glow=glow, file=file), pixel_mm, file)
        raise
    segments = with_drawn(found, by_hand)
    _check_field(glow, segments, pixel_mm, file)
    return segments


def _check_field(glow: NDArray[np.float64], segments: Sequence[Segment], pixel_mm: float, file: str) -> None:
    """Refuse a tray whose light does not lie on the organs of its photograph."""
    beside = share_beside(glow, [one.mask for one in segments], pixel_mm)
    if beside > MOST_BESIDE:
        seen = f"{100 * beside:.0f} % of the light shines where the photograph shows no organ."
        mend = (
            "Look whether image and photograph are of the same tray and turned alike, and whether something else shines on it; or "
            "outline every organ by hand."
        )
        raise ImageError(
            f"{file}: light and photograph do not fit",
            [Finding("exvivo.field", Severity.ERROR, Place(file), seen, mend)],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Light:
    """A tray's light, unmixed for one probe."""

    probe: Probe
    seen_share: NDArray[np.float64]
    organs: tuple[OrganLight, ...]
    net: NDArray[np.float64]
    variance: NDArray[np.float64]


def _lights(radiance: Radiance, name: str, masks: Sequence[NDArray[np.bool_]], settings: StudySettings) -> _Light:
    instrument = settings.instrument
    probe = probe_from_settings(name, settings.probes[name])
    mixing = mixing_matrix(instrument, probe)
    abundance = unmix(radiance, mixing)
    weights = np.linalg.pinv(mixing)[0]
    colour = mixing[:, 1] if mixing.shape[1] > 1 else np.zeros(len(weights))
    found = measure_light(
        abundance,
        masks,
        blur_mm=instrument.blur_mm,
        colour_gain=float(np.linalg.norm(weights * colour)),
        spectral_error=settings.analysis.spectral_error,
    )
    return _Light(probe, weights, found.organs, found.probe, abundance.variance[0])


def _by_hand(drawn: Sequence[TiedRegion], shape: tuple[int, int], rows: Sequence[OrganRow]) -> tuple[Segment, ...]:
    """A person's outlines on the image, each with the name that says whose organ it is, if one does."""
    segments = []
    for one in drawn:
        mask = polygon_mask(one.region.outline_px, shape)
        if mask.any():
            # programs give every outline a name of their own; what a person wrote must be right
            name = one.region.name if is_organ_name(one.region.name, rows) else one.region.label
            segments.append(Segment(mask, drawn=True, label=name))
    return tuple(segments)


def _organ(
    index: int,
    who: tuple[OrganRow, Segment, int, str],
    light: _Light,
    tied: Sequence[tuple[OrganRow, Segment, int]],
    settings: StudySettings,
    check: SizeCheck,
) -> MeasuredOrgan:
    row, segment, place, name = who
    level = settings.analysis.interval_level
    pixel = settings.instrument.pixel_mm
    found = _with_dispute(light.organs[index], segment, light.net)
    tissue = tissue_of(row.organ, row.tissue)
    escape = uneven = None
    if name:
        escape, uneven = _escape(row, segment, tissue, light, settings)
    spotted = uneven is not None and uneven > UNEVEN_SHARE
    estimate = (
        Estimate.unknown(level, "1", "unlabelled: nothing to correct")
        if escape is None or uneven is None
        else escape_estimate(_spread(escape, tissue, check), uneven if spotted else 0.0, level=level)
    )
    others = np.logical_or.reduce(
        [other.mask for _, other, _ in tied if other is not segment] or [~segment.mask & False]
    )
    y, x = segment.centroid_px()
    flags = (
        (found.saturated, OrganFlag.SATURATED),
        (found.edge, OrganFlag.EDGE),
        (segment.touching or touches(segment.mask, others), OrganFlag.TOUCHING),
        (segment.disputed is not None, OrganFlag.BORDER_UNSURE),
        (segment.drawn, OrganFlag.DRAWN),
        (spotted, OrganFlag.UNEVEN),
        (found.flux < FAINT_SDS * found.sd, OrganFlag.FAINT),
        (math.isnan(row.weight_g), OrganFlag.NO_WEIGHT),
        (not tissue or stands_in(tissue), OrganFlag.PROXY_OPTICS),
        (math.isnan(row.thickness_mm), OrganFlag.SHAPE_ASSUMED),
        (check.fit in (Fit.ODD, Fit.WEIGHT), OrganFlag.UNLIKELY_SHAPE),
        (segment.unsure or check.fit is Fit.NAME, OrganFlag.NAME_UNSURE),
        (escape is not None and escape.value < THICK_ESCAPE, OrganFlag.THICK),
    )
    return MeasuredOrgan(
        row=row,
        probe=name,
        place=place,
        segment=segment,
        outline_mm=closed_outline(segment.mask, pixel_mm=pixel),
        area_mm2=float(segment.mask.sum()) * pixel**2,
        y_mm=y * pixel,
        x_mm=x * pixel,
        thickness_mm=mean_height_mm(segment.mask, tissue, pixel, weight_g=row.weight_g, thickness_mm=row.thickness_mm),
        tissue=tissue,
        weight_g=weighed(row, level),
        flux=_flux(found, settings.instrument.radiance_relative_sd, level),
        flux_sd=found.sd,
        tray_flux=found.tray_flux,
        escape=estimate,
        flags=tuple(str(flag) for held, flag in flags if held),
    )


def _with_dispute(found: OrganLight, segment: Segment, net: NDArray[np.float64]) -> OrganLight:
    """An organ's light, of which some may be its neighbour's: with it and without it lie two standard deviations apart."""
    whole = float(net[segment.mask].sum())
    if segment.disputed is None or not whole > 0:
        return found
    share = max(float(net[segment.disputed].sum()), 0.0) / whole
    return replace(found, sd=math.hypot(found.sd, 0.5 * share * found.flux))


def _escape(
    row: OrganRow, segment: Segment, tissue: str, light: _Light, settings: StudySettings
) -> tuple[Escape, float]:
    """How light leaves an organ, and how unevenly its probe lies in it."""
    escape = organ_escape(
        segment.mask,
        tissue or UNKNOWN_TISSUE,
        light.probe,
        settings.instrument,
        weight_g=row.weight_g,
        thickness_mm=row.thickness_mm,
        seen_share=light.seen_share,
    )
    inner = distance_transform_edt(segment.mask) * settings.instrument.pixel_mm > INNER_MM
    return escape, unevenness(light.net, light.variance, escape, inner)


def _flux(found: OrganLight, calibration_relative_sd: float, level: float) -> Estimate:
    sd = math.hypot(found.sd, calibration_relative_sd * found.flux)
    method = "sum over the outline, tray light removed"
    flux = normal_interval(found.flux, sd, unit=FLUX_UNIT, method=method, level=level)
    if not found.saturated:
        return flux
    return replace(flux, high=math.inf, method=f"{method}; a lower bound: pixels are saturated")


def _spread(escape: Escape, tissue: str, check: SizeCheck) -> Escape:
    """The escape of an organ whose tissue is not known is hardly known; nor is that of one whose weight or outline is off.

    Either it lies oddly, or its weight is off by `weight_log_off`: two ways that lie two standard deviations apart.
    """
    off = 0.5 * check.weight_log_off if check.fit is Fit.ODD else 0.0
    return replace(escape, relative_sd=math.hypot(escape.relative_sd, 0.0 if tissue else UNKNOWN_LOG_SD, off))


def weighed(row: OrganRow, level: float, /) -> Estimate:
    """Weight of an organ in g; NaN throughout where it was not weighed."""
    if math.isnan(row.weight_g):
        return Estimate.unknown(level, "g", "not weighed")
    sd = row.weight_sd_g if math.isfinite(row.weight_sd_g) else WEIGHING_SD_G
    return normal_interval(row.weight_g, sd, unit="g", method="weighed", level=level)
