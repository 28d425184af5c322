"""Numeric derivatives: central differences inside the bounds, one-sided ones of the same order at them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# offsets in steps and their weights
_CENTRAL = {
    1: ((0, -1.0), (1, 1.0)),
    2: ((-1, -0.5), (1, 0.5)),
    4: ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)),
}
_FORWARD = {
    1: ((0, -1.0), (1, 1.0)),
    2: ((0, -1.5), (1, 2.0), (2, -0.5)),
    4: ((0, -25 / 12), (1, 4.0), (2, -3.0), (3, 4 / 3), (4, -0.25)),
}
_SECOND = {
    2: (-2.0, ((-1, 1.0), (1, 1.0))),
    4: (-2.5, ((-2, -1 / 12), (-1, 4 / 3), (1, 4 / 3), (2, -1 / 12))),
}


def slopes(
    function: Function,
    at: NDArray[np.float64],
    steps: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    /,
    *,
    order: int,
) -> NDArray[np.float64]:
    """First derivatives, dims (value, parameter), whose error falls with the step to the power `order` (1, 2 or 4)."""
    columns = []
    middle = function(at) if order == 1 else None
    for place, step in enumerate(steps):
        reach = max(order // 2, 1)
        rule, sign = _CENTRAL[order], 1.0
        if at[place] - reach * step < low[place] or at[place] + reach * step > high[place]:
            room = max(at[place] - low[place], high[place] - at[place])
            # away from the nearer bound, and never beyond the other
            rule, sign = _FORWARD[order], 1.0 if high[place] - at[place] >= at[place] - low[place] else -1.0
            step = min(step, room / order)
        total: NDArray[np.float64] = np.float64(0.0)  # type: ignore[assignment]
        for offset, weight in rule:
            moved = at.copy()
            moved[place] += sign * offset * step
            total = total + weight * (function(moved) if offset or middle is None else middle)
        columns.append(np.asarray(sign * total / step))
    return np.stack(columns, axis=-1) if columns else np.empty((0, 0))


def curvatures(
    function: Function,
    at: NDArray[np.float64],
    steps: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    /,
    *,
    order: int = 4,
) -> NDArray[np.float64]:
    """Second derivatives of second or fourth order, dims (parameter, parameter, value), so far inside that bounds are kept."""
    steps = np.minimum(steps, (high - low) / 5.0)
    centre = np.clip(at, low + 2.0 * steps, high - 2.0 * steps)
    middle = np.asarray(function(centre))
    count = at.size
    own_weight, rule = _SECOND[order]

    def along(direction: NDArray[np.float64]) -> NDArray[np.float64]:
        total = own_weight * middle
        for offset, weight in rule:
            total = total + weight * function(centre + offset * direction)
        return total

    found = np.empty((count, count, *middle.shape))
    own = []
    for a in range(count):
        step = np.zeros(count)
        step[a] = steps[a]
        own.append(along(step))
        found[a, a] = own[a] / steps[a] ** 2
    for a in range(count):
        for b in range(a):
            step = np.zeros(count)
            step[a], step[b] = steps[a], steps[b]
            found[a, b] = found[b, a] = (along(step) - own[a] - own[b]) / (2.0 * steps[a] * steps[b])
    return found
