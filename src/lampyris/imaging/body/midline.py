"""Cubic profiles along an animal, and the way back from a bent animal to a straight one.

A profile is given by its values at stations spread evenly from the nose to the rump (`POSE_REACH_MM`). A bend is a natural
cubic spline, which goes straight on at both ends; a girth is a clamped one, which is held at both ends.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import eval_legendre

from lampyris.core.images import POSE_REACH_MM

Floats = NDArray[np.float64]
# stations of a fitted pose, and the terms of its bend (arc, S, W) and girth (taper and on): Legendre polynomials
STATIONS = 7
BEND_TERMS, GIRTH_TERMS = (2, 3, 4), (1, 2, 3, 4)
NEWTON_STEPS = 12
# of a mm along the midline; far below what a round trip may lose
NEWTON_MM = 1e-10
# the step is held to what a midline four times less curved would give: beyond its centre of curvature none is nearest
LEAST_SLOPE = 0.25


def profile_pieces(values: tuple[float, ...], /, *, ends: Literal["natural", "clamped"]) -> Floats:
    """Cubic pieces of a profile.

    Parameters
    ----------
    values : tuple of float
        At the stations; at least one.
    ends : {"natural", "clamped"}
        Straight on, or held, beyond the ends.

    Returns
    -------
    ndarray, dims (piece, power)
        Coefficients of powers 0 to 3 of the distance from the station before; the first piece lies before the first
        station and counts from it.

    Examples
    --------
    >>> profile_pieces((1.0, 1.0), ends="clamped")[1].tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return np.ascontiguousarray(_piece_matrix(len(values), ends) @ np.array(values, dtype=float))


@lru_cache(maxsize=32)
def _piece_matrix(count: int, ends: str) -> Floats:
    """Pieces are linear in the stations' values: dims (piece, power, station)."""
    if count == 1:
        pieces = np.zeros((2, 4, 1))
        pieces[:, 0] = 1.0
        return pieces
    stations = np.linspace(0.0, POSE_REACH_MM, count)
    spline = CubicSpline(stations, np.eye(count), bc_type=ends)
    pieces = np.zeros((count + 1, 4, count))
    pieces[1:-1] = spline.c[::-1].transpose(1, 0, 2)
    for piece, end in ((0, 0.0), (-1, POSE_REACH_MM)):
        pieces[piece, 0], pieces[piece, 1] = spline(end), spline(end, 1)
    return pieces


def profile_values(pieces: Floats, at_mm: Floats, /) -> tuple[Floats, Floats]:
    """Value and slope of a profile, dims as `at_mm`."""
    where = np.asarray(at_mm, float)
    pitch = POSE_REACH_MM / max(len(pieces) - 2, 1)
    piece = np.clip(np.floor(where / pitch).astype(np.int64) + 1, 0, len(pieces) - 1)
    step = where - np.maximum(piece - 1, 0) * pitch
    c0, c1, c2, c3 = np.moveaxis(pieces[piece], -1, 0)
    return c0 + step * (c1 + step * (c2 + step * c3)), c1 + step * (2.0 * c2 + step * 3.0 * c3)


@lru_cache(maxsize=1)
def shape_modes() -> tuple[Floats, Floats]:
    """Terms of a fitted bend, and of the logarithm of a fitted girth, at the stations; each of largest value 1.

    Neither holds what place, turn and scales say already.

    Returns
    -------
    bend, girth : ndarray, dims (station, term)
    """
    share = np.linspace(-1.0, 1.0, STATIONS)
    terms = np.stack([eval_legendre(order, share) for order in range(max(BEND_TERMS + GIRTH_TERMS) + 1)], axis=1)
    return terms[:, BEND_TERMS], terms[:, GIRTH_TERMS]


def straightened(
    along: Floats, across: Floats, /, *, scale_y: float, bend: Floats, girth: Floats
) -> tuple[Floats, Floats]:
    """Nominal length (y) and scaled width of points that a bent midline carries: the foot of the normal through each.

    Parameters
    ----------
    along, across : ndarray
        Along and across the unturned stage, in mm from the pose's origin.
    scale_y : float
    bend, girth : ndarray, dims (piece, power)

    Returns
    -------
    y_mm : ndarray
        Of the nominal animal.
    width_mm : ndarray
        Distance from the midline, over the girth there.
    """
    along, across = np.broadcast_arrays(np.asarray(along, float), np.asarray(across, float))
    y, width = np.empty(along.size), np.empty(along.size)
    _straighten(
        np.ascontiguousarray(along).ravel(), np.ascontiguousarray(across).ravel(), scale_y, bend, girth, y, width
    )
    return y.reshape(along.shape), width.reshape(along.shape)


@njit(cache=True, nogil=True)
def _piece(pieces: Floats, pitch: float, where: float) -> tuple[float, float, float]:
    """Value, slope and curvature of a profile."""
    index = int(np.floor(where / pitch)) + 1
    index = min(max(index, 0), pieces.shape[0] - 1)
    step = where - max(index - 1, 0) * pitch
    c0, c1, c2, c3 = pieces[index, 0], pieces[index, 1], pieces[index, 2], pieces[index, 3]
    return (
        c0 + step * (c1 + step * (c2 + step * c3)),
        c1 + step * (2.0 * c2 + step * 3.0 * c3),
        2.0 * c2 + 6.0 * step * c3,
    )


@njit(cache=True, nogil=True)
def _straighten(
    along: Floats, across: Floats, scale_y: float, bend: Floats, girth: Floats, y: Floats, width: Floats
) -> None:
    bend_pitch = POSE_REACH_MM / max(bend.shape[0] - 2, 1)
    girth_pitch = POSE_REACH_MM / max(girth.shape[0] - 2, 1)
    for i in range(along.size):
        foot = along[i] / scale_y
        for _ in range(NEWTON_STEPS):
            value, slope, curve = _piece(bend, bend_pitch, foot)
            apart = across[i] - value
            # the midline's tangent is normal to the way to the point
            error = scale_y * (along[i] - scale_y * foot) + slope * apart
            rise = scale_y * scale_y + slope * slope - curve * apart
            move = error / max(rise, LEAST_SLOPE * scale_y * scale_y)
            foot += move
            if abs(move) < NEWTON_MM:
                break
        value, slope, curve = _piece(bend, bend_pitch, foot)
        wide, _, _ = _piece(girth, girth_pitch, foot)
        normal = np.sqrt(scale_y * scale_y + slope * slope)
        y[i] = foot
        width[i] = (scale_y * (across[i] - value) - slope * (along[i] - scale_y * foot)) / normal / wide
