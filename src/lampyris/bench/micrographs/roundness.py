"""How round particles are: aspect and circularity without what noise adds, and whether outlines have corners."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.micrographs.background import Flattened
from lampyris.bench.micrographs.shapes import aspect, edge_waves
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import t_interval

Array = NDArray[np.float64]
Corners = Literal["seen", "open", "none"]
MOST_WAVES = 8
"""Waves about an outline that are looked at; 0 to 2 are size, place and ellipse."""
CORNERS_SIGMAS, LEAST_CORNERS, FEWEST_CORNERS = 3.0, 0.01, 8
"""Outlines have corners from so many standard errors, from this share of the radius (root mean square), of so many particles."""
CRYSTALS = 0.02
"""Root mean square ripple of drawn crystals near to round: 0.03 of a cube cut by an octahedron, less of an icosahedron."""
MOST_TAPER = 0.2
"""Most that a taper is taken to hide, as a share of the radius. Drawn octahedra, rhombic dodecahedra, icosahedra, hexagonal prisms and
cut cubes, lying or anyhow turned, seemed 0.03 to 0.18 too small, cubes anyhow turned 0.16 to 0.22; tetrahedra and their cut forms
seemed up to 0.38 too small and are beyond it."""
# as flat as a disc
_EVEN = 0.85
_STAMPS, _SEED, _FEWEST_CLEAR = 400, 20051, 8


@dataclass(frozen=True, slots=True, eq=False)
class Roundness:
    """Shapes of particles, dims (particle,).

    Parameters
    ----------
    circularity : numpy.ndarray
        4 pi area / perimeter squared of the ellipse with those of waves 3 to 8 of its edge that blur lets through. What noise
        adds is taken off: right in the mean, and so above 1 for some.
    tilt_sd : numpy.ndarray
        Noise of either number of the shape (`shapes`).
    ripple, ripple_sd : numpy.ndarray
        Mean square by which the edge leaves the ellipse, in squares of the radius, what noise adds taken off; and what noise
        alone would scatter it by.
    """

    circularity: Array
    tilt_sd: Array
    ripple: Array
    ripple_sd: Array


def roundness(
    residual: NDArray[np.float32],
    particles: Array,
    told: Array,
    flat: Flattened,
    /,
    *,
    blur_px: float,
    tables: tuple[Array, Array],
) -> Roundness:
    """Shapes of particles from what their fits leave.

    Parameters
    ----------
    residual : numpy.ndarray, dims (y, x)
        Contrast with all particles taken off.
    particles, told : numpy.ndarray, dims (particle, 7) and (particle, 4)
        Of `shapes.fit_particles`.
    flat : Flattened
    blur_px : float
    tables : tuple of numpy.ndarray
        Of `contrast.blended`.

    Returns
    -------
    Roundness

    Notes
    -----
    A radius r (1 + sum of a_n cos + b_n sin) has the circularity 1 - sum (n^2 - 1) (a_n^2 + b_n^2) / 2 to the second order. The
    noise of a_n and b_n comes from the same sums over clear background.
    """
    waves, along = edge_waves(residual, particles, blur_px, *tables, MOST_WAVES)
    # electrons are fewer in a dark particle than beside it, and so is their noise
    paler = min(1.0, float(np.nanmedian(along)) / flat.pixel_sd**2)
    scale = paler * flat.pixel_sd**2 * _noise_scale(residual, particles, flat, blur_px, tables)
    tilt_variance = told[:, 3] * scale[2]
    n = np.arange(3, MOST_WAVES + 1)
    noise = waves[:, 3:, 2] * scale[3:]
    # a wave shorter than the blur is not seen, but its noise and what square pixels do to it are
    shown = n <= np.maximum(particles[:, 2] / blur_px, 3.0)[:, None]
    power = np.where(shown, waves[:, 3:, 0] ** 2 + waves[:, 3:, 1] ** 2 - 2.0 * noise, 0.0)
    # the second order of an ellipse's circularity in the logarithm of its aspect is 3 / 8
    circular = ellipse_circularity(aspect(particles)) + 0.75 * tilt_variance - 0.5 * (power @ (n**2 - 1.0))
    return Roundness(
        circular,
        np.sqrt(tilt_variance),
        0.5 * power.sum(axis=1),
        np.sqrt(np.sum(np.where(shown, noise, 0.0) ** 2, axis=1)),
    )


def corners(ripple: ArrayLike, /) -> Corners:
    """Whether edges leave their ellipses by more than noise does.

    Parameters
    ----------
    ripple : array_like, dims (particle,)
        Of particles that stand alone.

    Returns
    -------
    str
        ``seen``: the mean ripple is above 0 by `CORNERS_SIGMAS` of its standard errors and its root above `LEAST_CORNERS`.
        ``open``: it may be that of crystals (`CRYSTALS`) as well as none. ``none`` otherwise.
    """
    values = np.asarray(ripple, np.float64)
    values = values[np.isfinite(values)]
    if values.size < FEWEST_CORNERS:
        return "open"
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(values.size)
    if mean > LEAST_CORNERS**2 and mean > CORNERS_SIGMAS * error:
        return "seen"
    return "open" if mean + 2.0 * error > CRYSTALS**2 else "none"


def hidden_taper(blur_px: float, radius_px: float, flatness: float, /) -> float:
    """By how much particles with facets may be larger than they seem, as a share of their size.

    Facets that lean towards the beam thin out to the edge. A round particle's edge is steep, so their taper passes for blur, and
    the fit ends within it: between not at all, where the blur was all the microscope's, and by the blur, where none was. Particles
    of even contrast have no taper.

    Parameters
    ----------
    blur_px, radius_px, flatness : float
        Of the picture's edge, and of its usual particle.

    Returns
    -------
    float
        Most that is hidden; `MOST_TAPER` bounds it.
    """
    if flatness > _EVEN or not radius_px > 0:
        return 0.0
    return min(blur_px / radius_px, MOST_TAPER)


def _noise_scale(
    residual: NDArray[np.float32], particles: Array, flat: Flattened, blur_px: float, tables: tuple[Array, Array]
) -> Array:
    """Variance of waves where no particle is, over that of noise without neighbours, dims (wave,)."""
    rows, columns = np.nonzero(flat.clear)
    if rows.size < _FEWEST_CLEAR:
        return np.full(MOST_WAVES + 1, (flat.area_sd / flat.pixel_sd) ** 2)
    rng = np.random.default_rng(_SEED)
    fair = particles[(particles[:, 5] > 0) & np.isfinite(particles).all(axis=1)]
    if not len(fair):
        return np.ones(MOST_WAVES + 1)
    stamps = fair[rng.integers(len(fair), size=_STAMPS)].copy()
    block = rng.integers(rows.size, size=_STAMPS)
    stamps[:, 0] = 8.0 * columns[block] + rng.uniform(0.0, 8.0, _STAMPS)
    stamps[:, 1] = 8.0 * rows[block] + rng.uniform(0.0, 8.0, _STAMPS)
    reach = 1.5 * stamps[:, 2] + 3.0 * blur_px
    height, width = residual.shape
    x, y = stamps[:, 0], stamps[:, 1]
    stamps = stamps[(x > reach) & (x < width - reach) & (y > reach) & (y < height - reach)]
    waves, _ = edge_waves(residual, stamps, blur_px, *tables, MOST_WAVES)
    power = 0.5 * (waves[:, :, 0] ** 2 + waves[:, :, 1] ** 2) / (waves[:, :, 2] * flat.pixel_sd**2)
    power = power[np.isfinite(power).all(axis=1)]
    if len(power) < _FEWEST_CLEAR:
        return np.full(MOST_WAVES + 1, (flat.area_sd / flat.pixel_sd) ** 2)
    # a stamp that reached into something that is there does not count: noise has a median of ln 2 of its mean
    return np.asarray(np.median(power, axis=0) / math.log(2.0))


def ellipse_circularity(long: ArrayLike, /) -> Array:
    """4 pi area / perimeter squared of an ellipse by its aspect (Ramanujan's second perimeter, within 1e-6 up to an aspect of 5).

    Examples
    --------
    >>> round(float(ellipse_circularity(2.0)), 4)
    0.8412
    """
    ratio = np.asarray(long, np.float64)
    h = ((ratio - 1.0) / (ratio + 1.0)) ** 2
    perimeter = np.pi * (ratio + 1.0) * (1.0 + 3.0 * h / (10.0 + np.sqrt(4.0 - 3.0 * h)))
    return np.asarray(4.0 * np.pi * np.pi * ratio / perimeter**2)


def mean_aspect(seen: ArrayLike, tilt_sd: ArrayLike, /, *, level: float = 0.95) -> Estimate:
    """Mean aspect of particles without what noise adds.

    Parameters
    ----------
    seen : array_like, dims (particle,)
        Aspects as fitted: at least 1, so noise makes each too large.
    tilt_sd : array_like, dims (particle,)
        Noise of either number of a shape.
    level : float

    Returns
    -------
    Estimate
        By leaving out a twentieth of the particles at a time (jackknife); one of at least 1.

    Notes
    -----
    The length of the two numbers of a shape is taken to follow Nakagami's law (which holds the normal, Rayleigh's, and one length
    for all), its two parameters from the second and fourth moments, which noise shifts by what is known.

    References
    ----------
    Nakagami, in Statistical Methods in Radio Wave Propagation (Pergamon 1960), 3, DOI 10.1016/B978-0-08-009306-2.50005-4.
    """
    from scipy.special import stdtrit

    long, noise = np.asarray(seen, np.float64), np.asarray(tilt_sd, np.float64)
    known = np.isfinite(long) & np.isfinite(noise)
    long, noise = long[known], noise[known]
    if long.size < 2:
        return t_interval(long)
    value = _aspect_without_noise(long, noise)
    groups = min(20, long.size)
    turn = np.arange(long.size) % groups
    left = np.array([_aspect_without_noise(long[turn != k], noise[turn != k]) for k in range(groups)])
    error = math.sqrt((groups - 1) / groups * float(np.sum((left - left.mean()) ** 2)))
    reach = float(stdtrit(groups - 1, 0.5 * (1.0 + level))) * error
    method = f"noise of shapes taken out; {groups} groups left out one at a time, Student's t"
    return Estimate(value, error, max(value - reach, 1.0), value + reach, level, "1", method)


def _aspect_without_noise(long: Array, noise: Array) -> float:
    from scipy.special import gammaln

    tilt = 0.5 * (long - 1.0 / long)
    variance = noise**2
    second = float(np.mean(tilt**2 - 2.0 * variance))
    if second <= 0.0:
        return 1.0
    fourth = float(np.mean(tilt**4 - 8.0 * variance * (tilt**2 - 2.0 * variance) - 8.0 * variance**2))
    excess = fourth - second**2
    shape = min(max(second**2 / excess, 0.3), 1e3) if excess > 0 else 1e3
    length = math.exp(gammaln(shape + 0.5) - gammaln(shape)) * math.sqrt(second / shape)
    # noise as large as the shape itself is taken off to the second order only
    return max(float(np.mean(long)) - float(np.mean(tilt)) + length - float(np.mean(variance)), 1.0)
