"""Ellipses of unit area by two numbers without a pole at the circle, and the least-squares fit of blurred particles to an image.

The squared radius at (u, v) from the centre is (q - a) u^2 - 2 b u v + (q + a) v^2 with q = sqrt(1 + a^2 + b^2), whose
determinant is 1 whatever a and b: the radius of the circle of equal area is a parameter of its own. The aspect is q + hypot(a, b).
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.micrographs.contrast import LEAST_BLUR, MOST_BLUR

COLUMNS = ("x", "y", "radius", "a", "b", "contrast", "offset")
"""Columns of a particle; x, y and radius in pixels."""
SHAPE_SD, LEAST_RADIUS_PX = 0.5, 0.3
"""What is known of the two numbers of a shape before it is seen (an aspect of 1.6), and the least radius that a fit may take."""
_LOW, _SPAN = float(np.log(LEAST_BLUR)), float(np.log(MOST_BLUR / LEAST_BLUR))


class Known(NamedTuple):
    """What is known before a particle is fitted: standard deviations of a pixel's noise, and of the level below it."""

    pixel_sd: float
    offset_sd: float


@njit(cache=True, nogil=True)
def _row(profile, radius):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Row of the table for a radius in pixels, and how far on the next one lies."""
    blur = min(max(profile.blur_px / radius, 1.0001 * LEAST_BLUR), 0.9999 * MOST_BLUR)
    place = (np.log(blur) - _LOW) / _SPAN * (profile.values.shape[0] - 1)
    row = min(int(place), profile.values.shape[0] - 2)
    return row, place - row


@njit(cache=True, nogil=True)
def _value(profile, row, share, at):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Contrast at so many radii from the centre, its slope there, and by how much the next row is higher."""
    table, slope = profile.values, profile.slopes
    place = at * 100.0
    column = int(place)
    if column >= table.shape[1] - 1:
        return 0.0, 0.0, 0.0
    part = place - column
    low = (1.0 - part) * table[row, column] + part * table[row, column + 1]
    high = (1.0 - part) * table[row + 1, column] + part * table[row + 1, column + 1]
    leaning = (1.0 - share) * ((1.0 - part) * slope[row, column] + part * slope[row, column + 1]) + share * (
        (1.0 - part) * slope[row + 1, column] + part * slope[row + 1, column + 1]
    )
    return (1.0 - share) * low + share * high, leaning, high - low


@njit(cache=True, nogil=True)
def _add(image, one, profile, sign):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Add a particle to an image, or take it off."""
    height, width = image.shape
    x, y, radius, a, b, contrast = one[0], one[1], one[2], one[3], one[4], one[5]
    q = np.sqrt(1.0 + a * a + b * b)
    row, share = _row(profile, radius)
    reach = radius * np.sqrt(q + np.hypot(a, b)) + 4.5 * profile.blur_px + 1.0
    for v in range(max(int(y - reach), 0), min(int(y + reach) + 2, height)):
        for u in range(max(int(x - reach), 0), min(int(x + reach) + 2, width)):
            dx, dy = u - x, v - y
            at = np.sqrt(max((q - a) * dx * dx - 2.0 * b * dx * dy + (q + a) * dy * dy, 0.0)) / radius
            value, _, _ = _value(profile, row, share, at)
            image[v, u] += sign * contrast * value


@njit(cache=True, nogil=True)
def _normal(residual, one, profile, own):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Normal matrix and gradient of one particle, the sum of squares, and how many pixels; `own` is the circle of pixels."""
    height, width = residual.shape
    x, y, radius, a, b, contrast, offset = one[0], one[1], one[2], one[3], one[4], one[5], one[6]
    q = np.sqrt(1.0 + a * a + b * b)
    steps = (profile.values.shape[0] - 1) / _SPAN
    row, share = _row(profile, radius)
    reach = own[0]
    matrix = np.zeros((7, 7))
    gradient = np.zeros(7)
    line = np.zeros(7)
    total = 0.0
    count = 0
    for v in range(max(int(own[2] - reach), 0), min(int(own[2] + reach) + 2, height)):
        for u in range(max(int(own[1] - reach), 0), min(int(own[1] + reach) + 2, width)):
            if (u - own[1]) ** 2 + (v - own[2]) ** 2 > reach * reach:
                continue
            if np.isnan(residual[v, u]):
                continue
            dx, dy = u - x, v - y
            at = np.sqrt(max((q - a) * dx * dx - 2.0 * b * dx * dy + (q + a) * dy * dy, 1e-12)) / radius
            value, leaning, rise = _value(profile, row, share, at)
            off = residual[v, u] - contrast * value - offset
            lean = contrast * leaning / (radius * radius * at)
            line[0] = -lean * ((q - a) * dx - b * dy)
            line[1] = -lean * ((q + a) * dy - b * dx)
            # of the logarithm of the radius
            line[2] = contrast * (-at * leaning - rise * steps)
            line[3] = 0.5 * lean * ((a / q - 1.0) * dx * dx + (a / q + 1.0) * dy * dy)
            line[4] = 0.5 * lean * (b / q * (dx * dx + dy * dy) - 2.0 * dx * dy)
            line[5] = value
            line[6] = 1.0
            total += off * off
            count += 1
            for i in range(7):
                gradient[i] += line[i] * off
                for j in range(i + 1):
                    matrix[i, j] += line[i] * line[j]
    for i in range(7):
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    return matrix, gradient, total, count


@njit(cache=True, nogil=True)
def _goal(total, one, known):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Chi-squared with what is known of shapes and of the level below."""
    return total / known.pixel_sd**2 + (one[3] ** 2 + one[4] ** 2) / SHAPE_SD**2 + (one[6] / known.offset_sd) ** 2


@njit(cache=True, nogil=True)
def _with_known(matrix, known):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    full = matrix / known.pixel_sd**2
    full[3, 3] += 1.0 / SHAPE_SD**2
    full[4, 4] += 1.0 / SHAPE_SD**2
    full[6, 6] += 1.0 / known.offset_sd**2
    return full


@njit(cache=True, nogil=True)
def _factor(full):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Put Cholesky's lower factor in place of a symmetric matrix; one that has none is of an edge that tells nothing.

    Written out, as a library's solver in here takes longer to compile than all else together.
    """
    for j in range(full.shape[0]):
        for k in range(j):
            full[j, j] -= full[j, k] ** 2
        if not (full[j, j] > 0.0 and np.isfinite(full[j, j])):
            raise np.linalg.LinAlgError("an edge does not tell where its particle ends")
        full[j, j] = np.sqrt(full[j, j])
        for i in range(j + 1, full.shape[0]):
            for k in range(j):
                full[i, j] -= full[i, k] * full[j, k]
            full[i, j] /= full[j, j]


@njit(cache=True, nogil=True)
def _forward(factor, right):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Solve with a lower factor, in place."""
    for i in range(right.size):
        for k in range(i):
            right[i] -= factor[i, k] * right[k]
        right[i] /= factor[i, i]


@njit(cache=True, nogil=True)
def _backward(factor, right):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Solve with a lower factor's transpose, in place."""
    for i in range(right.size - 1, -1, -1):
        for k in range(i + 1, right.size):
            right[i] -= factor[k, i] * right[k]
        right[i] /= factor[i, i]


@njit(cache=True, nogil=True)
def _variance_factor(factor, number):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Diagonal element of the inverse of what was factored."""
    unit = np.zeros(factor.shape[0])
    unit[number] = 1.0
    _forward(factor, unit)
    total = 0.0
    for one in unit:
        total += one * one
    return total


@njit(cache=True, nogil=True)
def _fit_one(residual, one, profile, known, most):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Levenberg-Marquardt steps of one particle, in place; what `fit_particles` tells of it."""
    trial = np.zeros(7)
    frame = np.zeros(3)
    move = np.zeros(7)
    # the circle of pixels stays while the particle moves, so that sums of squares compare
    frame[0] = (
        one[2] * np.sqrt(np.sqrt(1.0 + one[3] ** 2 + one[4] ** 2) + np.hypot(one[3], one[4]))
        + 3.0 * profile.blur_px
        + 3.0
    )
    frame[1], frame[2] = one[0], one[1]
    damping, failed = 1e-3, 0.0
    matrix, gradient, total, count = _normal(residual, one, profile, frame)
    goal = _goal(total, one, known)
    for _ in range(most):
        full = _with_known(matrix, known)
        for i in range(7):
            move[i] = gradient[i] / known.pixel_sd**2
            full[i, i] = full[i, i] * (1.0 + damping) + 1e-12
        move[3] -= one[3] / SHAPE_SD**2
        move[4] -= one[4] / SHAPE_SD**2
        move[6] -= one[6] / known.offset_sd**2
        _factor(full)
        _forward(full, move)
        _backward(full, move)
        for i in range(7):
            trial[i] = one[i] + move[i]
        trial[2] = one[2] * np.exp(min(max(move[2], -0.5), 0.5))
        told = trial[2] >= LEAST_RADIUS_PX
        for i in range(7):
            told = told and np.isfinite(trial[i])
        if not told:
            failed = 1.0
            break
        matrix_there, gradient_there, total_there, _ = _normal(residual, trial, profile, frame)
        goal_there = _goal(total_there, trial, known)
        if not goal_there < goal:
            damping *= 8.0
            if damping > 1e6:
                break
            continue
        gained = goal - goal_there
        for i in range(7):
            one[i] = trial[i]
        matrix, gradient, total, goal = matrix_there, gradient_there, total_there, goal_there
        damping = max(damping * 0.2, 1e-9)
        if gained < 1e-3:
            break
    full = _with_known(matrix, known)
    for i in range(7):
        full[i, i] += 1e-12
    _factor(full)
    tilt = 0.5 * (_variance_factor(full, 3) + _variance_factor(full, 4))
    reduced = total / known.pixel_sd**2 / max(count - 7, 1)
    return _variance_factor(full, 2) / known.pixel_sd**2, reduced, failed, tilt / known.pixel_sd**2


@njit(cache=True, nogil=True)
def fit_particles(  # type: ignore[no-untyped-def]
    residual, particles, which, profile, known, most
):  # pragma: no cover - compiled
    """Fit the particles of numbers `which` in turn to what the others leave, in place.

    `residual` is the contrast (NaN where it does not count), particles taken off as they are; `particles` dims (particle, 7).
    Returns variance factor of the logarithm of the radius (times the variance of a pixel's noise), reduced chi-squared,
    whether the fit failed, and the variance factor of either number of the shape, dims (particle, 4); 1 of those not asked for. Raises
    LinAlgError where grey that was cut or drawn tells nothing of an edge.
    """
    told = np.ones((particles.shape[0], 4))
    for k in which:
        one = particles[k]
        _add(residual, one, profile, 1.0)
        told[k, 0], told[k, 1], told[k, 2], told[k, 3] = _fit_one(residual, one, profile, known, most)
        _add(residual, one, profile, -1.0)
    return told


@njit(cache=True, nogil=True)
def take_off(image, particles, profile):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Subtract every particle from an image, in place."""
    for k in range(particles.shape[0]):
        _add(image, particles[k], profile, -1.0)


@njit(cache=True, nogil=True)
def edge_waves(  # type: ignore[no-untyped-def]
    residual, particles, profile, most
):  # pragma: no cover - compiled
    """Waves of the edge that a residual shows: the share of the radius by which it lies further out, as cosines and sines of
    multiples 0 to `most` of the angle, and the variance factor of each (times the variance of a pixel's noise).

    Dims (particle, most + 1, 3): cosine, sine, variance factor; NaN where pixels that do not count are in the way. And the mean
    square of noise along each edge, dims (particle,).
    """
    found = np.zeros((particles.shape[0], most + 1, 3))
    along = np.zeros(particles.shape[0])
    height, width = residual.shape
    for k in range(particles.shape[0]):
        x, y, radius, a, b, contrast = (
            particles[k, 0],
            particles[k, 1],
            particles[k, 2],
            particles[k, 3],
            particles[k, 4],
            particles[k, 5],
        )
        q = np.sqrt(1.0 + a * a + b * b)
        row, share = _row(profile, radius)
        reach = radius * np.sqrt(q + np.hypot(a, b)) + 3.0 * profile.blur_px + 1.0
        squares = np.zeros(most + 1)
        fourth = 0.0
        for v in range(max(int(y - reach), 0), min(int(y + reach) + 2, height)):
            for u in range(max(int(x - reach), 0), min(int(x + reach) + 2, width)):
                dx, dy = u - x, v - y
                at = np.sqrt(max((q - a) * dx * dx - 2.0 * b * dx * dy + (q + a) * dy * dy, 1e-12)) / radius
                _, leaning, _ = _value(profile, row, share, at)
                weight = -contrast * at * leaning
                if weight == 0.0:
                    continue
                away = np.sqrt(max(dx * dx + dy * dy, 1e-12))
                step_c, step_s = dx / away, dy / away
                cosine, sine = 1.0, 0.0
                along[k] += (residual[v, u] * weight) ** 2
                fourth += weight**4
                for n in range(most + 1):
                    found[k, n, 0] += residual[v, u] * weight * cosine
                    found[k, n, 1] += residual[v, u] * weight * sine
                    # of either one half of the squares, the other's is as large
                    squares[n] += 0.5 * weight * weight
                    cosine, sine = cosine * step_c - sine * step_s, sine * step_c + cosine * step_s
        # five waves of the edge were fitted, and height and level: that much noise is gone from what is left
        whole = max(2.0 * squares[0], 1e-12)
        along[k] /= whole * max(1.0 - 6.0 * fourth / whole**2, 0.2)
        for n in range(most + 1):
            found[k, n, 0] /= max(squares[n], 1e-12)
            found[k, n, 1] /= max(squares[n], 1e-12)
            found[k, n, 2] = 1.0 / max(squares[n], 1e-12)
    return found, along


def aspect(particles: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Long over short axis, dims (particle,)."""
    tilt = np.hypot(particles[:, 3], particles[:, 4])
    return np.sqrt(1.0 + tilt**2) + tilt


def beyond_linear(variance_px: ArrayLike, blur_px: float, /) -> NDArray[np.float64]:
    """By what factor noise moves a fitted edge more than the fit's own slopes say.

    Parameters
    ----------
    variance_px : array_like
        Of the edge's place as the slopes say it, in pixels squared.
    blur_px : float
        Standard deviation of the blur.

    Returns
    -------
    numpy.ndarray
        Of the variance, at least 1.

    Notes
    -----
    An edge is drawn to where noise resembles it. To the second order the place of a straight edge blurred by a Gaussian, fitted in white
    noise, scatters by 1 + 3 v / b^2 of the variance v. Of 864 balls drawn each, with v / b^2 of 0.03 and 0.05, the variances of the two
    numbers of a shape and of the radius were 1.10 +- 0.02 and 1.18 +- 0.06 times those of the slopes.
    """
    return np.asarray(1.0 + 3.0 * np.asarray(variance_px, np.float64) / blur_px**2)


def half_extents(particles: NDArray[np.float64], /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Half width and half height of each outline's box, in pixels."""
    a, b = particles[:, 3], particles[:, 4]
    q = np.sqrt(1.0 + a * a + b * b)
    return particles[:, 2] * np.sqrt(q + a), particles[:, 2] * np.sqrt(q - a)
