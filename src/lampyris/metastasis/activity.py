"""Injected probes: how much is in each organ and lesion over the days, and how fast it goes.

A signal is followed in one view, as two sides of an animal see unlike shares of it. It washes out after a dose: sessions that
each have a dose of their own say how uptake changes, and nothing of how long a dose stays.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS
from lampyris.core.images import FLUX_UNIT
from lampyris.core.lesions import Lesion, OrganActivity, Sighting
from lampyris.core.results import Detection
from lampyris.core.study import SessionResult
from lampyris.metastasis.kinetics import half_life

# before a lesion's number, where an organ's name stands otherwise
LESION = "lesion "


def activities(
    sessions: Sequence[SessionResult], lesions: Sequence[Lesion] = (), /, *, level: float = 0.95
) -> tuple[OrganActivity, ...]:
    """Probe in organs and lesions, session by session.

    Parameters
    ----------
    sessions : sequence of SessionResult
        Of one animal; images are not read.
    lesions : sequence of Lesion
        Followed over the sessions; only lesions and the primary are listed.
    level : float
        Coverage where an estimate brings none of its own.

    Returns
    -------
    tuple of OrganActivity
        By day, organs before lesions. Fluxes are those of one view on all days, the one that sees more of the organ or lesion
        in the sum of its days; NaN on days on which another view alone shows a lesion. An organ's template has no outline, and no
        skin around it that is free of its light, so that it has no ratio to its background. A lesion that a session does not
        show has the most that it may have had.
    """
    ordered = sorted(sessions, key=lambda one: (one.day, one.session))
    tumours = [one for one in sorted(lesions, key=lambda one: one.number) if one.kind in TUMOUR_KINDS]
    organs = sorted({signal.organ for session in ordered for view in session.views for signal in view.organ_signals})
    organ_views = {organ: _brighter(_organ_fluxes(session, organ) for session in ordered) for organ in organs}
    lesion_views = {
        one.number: _brighter({view: spot.flux for view, spot in _spots(one, session).items()} for session in ordered)
        for one in tumours
    }
    none = Estimate.unknown(level, "1", "an organ's template has no outline")
    rows: list[OrganActivity] = []
    for session in ordered:
        for organ in organs:
            flux = _organ_fluxes(session, organ).get(organ_views[organ])
            if flux is not None:
                rows.append(OrganActivity(organ, session.day, flux, none))
        for lesion in tumours:
            sighting = next((one for one in lesion.sightings if one.session == session.session), None)
            if sighting is not None:
                spot = _spots(lesion, session).get(lesion_views[lesion.number])
                rows.append(_lesion(lesion, sighting, spot, level))
    return tuple(rows)


def washout_half_life(
    rows: Sequence[OrganActivity],
    /,
    *,
    injection_days: Sequence[float] = (),
    organ_model_error: float = 0.0,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Days over which each organ's and lesion's signal halves after a dose.

    Of several doses the one that most sessions follow is taken, of equals the first, before the next is given. A dose adds to
    what an earlier one has left, and cells that take up probe go on growing: both are in the number.

    Parameters
    ----------
    rows : sequence of OrganActivity
        Of one animal.
    injection_days : sequence of float
        Days on which the probe was given; none where each session has a dose of its own, and then there is no washout to see.
    organ_model_error : float
        Relative error of an organ's template: an animal's organ departs from it alike on all days, so that it counts for no fall.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict of str to Estimate
        Per organ, by name, in days; see `lampyris.metastasis.kinetics.half_life`. NaN, with the reason as its method, where
        there is no washout to see.
    """
    found = {}
    for organ in sorted({row.organ for row in rows}):
        if not injection_days:
            found[organ] = Estimate.unknown(level, "days", "each session has a dose of its own")
            continue
        # a limit has low 0 and no standard deviation: it is no point of a line
        own = [row for row in rows if row.organ == organ and row.flux.value > 0 and math.isfinite(row.flux.sd)]
        dose, own = _after_one_dose(own, sorted(injection_days))
        fall = half_life(
            [row.day for row in own],
            [row.flux.value for row in own],
            [row.flux.sd / row.flux.value for row in own],
            shared_relative_sd=0.0 if organ.startswith(LESION) else organ_model_error,
            level=level,
        )
        found[organ] = replace(fall, method=f"{fall.method}, after the dose of day {dose:g}")
    return found


def _after_one_dose(rows: Sequence[OrganActivity], doses: Sequence[float]) -> tuple[float, list[OrganActivity]]:
    ends = [*doses[1:], math.inf]
    parts = [(dose, [row for row in rows if dose <= row.day < end]) for dose, end in zip(doses, ends, strict=True)]
    return max(parts, key=lambda part: len(part[1]))


def _brighter(days: Iterable[Mapping[str, Estimate]]) -> str:
    """The view with most flux in the sum of the days; "" where there is none."""
    total: dict[str, float] = {}
    for fluxes in days:
        for view, flux in fluxes.items():
            total[view] = total.get(view, 0.0) + flux.value
    return max(total, key=lambda view: total[view], default="")


def _organ_fluxes(session: SessionResult, organ: str) -> dict[str, Estimate]:
    return {view.view: one.flux for view in session.views for one in view.organ_signals if one.organ == organ}


def _spots(lesion: Lesion, session: SessionResult) -> dict[str, Detection]:
    """The detection of each view that shows the lesion in a session."""
    own = {pair for one in lesion.sightings if one.session == session.session for pair in one.detections}
    return {view.view: one for view in session.views for one in view.detections if (view.view, one.number) in own}


def _lesion(lesion: Lesion, sighting: Sighting, spot: Detection | None, level: float) -> OrganActivity:
    name = f"{LESION}{lesion.number}"
    if spot is not None:
        return OrganActivity(name, sighting.day, spot.flux, spot.tumour_to_background)
    if sighting.seen:
        why = "seen in the other view alone"
        return OrganActivity(
            name, sighting.day, Estimate.unknown(level, FLUX_UNIT, why), Estimate.unknown(level, "1", why)
        )
    return OrganActivity(name, sighting.day, sighting.flux, Estimate.unknown(level, "1", "not seen"))
