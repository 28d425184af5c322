"""How animals differ from the nominal one: standard deviates in, an individual's anatomy and optics out.

Nothing here draws: a simulation hands over random deviates, an inverse evenly spread ones.
"""

import numpy as np
from numpy.typing import NDArray

from lampyris.tissue.anatomy import AnatomyParameters, Vector, organ_parts
from lampyris.tissue.optics import tissue_optics

# a log-normal wider than this would put optics where no tissue lies
WIDEST_LOG_SD = 0.5
# organs move less towards back and sides, where the body wall holds them
NARROW_SHIFT = 0.6
OPTICS_AT_NM = 800.0


def anatomy_deviates() -> int:
    """How many deviates `varied_anatomy` needs."""
    return 4 * len(organ_parts())


def varied_anatomy(
    deviates: NDArray[np.float64],
    /,
    *,
    spread: float = 1.0,
    weight_g: float = AnatomyParameters().weight_g,
    size: Vector = (1.0, 1.0, 1.0),
) -> AnatomyParameters:
    """An individual's anatomy from standard deviates, by the tabulated spread of organs.

    Parameters
    ----------
    deviates : ndarray, dims (deviate,)
        `anatomy_deviates` of them: per organ part three of the centre (z, y, x) and one of the volume.
    spread : float
        Factor on the tabulated spread.
    weight_g : float
    size : (length, width, height)
        Relative to an animal of that weight.

    Returns
    -------
    AnatomyParameters

    Raises
    ------
    ValueError
        If their number is another.

    Examples
    --------
    >>> varied_anatomy(np.zeros(anatomy_deviates())).volume_scale["liver"]
    1.0
    """
    if np.shape(deviates) != (anatomy_deviates(),):
        raise ValueError(f"{anatomy_deviates()} deviates are needed, got {np.shape(deviates)}")
    shifts: dict[tuple[str, str], Vector] = {}
    volumes: dict[str, float] = {}
    for part, (z, y, x, volume) in zip(organ_parts(), np.reshape(deviates, (-1, 4)), strict=True):
        move = part.shift_sd_mm * spread
        shifts[(part.organ, part.part)] = (
            float(z * move * NARROW_SHIFT),
            float(y * move),
            float(x * move * NARROW_SHIFT),
        )
        volumes.setdefault(part.organ, float(np.exp(volume * part.volume_relative_sd * spread)))
    length, width, height = size
    return AnatomyParameters(
        weight_g=weight_g,
        length_scale=length,
        width_scale=width,
        height_scale=height,
        shift_mm=shifts,
        volume_scale=volumes,
    )


def varied_optics(
    tissues: tuple[str, ...], deviates: NDArray[np.float64], /, *, spread: float = 1.0
) -> dict[str, tuple[float, float]]:
    """Factors on the tabulated absorption and scattering of each tissue from standard deviates, log-normal.

    Parameters
    ----------
    tissues : tuple of str
        Rows of the optics table.
    deviates : ndarray, dims (tissue, 2)
        Of absorption and scattering.
    spread : float
        Factor on the tabulated spread.

    Returns
    -------
    dict of tissue to (absorption, scattering)
    """
    factors = {}
    for tissue, pair in zip(tissues, np.reshape(deviates, (-1, 2)), strict=True):
        optics = tissue_optics(tissue, OPTICS_AT_NM)
        sds = np.array([optics.relative_sd_absorption, optics.relative_sd_scattering]) * spread
        absorption, scattering = np.exp(pair * np.minimum(sds, WIDEST_LOG_SD))
        factors[tissue] = (float(absorption), float(scattering))
    return factors
