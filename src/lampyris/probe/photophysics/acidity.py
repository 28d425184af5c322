"""Emission that depends on pH: the response of intensity or of a ratio of two bands, and the pH that a reading means."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.probe.propagation import Uncertain, propagated, sampled, value_of
from lampyris.probe.refusals import each_within, refusal, within
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_least_squares

_RULE = "probe.ph-outside"


@dataclass(frozen=True, slots=True)
class AcidityResponse:
    """How a dot's intensity, or the ratio of two of its bands, goes with pH.

    ``signal = acid + (base - acid) / (1 + 10^(n (pK - pH)))``: Henderson and Hasselbalch's share of deprotonated groups, n of
    them together. Where the two bands' ratio is the signal, pK is shifted by the logarithm of the denominator band's change; it is
    fitted as it appears.

    Parameters
    ----------
    acid, base : Estimate
        Signal at very low and very high pH.
    midpoint : Estimate
        pK as it appears.
    steepness : Estimate
        Number n of protons that go together, above 0.
    low_ph, high_ph : float
        Range in which the response was calibrated: outside it none is read.

    Raises
    ------
    InputError
        If a number is out of bounds, or acid and base give the same signal.
    """

    acid: Estimate
    base: Estimate
    midpoint: Estimate
    steepness: Estimate
    low_ph: float = 2.0
    high_ph: float = 12.0

    def __post_init__(self) -> None:
        within("low_ph", self.low_ph, -1.0, 15.0)
        within("high_ph", self.high_ph, self.low_ph, 15.0, open_low=True)
        within("midpoint", self.midpoint.value, -5.0, 20.0)
        within("steepness", self.steepness.value, 0.0, 10.0, open_low=True)
        for name, one in (("acid", self.acid), ("base", self.base)):
            within(name, one.value, -math.inf, math.inf)
        if self.acid.value == self.base.value:
            seen = f"acid and base both give {self.acid.value:g}: nothing depends on pH."
            raise refusal("probe.ph-flat", "base", seen, "Calibrate over a wider range of pH.")

    @property
    def parts(self) -> dict[str, Uncertain]:
        """The four numbers by name."""
        return {"acid": self.acid, "base": self.base, "midpoint": self.midpoint, "steepness": self.steepness}


def response(
    ph: ArrayLike, acid: ArrayLike, base: ArrayLike, midpoint: ArrayLike, steepness: ArrayLike, /
) -> NDArray[np.float64]:
    """The curve itself; arrays are matched as numpy does.

    Examples
    --------
    >>> response([4.0, 6.5, 9.0], 1.0, 3.0, 6.5, 1.0).round(3).tolist()
    [1.006, 2.0, 2.994]
    """
    exponent = np.asarray(steepness, dtype=np.float64) * (np.asarray(midpoint) - np.asarray(ph, dtype=np.float64))
    share = 1.0 / (1.0 + 10.0 ** np.clip(exponent, -300.0, 300.0))
    return np.asarray(acid) + (np.asarray(base) - np.asarray(acid)) * share


def signal_at_ph(curve: AcidityResponse, ph: Uncertain, /) -> Estimate:
    """Signal that a pH gives.

    Raises
    ------
    InputError
        If the pH is outside the calibrated range.
    """
    within("ph", value_of(ph), curve.low_ph, curve.high_ph, because="range of the calibration")
    return propagated(
        lambda ph, **them: float(response(ph, them["acid"], them["base"], them["midpoint"], them["steepness"])),
        {"ph": ph, **curve.parts},
        unit=curve.acid.unit,
        method="response to pH",
    )


def ph_from_signal(
    curve: AcidityResponse, signal: Uncertain, /, *, seed: int = 0, draws: int = 20_000, level: float = 0.95
) -> Estimate:
    """pH that a signal means, with an interval that widens, one-sided, towards the ends of the response.

    Parameters
    ----------
    curve : AcidityResponse
    signal : float or Estimate
        In the unit of the calibration.
    seed, draws : int
        Of the draws behind the interval; a draw beyond an end of the curve counts as that end of the calibrated range.
    level : float

    Returns
    -------
    Estimate

    Raises
    ------
    InputError
        If the signal is not between those of the ends of the calibrated range.

    Examples
    --------
    >>> def number(value, sd):
    ...     return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, "1", "given")
    >>> curve = AcidityResponse(number(1.0, 0.02), number(3.0, 0.05), number(6.5, 0.05), number(1.0, 0.05))
    >>> found = ph_from_signal(curve, number(2.0, 0.05))
    >>> f"{found.value:.2f} ({found.low:.1f} to {found.high:.1f})"
    '6.50 (6.4 to 6.6)'
    """
    at_ends = [
        float(response(end, *(value_of(one) for one in curve.parts.values()))) for end in (curve.low_ph, curve.high_ph)
    ]
    seen_signal = value_of(signal)
    if not (math.isfinite(seen_signal) and min(at_ends) <= seen_signal <= max(at_ends)):
        seen = f"a signal of {seen_signal:g} lies outside {min(at_ends):.4g} to {max(at_ends):.4g}"
        seen += f", the response from pH {curve.low_ph:g} to {curve.high_ph:g}."
        raise refusal(_RULE, "signal", seen, "Check unit and background, or calibrate over a wider range.")

    def inverted(
        signal: NDArray[np.float64],
        acid: NDArray[np.float64],
        base: NDArray[np.float64],
        midpoint: NDArray[np.float64],
        steepness: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        share = np.clip((signal - acid) / (base - acid), 1e-300, 1.0 - 1e-16)
        found = midpoint + np.log10(share / (1.0 - share)) / np.maximum(steepness, 1e-3)
        return np.clip(found, curve.low_ph, curve.high_ph)

    return sampled(
        inverted,
        {"signal": signal, **curve.parts},
        unit="pH",
        method="pH by the response",
        seed=seed,
        draws=draws,
        level=level,
        positive=frozenset({"steepness"}),
    )


def fit_acidity_response(
    ph: ArrayLike, signal: ArrayLike, /, *, sd: ArrayLike | None = None, unit: str = "1", hill: bool = True
) -> tuple[AcidityResponse, Fit]:
    """Response from a calibration in buffers (or clamped cells).

    The dots of the second paper (CdSe/ZnSe/ZnS with mercaptoacetic acid in SKOV-3 cells) shine more the higher the pH, and clump at
    low pH: calibrate with the very dots, in cells rather than in a cuvette.

    Parameters
    ----------
    ph, signal : array_like, dims (point,)
        Intensity or ratio at each pH.
    sd : array_like, optional
        Standard deviation of each signal.
    unit : str
        Of the signal.
    hill : bool
        The steepness is fitted; 1 otherwise.

    Returns
    -------
    AcidityResponse, Fit
        Calibrated from the lowest to the highest pH given.

    Raises
    ------
    InputError
        If values are not finite, there are fewer points than parameters plus one, or all signals are equal.

    References
    ----------
    Y.-S. Liu et al., J. Phys. Chem. C 111, 2872 (2007), doi:10.1021/jp0654718.
    """
    acidity, values = each_within("ph", ph, -1.0, 15.0), each_within("signal", signal, -math.inf, math.inf)
    if acidity.shape != values.shape or acidity.size < 4 + hill:
        seen = f"{acidity.size} values of pH and {values.size} signals; {4 + hill} points or more are needed."
        raise refusal("probe.ph-too-few", "signal", seen, "Measure more buffers, both ends and the middle.")
    if np.ptp(values) == 0:
        raise refusal(
            "probe.ph-flat", "signal", f"all signals are {values[0]:g}.", "Calibrate over a wider range of pH."
        )
    order = np.argsort(acidity, kind="stable")
    first, last = float(values[order[0]]), float(values[order[-1]])
    span = float(np.ptp(values))
    middle = tuple(float(one) for one in np.quantile(acidity, [0.25, 0.5, 0.75]))
    found = fit_least_squares(
        DataSet(lambda p: response(acidity, p[0], p[1], p[2], p[3]), values, sd=sd, name="pH calibration"),
        [
            Parameter("acid", first, unit=unit, scale=span),
            Parameter("base", last if last != first else first + span, unit=unit, scale=span),
            Parameter("midpoint", middle[1], low=-5.0, high=20.0, unit="pH", scale=1.0, grid=middle),
            Parameter("steepness", 1.0, low=0.05, high=10.0, fixed=not hill, grid=(0.5, 2.0) if hill else ()),
        ],
    )
    curve = AcidityResponse(
        acid=found["acid"],
        base=found["base"],
        midpoint=found["midpoint"],
        steepness=found["steepness"],
        low_ph=float(acidity.min()),
        high_ph=float(acidity.max()),
    )
    return curve, found
