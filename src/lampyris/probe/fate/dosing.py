"""`Dosing`: what is given, how often, how fast, in the blood or inside labelled cells."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHORTEST_H = 1.0 / 60.0


@dataclass(frozen=True, slots=True)
class Dosing:
    """Doses of equal size.

    Parameters
    ----------
    amount : float
        Of one dose.
    unit : str
        ``pmol``, ``nmol`` or ``mg``.
    doses : int
    every_h : float
        Between the beginnings of two doses.
    infusion_h : float
        How long one dose is given; 0 for an injection.
    cells_in : str
        Where the dose is inside labelled cells, the organ that they lie in or ``blood``; empty for dots of their own.
    cell_half_life_h : float
        Time in which half of the labelled cells die and set their dots free.

    Examples
    --------
    >>> Dosing(0.2, "nmol", doses=3, every_h=24.0).starts
    (0.0, 24.0, 48.0)
    """

    amount: float = 1.0
    unit: str = "nmol"
    doses: int = 1
    every_h: float = 24.0
    infusion_h: float = 0.0
    cells_in: str = ""
    cell_half_life_h: float = math.inf

    @property
    def starts(self) -> tuple[float, ...]:
        """Hours at which doses begin."""
        return tuple(number * self.every_h for number in range(self.doses))

    @property
    def total(self) -> float:
        """Amount of all doses."""
        return self.doses * self.amount


def time_grid(dosing: Dosing, hours: float, wanted: tuple[float, ...] = (), /) -> Array:
    """Hours at which amounts are computed, from 0 to `hours`.

    After each dose they lie densely at first: at halves of the interval, halves of that and so on down to a minute, and at
    three quarters of each, so that all steps are powers of two of one another and share their matrix exponentials.
    """
    marks = {0.0, hours, *(time for time in wanted if time <= hours)}
    for start in dosing.starts:
        if start > hours:
            break
        following = min(start + dosing.every_h if start < dosing.starts[-1] else hours, hours)
        begins = [start]
        if dosing.infusion_h > 0:
            begins.append(start + dosing.infusion_h)
        for begin in begins:
            part = following - begin
            while part > SHORTEST_H:
                marks |= {begin + part, begin + 0.75 * part}
                part /= 2.0
            marks.add(begin)
    grid = np.array(sorted(time for time in marks if 0 <= time <= hours))
    # sums of the same hours in another order may differ in the last digit
    return np.asarray(grid[np.concatenate([[True], np.diff(grid) > 1e-9 * max(hours, 1.0)])])
