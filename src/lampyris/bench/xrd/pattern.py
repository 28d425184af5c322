"""What a diffractometer records of a powder: lines of the tube, width of the instrument, and pseudo-Voigts of size and strain."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.shapes import LN2, gaussian, lorentzian
from lampyris.core.constants import FWHM_PER_SD

Array = NDArray[np.float64]
_GAUSS_HEIGHT = 2.0 * math.sqrt(LN2 / math.pi)
_LORENTZ_HEIGHT = 2.0 / math.pi


@dataclass(frozen=True, slots=True)
class Beam:
    """Lines of the source and what polarises them.

    Parameters
    ----------
    wavelengths_a, weights : tuple of float
        Of each line; weights add up to 1.
    monochromator_deg : float
        Scattering angle 2 theta of a monochromator; 0 without.
    """

    wavelengths_a: tuple[float, ...]
    weights: tuple[float, ...]
    monochromator_deg: float = 0.0

    @property
    def mean_a(self) -> float:
        """Mean wavelength in A."""
        return float(np.dot(self.wavelengths_a, self.weights))


@dataclass(frozen=True, slots=True)
class Resolution:
    """Full width of a sharp line at half its height, after Caglioti, in deg 2 theta, and its Lorentzian share.

    Parameters
    ----------
    u, v, w : float
        Of H^2 = u tan^2(theta) + v tan(theta) + w in deg^2.
    share : float
        Lorentzian share of the line.
    window_deg : float
        Angle over which each point is a mean.

    References
    ----------
    Caglioti, Paoletti and Ricci, Nucl. Instrum. 3, 223 (1958), DOI 10.1016/0369-643X(58)90029-X.
    """

    u: float = 0.0
    v: float = 0.0
    w: float = 0.0
    share: float = 0.0
    window_deg: float = 0.0

    def scaled(self, factor: float, /) -> "Resolution":
        """The same with all widths so many times as large; not the window of a point."""
        return replace(self, u=self.u * factor**2, v=self.v * factor**2, w=self.w * factor**2)

    def width_deg(self, two_theta_deg: ArrayLike, /) -> Array:
        """Width at an angle."""
        tangent = np.tan(np.radians(np.asarray(two_theta_deg, np.float64)) / 2.0)
        return np.sqrt(np.maximum(self.u * tangent**2 + self.v * tangent + self.w, 0.0))


def predict_polarisation(two_theta_deg: ArrayLike, monochromator_deg: float = 0.0, /) -> Array:
    """Share of an unpolarised beam that is scattered at an angle.

    The Lorentz factor of a powder stands in `predict_lines`, where it follows from the mean over directions.
    """
    first = math.cos(math.radians(monochromator_deg)) ** 2
    return np.asarray((1.0 + first * np.cos(np.radians(two_theta_deg)) ** 2) / (1.0 + first))


def q_of(two_theta_deg: ArrayLike, wavelength_a: float, /, *, shift_deg: float = 0.0) -> Array:
    """Scattering vector in 1/A of recorded angles.

    Parameters
    ----------
    two_theta_deg : array_like
    wavelength_a : float
    shift_deg : float
        A sample beside the axis moves lines by this times cos(theta).

    Examples
    --------
    >>> round(float(q_of(30.0, 1.5406)), 4)
    2.1111
    """
    half = np.radians(np.asarray(two_theta_deg, np.float64)) / 2.0
    true = half - 0.5 * math.radians(shift_deg) * np.cos(half)
    return np.asarray(4.0 * math.pi * np.sin(true) / wavelength_a)


def two_theta_of(q: ArrayLike, wavelength_a: float, /) -> Array:
    """Angle 2 theta in deg, NaN beyond what the wavelength reaches."""
    sine = np.asarray(q, np.float64) * wavelength_a / (4.0 * math.pi)
    return np.asarray(2.0 * np.degrees(np.arcsin(np.where(np.abs(sine) <= 1.0, sine, math.nan))))


def voigt_parts(width: ArrayLike, share: ArrayLike, /) -> tuple[Array, Array]:
    """Widths of the Gaussian and the Lorentzian whose convolution a pseudo-Voigt stands for.

    References
    ----------
    Thompson, Cox and Hastings, J. Appl. Cryst. 20, 79 (1987), DOI 10.1107/S0021889887087090.
    """
    n, whole = np.asarray(share, np.float64), np.asarray(width, np.float64)
    gauss = np.sqrt(np.maximum(1.0 - 0.74417 * n - 0.24781 * n**2 - 0.00810 * n**3, 0.0))
    lorentz = 0.72928 * n + 0.19289 * n**2 + 0.07783 * n**3
    return np.asarray(whole * gauss), np.asarray(whole * lorentz)


def pseudo_voigt_of(gauss: ArrayLike, lorentz: ArrayLike, /) -> tuple[Array, Array]:
    """Width and Lorentzian share of the pseudo-Voigt that stands for the convolution of a Gaussian and a Lorentzian.

    Examples
    --------
    >>> [round(float(one), 3) for one in pseudo_voigt_of(*voigt_parts(2.0, 0.4))]
    [1.997, 0.401]
    """
    g, x = np.asarray(gauss, np.float64), np.asarray(lorentz, np.float64)
    fifth = g**5 + 2.69269 * g**4 * x + 2.42843 * g**3 * x**2 + 4.47163 * g**2 * x**3 + 0.07842 * g * x**4 + x**5
    width = fifth**0.2
    ratio = x / np.maximum(width, 1e-300)
    return width, np.clip(1.36603 * ratio - 0.47719 * ratio**2 + 0.11116 * ratio**3, 0.0, 1.0)


def pseudo_voigt(squared: Array, share: ArrayLike, /) -> Array:
    """Line of unit area and unit width, over the squared distance from its top in widths."""
    n = np.asarray(share, np.float64)
    # far out numbers are so small that arithmetic with them is slow
    gauss = _GAUSS_HEIGHT * gaussian(np.minimum(squared, 170.0))
    return np.asarray(n * _LORENTZ_HEIGHT * lorentzian(squared) + (1.0 - n) * gauss)


def breadth_over_width(share: ArrayLike, /) -> Array:
    """Integral breadth of a pseudo-Voigt over its full width at half maximum."""
    n = np.asarray(share, np.float64)
    return np.asarray(1.0 / (n * _LORENTZ_HEIGHT + (1.0 - n) * _GAUSS_HEIGHT))


def instrument_parts(inverse: Array, beam: Beam, resolution: Resolution, /) -> tuple[Array, Array]:
    """Widths in q of the Gaussian and the Lorentzian that the instrument's line at each place is made of, dims (reflection,)."""
    angle = two_theta_of(inverse, beam.mean_a)
    angle = np.where(np.isnan(angle), 179.0, angle)
    per_deg = 2.0 * math.pi / beam.mean_a * np.cos(np.radians(angle) / 2.0) * math.radians(1.0)
    gauss, lorentz = voigt_parts(resolution.width_deg(angle) * per_deg, resolution.share)
    # a mean over a window has a twelfth of its square as variance
    window = FWHM_PER_SD / math.sqrt(12.0) * resolution.window_deg * per_deg
    return np.hypot(gauss, window), lorentz


def line_widths(
    inverse: Array, beam: Beam, resolution: Resolution, /, *, column_a: ArrayLike, share: float, strain2: float
) -> tuple[Array, Array]:
    """Width in q and Lorentzian share of reflections.

    Parameters
    ----------
    inverse : numpy.ndarray, dims (reflection,)
        Their q in 1/A.
    beam, resolution
    column_a : array_like
        Volume-weighted length of the columns of cells along the scattering vector in A, of all reflections or of each: the breadth
        in q of a strain-free crystal is 2 pi over it.
    share : float
        Lorentzian share of the line that size alone gives.
    strain2 : float
        Mean square of relative changes of the lattice, Gaussian; a fit may ask for one below 0, which narrows lines.

    Returns
    -------
    width, share : numpy.ndarray, dims (reflection,)
    """
    size = 2.0 * math.pi / np.asarray(column_a, np.float64) / float(breadth_over_width(share))
    gauss, lorentz = voigt_parts(size, share)
    own_gauss, own_lorentz = instrument_parts(inverse, beam, resolution)
    square = gauss**2 + own_gauss**2 + FWHM_PER_SD**2 * strain2 * inverse**2
    if strain2 < 0:
        # bends smoothly to nothing where more is taken off than there is
        square = 0.5 * (square + np.sqrt(square**2 + (0.1 * size) ** 4))
    return pseudo_voigt_of(np.sqrt(square), lorentz + own_lorentz)


def predict_lines(
    two_theta_deg: Array,
    beam: Beam,
    inverse: Array,
    widths: tuple[Array, Array],
    /,
    *,
    shift_deg: float = 0.0,
    envelope: tuple[Array, Array] | None = None,
) -> Array:
    """Each reflection as it is recorded, of unit strength.

    Parameters
    ----------
    two_theta_deg : numpy.ndarray, dims (point,)
    beam : Beam
    inverse : numpy.ndarray, dims (reflection,)
        Reciprocal lengths G in 1/A.
    widths : (numpy.ndarray, numpy.ndarray)
        Of `line_widths`.
    shift_deg : float
        Of `q_of`.
    envelope : (numpy.ndarray, numpy.ndarray), optional
        Squared form factor at fixed places q: what changes over a broad line.

    Returns
    -------
    numpy.ndarray, dims (point, reflection)

    Notes
    -----
    A crystal's line in q about G, of unit area p(q), gives p(q - G) / (q G) when it is averaged over all directions: this is the
    Lorentz factor, evaluated over the line and not only at its top.
    """
    width, share = widths
    total = np.zeros((two_theta_deg.size, inverse.size))
    for wavelength, weight in zip(beam.wavelengths_a, beam.weights, strict=True):
        q = q_of(two_theta_deg, wavelength, shift_deg=shift_deg)
        line = pseudo_voigt(((q[:, None] - inverse[None, :]) / width) ** 2, share)
        line /= width * np.maximum(q, 0.05)[:, None] * inverse
        if envelope is not None:
            line *= np.interp(q, *envelope)[:, None] / np.interp(inverse, *envelope)
        total += weight * line
    return total * predict_polarisation(two_theta_deg, beam.monochromator_deg)[:, None]


def chebyshev(two_theta_deg: Array, terms: int, /, *, ends: tuple[float, float] | None = None) -> Array:
    """Chebyshev polynomials over a pattern, dims (point, term)."""
    low, high = ends or (float(two_theta_deg[0]), float(two_theta_deg[-1]))
    x = np.clip(2.0 * (two_theta_deg - low) / (high - low) - 1.0, -1.0, 1.0)
    return np.asarray(np.polynomial.chebyshev.chebvander(x, terms - 1), np.float64)


def variance_pattern(counts: ArrayLike, /, *, per_count: float = 1.0) -> Array:
    """Variance of a recorded signal that is `per_count` times photons counted."""
    return np.maximum(np.asarray(counts, np.float64), per_count) * per_count


def scherrer_nm(
    wavelength_a: float, width_deg: ArrayLike, two_theta_deg: ArrayLike, /, *, shape_factor: float
) -> Array:
    """Size by Scherrer's equation, K wavelength / (width cos(theta)).

    Parameters
    ----------
    wavelength_a : float
    width_deg : array_like
        Width of the line in deg 2 theta, the instrument's removed.
    two_theta_deg : array_like
    shape_factor : float
        K: with integral breadths 1 for the volume-weighted column, 4/3 for the diameter of a sphere; with full widths at half
        maximum 1.1084 for the diameter of a sphere, 0.8934 for the cube root of its volume.

    References
    ----------
    Langford and Wilson, J. Appl. Cryst. 11, 102 (1978), DOI 10.1107/S0021889878012844.

    Examples
    --------
    >>> round(float(scherrer_nm(1.5406, 1.0, 30.0, shape_factor=0.89)), 3)
    8.133
    """
    half = np.radians(np.asarray(two_theta_deg, np.float64)) / 2.0
    return np.asarray(0.1 * shape_factor * wavelength_a / (np.radians(width_deg) * np.cos(half)))
