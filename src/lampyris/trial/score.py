"""How well the truth was found. Every figure says what it counts and over how many.

A true lesion counts in every session in which its cells are there. It is *above the limit* in a session if, in at least one
view, its noise-free flux exceeds the limit that the analysis stated for its region before anything was scored. It is *found*
if a spot called a lesion lies where its noise-free spot lies, in at least one view.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.flags import DetectionKind
from lampyris.core.results import Detection
from lampyris.core.seeds import seed_sequence
from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.calibrate import lambertian_flux
from lampyris.imaging.nominal import SUBCUTIS
from lampyris.statistics.intervals import clopper_pearson_interval
from lampyris.virtual.truth import TrueAnimal, Truth, lesion_image

MATCH_MM = 4.0
RESAMPLES = 2000
Case = tuple[str, bool]
# a true lesion fainter than this share of its limit explains no spot and is asked of no one
CANDIDATE_SHARE = 0.1


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
class Call:
    """One spot that was called a lesion: whose it was, and whether a true lesion explains it."""

    study: str
    animal: str
    right: bool
    place: str


@dataclass(frozen=True, slots=True)
class Score:
    """Cases of one or several studies; `pooled` joins them.

    Parameters
    ----------
    lesions : tuple of LesionView
        Every true lesion that could be asked for, in every view of every session that was analysed.
    lesion_sessions : int
        True lesions times the sessions in which their cells are there, however faint.
    calls : tuple of Call
        Every spot called a lesion.
    control_sessions, control_false : int
        Sessions of unlabelled animals and the spots called lesions in them.
    """

    lesions: tuple[LesionView, ...]
    lesion_sessions: int
    calls: tuple[Call, ...]
    control_sessions: int
    control_false: int


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
    name = f"{truth.study} {truth.seed}"
    lesions: list[LesionView] = []
    calls: list[Call] = []
    present = controls = control_false = 0
    for session in sessions:
        animal = animals[session.animal]
        controls += not animal.lesions
        present += sum(lesion.cells.get(session.session, 0.0) > 0 for lesion in animal.lesions)
        for view in session.views:
            rows, false = _score_view(session, view, animal, truth)
            lesions += rows
            for spot in view.detections:
                if spot.kind != DetectionKind.LESION:
                    continue
                place = (
                    f"{session.animal} {session.session} {view.view} {spot.region}: z {spot.z:.1f}, "
                    f"width {spot.width_mm:.1f} mm, at {spot.y_mm:.0f}, {spot.x_mm:.0f} mm"
                )
                calls.append(Call(name, session.animal, spot.number not in false, place))
            control_false += 0 if animal.lesions else len(false)
    return Score(tuple(lesions), present, tuple(calls), controls, control_false)


def pooled(scores: Iterable[Score], /) -> Score:
    """Cases of several scores together."""
    every = list(scores)
    return Score(
        tuple(row for score in every for row in score.lesions),
        sum(score.lesion_sessions for score in every),
        tuple(call for score in every for call in score.calls),
        sum(score.control_sessions for score in every),
        sum(score.control_false for score in every),
    )


def false_places(score: Score, /) -> tuple[str, ...]:
    """Where the spots lay that no true lesion explains, for looking into."""
    return tuple(call.place for call in score.calls if not call.right)


def accuracy(score: Score, /) -> dict[str, Any]:
    """The stable ``accuracy`` figures of the command line, pooled over animals; a figure without cases is None.

    Figures that need lesions followed over days or named by organ are not among them.
    """
    groups = _by_lesion(score.lesions)
    above = [rows for rows in groups if any(row.above_limit for row in rows)]
    found = [row for row in score.lesions if row.found]
    measured = [row for row in found if np.isfinite(row.outline_flux) and row.outline_flux > 0]
    recalled = [_case(rows[0], any(row.found for row in rows)) for rows in above]
    right = [_case(call, call.right) for call in score.calls]
    covered = [_case(row, row.flux_low <= row.outline_flux <= row.flux_high) for row in measured]
    errors = np.array([row.error_mm for row in found])
    relative = np.array([abs(row.flux_value - row.outline_flux) / row.outline_flux for row in measured])
    return {
        "lesions_true": score.lesion_sessions,
        "lesions_above_limit": len(above),
        "recall_above_limit": _share(recalled),
        "recall_above_limit_interval": share_interval(recalled),
        "precision": _share(right),
        "precision_interval": share_interval(right),
        "detections": len(right),
        "false_alarms_per_control_session": score.control_false / score.control_sessions
        if score.control_sessions
        else None,
        "control_sessions": score.control_sessions,
        "spot_rmse_mm": float(np.sqrt(np.mean(errors**2))) if errors.size else None,
        "flux_relative_error_median": float(np.median(relative)) if relative.size else None,
        "interval_coverage": _share(covered),
        "interval_coverage_interval": share_interval(covered),
        "fluxes": len(measured),
    }


def share_interval(cases: list[Case], /) -> list[float] | None:
    """95 % interval of a share whose cases come in animals: days and views of one animal are not independent.

    Animals are resampled (percentiles of 2000 draws); where every case is alike, which resampling cannot judge, the exact
    binomial interval with one case per animal is taken.

    Parameters
    ----------
    cases : list of (animal, hit)

    Returns
    -------
    list of float or None
        Low and high end; None without cases.
    """
    if not cases:
        return None
    animals: dict[str, list[bool]] = {}
    for animal, hit in cases:
        animals.setdefault(animal, []).append(hit)
    hits = np.array([sum(one) for one in animals.values()], float)
    sizes = np.array([len(one) for one in animals.values()], float)
    if hits.sum() in (0.0, sizes.sum()):
        exact = clopper_pearson_interval(len(animals) if hits.sum() else 0, len(animals), level=0.95)
        return [exact.low, exact.high]
    rng = np.random.default_rng(seed_sequence("resampling", "score"))
    draws = rng.integers(len(animals), size=(RESAMPLES, len(animals)))
    shares = hits[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return [float(low), float(high)]


def half_maximum_centroid(image: NDArray[np.float64], /, *, pixel_mm: float) -> tuple[float, float]:
    """Centroid (y, x) in mm of the pixels above half the maximum, weighted by their value: where a noise-free spot lies."""
    weight = np.where(image >= 0.5 * image.max(), image, 0.0)
    rows, columns = np.indices(image.shape)
    total = weight.sum()
    return float((weight * rows).sum() / total * pixel_mm), float((weight * columns).sum() / total * pixel_mm)


def _score_view(
    session: SessionResult, view: ViewResult, animal: TrueAnimal, truth: Truth
) -> tuple[list[LesionView], set[int]]:
    """Rows of the true lesions, and the numbers of the spots that none of them explains."""
    limits = {limit.region: limit.flux.value / limit.outline_share for limit in view.limits}
    spots = [one for one in view.detections if one.kind == DetectionKind.LESION]
    candidates = []
    for index, lesion in enumerate(animal.lesions):
        if lesion.cells.get(session.session, 0.0) <= 0:
            continue
        image = lesion_image(truth, animal, index, session.session, view.view)
        if image.max() <= 0:
            continue
        limit = limits.get(lesion.organ if lesion.organ in limits else SUBCUTIS, float("inf"))
        if lambertian_flux(float(image.sum()), truth.pixel_mm) < CANDIDATE_SHARE * limit:
            # too faint to be the cause of a spot: a spot that lies here lies here by chance
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
    matched = {spot.number for spot in partners.values()}
    return rows, {spot.number for spot in spots} - matched


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


def _case(row: LesionView | Call, hit: bool) -> Case:
    return (f"{row.study}/{row.animal}", hit)


def _share(cases: list[Case]) -> float | None:
    return sum(hit for _, hit in cases) / len(cases) if cases else None
