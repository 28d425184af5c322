"""What ripening must come to: rates, limiting distributions, and the exponent of a course."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.probe.growth.batch import Kinetics
from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares


def diffusion_ripening_rate(kinetics: Kinetics, temperature_k: float, /) -> float:
    """Rise of the mean radius cubed in nm3/s where diffusion limits: 4/9 of capillary length, solubility, volume and diffusion.

    References
    ----------
    Lifshitz and Slyozov, J. Phys. Chem. Solids 19, 35 (1961), DOI 10.1016/0022-3697(61)90054-3.
    Wagner, Z. Elektrochem. 65, 581 (1961), DOI 10.1002/bbpc.19610650704.
    """
    diffusion, _, solubility = kinetics.at(temperature_k)
    return 4.0 / 9.0 * kinetics.capillary_nm(temperature_k) * solubility * kinetics.monomer_nm3 * diffusion


def reaction_ripening_rate(kinetics: Kinetics, temperature_k: float, /) -> float:
    """Rise of the critical radius squared in nm2/s where the surface limits: half of capillary length, solubility, volume and rate.

    The mean radius is 8/9 of the critical one.

    References
    ----------
    Wagner, Z. Elektrochem. 65, 581 (1961), DOI 10.1002/bbpc.19610650704.
    """
    _, reaction, solubility = kinetics.at(temperature_k)
    return 0.5 * kinetics.capillary_nm(temperature_k) * solubility * kinetics.monomer_nm3 * reaction


def lsw_distribution(relative_radius: ArrayLike, /) -> NDArray[np.float64]:
    """Limiting distribution of radii over the critical radius where diffusion limits; none above 1.5.

    Examples
    --------
    >>> x = np.linspace(0.0, 1.5, 150001)[:-1]
    >>> density = lsw_distribution(x)
    >>> float(np.trapezoid(density, x).round(3)), float(np.trapezoid(x * density, x).round(3))
    (1.0, 1.0)
    """
    x = np.asarray(relative_radius, np.float64)
    inside = (x > 0) & (x < 1.5)
    u = np.where(inside, x, 1.0)
    density = (
        4.0 / 9.0 * u**2 * (3.0 / (3.0 + u)) ** (7.0 / 3.0) * (1.5 / (1.5 - u)) ** (11.0 / 3.0) * np.exp(-u / (1.5 - u))
    )
    return np.where(inside, density, 0.0)


def wagner_distribution(relative_radius: ArrayLike, /) -> NDArray[np.float64]:
    """Limiting distribution of radii over the critical radius where the surface limits; none above 2.

    Examples
    --------
    >>> x = np.linspace(0.0, 2.0, 200001)[:-1]
    >>> density = wagner_distribution(x)
    >>> float(np.trapezoid(density, x).round(3)), float(np.trapezoid(x * density, x).round(3))
    (1.0, 0.889)
    """
    x = np.asarray(relative_radius, np.float64)
    inside = (x > 0) & (x < 2.0)
    u = np.where(inside, x, 1.0)
    density = 3.0 * u * 2.0**5 * (math.e**3 / 4.0) / (2.0 - u) ** 5 * np.exp(-6.0 / (2.0 - u))
    return np.where(inside, density, 0.0)


def ripening_exponent(time_s: ArrayLike, mean_radius_nm: ArrayLike, /, *, start: float = 3.0) -> Estimate:
    """Exponent n of r^n = r0^n + K t, by least squares on a course.

    Parameters
    ----------
    time_s, mean_radius_nm : array_like, dims (time,)
        Of the ripening part only.
    start : float

    Returns
    -------
    Estimate
    """
    time, radius = np.asarray(time_s, np.float64), np.asarray(mean_radius_nm, np.float64)
    span, first = float(time[-1] - time[0]), float(radius[0])
    t = (time - time[0]) / span

    def model(p: NDArray[np.float64]) -> NDArray[np.float64]:
        n, begin, rise = p
        return begin * (1.0 + rise * t) ** (1.0 / n)

    rise = (float(radius[-1]) / first) ** start - 1.0
    fit = fit_least_squares(
        DataSet(model, radius),
        [
            Parameter("exponent", start, 1.0, 6.0, scale=0.01),
            Parameter("start", first, low=0.0, unit="nm"),
            Parameter("rise", rise, low=1e-6),
        ],
        scatter="residual",
    )
    return fit["exponent"]
