"""How well the truth was found. Every figure says what it counts and over how many.

A true lesion counts in every session in which its cells are there. It is *above the limit* in a session if, in at least one
view, its noise-free flux exceeds the limit that the analysis stated for its region before anything was scored. It is *found*
if a spot called a lesion lies where its noise-free spot lies, in at least one view.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.flags import DetectionKind
from lampyris.core.results import Detection
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.calibrate import lambertian_flux
from lampyris.imaging.nominal import SUBCUTIS
from lampyris.statistics.intervals import clopper_pearson_interval
from lampyris.virtual.truth import TrueAnimal, Truth, lesion_image

MATCH_MM = 4.0
# a spot fainter than this share of the limit is no lesion that anyone could ask for
NEGLIGIBLE = 1e-3


@dataclass(frozen=True, slots=True)
class LesionView:
    """One true lesion in one view of one session."""

    study: str
    animal: str
    session: str
    view: str
    lesion: int
    organ: str
    cells: float
    flux: float
    limit: float
    spot_y_mm: float
    spot_x_mm: float
    found: bool
    kind: str
    error_mm: float
    outline_flux: float
    flux_value: float
    flux_low: float
    flux_high: float

    @property
    def above_limit(self) -> bool:
        """The noise-free flux exceeds the stated limit."""
        return self.flux > self.limit


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over one or several studies; sums are taken by `pooled`.

    Parameters
    ----------
    lesions : tuple of LesionView
        Every true lesion in every view of every session that was analysed.
    detections_true, detections_false : int
        Spots called lesions that match a true one, and that match none.
    control_sessions, control_false : int
        Sessions of unlabelled animals and the spots called lesions in them.
    false_places : tuple of str
        Where the unmatched ones lay, for looking into.
    """

    lesions: tuple[LesionView, ...]
    detections_true: int
    detections_false: int
    control_sessions: int
    control_false: int
    false_places: tuple[str, ...] = field(default=())


def score_sessions(sessions: Iterable[SessionResult], truth: Truth, /) -> Score:
    """Compare analysed sessions with the truth.

    Parameters
    ----------
    sessions : iterable of SessionResult
    truth : Truth

    Returns
    -------
    Score
    """
    animals = {one.animal: one for one in truth.animals}
    lesions: list[LesionView] = []
    places: list[str] = []
    right = wrong = controls = control_false = 0
    for session in sessions:
        animal = animals[session.animal]
        controls += not animal.lesions
        for view in session.views:
            rows, false = _score_view(session, view, animal, truth)
            lesions += rows
            spots = [one for one in view.detections if one.kind == DetectionKind.LESION]
            right += len(spots) - len(false)
            wrong += len(false)
            control_false += 0 if animal.lesions else len(false)
            places += [
                f"{session.animal} {session.session} {view.view} {one.region}: z {one.z:.1f}, width {one.width_mm:.1f} mm, "
                f"at {one.y_mm:.0f}, {one.x_mm:.0f} mm"
                for one in false
            ]
    return Score(tuple(lesions), right, wrong, controls, control_false, tuple(places))


def pooled(scores: Iterable[Score], /) -> Score:
    """Sum of several scores."""
    every = list(scores)
    return Score(
        tuple(row for score in every for row in score.lesions),
        sum(score.detections_true for score in every),
        sum(score.detections_false for score in every),
        sum(score.control_sessions for score in every),
        sum(score.control_false for score in every),
        tuple(place for score in every for place in score.false_places),
    )


def accuracy(score: Score, /) -> dict[str, Any]:
    """The stable ``accuracy`` figures of the command line, pooled over animals; a figure without cases is None.

    Figures that need lesions followed over days or named by organ are not among them.
    """
    groups = _by_lesion(score.lesions)
    present = [rows for rows in groups if any(row.flux > NEGLIGIBLE * row.limit for row in rows)]
    above = [rows for rows in present if any(row.above_limit for row in rows)]
    hits = [rows for rows in above if any(row.found for row in rows)]
    found = [row for row in score.lesions if row.found]
    measured = [row for row in found if np.isfinite(row.outline_flux) and row.outline_flux > 0]
    covered = [row for row in measured if row.flux_low <= row.outline_flux <= row.flux_high]
    errors = np.array([row.error_mm for row in found])
    relative = np.array([abs(row.flux_value - row.outline_flux) / row.outline_flux for row in measured])
    called = score.detections_true + score.detections_false
    return {
        "lesions_true": len(present),
        "lesions_above_limit": len(above),
        "recall_above_limit": _share(len(hits), len(above)),
        "recall_above_limit_interval": _interval(len(hits), len(above)),
        "precision": _share(score.detections_true, called),
        "precision_interval": _interval(score.detections_true, called),
        "detections": called,
        "false_alarms_per_control_session": _share(score.control_false, score.control_sessions),
        "control_sessions": score.control_sessions,
        "spot_rmse_mm": float(np.sqrt(np.mean(errors**2))) if errors.size else None,
        "flux_relative_error_median": float(np.median(relative)) if relative.size else None,
        "interval_coverage": _share(len(covered), len(measured)),
        "interval_coverage_interval": _interval(len(covered), len(measured)),
        "fluxes": len(measured),
    }


def score_table(score: Score, /) -> list[dict[str, Any]]:
    """One record per true lesion and view, for tables."""
    return [{**asdict(row), "above_limit": row.above_limit} for row in score.lesions]


def half_maximum_centroid(image: NDArray[np.float64], /, *, pixel_mm: float) -> tuple[float, float]:
    """Centroid (y, x) in mm of the pixels above half the maximum, weighted by their value: where a noise-free spot lies."""
    weight = np.where(image >= 0.5 * image.max(), image, 0.0)
    rows, columns = np.indices(image.shape)
    total = weight.sum()
    return float((weight * rows).sum() / total * pixel_mm), float((weight * columns).sum() / total * pixel_mm)


def _score_view(
    session: SessionResult, view: ViewResult, animal: TrueAnimal, truth: Truth
) -> tuple[list[LesionView], list[Detection]]:
    limits = {limit.region: limit.flux.value for limit in view.limits}
    spots = [one for one in view.detections if one.kind == DetectionKind.LESION]
    candidates = []
    for index, lesion in enumerate(animal.lesions):
        if lesion.cells.get(session.session, 0.0) <= 0:
            continue
        image = lesion_image(truth, animal, index, session.session, view.view)
        if image.max() <= 0:
            continue
        candidates.append((index, image, half_maximum_centroid(image, pixel_mm=truth.pixel_mm)))
    partners = _match(spots, candidates, truth.pixel_mm)
    rows = []
    for index, image, (y_mm, x_mm) in candidates:
        lesion = animal.lesions[index]
        spot = partners.get(index)
        region = lesion.organ if lesion.organ in limits else SUBCUTIS
        outline = view.lesions == spot.number if spot is not None else np.zeros(image.shape, bool)
        rows.append(
            LesionView(
                study=f"{truth.study} {truth.seed}",
                animal=session.animal,
                session=session.session,
                view=view.view,
                lesion=lesion.number,
                organ=lesion.organ,
                cells=lesion.cells[session.session],
                flux=lambertian_flux(float(image.sum()), truth.pixel_mm),
                limit=limits.get(region, float("inf")),
                spot_y_mm=y_mm,
                spot_x_mm=x_mm,
                found=spot is not None,
                kind=spot.kind if spot is not None else "",
                error_mm=float(np.hypot(spot.y_mm - y_mm, spot.x_mm - x_mm)) if spot is not None else float("nan"),
                outline_flux=lambertian_flux(float(image[outline].sum()), truth.pixel_mm)
                if spot is not None
                else float("nan"),
                flux_value=spot.flux.value if spot is not None else float("nan"),
                flux_low=spot.flux.low if spot is not None else float("nan"),
                flux_high=spot.flux.high if spot is not None else float("nan"),
            )
        )
    matched = {id(spot) for spot in partners.values()}
    return rows, [spot for spot in spots if id(spot) not in matched]


def _match(
    spots: list[Detection], candidates: list[tuple[int, NDArray[np.float64], tuple[float, float]]], pixel_mm: float
) -> dict[int, Detection]:
    """Best one-to-one matching of spots with true spots that lie within reach: 4 mm, or half the true spot's width."""
    from scipy.optimize import linear_sum_assignment

    if not spots or not candidates:
        return {}
    cost = np.full((len(candidates), len(spots)), 1e6)
    for row, (_, image, (y_mm, x_mm)) in enumerate(candidates):
        width = 2.0 * np.sqrt((image >= 0.5 * image.max()).sum() / np.pi) * pixel_mm
        for column, spot in enumerate(spots):
            apart = float(np.hypot(spot.y_mm - y_mm, spot.x_mm - x_mm))
            if apart <= max(MATCH_MM, 0.5 * width):
                # of two true spots in reach the brighter one is the likelier cause
                cost[row, column] = apart - 0.5 * np.log10(max(image.sum(), 1e-300))
    rows, columns = linear_sum_assignment(cost)
    return {
        candidates[row][0]: spots[column] for row, column in zip(rows, columns, strict=True) if cost[row, column] < 1e5
    }


def _by_lesion(rows: tuple[LesionView, ...]) -> list[list[LesionView]]:
    groups: dict[tuple[str, str, str, int], list[LesionView]] = {}
    for row in rows:
        groups.setdefault((row.study, row.animal, row.session, row.lesion), []).append(row)
    return list(groups.values())


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _interval(part: int, whole: int) -> list[float] | None:
    if not whole:
        return None
    found = clopper_pearson_interval(part, whole, level=0.95)
    return [found.low, found.high]
