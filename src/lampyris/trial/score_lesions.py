"""How well lesions are followed, placed and named, against the truth.

A followed lesion is matched to the true one that most of its spots show, one to one. What is said once of a lesion (organ,
kind, place, depth, arrival) is scored once; what is said of it in each session (amount) in each session. A link joins two
successive sessions of one lesion that show it; views are pooled, so that a session counts once.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS, DetectionKind
from lampyris.core.images import Pose, Registration
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.study import AnimalOutcome
from lampyris.imaging.body.animal import stage_from_animal
from lampyris.imaging.light.nominal import SUBCUTIS
from lampyris.trial.shares import (
    Case,
    Stated,
    confidence_gap,
    expected_calibration_error,
    median,
    resampled_interval,
    share,
    share_interval,
)
from lampyris.virtual.truth import TrueAnimal, TrueLesion

CONFIDENT = 0.8
AXES = ("z", "y", "x")
# true depths in mm, the upper end included
DEPTH_CLASSES: dict[str, tuple[float, float]] = {
    "to_2mm": (-math.inf, 2.0),
    "2_to_6mm": (2.0, 6.0),
    "beyond_6mm": (6.0, math.inf),
}
# an interval that reaches farther than this share of the depth says itself that the depth is poorly known
DEPTH_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class SessionSpots:
    """One session of an animal: which true lesion each of its spots shows.

    Parameters
    ----------
    session : str
    day : float
    registrations : dict of view to Registration
        As used for following.
    shows : dict of (view, number) to int
        Number of the true lesion whose spot it is; spots that show none are left out.
    hides : dict of (view, number) to tuple of int
        True lesions without a spot of their own in that view whose light lies in this one.
    """

    session: str
    day: float
    registrations: dict[str, Registration]
    shows: dict[tuple[str, int], int]
    hides: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FollowedLesion:
    """One lesion as it was followed, beside the true one that its spots show.

    Parameters
    ----------
    study, animal : str
    number : int
        As followed.
    lesion : int
        Number of the true one; 0 where none explains it: then the fields below `right_kind` say nothing.
    kind : str
        As stated.
    right_kind : bool
        ``primary`` or ``lesion`` as the true one is; where there is no true one, any kind that is no tumour.
    primary : bool
        The true one is the primary.
    organ, true_organ : str
    organ_probability : float
        Stated for `organ`.
    right_organ : bool
    apart_mm : float
        On the stage, between the place by the estimated and the truth by the true pose; mean over sessions and views.
    inside : tuple of bool or None
        Per axis (z, y, x), whether the interval holds the truth in the nominal animal's frame; None without an interval.
    depth : Estimate
        As stated.
    true_depth_mm : float
        In the individual, below the surface of the view that sees more of it.
    arrival_day, after_day, by_day : float
        Truth and stated interval.
    """

    study: str
    animal: str
    number: int
    lesion: int
    kind: str
    right_kind: bool
    primary: bool
    organ: str
    true_organ: str
    organ_probability: float
    right_organ: bool
    apart_mm: float
    inside: tuple[bool | None, ...]
    depth: Estimate
    true_depth_mm: float
    arrival_day: float
    after_day: float
    by_day: float

    @property
    def who(self) -> str:
        """Key by which cases are resampled."""
        return f"{self.study}/{self.animal}"


@dataclass(frozen=True, slots=True)
class Amount:
    """Labelled-cell equivalents of a followed lesion in one session; limits where it was not seen."""

    study: str
    animal: str
    seen: bool
    stated: Estimate
    true_cells: float


@dataclass(frozen=True, slots=True)
class Link:
    """Two successive sessions joined as one lesion: by the truth, or by the analysis; and whether the other agrees."""

    study: str
    animal: str
    of_truth: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """What was said of lesions over their days, of one or several studies."""

    lesions: tuple[FollowedLesion, ...] = ()
    amounts: tuple[Amount, ...] = ()
    links: tuple[Link, ...] = ()


def joined(parts: Iterable[Followed], /) -> Followed:
    """Cases of several scores together."""
    every = list(parts)
    return Followed(
        tuple(row for part in every for row in part.lesions),
        tuple(row for part in every for row in part.amounts),
        tuple(row for part in every for row in part.links),
    )


def score_followed(
    outcome: AnimalOutcome, sessions: Iterable[SessionSpots], truth: TrueAnimal, /, *, study: str
) -> Followed:
    """Compare one animal's followed lesions with its true ones.

    Parameters
    ----------
    outcome : AnimalOutcome
    sessions : iterable of SessionSpots
        Those that were analysed, in any order.
    truth : TrueAnimal
    study : str
        Name under which the cases are kept apart.

    Returns
    -------
    Followed
    """
    spots = {one.session: one for one in sorted(sessions, key=lambda one: (one.day, one.session))}
    partners = _partners(outcome.lesions, spots, truth)
    lesions = tuple(
        _followed(lesion, partners.get(lesion.number), spots, truth, study=study) for lesion in outcome.lesions
    )
    return Followed(
        lesions,
        tuple(_amounts(outcome.lesions, partners, truth, study=study)),
        tuple(_links(outcome.lesions, spots, truth, study=study)),
    )


def stated_organs(followed: Followed, /, *, primaries: bool = True) -> list[Stated]:
    """Per lesion that a true one explains: whose, the probability of the named organ, and whether it is the truth's."""
    return [
        (row.who, row.organ_probability, row.right_organ)
        for row in followed.lesions
        if row.lesion and (primaries or not row.primary) and math.isfinite(row.organ_probability)
    ]


def followed_figures(followed: Followed, /) -> dict[str, Any]:
    """Figures of lesions followed over days; a figure without cases is None.

    Parameters
    ----------
    followed : Followed

    Returns
    -------
    dict
        The stable keys of ``accuracy`` that need followed lesions, and beside them: ``..._interval`` (95 %, animals
        resampled), ``..._spread`` (without the primaries, whose organ is known), depth errors by class, coverages.
    """
    matched = [row for row in followed.lesions if row.lesion]
    figures: dict[str, Any] = {"lesions_followed": len(followed.lesions), "lesions_matched": len(matched)}
    apart = [(row.who, row.apart_mm) for row in matched if math.isfinite(row.apart_mm)]
    figures["position_median_mm"] = median([distance for _, distance in apart])
    figures["position_median_mm_interval"] = _listed(resampled_interval(apart, lambda row: float(np.median(row))))
    figures |= _organ_figures(stated_organs(followed), "")
    figures |= _organ_figures(stated_organs(followed, primaries=False), "_spread")
    shares: dict[str, list[Case]] = {
        "kind_accuracy": [(row.who, row.right_kind) for row in followed.lesions],
        "appearance_coverage": [
            (row.who, row.after_day < row.arrival_day <= row.by_day) for row in matched if not row.primary
        ],
        "track_link_recall": [(f"{one.study}/{one.animal}", one.right) for one in followed.links if one.of_truth],
        "track_link_precision": [
            (f"{one.study}/{one.animal}", one.right) for one in followed.links if not one.of_truth
        ],
    }
    for axis, name in enumerate(AXES):
        held = [(row.who, row.inside[axis]) for row in matched]
        shares[f"position_coverage_{name}"] = [(who, hit) for who, hit in held if hit is not None]
    shares["position_coverage"] = [case for name in AXES for case in shares[f"position_coverage_{name}"]]
    shares["depth_coverage"] = [
        (row.who, row.depth.low <= row.true_depth_mm <= row.depth.high) for row in matched if _has_depth(row)
    ]
    for name, seen in (("cells_coverage", True), ("cells_limit_coverage", False)):
        shares[name] = [
            (f"{one.study}/{one.animal}", one.stated.low <= one.true_cells <= one.stated.high)
            for one in followed.amounts
            if one.seen is seen and math.isfinite(one.stated.low) and not math.isnan(one.stated.high)
        ]
    for name, cases in shares.items():
        figures |= {name: share(cases), f"{name}_interval": share_interval(cases), f"{name}_n": len(cases)}
    return figures | _depth_figures([row for row in matched if _has_depth(row)])


def _organ_figures(stated: list[Stated], ending: str) -> dict[str, Any]:
    confident = [one for one in stated if one[1] > CONFIDENT]
    pairs = [(who, (probability, hit)) for who, probability, hit in stated]
    shares: dict[str, list[Case]] = {
        "organ_accuracy_forced": [(who, hit) for who, _, hit in stated],
        "organ_accuracy_confident": [(who, hit) for who, _, hit in confident],
        "organ_confident_share": [(who, probability > CONFIDENT) for who, probability, _ in stated],
    }
    figures: dict[str, Any] = {}
    for name, cases in shares.items():
        figures |= {f"{name}{ending}": share(cases), f"{name}{ending}_interval": share_interval(cases)}
    figures |= {
        f"organ_confidence_gap{ending}": confidence_gap([pair for _, pair in pairs]) if pairs else None,
        f"organ_confidence_gap{ending}_interval": _listed(resampled_interval(pairs, confidence_gap)),
        f"organ_calibration_error{ending}": expected_calibration_error(stated),
        f"organs_stated{ending}": len(stated),
    }
    return figures


def _depth_figures(rows: list[FollowedLesion]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, (low, high) in DEPTH_CLASSES.items():
        inside = [row for row in rows if low < row.true_depth_mm <= high]
        key = f"depth_error_median_mm_{name}"
        errors = [(row.who, abs(row.depth.value - row.true_depth_mm)) for row in inside]
        figures[key] = median([error for _, error in errors])
        figures[f"{key}_interval"] = _listed(resampled_interval(errors, lambda row: float(np.median(row))))
        figures[f"{key}_n"] = len(errors)
    deep = [row for row in rows if row.true_depth_mm > DEPTH_CLASSES["beyond_6mm"][0]]
    plain = [row for row in deep if not depth_is_flagged(row.depth)]
    relative = [(row.who, abs(row.depth.value - row.true_depth_mm) / row.true_depth_mm) for row in plain]
    key = "depth_error_beyond_6mm_unflagged_relative_median"
    figures[key] = median([error for _, error in relative])
    figures[f"{key}_interval"] = _listed(resampled_interval(relative, lambda row: float(np.median(row))))
    figures[f"{key}_n"] = len(relative)
    flagged = [(row.who, depth_is_flagged(row.depth)) for row in deep]
    figures["depth_flagged_beyond_6mm"] = share(flagged)
    figures["depth_flagged_beyond_6mm_interval"] = share_interval(flagged)
    return figures


def depth_is_flagged(depth: Estimate, /) -> bool:
    """The stated interval is wider to either side, on average, than a fifth of the depth: it says itself that it is vague."""
    return 0.5 * (depth.high - depth.low) > DEPTH_SHARE * abs(depth.value)


def _has_depth(row: FollowedLesion) -> bool:
    return math.isfinite(row.depth.value) and math.isfinite(row.true_depth_mm)


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return list(interval) if interval is not None else None


def _shown(sighting: Sighting, spots: Mapping[str, SessionSpots]) -> list[int]:
    """True lesions that the spots of a sighting show, one entry per view."""
    if sighting.session not in spots:
        return []
    shows = spots[sighting.session].shows
    return [shows[key] for key in sighting.detections if key in shows]


def _partners(
    lesions: tuple[Lesion, ...], spots: Mapping[str, SessionSpots], truth: TrueAnimal
) -> dict[int, TrueLesion]:
    """Followed lesions with their true ones, one to one, so that most spots agree."""
    from scipy.optimize import linear_sum_assignment

    if not lesions or not truth.lesions:
        return {}
    numbers = [one.number for one in truth.lesions]
    votes = np.zeros((len(lesions), len(numbers)))
    for row, lesion in enumerate(lesions):
        for sighting in lesion.sightings:
            for shown in _shown(sighting, spots):
                votes[row, numbers.index(shown)] += 1
    rows, columns = linear_sum_assignment(votes, maximize=True)
    return {
        lesions[row].number: truth.lesions[column]
        for row, column in zip(rows, columns, strict=True)
        if votes[row, column] > 0
    }


def _followed(
    lesion: Lesion, true: TrueLesion | None, spots: Mapping[str, SessionSpots], truth: TrueAnimal, *, study: str
) -> FollowedLesion:
    primary = true is not None and true.number == 1
    kind = DetectionKind.PRIMARY if primary else DetectionKind.LESION
    return FollowedLesion(
        study=study,
        animal=truth.animal,
        number=lesion.number,
        lesion=true.number if true is not None else 0,
        kind=lesion.kind,
        right_kind=lesion.kind == kind if true is not None else lesion.kind not in TUMOUR_KINDS,
        primary=primary,
        organ=lesion.organ,
        true_organ=true.organ if true is not None else "",
        organ_probability=lesion.organs.get(lesion.organ, math.nan),
        right_organ=true is not None and lesion.organ == named_organ(true.organ, lesion.organs),
        apart_mm=_apart_mm(lesion, true, spots, truth) if true is not None else math.nan,
        inside=_inside(lesion, true, truth) if true is not None else (None,) * len(AXES),
        depth=lesion.depth_mm,
        true_depth_mm=_true_depth(true, truth) if true is not None else math.nan,
        arrival_day=true.arrival_day if true is not None else math.nan,
        after_day=lesion.after_day,
        by_day=lesion.by_day,
    )


def named_organ(organ: str, choices: Iterable[str], /) -> str:
    """Name under which an analysis that knows these organs may state a true one: itself, else ``subcutis`` for all else.

    Examples
    --------
    >>> named_organ("left flank", ("liver", "subcutis"))
    'subcutis'
    """
    return organ if organ in choices else SUBCUTIS


def _apart_mm(lesion: Lesion, true: TrueLesion, spots: Mapping[str, SessionSpots], truth: TrueAnimal) -> float:
    """Mean distance on the stage over the sessions and views that were registered."""
    stated = (lesion.position_mm[1].value, lesion.position_mm[2].value)
    distances = [
        math.dist(_on_stage(registration.pose, *stated), _on_stage(pose, *true.position_mm[1:]))
        for name, session in spots.items()
        for view, registration in session.registrations.items()
        if (pose := truth.poses.get(name, {}).get(view)) is not None
    ]
    return float(np.mean(distances)) if distances else math.nan


def _on_stage(pose: Pose, y_mm: float, left_mm: float) -> tuple[float, float]:
    y, x = stage_from_animal(pose, np.array(y_mm), np.array(-left_mm))
    return float(y), float(x)


def _inside(lesion: Lesion, true: TrueLesion, truth: TrueAnimal) -> tuple[bool | None, ...]:
    places = [place / scale for place, scale in zip(true.position_mm, truth.scale, strict=True)]
    return tuple(
        None if math.isnan(stated.low) or math.isnan(stated.high) else stated.low <= place <= stated.high
        for stated, place in zip(lesion.position_mm, places, strict=True)
    )


def _true_depth(true: TrueLesion, truth: TrueAnimal) -> float:
    index = [one.number for one in truth.lesions].index(true.number)
    brighter = int(np.argmax(truth.maps[index].sum(axis=(1, 2))))
    return true.depth_mm[truth.views[brighter]]


def _amounts(
    lesions: tuple[Lesion, ...], partners: Mapping[int, TrueLesion], truth: TrueAnimal, *, study: str
) -> list[Amount]:
    """Amounts of matched lesions; of those that share a spot, the sum, once."""
    found = []
    for lesion in lesions:
        for sighting in lesion.sightings:
            together = sorted({lesion.number, *sighting.shared_with} & partners.keys())
            if not together or lesion.number != together[0]:
                continue
            cells = sum(partners[one].cells.get(sighting.session, 0.0) for one in together)
            # before its arrival there is nothing to be right about: a limit of any height holds 0
            if sighting.seen or cells > 0:
                found.append(Amount(study, truth.animal, sighting.seen, sighting.cells, cells))
    return found


def _links(
    lesions: tuple[Lesion, ...], spots: Mapping[str, SessionSpots], truth: TrueAnimal, *, study: str
) -> list[Link]:
    """Links of the analysis, judged by the truth, and links of the truth, judged by the analysis."""
    made: set[tuple[int, str, str]] = set()
    links = []
    for lesion in lesions:
        seen = [one for one in sorted(lesion.sightings, key=lambda one: (one.day, one.session)) if one.seen]
        for before, after in pairwise(seen):
            ends = [_truths(sighting, spots) for sighting in (before, after)]
            made |= {(number, before.session, after.session) for number in ends[0] & ends[1]}
            # where neither end shows a lesion, the truth says nothing of what was followed
            if ends[0] or ends[1]:
                links.append(Link(study, truth.animal, of_truth=False, right=bool(ends[0] & ends[1])))
    for true in truth.lesions:
        days = [name for name, session in spots.items() if true.number in session.shows.values()]
        links += [
            Link(study, truth.animal, of_truth=True, right=(true.number, before, after) in made)
            for before, after in pairwise(days)
        ]
    return links


def _truths(sighting: Sighting, spots: Mapping[str, SessionSpots]) -> set[int]:
    """True lesions that a sighting shows, with those that its spots hide where the analysis says that they are shared."""
    shown = set(_shown(sighting, spots))
    if sighting.shared_with and sighting.session in spots:
        hides = spots[sighting.session].hides
        shown |= {number for key in sighting.detections for number in hides.get(key, ())}
    return shown
