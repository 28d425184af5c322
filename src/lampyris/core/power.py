"""What an experiment can show: animals, power or detectable effect, with everything that was assumed."""

from dataclasses import dataclass

from lampyris.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class PowerResult:
    """Power of one test at one size, or the size for a power.

    Parameters
    ----------
    kind : str
        Such as ``two-sample``.
    test : str
        Name of the test that the power is of.
    solved : str
        ``n``, ``power`` or ``effect``: what was asked for; the others were given.
    groups : tuple of str
        What each number of `n` counts.
    n : tuple of int
        Units that are analysed, per group.
    allocated : tuple of int
        Units to begin with, so that after the expected loss `n` remain.
    power : float
        Probability that the test comes out where the effect is as said.
    power_range : tuple of float
        The same where the spread is at the ends of what the pilot data leave open; empty where the spread was given.
    effect : float
        In the terms of `effect_name`.
    effect_name : str
    alpha : float
        Of the test itself, after it was divided among endpoints.
    assumptions : tuple of str
        Everything that the numbers stand on.
    sentence : str
        What they mean, in plain words.
    curve : tuple of (n, power)
        Power over units per group.
    assurance : float
        Power averaged over what the pilot data say of the spread; NaN where the spread was given.
    simulated : Estimate or None
        Power by simulation, as a check of the formula.
    """

    kind: str
    test: str
    solved: str
    groups: tuple[str, ...]
    n: tuple[int, ...]
    allocated: tuple[int, ...]
    power: float
    power_range: tuple[float, ...]
    effect: float
    effect_name: str
    alpha: float
    assumptions: tuple[str, ...]
    sentence: str
    curve: tuple[tuple[int, float], ...] = ()
    assurance: float = float("nan")
    simulated: Estimate | None = None
