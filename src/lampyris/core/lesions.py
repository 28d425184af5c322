"""Lesions followed over days: identity, kind, organ, place and amount, and what an animal's spread amounts to.

Days that bound an event are an interval (`after_day`, `by_day`]: the last session in which it would have been seen and was
not, and the first in which it was. `-inf` stands for "before the first session", `inf` for "not by the last".
Places are in the nominal animal's frame: ``z`` towards the back, ``y`` from the nose, ``x`` to the animal's left, in mm.
"""

from dataclasses import dataclass

from lampyris.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Sighting:
    """A lesion in one session, seen or not.

    Parameters
    ----------
    session : str
    day : float
        Days since inoculation.
    seen : bool
        At least one view shows it as a detection.
    detections : tuple of (view, number)
        The `Detection` of each view that shows it; empty where it is not seen.
    flux : Estimate
        Of the brighter view, ph s-1; where not seen the flux it may have had at most, with low 0.
    cells : Estimate
        Labelled-cell equivalents at injection; where not seen the most that may be there, with low 0.
    shared_with : tuple of int
        Lesions whose light in this session is one spot with this one's: the amount is theirs together.
    current_cells : Estimate or None
        Cells that are there now, under the growth prior given in ``[growth]`` of study.toml; None where none is given,
        NaN where the prior says nothing of it.
    """

    session: str
    day: float
    seen: bool
    detections: tuple[tuple[str, int], ...]
    flux: Estimate
    cells: Estimate
    shared_with: tuple[int, ...] = ()
    current_cells: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Lesion:
    """One source of light in an animal, followed over its sessions.

    Parameters
    ----------
    number : int
        Identity within the animal, from 1; the same on every day.
    kind : str
        The likeliest `lampyris.core.flags.DetectionKind`.
    kinds : dict of str to float
        Probability of each kind; sums to 1.
    reasons : tuple of str
        What spoke for the kind and the organ, in words.
    organ : str
        The likeliest organ (also where no organ is likely).
    organs : dict of str to float
        Probability of each organ of the nominal animal, and of ``subcutis`` for all else; sums to 1.
    position_mm : tuple of Estimate
        (z, y, x) in the nominal animal's frame, in mm.
    depth_mm : Estimate
        Below the surface of the view that sees more of it.
    sightings : tuple of Sighting
        One per session of the animal, by day.
    after_day, by_day : float
        Its cells arrived in (after_day, by_day].
    last_day, lost_by_day : float
        The last session that shows it, and the first after that which would have shown it and did not; inf if there is none.
    half_life_days : Estimate
        Of its signal, from the sessions that show it; NaN where the sessions do not say, and for injected probes, whose
        signal follows the doses.
    split_from, merged_into : int
        The lesion with which it shares a spot before its first, or after its last own sighting; 0 for none.
    """

    number: int
    kind: str
    kinds: dict[str, float]
    reasons: tuple[str, ...]
    organ: str
    organs: dict[str, float]
    position_mm: tuple[Estimate, Estimate, Estimate]
    depth_mm: Estimate
    sightings: tuple[Sighting, ...]
    after_day: float
    by_day: float
    last_day: float
    lost_by_day: float
    half_life_days: Estimate
    split_from: int = 0
    merged_into: int = 0


@dataclass(frozen=True, slots=True)
class OrganOnset:
    """When an organ of one animal was reached.

    Parameters
    ----------
    organ : str
    probability : float
        That it was reached at all, by the last session.
    after_day, by_day : float
        Reached in (after_day, by_day]; by_day is inf where no lesion is called there.
    limit_cells : float
        Labelled-cell equivalents that would have been seen in the last session; NaN where no limit is known.
    """

    organ: str
    probability: float
    after_day: float
    by_day: float
    limit_cells: float


@dataclass(frozen=True, slots=True)
class Passage:
    """An arrow of the route of spread: from the primary (or the place of injection) to a lesion.

    Parameters
    ----------
    source, target : str
        Organs.
    lesion : int
        Number of the target.
    probability : float
        Of the target's organ.
    after_day, by_day : float
        Arrived in (after_day, by_day].
    distance_mm : Estimate
        Straight line between the two.
    """

    source: str
    target: str
    lesion: int
    probability: float
    after_day: float
    by_day: float
    distance_mm: Estimate


@dataclass(frozen=True, slots=True)
class OrganActivity:
    """Probe in an organ or lesion at one time, for injected probes.

    Parameters
    ----------
    organ : str
        Organ, or ``lesion N``.
    day : float
    flux : Estimate
        ph s-1; of the one view, on all days, that sees more of it.
    ratio_to_background : Estimate
        Its mean radiance over that of the skin around it, in the same view, 1; NaN for organs, which have no outline.
    """

    organ: str
    day: float
    flux: Estimate
    ratio_to_background: Estimate


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What one animal's spread amounts to.

    Parameters
    ----------
    days : tuple of float
        Of its sessions.
    onsets : tuple of OrganOnset
        Every organ, reached or not.
    burden : tuple of Estimate
        Per session: labelled-cell equivalents in lesions other than the primary; a limit with low 0 where none is seen.
    burden_below : tuple of bool
        Per session: no such lesion is seen, and `burden` is a limit.
    primary : tuple of Estimate
        Per session: labelled-cell equivalents in the primary; NaN where there is none.
    sites : tuple of int
        Per session: lesions other than the primary that were seen up to then.
    burden_area : Estimate
        Area under `burden` over the days, cell days; limits count from 0 to their value.
    half_life_days : Estimate
        Of the signal of the primary; NaN for injected probes.
    persistence : Estimate
        Share of the primary's first signal that is left in the last session; NaN for injected probes.
    first_spread : (after_day, by_day)
        Of the first lesion other than the primary.
    farthest_mm : Estimate
        Distance of the farthest of them from the primary; NaN where there is none.
    route : tuple of Passage
        By day of arrival.
    activities : tuple of OrganActivity
        For injected probes; empty where the cells were labelled before.
    washout_half_life : dict of str to Estimate
        For injected probes, per organ: days over which its signal halves after one dose; NaN where no dose is followed by
        several sessions.
    """

    days: tuple[float, ...]
    onsets: tuple[OrganOnset, ...]
    burden: tuple[Estimate, ...]
    burden_below: tuple[bool, ...]
    primary: tuple[Estimate, ...]
    sites: tuple[int, ...]
    burden_area: Estimate
    half_life_days: Estimate
    persistence: Estimate
    first_spread: tuple[float, float]
    farthest_mm: Estimate
    route: tuple[Passage, ...]
    activities: tuple[OrganActivity, ...]
    washout_half_life: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Reach:
    """Share of an arm's animals in which an organ was reached, by day.

    Parameters
    ----------
    group, organ : str
        ``any`` for any organ but the primary's.
    n : int
        Animals.
    days : tuple of float
    reached : tuple of Estimate
        Per day, the share of animals in which it was seen by then, with an exact binomial interval.
    possible : tuple of float
        Per day, the share in which it may have been reached by then, though not yet seen.
    """

    group: str
    organ: str
    n: int
    days: tuple[float, ...]
    reached: tuple[Estimate, ...]
    possible: tuple[float, ...]
