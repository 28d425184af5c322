"""Where a function changes its sign."""

import math
from collections.abc import Callable
from itertools import pairwise


def sign_change(function: Callable[[float], float], low: float, high: float, /) -> float:
    """Where a continuous function changes its sign, by Ridders' method; scipy.optimize takes as long to import as the rest."""
    f_low, f_high = function(low), function(high)
    x = math.nan
    for _ in range(100):
        if f_low == 0 or f_high == 0:
            return low if f_low == 0 else high
        middle = 0.5 * (low + high)
        f_middle = function(middle)
        step = (middle - low) * f_middle / math.sqrt(f_middle * f_middle - f_low * f_high)
        last, x = x, middle + math.copysign(1.0, f_low - f_high) * step
        if abs(x - last) <= 1e-14 * max(abs(x), 1e-3) or high - low <= 1e-15 * max(abs(x), 1e-3):
            return x
        f_x = function(x)
        points = sorted([(low, f_low), (middle, f_middle), (x, f_x), (high, f_high)])
        # the two neighbours between which the sign changes
        for (low, f_low), (high, f_high) in pairwise(points):  # noqa: B007 - they are the result
            if (f_low > 0) != (f_high > 0):
                break
    return x
