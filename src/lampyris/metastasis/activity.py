"""Injected probes: how much is in each organ and lesion over the days, and how fast it goes."""

import math
from collections.abc import Sequence

from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS
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
        By day, organs before lesions. An organ's flux is that of the view that sees more of it; a template has no outline, so
        that it has no ratio to its background. A lesion that a session does not show has the most that it may have had.
    """
    rows: list[OrganActivity] = []
    for session in sorted(sessions, key=lambda one: (one.day, one.session)):
        rows += _organs(session, level)
        for lesion in sorted(lesions, key=lambda one: one.number):
            sighting = next((one for one in lesion.sightings if one.session == session.session), None)
            if lesion.kind in TUMOUR_KINDS and sighting is not None:
                rows.append(_lesion(lesion, sighting, session, level))
    return tuple(rows)


def washout_half_life(
    rows: Sequence[OrganActivity], /, *, organ_model_error: float = 0.0, level: float = 0.95
) -> dict[str, Estimate]:
    """Days over which each organ's and lesion's signal halves from session to session.

    Where every session has a dose of its own, this is how the uptake changes, not how long a dose stays.

    Parameters
    ----------
    rows : sequence of OrganActivity
        Of one animal.
    organ_model_error : float
        Relative error of an organ's template: an animal's organ departs from it alike on all days, so that it counts for no fall.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict of str to Estimate
        Per organ, by name, in days; see `lampyris.metastasis.kinetics.half_life`.
    """
    found = {}
    for organ in sorted({row.organ for row in rows}):
        # a limit has low 0 and no standard deviation: it is no point of a line
        own = [row for row in rows if row.organ == organ and row.flux.value > 0 and math.isfinite(row.flux.sd)]
        found[organ] = half_life(
            [row.day for row in own],
            [row.flux.value for row in own],
            [row.flux.sd / row.flux.value for row in own],
            shared_relative_sd=0.0 if organ.startswith(LESION) else organ_model_error,
            level=level,
        )
    return found


def _organs(session: SessionResult, level: float) -> list[OrganActivity]:
    best: dict[str, Estimate] = {}
    for view in session.views:
        for signal in view.organ_signals:
            if signal.organ not in best or signal.flux.value > best[signal.organ].value:
                best[signal.organ] = signal.flux
    none = _no_ratio(level, "an organ's template has no outline")
    return [OrganActivity(organ, session.day, flux, none) for organ, flux in sorted(best.items())]


def _lesion(lesion: Lesion, sighting: Sighting, session: SessionResult, level: float) -> OrganActivity:
    name = f"{LESION}{lesion.number}"
    shown = [
        detection
        for view in session.views
        for detection in view.detections
        if (view.view, detection.number) in sighting.detections
    ]
    if not shown:
        return OrganActivity(name, session.day, sighting.flux, _no_ratio(level, "not seen"))
    brightest: Detection = max(shown, key=lambda one: one.flux.value)
    return OrganActivity(name, session.day, brightest.flux, brightest.tumour_to_background)


def _no_ratio(level: float, why: str) -> Estimate:
    return Estimate(math.nan, math.nan, math.nan, math.nan, level, "1", why)
