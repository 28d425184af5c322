"""Whether a session's dorsal and ventral images bear each other's labels, by where their spots lie.

Photographs say it where the two sides look different (`lampyris.imaging.body.register.view_mismatch`); spots say it where a lesion lies
off the midline: under the wrong label its light comes from the other half of the animal.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lampyris.core.study import SessionResult, ViewResult
from lampyris.imaging.body.animal import animal_from_stage

Floats = NDArray[np.float64]

# of one spot from day to day, bent and breathing animals included
SPOT_SD_MM = 1.5
# farther apart, two spots are two things and say no more
SPOT_APART_MM = 6.0
# natural logarithm of the odds from which a session is said to be exchanged; a spot and day says at most 8
LEAST_LOG_ODDS = 10.0


def label_log_odds(sessions: Sequence[SessionResult], /) -> dict[str, float]:
    """Log odds that a session's two views were exchanged, from the places of its spots and of the other sessions'.

    Every spot is laid on the nominal animal twice: as its label says, and as the other label would (mirrored, in the other
    view). The squared distances to the nearest spot of each other session, capped, are compared. A spot on the midline, or
    one that no other session shows, says nothing.

    Parameters
    ----------
    sessions : sequence of SessionResult
        Of one animal; images are not read.

    Returns
    -------
    dict of str to float
        By name, of the sessions that have two views; above `LEAST_LOG_ODDS` the labels are to be doubted. Of two sessions
        that contradict each other, both are.
    """
    laid = {
        session.session: {view.view: _nominal_places(view) for view in session.views}
        for session in sessions
        if len(session.views) == 2
    }
    return {
        name: float(
            sum(
                (_misfit(places, other[view]) - _misfit(places * [1.0, -1.0], other[_other_view(views, view)])).sum()
                for others, other in laid.items()
                if others != name and other.keys() == views.keys()
                for view, places in views.items()
            )
        )
        for name, views in laid.items()
    }


def _other_view(views: Mapping[str, Floats], view: str) -> str:
    (other,) = (name for name in views if name != view)
    return other


def _nominal_places(view: ViewResult) -> Floats:
    """Spots in the nominal animal, dims (spot, (y, x)); x = 0 is its midline."""
    spots = [(spot.y_mm, spot.x_mm) for spot in view.detections]
    y_mm, x_mm = np.array(spots, float).reshape(-1, 2).T
    return np.stack(animal_from_stage(view.registration.pose, y_mm, x_mm), axis=-1)


def _misfit(places: Floats, others: Floats) -> Floats:
    """Half the squared distance in standard deviations to the nearest of the others, per place."""
    if not len(others):
        return np.full(len(places), 0.5 * (SPOT_APART_MM / SPOT_SD_MM) ** 2)
    apart = np.linalg.norm(places[:, None] - others[None], axis=-1).min(axis=1)
    return np.asarray(0.5 * (np.minimum(apart, SPOT_APART_MM) / SPOT_SD_MM) ** 2)
