"""From sessions to what an animal contributes: its total lesion flux, or limit, per session.

What is compared between arms is made of it in `lampyris.study.statistics`.
"""

import math
from collections.abc import Sequence, Set

from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS
from lampyris.core.images import FLUX_UNIT
from lampyris.core.lesions import Lesion
from lampyris.core.results import Detection, DetectionLimit
from lampyris.core.study import AnimalOutcome, SessionResult, ViewResult, ViewTotal

# standard deviations; thresholds of a search over a whole animal lie above it
LEAST_THRESHOLD = 2.0
# a detection by session, view and number
DetectionKey = tuple[str, str, int]


def animal_outcome(
    sessions: Sequence[SessionResult], /, *, lesions: Sequence[Lesion] = (), level: float = 0.95
) -> AnimalOutcome:
    """What one animal contributes: the lesions' total flux per session.

    Per session the fluxes of tumour (`lampyris.core.flags.TUMOUR_KINDS`) are summed in each view and the brighter view is
    kept: light of one lesion leaves through both sides, so the views must not be added. What a detection is, the lesion that
    owns it says; where none does, the detection itself. Where no view shows a lesion whose flux is above
    0, the session's total is the limit: a lesion in a region is missed only if both views miss it, so a region's limit is
    the smaller of its views', and as the lesion could be anywhere, the largest over the regions is taken.

    Parameters
    ----------
    sessions : sequence of SessionResult
        All sessions of one animal, at least one.
    lesions : sequence of Lesion
        Followed over these sessions; kept in the outcome.
    level : float
        Coverage of the interval of a limit; detected fluxes bring theirs.

    Returns
    -------
    AnimalOutcome
        Sorted by day; status ``done``.

    Raises
    ------
    ValueError
        If there is no session or they are not of one animal and group.
    """
    ordered = sorted(sessions, key=lambda session: (session.day, session.session))
    who = {(session.animal, session.group) for session in ordered}
    if len(who) != 1:
        raise ValueError(f"needs the sessions of one animal in one group, got {sorted(who)}")
    animal, group = who.pop()
    counted = tumour_detections(ordered, lesions)
    totals, below, counts, views = [], [], [], []
    for session in ordered:
        tumour = [_counted_in(session, view, counted) for view in session.views]
        each = tuple(_view_total(view, own, level) for view, own in zip(session.views, tumour, strict=True))
        found = [view.flux for view in each if not view.below_limit]
        below.append(not found)
        counts.append(max(map(len, tumour), default=0))
        totals.append(
            max(found, key=lambda total: total.value) if found else _limit(session.views, level, bool(counts[-1]))
        )
        views.append(each)
    days = tuple(session.day for session in ordered)
    return AnimalOutcome(
        animal,
        group,
        "done",
        "",
        days,
        tuple(totals),
        tuple(below),
        tuple(counts),
        tuple(views),
        tuple(sorted(lesions, key=lambda lesion: lesion.number)),
    )


def owners(lesions: Sequence[Lesion], /) -> dict[DetectionKey, tuple[Lesion, ...]]:
    """Which lesions show in each detection, by number; a detection may be shared."""
    found: dict[DetectionKey, list[Lesion]] = {}
    for lesion in sorted(lesions, key=lambda one: one.number):
        for sighting in lesion.sightings:
            for view, number in sighting.detections:
                found.setdefault((sighting.session, view, number), []).append(lesion)
    return {key: tuple(those) for key, those in found.items()}


def tumour_detections(sessions: Sequence[SessionResult], lesions: Sequence[Lesion], /) -> frozenset[DetectionKey]:
    """Detections of tumour: of a lesion of such a kind, or, owned by none, of such a kind themselves."""
    owned = owners(lesions)
    kinds = {
        key: [lesion.kind for lesion in owned[key]] if key in owned else [detection.kind]
        for session in sessions
        for view in session.views
        for detection in view.detections
        for key in [(session.session, view.view, detection.number)]
    }
    return frozenset(key for key, those in kinds.items() if not TUMOUR_KINDS.isdisjoint(those))


def _counted_in(session: SessionResult, view: ViewResult, counted: Set[DetectionKey]) -> tuple[Detection, ...]:
    return tuple(one for one in view.detections if (session.session, view.view, one.number) in counted)


def sum_fluxes(detections: Sequence[Detection], /) -> Estimate:
    """Total flux of the lesions of one view.

    A detection's `snr` is its flux over the part of its uncertainty that is its own. Those parts add in quadrature; what is
    left of the uncertainty (calibration, tissue colour) moves all lesions together and adds as it is. The two sides of the
    interval are combined likewise, so that one lesion keeps its own.

    Parameters
    ----------
    detections : sequence of Detection
        At least one.

    Returns
    -------
    Estimate
        In ph s-1.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not detections:
        raise ValueError("there is no lesion to sum")
    fluxes = [detection.flux for detection in detections]
    if len(fluxes) == 1:
        return fluxes[0]
    shares = [_own_share(detection) for detection in detections]

    def combined(parts: list[float]) -> float:
        own = sum((part * share) ** 2 for part, share in zip(parts, shares, strict=True))
        shared = sum(part * math.sqrt(1 - share**2) for part, share in zip(parts, shares, strict=True))
        return math.sqrt(own + shared**2)

    value = sum(flux.value for flux in fluxes)
    sd = combined([flux.sd for flux in fluxes])
    low = value - combined([flux.value - flux.low for flux in fluxes])
    high = value + combined([flux.high - flux.value for flux in fluxes])
    level = min(flux.level for flux in fluxes)
    return Estimate(value, sd, low, high, level, fluxes[0].unit, f"sum of {len(fluxes)} lesions")


def _view_total(view: ViewResult, tumour: tuple[Detection, ...], level: float) -> ViewTotal:
    if tumour:
        total = sum_fluxes(tumour)
        if total.value > 0:
            return ViewTotal(view.view, total, False)
    return ViewTotal(view.view, _limit((view,), level, bool(tumour)), True)


def _limit(views: Sequence[ViewResult], level: float, found: bool) -> Estimate:
    """Largest limit over the regions, of the view that sees each best."""
    what = "found without flux above 0" if found else "nothing found"
    best: dict[str, DetectionLimit] = {}
    for limit in (limit for view in views for limit in view.limits if math.isfinite(limit.flux.value)):
        known = best.get(limit.region)
        if known is None or limit.flux.value < known.flux.value:
            best[limit.region] = limit
    if not best:
        return Estimate.unknown(level, FLUX_UNIT, f"{what}, no limit known")
    region = max(sorted(best), key=lambda name: best[name].flux.value)
    value, power = best[region].flux.value, best[region].power
    method = f"{what}: limit ({region}, found with probability {power:g})"
    return Estimate(value, math.nan, 0.0, value * _widening(power, level), level, FLUX_UNIT, method)


def _widening(power: float, level: float) -> float:
    """How far above the limit of that power a flux may be and still have been missed with probability ``1 - level``.

    A limit is threshold plus margin of the power, in standard deviations, so the end moves by the difference of two margins.
    The threshold is not stored with the limit; the least that is ever set widens most.
    """
    if level <= power:
        return 1.0
    # SciPy takes a moment to import, which the usual case of equal levels does not need
    from lampyris.statistics.thresholds import power_margin

    return (LEAST_THRESHOLD + power_margin(level)) / max(LEAST_THRESHOLD + power_margin(power), 0.1)


def _own_share(detection: Detection) -> float:
    """Share of the uncertainty that is the lesion's own, 0 to 1, in standard deviations."""
    flux = detection.flux
    if not (detection.snr > 0 and flux.sd > 0 and flux.value > 0):
        return 1.0
    return min(1.0, flux.value / detection.snr / flux.sd)
