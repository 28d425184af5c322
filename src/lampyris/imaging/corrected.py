"""A session with a person's corrections: what was moved, parted, joined or added is measured again, the rest stays as it is.

Measured on the stored images: the unmixed probe with its variance, against the local structure of the same animal. What a
correction does not touch keeps its automatic numbers, bit for bit.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import DetectionFlag
from lampyris.core.images import AbundanceMap
from lampyris.core.results import Detection
from lampyris.core.settings import StudySettings
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.detection.detect import FieldFit, Spot, SpotSearch, fit_spots
from lampyris.imaging.detection.photometry import ViewImages, measure_spots, spot_outline
from lampyris.imaging.detection.regions import ViewFrame
from lampyris.imaging.detection.windows import measured_view, session_windows
from lampyris.imaging.light.nominal import nominal_animal
from lampyris.imaging.radiance.unmix import COMPONENTS, mixing_matrix
from lampyris.imaging.step import bounding_box, session_probe, spot_detection, spot_place, view_search
from lampyris.probe.probe import Probe

# a source at the animal's edge may lie a little beyond the outline that is searched
EDGE_REACH_MM = 2.0


@dataclass(frozen=True, slots=True)
class PlacedSpot:
    """A spot that a person put somewhere.

    Parameters
    ----------
    number : int
        Of the detection that it becomes.
    y_mm, x_mm : float
        From the view's first pixel centre.
    kind : str
        Of the detection.
    """

    number: int
    y_mm: float
    x_mm: float
    kind: str


@dataclass(frozen=True, slots=True)
class ViewCorrection:
    """What is to be done to one view; numbers are those of the automatic detections.

    Parameters
    ----------
    view : str
        ``dorsal`` or ``ventral``.
    excluded : bool
        The view is left out of its session.
    rejected : tuple of int
        Detections that count no more.
    relabelled : tuple of (int, str)
        Detections and their kinds.
    moved : tuple of PlacedSpot
        Detections and where they lie.
    parted : tuple of int
        Detections off which another was split, which stands in `added`.
    added : tuple of PlacedSpot
        New ones, numbered after the automatic ones.
    joined : tuple of (int, int)
        Detections and those that they are one with.
    """

    view: str
    excluded: bool = False
    rejected: tuple[int, ...] = ()
    relabelled: tuple[tuple[int, str], ...] = ()
    moved: tuple[PlacedSpot, ...] = ()
    parted: tuple[int, ...] = ()
    added: tuple[PlacedSpot, ...] = ()
    joined: tuple[tuple[int, int], ...] = ()

    @property
    def measures(self) -> bool:
        """Whether anything must be measured again."""
        return bool(self.moved or self.parted or self.added or self.joined)


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """A view fitted anew.

    Parameters
    ----------
    search, field, frame : SpotSearch, FieldFit, ViewFrame
    numbers : tuple of int
        Detection of each spot of the field.
    apart : dict of int to ndarray of bool, dims (y, x)
        By detection: pixels of what was joined to it that lie apart from its peak.
    """

    search: SpotSearch
    field: FieldFit
    frame: ViewFrame
    numbers: tuple[int, ...]
    apart: dict[int, NDArray[np.bool_]]


def correct_session(
    session: SessionResult, corrections: tuple[ViewCorrection, ...], settings: StudySettings, /
) -> SessionResult:
    """Apply a person's corrections to a session.

    Parameters
    ----------
    session : SessionResult
        As found automatically, with its images.
    corrections : tuple of ViewCorrection
        At most one per view.
    settings : StudySettings

    Returns
    -------
    SessionResult
        With the automatic numbers of the detections kept; those rejected stand in ``ViewResult.rejected``.

    Raises
    ------
    ImageError
        If a place holds nothing that could be measured.
    """
    wanted = {one.view: one for one in corrections}
    kept = [view for view in session.views if not (view.view in wanted and wanted[view.view].excluded)]
    simple = [_without_measuring(view, wanted.get(view.view, ViewCorrection(view.view))) for view in kept]
    if not any(one.measures for one in wanted.values() if not one.excluded):
        return replace(session, views=tuple(simple))
    probe = session_probe(session.probe, settings)
    fitted = {
        view.view: _fitted(view, wanted.get(view.view, ViewCorrection(view.view)), session, settings, probe)
        for view in simple
    }
    windows = session_windows({name: measured_view(one.search, one.field, one.frame) for name, one in fitted.items()})
    views = []
    for view in simple:
        todo = wanted.get(view.view, ViewCorrection(view.view))
        if not todo.measures:
            views.append(view)
            continue
        own = fitted[view.view]
        by_number = dict(zip(own.numbers, windows[view.view], strict=True))
        measured, labels = _measured_again(view, todo, own, settings)
        found = tuple(
            replace(measured[number], windows=by_number[number]) if number in measured else _detection(view, number)
            for number in sorted(own.numbers)
        )
        views.append(replace(view, detections=found, lesions=labels))
    return replace(session, views=tuple(views))


def _without_measuring(view: ViewResult, todo: ViewCorrection) -> ViewResult:
    """Rejections and kinds, for which nothing is measured."""
    if not todo.rejected and not todo.relabelled:
        return view
    gone, kinds = set(todo.rejected), dict(todo.relabelled)
    kept = tuple(
        replace(one, kind=kinds.get(one.number, one.kind)) for one in view.detections if one.number not in gone
    )
    rejected = tuple(one for one in view.detections if one.number in gone)
    labels = np.where(np.isin(view.lesions, list(gone)), 0, view.lesions).astype(np.uint16)
    return replace(view, detections=kept, rejected=(*view.rejected, *rejected), lesions=labels)


def _detection(view: ViewResult, number: int) -> Detection:
    return next(one for one in view.detections if one.number == number)


def _fitted(
    view: ViewResult, todo: ViewCorrection, session: SessionResult, settings: StudySettings, probe: Probe
) -> _Fitted:
    """Fit the view's spots where they are, and where a person put them."""
    options, instrument = settings.analysis, settings.instrument
    nominal = nominal_animal(
        instrument, probe, voxel_mm=options.voxel_mm, template_depths_mm=options.template_depths_mm
    )
    body = np.asarray(view.body)
    frame = ViewFrame(nominal, nominal.views[view.view], view.pose, body.shape, bounding_box(body))
    abundance = _stored_abundance(view, mixing_matrix(instrument, probe))
    search = view_search(abundance, body, frame, settings, day=session.day, views=len(session.views))
    placed = (*todo.moved, *todo.added)
    for one in placed:
        _refuse_off_body(view, one)
    away = {one.number for one in placed}
    still = tuple(one for one in view.detections if one.number not in away)
    known = tuple(_known_spot(one, search, frame) for one in still)
    places = tuple(_pixel(one.y_mm, one.x_mm, search, frame) for one in placed)
    field = fit_spots(search, known, places)
    numbers = (*(one.number for one in still), *(one.number for one in placed))
    outlines = {number: spot_outline(search, field, index) for index, number in enumerate(numbers)}
    apart: dict[int, NDArray[np.bool_]] = {}
    for number, into in todo.joined:
        field, numbers = _joined(field, numbers, number, into)
        # the outline around the joint peak leaves out a part that does not reach it: its light is theirs all the same
        parts = [outlines[number], outlines[into], apart.get(number), apart.get(into)]
        apart[into] = np.logical_or.reduce([part for part in parts if part is not None])
    for number in list(apart):
        joint = spot_outline(search, field, numbers.index(number)) if number in numbers else None
        if joint is None or _touch(joint, apart[number]):
            del apart[number]
    return _Fitted(search, field, frame, numbers, apart)


def _stored_abundance(view: ViewResult, mixing: NDArray[np.float64]) -> AbundanceMap:
    """The unmixed image as stored: what is left of the bands after probe and autofluorescence is leakage."""
    probe, glow = np.asarray(view.probe, float), np.asarray(view.autofluorescence, float)
    values = [probe, glow][: mixing.shape[1]]
    if mixing.shape[1] > 2:
        rest = np.asarray(view.radiance, float) - np.tensordot(mixing[:, :2], np.stack(values), axes=1)
        values.append(np.tensordot(mixing[:, 2], rest, axes=1) / float(mixing[:, 2] @ mixing[:, 2]))
    stacked = np.stack(values)
    # of the other components no variance is stored, and none is asked for
    variance = np.broadcast_to(np.asarray(view.probe_variance, float), stacked.shape).copy()
    names = COMPONENTS[: len(values)]
    return AbundanceMap(stacked, variance, np.maximum(stacked, 0.0), np.asarray(view.flags), names, view.pixel_mm)


def _pixel(y_mm: float, x_mm: float, search: SpotSearch, frame: ViewFrame) -> tuple[float, float]:
    return y_mm / search.pixel_mm - frame.crop[0].start, x_mm / search.pixel_mm - frame.crop[1].start


def _known_spot(one: Detection, search: SpotSearch, frame: ViewFrame) -> Spot:
    y, x = _pixel(one.y_mm, one.x_mm, search, frame)
    template = int(np.argmin(np.abs(search.profiles.depth_mm - one.template_depth_mm)))
    return Spot(y, x, template, one.z, one.z_threshold)


def _joined(field: FieldFit, numbers: tuple[int, ...], number: int, into: int) -> tuple[FieldFit, tuple[int, ...]]:
    """Two spots as one: their fitted light is summed, and it lies at its centre."""
    gone, stays = numbers.index(number), numbers.index(into)
    light = field.images[[gone, stays]].sum(axis=(1, 2))
    share = light / light.sum()
    one, other = field.spots[gone], field.spots[stays]
    brighter = one if light[0] > light[1] else other
    spot = replace(
        brighter,
        y=float(share[0] * one.y + share[1] * other.y),
        x=float(share[0] * one.x + share[1] * other.x),
        z=max(one.z, other.z),
    )
    images = field.images.copy()
    images[stays] += images[gone]
    left = [index for index in range(len(numbers)) if index != gone]
    spots = tuple(spot if index == stays else field.spots[index] for index in left)
    return replace(field, spots=spots, images=images[left]), tuple(numbers[index] for index in left)


def _touch(joint: NDArray[np.bool_], parts: NDArray[np.bool_]) -> bool:
    """Whether an outline reaches every piece of what was joined."""
    pieces, count = label(parts)
    return all((joint & (pieces == piece)).any() for piece in range(1, count + 1))


def _measured_again(
    view: ViewResult, todo: ViewCorrection, own: _Fitted, settings: StudySettings
) -> tuple[dict[int, Detection], NDArray[np.uint16]]:
    """Detections measured again, by number: those that a person touched, and those whose pixels these hold; and all outlines."""
    crop = own.frame.crop
    images = ViewImages(
        total=np.asarray(view.radiance, float).sum(axis=0)[crop],
        total_variance=np.asarray(view.total_variance, float)[crop],
        flags=np.asarray(view.flags)[crop],
        calibration_relative_sd=settings.instrument.radiance_relative_sd,
    )
    apart = {own.numbers.index(number): more for number, more in own.apart.items()}
    measured = measure_spots(own.search, own.field, images, nearest=True, apart=apart)
    spots = dict(zip(own.numbers, measured, strict=True))
    kinds = {one.number: one.kind for one in todo.added}
    touched = {*kinds, *(one.number for one in todo.moved), *todo.parted, *(into for _, into in todo.joined)} & set(
        own.numbers
    )
    held = np.logical_or.reduce([spots[number].outline for number in touched])
    labels = np.array(view.lesions)
    again = touched | (set(np.unique(labels[crop][held]).tolist()) & set(own.numbers))
    labels[np.isin(labels, [*again, *(number for number, _ in todo.joined)])] = 0
    found = {}
    for number in sorted(again):
        spot, numbers = own.field.spots[own.numbers.index(number)], spots[number]
        if not (numbers.outline.any() and np.isfinite(numbers.flux.value) and numbers.flux.sd > 0):
            raise _nothing_there(view, number, *spot_place(spot, own.frame, own.search.pixel_mm))
        kind = kinds.get(number) or _detection(view, number).kind
        one = spot_detection(own.search, spot, numbers, own.frame, number=number, kind=kind)
        by_hand = DetectionFlag.PLACED_BY_HAND if number in touched else DetectionFlag.GOOD
        found[number] = replace(one, flags=one.flags | int(by_hand))
        labels[crop][numbers.outline] = number
    return found, labels


def _refuse_off_body(view: ViewResult, placed: PlacedSpot) -> None:
    rows, columns = np.nonzero(view.body)
    apart = np.hypot(rows * view.pixel_mm - placed.y_mm, columns * view.pixel_mm - placed.x_mm)
    if not apart.min(initial=np.inf) <= EDGE_REACH_MM:
        raise _nothing_there(view, placed.number, placed.y_mm, placed.x_mm)


def _nothing_there(view: ViewResult, number: int, y_mm: float, x_mm: float) -> ImageError:
    seen = f"at y {y_mm:.1f}, x {x_mm:.1f} mm of the {view.view} view is nothing of the animal that could be measured."
    mend = "Correct y_mm and x_mm: they run down and right from the view's first pixel, as in the table of detections."
    finding = Finding("curation.off-body", Severity.ERROR, Place("curation.csv", None, "y_mm"), seen, mend)
    return ImageError(f"detection {number} cannot be placed", [finding])
