"""Imaging's own step: one view in, its result out. The batch path folds it over a session; a running stream may call it too."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import DetectionKind, PixelFlag
from lampyris.core.images import FLUX_UNIT, AbundanceMap, Pose, Radiance, Registration
from lampyris.core.results import Detection, WindowMoments
from lampyris.core.settings import StudySettings
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.body.animal import (
    edge_contact_mm,
    find_body,
    light_photograph,
    silhouette,
    stage_from_animal,
)
from lampyris.imaging.body.register import register_body, register_landmarks
from lampyris.imaging.detection.background import background_terms
from lampyris.imaging.detection.detect import FieldFit, Spot, SpotSearch, find_spots
from lampyris.imaging.detection.outlines import closed_outline
from lampyris.imaging.detection.photometry import SpotPhotometry, ViewImages, aperture_noise, measure_spots
from lampyris.imaging.detection.regions import ViewFrame, organ_signals, region_at, region_limits
from lampyris.imaging.detection.windows import MeasuredView, measured_view, session_windows
from lampyris.imaging.forward import project
from lampyris.imaging.inputs import SessionInput, ViewInput
from lampyris.imaging.light.nominal import NominalView, nominal_animal
from lampyris.imaging.radiance.calibrate import lambertian_flux, radiance_from_counts
from lampyris.imaging.radiance.unmix import mixing_matrix, unmix
from lampyris.probe.probe import Probe, probe_from_settings
from lampyris.statistics.thresholds import half_width
from lampyris.tissue.anatomy import surface_point_mm

INJECTION_SITE_MM = 9.0
LUNG_TRAPPING_DAYS = 1.0
# a tail may leave the image, a trunk not
CROPPED_MM = 6.0
# Dice's coefficient of outlines; a whole animal in a clear photograph reaches 0.98
POOR_OVERLAP = 0.94
ACROSS_RAD = 1.05
# a nose or a foot may come near something; a flank that does lies against another animal
TOUCHING_MM, NEAR_MM = 12.0, 2.5


def analyse_session(inputs: SessionInput, settings: StudySettings, /) -> SessionResult:
    """Analyse one animal in one session.

    Parameters
    ----------
    inputs : SessionInput
        Opened images and sheet entries.
    settings : StudySettings

    Returns
    -------
    SessionResult

    Raises
    ------
    ImageError
        If an image is empty, saturated, misfits its calibration or shows no animal.
    """
    probe = session_probe(inputs.probe, settings)
    views, findings = [], []
    measured: dict[str, MeasuredView] = {}
    for view in inputs.views:
        result, measured[view.view], remarks = analyse_view(view, inputs, settings, probe)
        views.append(result)
        findings += remarks
    windows = session_windows(measured)
    views = [_with_windows(view, measured[view.view], windows[view.view]) for view in views]
    return SessionResult(
        animal=inputs.animal,
        session=inputs.session,
        day=inputs.day,
        date=inputs.date,
        group=inputs.group,
        probe=inputs.probe,
        views=tuple(views),
        findings=tuple(findings),
    )


def session_probe(name: str, settings: StudySettings, /) -> Probe:
    """Probe of a session; an unlabelled control is unmixed with the study's first probe, so that it measures false alarms."""
    key = name or next(iter(settings.probes))
    return probe_from_settings(key, settings.probes[key])


def analyse_view(
    view: ViewInput, inputs: SessionInput, settings: StudySettings, probe: Probe, /
) -> tuple[ViewResult, MeasuredView, list[Finding]]:
    """Analyse one view: calibrate, find the animal, unmix, detect, measure, and say what would have been missed.

    The windows of its detections need the session's other views, and are measured when all of them are known.
    """
    instrument, options = settings.instrument, settings.analysis
    nominal = nominal_animal(
        instrument, probe, voxel_mm=options.voxel_mm, template_depths_mm=options.template_depths_mm
    )
    side = nominal.views[view.view]
    radiance = radiance_from_counts(view, instrument)
    photo = view.photo if view.photo is not None else light_photograph(radiance)
    body = find_body(photo, pixel_mm=instrument.pixel_mm, file=view.file, photographed=view.photo is not None)
    if not view.landmarks:
        # where a person says how it lies, it may lie as it likes
        _refuse_misplaced(view, body, side, instrument.pixel_mm)
    saturated = _refuse_saturated(radiance, body, view, options.saturated_fraction_max)
    registration = _registered(view, body, side, instrument.pixel_mm)
    abundance = unmix(radiance, mixing_matrix(instrument, probe), shown=_frame_of(body))
    frame = ViewFrame(nominal, side, registration.pose, body.shape, bounding_box(body))
    search = view_search(abundance, body, frame, settings, day=inputs.day, views=len(inputs.views))
    field = find_spots(search)
    images = ViewImages(
        total=radiance.values.sum(axis=0)[frame.crop],
        total_variance=radiance.variance.sum(axis=0)[frame.crop],
        flags=abundance.flags[frame.crop],
        calibration_relative_sd=instrument.radiance_relative_sd,
    )
    spots = measure_spots(search, field, images)
    detections, labels = _detections(search, field, spots, frame, inputs)
    limits = region_limits(search, field, frame, probe, settings)
    result = ViewResult(
        view=view.view,
        pixel_mm=instrument.pixel_mm,
        photo=_unit_range(photo),
        radiance=radiance.values.astype(np.float32),
        probe=abundance.values[0].astype(np.float32),
        probe_variance=abundance.variance[0].astype(np.float32),
        total_variance=radiance.variance.sum(axis=0).astype(np.float32),
        display=abundance.display[0].astype(np.float32),
        autofluorescence=_component(abundance, 1),
        flags=abundance.flags,
        body=body,
        lesions=labels,
        channels=radiance.channels,
        registration=registration,
        detections=detections,
        organ_signals=organ_signals(search, field, settings),
        limits=limits,
        body_flux=_body_flux(search, field, settings),
        quality=_quality(search, field, saturated, abundance, body),
        file=view.file,
        origin_px=view.origin_px,
        file_shape=view.file_shape,
    )
    return result, measured_view(search, field, frame), _remarks(view, photo, body, registration, search, field)


def _with_windows(
    view: ViewResult, measured: MeasuredView, windows: tuple[tuple[WindowMoments, ...], ...]
) -> ViewResult:
    """The view's detections with their windows in every view of the session."""
    found = tuple(replace(detection, windows=windows[_spot_of(measured, detection)]) for detection in view.detections)
    return replace(view, detections=found, window_noise=tuple(tuple(row) for row in measured.noise.tolist()))


def _spot_of(view: MeasuredView, detection: Detection) -> int:
    pixel, crop = view.search.pixel_mm, view.frame.crop
    places = [((spot.y + crop[0].start) * pixel, (spot.x + crop[1].start) * pixel) for spot in view.field.spots]
    apart = [np.hypot(y - detection.y_mm, x - detection.x_mm) for y, x in places]
    return int(np.argmin(apart))


def _registered(view: ViewInput, body: NDArray[np.bool_], side: NominalView, pixel_mm: float) -> Registration:
    """Where a person named places the animal lies by them, else by its outline."""
    mirrored = view.view == "ventral"
    if view.landmarks:
        marks = {name: (y_mm, x_mm) for name, y_mm, x_mm in view.landmarks}
        return register_landmarks(marks, side.outline, mirrored=mirrored)
    return register_body(body, side.outline, pixel_mm=pixel_mm, mirrored=mirrored)


def _refuse_saturated(radiance: Radiance, body: NDArray[np.bool_], view: ViewInput, allowed: float) -> float:
    share = max(float((one[body] & PixelFlag.SATURATED != 0).mean()) for one in radiance.flags)
    if share > allowed:
        raise ImageError(
            f"{view.file}: saturated",
            [
                Finding(
                    "image.saturated",
                    Severity.ERROR,
                    Place(file=view.file),
                    f"{100 * share:.2g} % of the animal's pixels are at full scale; at most {100 * allowed:.2g} % are allowed.",
                    "Repeat with a shorter exposure; or raise saturated_fraction_max in study.toml and read fluxes as lower bounds.",
                )
            ],
        )
    return share


def bounding_box(body: NDArray[np.bool_], /) -> tuple[slice, slice]:
    """Rows and columns that hold the body."""
    rows, columns = np.nonzero(body)
    return slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1)


def view_search(
    abundance: AbundanceMap,
    body: NDArray[np.bool_],
    frame: ViewFrame,
    settings: StudySettings,
    /,
    *,
    day: float,
    views: int,
) -> SpotSearch:
    """What is searched in one view: the probe on the body's bounding box, its noise, and the terms of the background.

    Parameters
    ----------
    abundance : AbundanceMap
        Of the whole image.
    body : ndarray of bool, dims (y, x)
    frame : ViewFrame
    settings : StudySettings
    day : float
        Since inoculation.
    views : int
        Of the session, which share its false alarms.
    """
    options, pixel, crop = settings.analysis, settings.instrument.pixel_mm, frame.crop
    # where the flat is very low, noise and the flat's own error are multiplied: such corners say nothing
    inner = (binary_erosion(body) & (abundance.flags & PixelFlag.LOW_FLAT == 0))[crop]
    held = {
        organ: project(image, frame.nominal.grid, frame.pose, shape=frame.shape, pixel_mm=pixel)[crop]
        for organ, image in frame.side.uptake.items()
        # cells caught in the lung are there on the day of injection only
        if organ != "lungs" or day < LUNG_TRAPPING_DAYS
    }
    cut = AbundanceMap(
        values=abundance.values[(slice(None), *crop)],
        variance=abundance.variance[(slice(None), *crop)],
        display=abundance.display[(slice(None), *crop)],
        flags=abundance.flags[crop],
        components=abundance.components,
        pixel_mm=pixel,
    )
    return SpotSearch(
        data=cut.values[0],
        variance=cut.variance[0],
        body=inner,
        terms=background_terms(cut, inner, held),
        profiles=frame.nominal.profiles,
        pixel_mm=pixel,
        options=options,
        false_alarms=options.false_alarms_per_session / max(views, 1),
    )


def _detections(
    search: SpotSearch, field: FieldFit, spots: tuple[SpotPhotometry, ...], frame: ViewFrame, inputs: SessionInput
) -> tuple[tuple[Detection, ...], NDArray[np.uint16]]:
    shape, crop = frame.shape, frame.crop
    pixel = search.pixel_mm
    labels = np.zeros(shape, np.uint16)
    found = []
    # a spot whose whole outline a brighter one holds is one with it
    own = [index for index, numbers in enumerate(spots) if numbers.outline.any()]
    order = sorted(own, key=lambda index: -spots[index].flux.value)
    for number, index in enumerate(order, start=1):
        spot, numbers = field.spots[index], spots[index]
        y_mm, x_mm = spot_place(spot, frame, pixel)
        whole = np.zeros(shape, bool)
        whole[crop] = numbers.outline
        labels[whole] = number
        found.append(
            spot_detection(search, spot, numbers, frame, number=number, kind=_kind(y_mm, x_mm, frame.pose, inputs))
        )
    return tuple(found), labels


def spot_place(spot: Spot, frame: ViewFrame, pixel_mm: float, /) -> tuple[float, float]:
    """Place of a spot (y, x) in mm from the image's first pixel centre."""
    return (spot.y + frame.crop[0].start) * pixel_mm, (spot.x + frame.crop[1].start) * pixel_mm


def spot_detection(
    search: SpotSearch, spot: Spot, numbers: SpotPhotometry, frame: ViewFrame, /, *, number: int, kind: str
) -> Detection:
    """A measured spot as a detection, its windows left out."""
    pixel = search.pixel_mm
    y_mm, x_mm = spot_place(spot, frame, pixel)
    whole = np.zeros(frame.shape, bool)
    whole[frame.crop] = numbers.outline
    return Detection(
        number=number,
        kind=kind,
        y_mm=y_mm,
        x_mm=x_mm,
        position_sd_mm=numbers.position_sd_mm,
        width_mm=numbers.width_mm,
        template_depth_mm=float(search.profiles.depth_mm[spot.template]),
        z=spot.z,
        z_threshold=spot.threshold,
        flux=numbers.flux,
        flux_vendor_4pi=numbers.flux_vendor_4pi,
        area_mm2=numbers.area_mm2,
        snr=numbers.snr,
        contrast=numbers.contrast,
        tumour_to_background=numbers.tumour_to_background,
        region=region_at(frame, y_mm, x_mm),
        outline_mm=closed_outline(whole, pixel_mm=pixel),
        flags=int(numbers.flags),
    )


def _kind(y_mm: float, x_mm: float, pose: Pose, inputs: SessionInput) -> DetectionKind:
    """A spot where a needle went in besides the inoculation is the injection site's."""
    if inputs.injection not in ("", "none"):
        _, along, left = surface_point_mm(inputs.injection)
        y, x = stage_from_animal(pose, np.array(along), np.array(-left))
        if float(np.hypot(y_mm - y, x_mm - x)) < INJECTION_SITE_MM:
            return DetectionKind.INJECTION_SITE
    return DetectionKind.LESION


def _body_flux(search: SpotSearch, field: FieldFit, settings: StudySettings) -> Estimate:
    """Probe flux of the whole animal: everything but the background's free terms."""
    above = np.where(search.body, search.data - field.fit.background + field.fit.uptake, 0.0)
    flux = lambertian_flux(float(above.sum()), search.pixel_mm)
    patches = 20
    structure, _ = aperture_noise(
        field.residual, search.body, np.zeros_like(search.body), float(search.body.sum()) / patches
    )
    # so many patches of the body, each as uneven as measured
    own = lambertian_flux(structure * np.sqrt(patches), search.pixel_mm)
    common = np.hypot(settings.analysis.spectral_error, settings.instrument.radiance_relative_sd)
    sd = float(np.hypot(own, abs(flux) * common))
    level = settings.analysis.interval_level
    half = half_width(level) * sd
    return Estimate(flux, sd, flux - half, flux + half, level, FLUX_UNIT, "sum over the animal, background removed")


def _quality(
    search: SpotSearch, field: FieldFit, saturated: float, abundance: AbundanceMap, body: NDArray[np.bool_]
) -> dict[str, float]:
    glow = float(np.median(abundance.values[1][body])) if abundance.values.shape[0] > 1 else float("nan")
    return {
        "saturated_fraction": saturated,
        "masked_fraction": float((abundance.flags[body] & (PixelFlag.HOT | PixelFlag.COSMIC) != 0).mean()),
        "autofluorescence_median": glow,
        "structure_relative": field.fit.pixel_sd / glow if glow > 0 else float("nan"),
        "noise_inflation_narrow": field.noise[0].inflation,
        "noise_inflation_wide": field.noise[-1].inflation,
        "false_alarms_allowed": search.false_alarms,
    }


def _refuse_misplaced(view: ViewInput, body: NDArray[np.bool_], side: NominalView, pixel_mm: float) -> None:
    """An animal that lies head down or across would get every organ wrong: refuse it rather than name organs."""
    seen = silhouette(body, pixel_mm=pixel_mm)
    upside_down = seen.skew * side.silhouette.skew < 0 and abs(seen.skew) > 0.5 * abs(side.silhouette.skew)
    across = abs(seen.angle_rad) > ACROSS_RAD
    if upside_down or across:
        said = "lies across" if across else "tapers towards the lower end: it seems to lie head down"
        raise ImageError(
            f"{view.file}: the animal is not head up",
            [
                Finding(
                    "image.head-up",
                    Severity.ERROR,
                    Place(file=view.file),
                    f"the animal {said}.",
                    "Turn the image so that the head is up; organ regions are wrong otherwise.",
                )
            ],
        )


def _remarks(
    view: ViewInput,
    photo: NDArray[np.floating],
    body: NDArray[np.bool_],
    registration: Registration,
    search: SpotSearch,
    field: FieldFit,
) -> list[Finding]:
    """What a reader of the numbers should know of this image."""
    pixel_mm = search.pixel_mm
    remarks: list[Finding] = []

    def warn(rule: str, seen: str, mend: str) -> None:
        remarks.append(Finding(rule, Severity.WARNING, Place(file=view.file), seen, mend))

    ratio = registration.pose.scale_y
    if not 0.75 < ratio < 1.33:
        warn(
            "image.size",
            f"the animal is {ratio:.2f} times as long as a 25 g mouse.",
            "Check pixel_mm in study.toml, or whether the animal is cropped.",
        )
    touching = edge_contact_mm(photo, pixel_mm=pixel_mm)
    if touching > CROPPED_MM:
        warn(
            "image.cropped",
            f"the animal meets the image's edge over {touching:.0f} mm.",
            f"Image the whole animal: what lies off the image is guessed, and a place in it is known to "
            f"{registration.sd_mm:.1f} mm only, so that organs are called less surely.",
        )
    against = _against_others_mm(view, body, pixel_mm)
    if against > TOUCHING_MM:
        warn(
            "image.touching",
            f"the animal lies against another over {against:.0f} mm.",
            "Keep animals apart or put dividers between them: spots along that flank may be the other animal's light.",
        )
    if registration.overlap < POOR_OVERLAP:
        warn(
            "image.outline",
            f"the animal's outline and the nominal one, bent to it, share {100 * registration.overlap:.0f} % "
            f"(Dice's coefficient); {100 * POOR_OVERLAP:.0f} % or more is usual.",
            "Check the photograph for bedding, hands or a second object; organs are called less surely here.",
        )
    if field.exhausted:
        warn(
            "image.search-limit",
            f"the search stopped at {len(field.spots)} spots; more stand above the threshold.",
            "Raise max_detections_per_view in study.toml.",
        )
    return remarks


def _against_others_mm(view: ViewInput, body: NDArray[np.bool_], pixel_mm: float) -> float:
    """Length of the body's edge that lies against what was emptied."""
    if view.not_own is None:
        return 0.0
    edge = body & ~binary_erosion(body)
    return float((edge & binary_dilation(view.not_own, iterations=round(NEAR_MM / pixel_mm))).sum() * pixel_mm)


def _frame_of(body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The body's bounding box and a margin, tail included below: what is ever shown."""
    rows, columns = bounding_box(body)
    frame = np.zeros_like(body)
    margin = max(body.shape) // 8
    reach = (
        slice(max(rows.start - margin, 0), rows.stop + margin),
        slice(max(columns.start - margin, 0), columns.stop + margin),
    )
    frame[reach] = True
    return frame


def _component(abundance: AbundanceMap, index: int) -> NDArray[np.float32]:
    if abundance.values.shape[0] <= index:
        return np.zeros(abundance.values.shape[1:], np.float32)
    return abundance.values[index].astype(np.float32)


def _unit_range(photo: NDArray[np.floating]) -> NDArray[np.float32]:
    image = np.nan_to_num(np.asarray(photo, float))
    low, high = np.percentile(image, [0.5, 99.8])
    return np.clip((image - low) / max(high - low, 1e-12), 0.0, 1.0).astype(np.float32)
