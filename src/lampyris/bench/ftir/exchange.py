"""What an exchange of ligands changed: the same band before and after."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.ftir.bands import Band, widening_of
from lampyris.bench.ftir.group import predict_bands
from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import widened
from lampyris.statistics.fitting import DataSet, Parameter, fit_least_squares
from lampyris.statistics.relations.lines import ratio_interval

Array = NDArray[np.float64]


def height_at(
    wavenumber_cm: Array, signal: Array, band: Band, others: Sequence[Band], /, *, level: float = 0.95
) -> Estimate:
    """Height of a band of known place and shape in another spectrum, over a straight line and beside that one's own bands.

    Parameters
    ----------
    wavenumber_cm, signal : numpy.ndarray, dims (point,)
    band : Band
        What is looked for.
    others : sequence of Band
        Bands found in this spectrum, taken off.
    level : float

    Returns
    -------
    Estimate
        May be negative: then it is not there.
    """
    centre, width = band.centre_cm.value, band.fwhm_cm.value
    step = float(np.median(np.diff(wavenumber_cm)))
    reach = max(1.5 * width, 8.0 * step)
    place = np.abs(wavenumber_cm - centre) <= reach
    x = wavenumber_cm[place]
    if x.size < 8:
        return Estimate.unknown(level, "1", "outside the other spectrum")
    beside = [one for one in others if abs(one.centre_cm.value - centre) < reach + 3.0 * one.fwhm_cm.value]
    seen = signal[place] - sum(
        (predict_bands(x, [o.height.value, o.centre_cm.value, o.fwhm_cm.value, o.share]) for o in beside),
        np.zeros(x.size),
    )
    shape = predict_bands(x, [1.0, centre, width, band.share])
    line = (x - centre) / reach
    tall = max(float(np.ptp(seen)), 1e-12)
    data = DataSet(lambda p: p[0] * shape + p[1] + p[2] * line, seen)
    fit = fit_least_squares(
        data,
        [Parameter("height", 0.0, scale=0.01 * tall), Parameter("level", float(seen.mean()), scale=0.01 * tall),
         Parameter("rise", 0.0, scale=0.01 * tall)],
        scatter="residual", level=level,
    )  # fmt: skip
    return widened(fit["height"], widening_of(fit))


def ratio_of(after: Estimate, before: Estimate, /) -> Estimate:
    """After over before; the interval by Fieller's theorem, which holds where `after` is near 0.

    References
    ----------
    Fieller, J. R. Stat. Soc. B 16, 175 (1954).
    """
    level, unit = after.level, "1"
    if not (math.isfinite(after.value) and math.isfinite(before.value) and before.value > 0):
        return Estimate.unknown(level, unit, "without a band to divide by")
    quantile = (before.high - before.low) / (2.0 * before.sd) if before.sd > 0 else None
    return ratio_interval((after.value, after.sd), (before.value, before.sd), level=level, quantile=quantile)
