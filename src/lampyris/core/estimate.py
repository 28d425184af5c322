"""`Estimate`: a number that carries its uncertainty, unit and how it was obtained."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured or inferred value with its interval.

    Parameters
    ----------
    value : float
        Point estimate.
    sd : float
        Standard uncertainty; NaN where only an interval is known.
    low, high : float
        Ends of the interval at `level`.
    level : float
        Coverage probability of the interval, between 0 and 1.
    unit : str
        Unit of all four numbers; ``"1"`` for a pure number.
    method : str
        How value and interval were obtained, in a few words.

    Raises
    ------
    ValueError
        If the interval is reversed or excludes the value, or the level is not between 0 and 1.

    Examples
    --------
    >>> Estimate(810.0, 5.0, 800.2, 819.8, 0.95, "nm", "normal")
    Estimate(value=810.0, sd=5.0, low=800.2, high=819.8, level=0.95, unit='nm', method='normal')
    """

    value: float
    sd: float
    low: float
    high: float
    level: float
    unit: str
    method: str

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"level is a probability between 0 and 1, got {self.level}")
        if not math.isnan(self.value) and not self.low <= self.value <= self.high:
            raise ValueError(f"interval [{self.low}, {self.high}] does not hold the value {self.value}")

    @classmethod
    def unknown(cls, level: float, unit: str, method: str, /) -> "Estimate":
        """An estimate without value and interval, whose `method` says why.

        Examples
        --------
        >>> Estimate.unknown(0.95, "nm", "not recorded")
        Estimate(value=nan, sd=nan, low=nan, high=nan, level=0.95, unit='nm', method='not recorded')
        """
        return cls(math.nan, math.nan, math.nan, math.nan, level, unit, method)
