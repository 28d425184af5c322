"""Light scattered by a sphere: Rayleigh's sixth power, or Mie's series, for weights by volume and number."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.dls.light import Optics


def scattered_intensity(
    diameters_nm: ArrayLike, optics: Optics, /, *, particle_index: complex | None = None
) -> NDArray[np.float64]:
    """Intensity that one sphere of each diameter scatters into the detector, in arbitrary units.

    Parameters
    ----------
    diameters_nm : array_like, dims (size,)
    optics : Optics
    particle_index : complex, optional
        Refractive index of the particle, its imaginary part positive for absorption; without it the sixth power of the diameter,
        which holds below about a tenth of the wavelength (60 nm).

    Returns
    -------
    numpy.ndarray, dims (size,)
        Of light polarised upright to the plane of scattering, as of lasers in these instruments.

    References
    ----------
    Bohren and Huffman, Absorption and Scattering of Light by Small Particles, Wiley 1983, DOI 10.1002/9783527618156, chapter 4.
    """
    sizes = np.asarray(diameters_nm, np.float64)
    if particle_index is None:
        return sizes**6
    wave = 2.0 * math.pi * optics.refractive_index / optics.wavelength_nm
    ratio = particle_index / optics.refractive_index
    cosine = math.cos(math.radians(optics.angle_deg))
    return np.array([abs(_amplitude(0.5 * wave * size, ratio, cosine)) ** 2 for size in sizes])


def mie_coefficients(x: float, ratio: complex, /) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Coefficients a and b of Mie's series.

    Parameters
    ----------
    x : float
        Circumference over the wavelength in the medium.
    ratio : complex
        Index of the particle over that of the medium.

    Returns
    -------
    tuple of numpy.ndarray, dims (order,)
    """
    count = int(x + 4.05 * x ** (1.0 / 3.0) + 3.0)
    inner = ratio * x
    top = max(count, int(abs(inner))) + 16
    slope = np.zeros(top + 1, np.complex128)
    # the logarithmic derivative is stable downwards only
    for n in range(top, 0, -1):
        slope[n - 1] = n / inner - 1.0 / (slope[n] + n / inner)
    from scipy.special import spherical_jn, spherical_yn

    orders = np.arange(0, count + 1)
    psi = x * spherical_jn(orders, x)
    xi = psi + 1j * x * spherical_yn(orders, x)
    per = orders[1:] / x
    first = slope[1 : count + 1] / ratio + per
    second = slope[1 : count + 1] * ratio + per
    a = (first * psi[1:] - psi[:-1]) / (first * xi[1:] - xi[:-1])
    b = (second * psi[1:] - psi[:-1]) / (second * xi[1:] - xi[:-1])
    return a, b


def _amplitude(x: float, ratio: complex, cosine: float) -> complex:
    """S1: field upright to the plane of scattering."""
    a, b = mie_coefficients(x, ratio)
    before, pi = 0.0, 1.0
    total = 0j
    for n in range(1, a.size + 1):
        tau = n * cosine * pi - (n + 1) * before
        total += (2 * n + 1) / (n * (n + 1)) * (a[n - 1] * pi + b[n - 1] * tau)
        before, pi = pi, ((2 * n + 1) * cosine * pi - (n + 1) * before) / n
    return complex(total)
