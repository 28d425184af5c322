"""Amounts: standards, the calibration lines through them, injected doses, and what a signal amounts to.

A calibration holds for the geometry in which its standards were measured. What it says of a lesion is the amount that would
shine as brightly *there*, called the surface amount; the amount inside the animal follows from light transport.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from lampyris.core.estimate import Estimate


class AmountFlag(StrEnum):
    """What to know about an amount, or about a calibration line, before trusting its number."""

    SURFACE_GEOMETRY = "surface geometry"
    ABOVE_RANGE = "above range"
    BELOW_RANGE = "below range"
    LIMIT = "limit"
    SHARED = "shared"
    TOO_FEW = "too few standards"
    NO_BLANK = "no blank"
    SATURATES = "saturates"
    CURVED = "curved"
    LACK_OF_FIT = "lack of fit"
    OFFSET = "offset"
    DRIFTS = "drifts"
    NO_SLOPE = "no slope"


AMOUNT_FLAG_MEANING: dict[AmountFlag, str] = {
    AmountFlag.SURFACE_GEOMETRY: "the line holds for its standards' geometry: what tissue takes away or sends back is not in the amount",
    AmountFlag.ABOVE_RANGE: "brighter than the line is valid for: no value, only a lower bound; measure standards of a larger amount",
    AmountFlag.BELOW_RANGE: "fainter than the line is valid for: no value, only an upper bound",
    AmountFlag.LIMIT: "nothing was seen: an upper bound",
    AmountFlag.SHARED: "one spot of light with other lesions: the amount is theirs together",
    AmountFlag.TOO_FEW: "standards at fewer than three amounts: no line is drawn",
    AmountFlag.NO_BLANK: "no standard without amount and no background value: the background is what the line says it is",
    AmountFlag.SATURATES: "the largest amounts shine less than the line says (inner filter, saturation): the range ends below",
    AmountFlag.CURVED: "a bent line fits better (p of the quadratic term below 0.01)",
    AmountFlag.LACK_OF_FIT: "amounts scatter about the line more than their replicates do (p below 0.01)",
    AmountFlag.OFFSET: "the line does not go through zero: background is left in the standards",
    AmountFlag.DRIFTS: "the slope changes with the day: its interval leaves out 0",
    AmountFlag.NO_SLOPE: "signal does not rise with amount beyond its own scatter: nothing can be looked up",
}


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard, measured: its amount and the flux that it gave, Lambertian as a detection's.

    Parameters
    ----------
    name : str
        As in standards.csv.
    kind : str
        ``well plate``, ``phantom``, ``dose syringe`` or ``dose standard``.
    probe, instrument : str
        What it holds, and what measured it.
    depth_mm : float
        Of the label below the phantom's surface; NaN where not given.
    amount, amount_sd : float
        In `unit`; the standard deviation is this standard's own.
    unit : str
        ``pmol``, ``labelled cells`` or ``ng``.
    stock_relative_sd : float
        Relative standard deviation that all standards of a stock share.
    flux, flux_sd : float
        ph s-1, background taken off; the standard deviation is 0 where none was measured.
    day : float
        When, in days from the first of all standards' dates; NaN where not given.
    replicate : str
    """

    name: str
    kind: str
    probe: str
    instrument: str
    depth_mm: float
    amount: float
    amount_sd: float
    unit: str
    stock_relative_sd: float
    flux: float
    flux_sd: float
    day: float
    replicate: str


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """A straight line of flux against amount, and how far it can be trusted.

    Parameters
    ----------
    kind, probe, instrument, unit : str
        Of its standards.
    depth_mm : float
        Of its standards; NaN where they give none.
    n, levels : int
        Standards that carry the line, and their different amounts.
    slope : Estimate
        ph s-1 per unit of amount.
    intercept : Estimate
        Flux where there is no amount, ph s-1: background that was not taken off.
    covariance : float
        Of intercept and slope.
    degrees : int
        Degrees of freedom behind both.
    absolute_sd, relative_sd : float
        Scatter of one standard: ph s-1 at no amount, and as a share of its flux.
    stock_relative_sd : float
        Relative standard deviation of every amount together, from the stock.
    between_days_relative_sd : float
        Spread of the slope between days beyond its own uncertainty.
    low_amount, high_amount : float
        Smallest amount above zero and largest amount for which the line holds.
    detection_amount, quantification_amount : float
        3.3 and 10 standard deviations of the flux at no amount, as amounts.
    lack_of_fit_p, quadratic_p : float
        Of the test against the replicates' scatter, and of a quadratic term; NaN where it cannot be made.
    drift_percent_per_day : Estimate
        Change of the slope with the day; NaN with fewer than two days.
    flags : tuple of str
        Values of `AmountFlag`.
    standards : tuple of Standard
        All of them, left out ones included.
    used : tuple of bool
        Per standard, whether it carries the line.
    """

    kind: str
    probe: str
    instrument: str
    unit: str
    depth_mm: float
    n: int
    levels: int
    slope: Estimate
    intercept: Estimate
    covariance: float
    degrees: int
    absolute_sd: float
    relative_sd: float
    stock_relative_sd: float
    between_days_relative_sd: float
    low_amount: float
    high_amount: float
    detection_amount: float
    quantification_amount: float
    lack_of_fit_p: float
    quadratic_p: float
    drift_percent_per_day: Estimate
    flags: tuple[str, ...] = ()
    standards: tuple[Standard, ...] = ()
    used: tuple[bool, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether anything can be looked up."""
        return AmountFlag.TOO_FEW not in self.flags and AmountFlag.NO_SLOPE not in self.flags

    @property
    def title(self) -> str:
        """Kind, unit, probe, depth and instrument in a few words."""
        depth = f" at {self.depth_mm:g} mm" if math.isfinite(self.depth_mm) else ""
        probe = f" of {self.probe}" if self.probe else ""
        by = f", {self.instrument}" if self.instrument else ""
        return f"{self.kind}, {self.unit}{probe}{depth}{by}"


@dataclass(frozen=True, slots=True)
class InstrumentRatio:
    """Two instruments on the same kind of standards.

    Parameters
    ----------
    a, b : str
        Instruments.
    kind, probe, unit : str
        Of the standards.
    slope_ratio : Estimate
        Slope of a over slope of b.
    pairs : int
        Standards, by name and replicate, measured on both.
    mean_ratio : Estimate
        Geometric mean of flux a over flux b of the same standard.
    agreement : tuple of (float, float)
        Limits of agreement: 95 % of single standards' ratios are expected between them (Bland and Altman, on logarithms).
    """

    a: str
    b: str
    kind: str
    probe: str
    unit: str
    slope_ratio: Estimate
    pairs: int
    mean_ratio: Estimate
    agreement: tuple[float, float]


@dataclass(frozen=True, slots=True)
class InjectedDose:
    """What one animal was given.

    Parameters
    ----------
    animal : str
    volume_ml : Estimate
        That left the syringe, from its weights and the solution's density.
    amount : Estimate
        What is in the body: given, less what stayed in the tail.
    tail_percent : float
        Share of what was given that stayed in the tail.
    method : str
        How it was obtained.
    """

    animal: str
    volume_ml: Estimate
    amount: Estimate
    tail_percent: float
    method: str


@dataclass(frozen=True, slots=True)
class SignalAmount:
    """What one lesion, or one organ's glow, amounts to in one session.

    Parameters
    ----------
    animal, group, session : str
    day : float
    view : str
        Of an organ's glow; empty for lesions, which have the brighter view.
    lesion : int
        Number of the lesion; 0 for an organ's glow.
    organ : str
    unit : str
        Of the amounts.
    calibration : str
        Line that was used.
    surface_amount : Estimate
        Amount that would shine so in the standards' geometry.
    transport_amount : Estimate
        Amount inside the animal, by light transport from the lesion's place; NaN for organs.
    calibrated_amount : Estimate
        The same with the label's brightness as measured in wells in place of the assumed; NaN where it was not.
    percent_dose : Estimate
        Transport amount as a share of the animal's injected dose, %ID; NaN where no dose is known.
    surface_percent_dose : Estimate
        Surface amount as a share of the injected dose, %ID.
    flags : tuple of str
        Values of `AmountFlag`.
    """

    animal: str
    group: str
    session: str
    day: float
    view: str
    lesion: int
    organ: str
    unit: str
    calibration: str
    surface_amount: Estimate
    transport_amount: Estimate
    calibrated_amount: Estimate
    percent_dose: Estimate
    surface_percent_dose: Estimate
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brightness:
    """How brightly label shines in a well, beside what probe and lamp of study.toml would have it shine.

    Parameters
    ----------
    probe, unit, calibration : str
        Which, per unit of what, and the line that says so.
    photons : Estimate
        Photons per second over the recorded bands that one unit emits under the lamp.
    assumed_photons : float
        The same from study.toml.
    ratio : Estimate
        Measured over assumed.
    """

    probe: str
    unit: str
    calibration: str
    photons: Estimate
    assumed_photons: float
    ratio: Estimate


@dataclass(frozen=True, slots=True)
class Amounts:
    """Everything about amounts in a study.

    Parameters
    ----------
    lines : tuple of CalibrationLine
    instruments : tuple of InstrumentRatio
    doses : tuple of InjectedDose
        By animal.
    brightness : tuple of Brightness
    signals : tuple of SignalAmount
        By animal, day, lesion.
    """

    lines: tuple[CalibrationLine, ...] = ()
    instruments: tuple[InstrumentRatio, ...] = ()
    doses: tuple[InjectedDose, ...] = ()
    brightness: tuple[Brightness, ...] = ()
    signals: tuple[SignalAmount, ...] = ()
