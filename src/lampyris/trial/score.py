"""How well the truth was found. Every figure says what it counts and over how many.

A true lesion counts in every session in which its cells are there. It is *above the limit* in a session if, in at least one
view, its noise-free flux exceeds the limit that the analysis stated for its region before anything was scored. It is *found*
if a spot called a lesion lies where its noise-free spot lies, in at least one view. A spot is called a lesion if the followed
lesion that owns it is called a tumour; where none owns it, if it was called one itself.

What is said of lesions over their days is scored in `lampyris.trial.score_lesions`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.flags import TUMOUR_KINDS
from lampyris.core.results import Detection
from lampyris.core.study import AnimalOutcome, SessionResult, ViewResult
from lampyris.imaging.light.nominal import SUBCUTIS
from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.trial.score_lesions import Followed, SessionSpots, followed_figures, joined, score_followed
from lampyris.trial.shares import Case, median, share, share_interval
from lampyris.virtual.truth import TrueAnimal, Truth, lesion_image, seen_in

MATCH_MM = 4.0
# whether a spot of a view is called a lesion
Called = Callable[[str, Detection], bool]
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
    spot_lesions, spot_calls : tuple
        The same as `lesions` and `calls` by what each spot was called itself, before lesions were followed.
    followed : Followed
        What was said of lesions over their days.
    """

    lesions: tuple[LesionView, ...]
    lesion_sessions: int
    calls: tuple[Call, ...]
    control_sessions: int
    control_false: int
    spot_lesions: tuple[LesionView, ...] = ()
    spot_calls: tuple[Call, ...] = ()
    followed: Followed = field(default_factory=Followed)


def score_sessions(
    sessions: Iterable[SessionResult], truth: Truth, /, *, outcomes: Iterable[AnimalOutcome] = ()
) -> Score:
    """Compare analysed sessions, and lesions followed over them, with the truth.

    Parameters
    ----------
    sessions : iterable of SessionResult
    truth : Truth
    outcomes : iterable of AnimalOutcome
        Of the sessions' animals. Of an animal without one, spots are scored by what they were called themselves.

    Returns
    -------
    Score
    """
    animals = {one.animal: one for one in truth.animals}
    by_animal = {one.animal: one for one in outcomes}
    spots: dict[str, list[SessionSpots]] = {}
    scores: list[Score] = []
    for session in sessions:
        outcome = by_animal.get(session.animal)
        animals[session.animal] = seen_in(animals[session.animal], session)
        score, shown = _score_session(session, animals[session.animal], truth, _owners(outcome))
        scores.append(score)
        spots.setdefault(session.animal, []).append(shown)
    name = f"{truth.study} {truth.seed}"
    followed = [
        score_followed(by_animal[animal], _registered(shown, by_animal[animal]), animals[animal], study=name)
        for animal, shown in spots.items()
        if animal in by_animal
    ]
    return pooled([*scores, Score((), 0, (), 0, 0, followed=joined(followed))])


def pooled(scores: Iterable[Score], /) -> Score:
    """Cases of several scores together."""
    every = list(scores)
    return Score(
        tuple(row for score in every for row in score.lesions),
        sum(score.lesion_sessions for score in every),
        tuple(call for score in every for call in score.calls),
        sum(score.control_sessions for score in every),
        sum(score.control_false for score in every),
        tuple(row for score in every for row in score.spot_lesions),
        tuple(call for score in every for call in score.spot_calls),
        joined(score.followed for score in every),
    )


def accuracy(score: Score, /) -> dict[str, Any]:
    """The stable ``accuracy`` figures of the command line, pooled over animals; a figure without cases is None.

    Those that end in ``_of_spots`` go by what each spot was called itself, before lesions were followed.
    """
    groups = _by_lesion(score.lesions)
    above = [rows for rows in groups if any(row.above_limit for row in rows)]
    found = [row for row in score.lesions if row.found]
    measured = [row for row in found if np.isfinite(row.outline_flux) and row.outline_flux > 0]
    covered = [_case(row, row.flux_low <= row.outline_flux <= row.flux_high) for row in measured]
    errors = np.array([row.error_mm for row in found])
    shares = {
        "recall_above_limit": _recalled(score.lesions),
        "recall_above_limit_of_spots": _recalled(score.spot_lesions),
        "precision": [_case(call, call.right) for call in score.calls],
        "precision_of_spots": [_case(call, call.right) for call in score.spot_calls],
        "interval_coverage": covered,
    }
    figures: dict[str, Any] = {"lesions_true": score.lesion_sessions, "lesions_above_limit": len(above)}
    for name, cases in shares.items():
        figures |= {name: share(cases), f"{name}_interval": share_interval(cases)}
    return figures | {
        "detections": len(score.calls),
        "false_alarms_per_control_session": score.control_false / score.control_sessions
        if score.control_sessions
        else None,
        "control_sessions": score.control_sessions,
        "spot_rmse_mm": float(np.sqrt(np.mean(errors**2))) if errors.size else None,
        "flux_relative_error_median": median(
            [abs(row.flux_value - row.outline_flux) / row.outline_flux for row in measured]
        ),
        "fluxes": len(measured),
        **followed_figures(score.followed),
    }


def half_maximum_centroid(image: NDArray[np.float64], /, *, pixel_mm: float) -> tuple[float, float]:
    """Centroid (y, x) in mm of the pixels above half the maximum, weighted by their value: where a noise-free spot lies."""
    weight = np.where(image >= 0.5 * image.max(), image, 0.0)
    rows, columns = np.indices(image.shape)
    total = weight.sum()
    return float((weight * rows).sum() / total * pixel_mm), float((weight * columns).sum() / total * pixel_mm)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A true lesion that may be the cause of a spot in one view: its noise-free image and where its spot lies."""

    index: int
    image: NDArray[np.float64]
    y_mm: float
    x_mm: float
    reach_mm: float

    def distance_mm(self, spot: Detection) -> float:
        return float(np.hypot(spot.y_mm - self.y_mm, spot.x_mm - self.x_mm))


def _score_session(
    session: SessionResult, animal: TrueAnimal, truth: Truth, owners: Mapping[tuple[str, str, int], Collection[str]]
) -> tuple[Score, SessionSpots]:
    """Rows of one session by the followed lesions' kinds and by the spots' own, and what each spot shows."""

    def by_owner(view: str, spot: Detection) -> bool:
        kinds = owners.get((session.session, view, spot.number), (spot.kind,))
        return any(kind in TUMOUR_KINDS for kind in kinds)

    def by_itself(_view: str, spot: Detection) -> bool:
        return spot.kind in TUMOUR_KINDS

    rows: dict[Called, list[LesionView]] = {by_owner: [], by_itself: []}
    calls: dict[Called, list[Call]] = {by_owner: [], by_itself: []}
    shows: dict[tuple[str, int], int] = {}
    hides: dict[tuple[str, int], tuple[int, ...]] = {}
    for view in session.views:
        candidates = _candidates(session, view, animal, truth)
        for called in (by_owner, by_itself):
            more, said = _judged(session, view, animal, truth, candidates, called)
            rows[called] += more
            calls[called] += said
        numbers = [lesion.number for lesion in animal.lesions]
        every = _match(view.detections, candidates)
        shows |= {(view.view, spot.number): numbers[index] for index, spot in every.items()}
        unseen = [one for one in candidates if one.index not in every]
        for spot in view.detections:
            inside = (one.index for one in unseen if one.distance_mm(spot) <= one.reach_mm)
            hides[(view.view, spot.number)] = tuple(numbers[index] for index in inside)
    score = Score(
        lesions=tuple(rows[by_owner]),
        lesion_sessions=sum(lesion.cells.get(session.session, 0.0) > 0 for lesion in animal.lesions),
        calls=tuple(calls[by_owner]),
        control_sessions=int(not animal.lesions),
        control_false=0 if animal.lesions else sum(not call.right for call in calls[by_owner]),
        spot_lesions=tuple(rows[by_itself]),
        spot_calls=tuple(calls[by_itself]),
    )
    registrations = {view.view: view.registration for view in session.views}
    return score, SessionSpots(session.session, session.day, registrations, shows, hides)


def _owners(outcome: AnimalOutcome | None) -> dict[tuple[str, str, int], list[str]]:
    """Kinds of the followed lesions that own each spot: (session, view, number)."""
    owners: dict[tuple[str, str, int], list[str]] = {}
    for lesion in outcome.lesions if outcome is not None else ():
        for sighting in lesion.sightings:
            for view, number in sighting.detections:
                owners.setdefault((sighting.session, view, number), []).append(lesion.kind)
    return owners


def _registered(sessions: list[SessionSpots], outcome: AnimalOutcome) -> list[SessionSpots]:
    """Sessions with the registrations that were used for following, where the outcome holds them."""
    ordered = sorted(sessions, key=lambda one: (one.day, one.session))
    if not outcome.registrations:
        return ordered
    return [
        replace(one, registrations=dict(zip(one.registrations, used, strict=True)))
        for one, used in zip(ordered, outcome.registrations, strict=True)
    ]


def _candidates(session: SessionResult, view: ViewResult, animal: TrueAnimal, truth: Truth) -> list[_Candidate]:
    """True lesions bright enough to be asked for in a view."""
    limits = _whole_limits(view)
    found = []
    for index, lesion in enumerate(animal.lesions):
        if lesion.cells.get(session.session, 0.0) <= 0:
            continue
        height, width = view.body.shape
        image = lesion_image(truth, animal, index, session.session, view.view, shape=(height, width))
        if image.max() <= 0:
            continue
        limit = limits.get(lesion.organ if lesion.organ in limits else SUBCUTIS, float("inf"))
        if lambertian_flux(float(image.sum()), truth.pixel_mm) < CANDIDATE_SHARE * limit:
            # too faint to be the cause of a spot: a spot that lies here lies here by chance
            continue
        y_mm, x_mm = half_maximum_centroid(image, pixel_mm=truth.pixel_mm)
        width = 2.0 * np.sqrt((image >= 0.5 * image.max()).sum() / np.pi) * truth.pixel_mm
        found.append(_Candidate(index, image, y_mm, x_mm, float(max(MATCH_MM, 0.5 * width))))
    return found


def _whole_limits(view: ViewResult) -> dict[str, float]:
    """Limit of each region as the flux of a whole spot."""
    return {limit.region: limit.flux.value / limit.outline_share for limit in view.limits}


def _judged(
    session: SessionResult, view: ViewResult, animal: TrueAnimal, truth: Truth, candidates: list[_Candidate],
    called: Called,
) -> tuple[list[LesionView], list[Call]]:  # fmt: skip
    """Rows of the true lesions, and of the spots called lesions with whether a true one explains them."""
    name = f"{truth.study} {truth.seed}"
    spots = [one for one in view.detections if called(view.view, one)]
    partners = _match(spots, candidates)
    rows = [
        _lesion_row(session, view, animal, truth, candidate, partners.get(candidate.index)) for candidate in candidates
    ]
    explained = {spot.number for spot in partners.values()}
    calls = []
    for spot in spots:
        place = (
            f"{session.animal} {session.session} {view.view} {spot.region}: z {spot.z:.1f}, "
            f"width {spot.width_mm:.1f} mm, at {spot.y_mm:.0f}, {spot.x_mm:.0f} mm"
        )
        calls.append(Call(name, session.animal, spot.number in explained, place))
    return rows, calls


def _lesion_row(
    session: SessionResult,
    view: ViewResult,
    animal: TrueAnimal,
    truth: Truth,
    candidate: _Candidate,
    spot: Detection | None,
) -> LesionView:
    lesion, image = animal.lesions[candidate.index], candidate.image
    limits = _whole_limits(view)
    nan = float("nan")
    outline = float(image[view.lesions == spot.number].sum()) if spot is not None else nan
    return LesionView(
        study=f"{truth.study} {truth.seed}",
        animal=session.animal,
        session=session.session,
        view=view.view,
        lesion=lesion.number,
        organ=lesion.organ,
        cells=lesion.cells[session.session],
        flux=lambertian_flux(float(image.sum()), truth.pixel_mm),
        limit=limits.get(lesion.organ if lesion.organ in limits else SUBCUTIS, float("inf")),
        spot_y_mm=candidate.y_mm,
        spot_x_mm=candidate.x_mm,
        found=spot is not None,
        kind=spot.kind if spot is not None else "",
        error_mm=candidate.distance_mm(spot) if spot is not None else nan,
        outline_flux=lambertian_flux(outline, truth.pixel_mm),
        flux_value=spot.flux.value if spot is not None else nan,
        flux_low=spot.flux.low if spot is not None else nan,
        flux_high=spot.flux.high if spot is not None else nan,
    )


def _match(spots: Sequence[Detection], candidates: Sequence[_Candidate]) -> dict[int, Detection]:
    """Best one-to-one matching of spots with true spots that lie within reach: 4 mm, or half the true spot's width."""
    from scipy.optimize import linear_sum_assignment

    if not spots or not candidates:
        return {}
    cost = np.full((len(candidates), len(spots)), 1e6)
    for row, candidate in enumerate(candidates):
        for column, spot in enumerate(spots):
            apart = candidate.distance_mm(spot)
            if apart <= candidate.reach_mm:
                # of two true spots in reach the brighter one is the likelier cause
                cost[row, column] = apart - 0.5 * np.log10(max(candidate.image.sum(), 1e-300))
    rows, columns = linear_sum_assignment(cost)
    return {
        candidates[row].index: spots[column]
        for row, column in zip(rows, columns, strict=True)
        if cost[row, column] < 1e5
    }


def _recalled(rows: tuple[LesionView, ...]) -> list[Case]:
    """Per true lesion and session above the limit, whether a spot called a lesion shows it."""
    groups = _by_lesion(rows)
    return [
        _case(group[0], any(row.found for row in group)) for group in groups if any(row.above_limit for row in group)
    ]


def _by_lesion(rows: tuple[LesionView, ...]) -> list[list[LesionView]]:
    groups: dict[tuple[str, str, str, int], list[LesionView]] = {}
    for row in rows:
        groups.setdefault((row.study, row.animal, row.session, row.lesion), []).append(row)
    return list(groups.values())


def _case(row: LesionView | Call, hit: bool) -> Case:
    return (f"{row.study}/{row.animal}", hit)
