"""Which cuts to make where organs touch, asked of the weights: of all ways to come to the right number, the one whose organs fit theirs.

The picture alone may leave open whether a dark organ along a pale one is a second organ or a lobe. A sheet of places and weights decides
it where it can: a cut in the wrong place shifts the names of all that follow, and few of those then fit.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ways to cut that are tried; with more the least sure cuts are left out
MOST_WAYS = 2000
# the best way must be so many times likelier than the next
CLEAR_ODDS = 20.0
# a way may take so many cuts more than the organs that it gains: three that meet in a ring part by two
RING = 1
LEAST_EVIDENCE = 0.01


@dataclass(frozen=True, slots=True)
class Lump:
    """What may be an organ: its area, first and last row, and centroid, in pixels.

    Parameters
    ----------
    area, top, bottom, y, x : float
    touching : bool
        Cut off from another.
    """

    area: float
    top: float
    bottom: float
    y: float
    x: float
    touching: bool = False


# the log-likelihood of lumps being the organs of the sheet; minus infinity where they cannot be named
Judge = Callable[[Sequence[Lump]], float]


def judged_cuts(
    labels: NDArray[np.int32], cuts: Mapping[tuple[int, int], float], /, *, count: int, judge: Judge
) -> tuple[tuple[int, int], ...] | None:
    """The cuts that make an over-parted image so many organs as fit their weights best.

    Parameters
    ----------
    labels : ndarray of int, dims (y, x)
        Pieces; 0 on the tray.
    cuts : mapping of (int, int) to float
        Pairs of pieces that meet, and how much speaks for a cut between them.
    count : int
    judge : callable

    Returns
    -------
    tuple of (int, int) or None
        Pairs that are parted; None where no way is clearly the likeliest.
    """
    numbers = [int(one) for one in np.unique(labels) if one]
    pieces = {number: _lump(labels == number) for number in numbers}
    order = sorted(cuts, key=lambda pair: -cuts[pair])
    need = count - len(_groups(numbers, list(cuts)))
    if need < 0 or need > len(order):
        return None
    while math.comb(len(order), need) > MOST_WAYS:
        order = order[:-1]
    found: dict[frozenset[frozenset[int]], tuple[float, tuple[tuple[int, int], ...]]] = {}
    for size in range(need, need + RING + 1):
        for kept in itertools.islice(itertools.combinations(order, size), MOST_WAYS):
            groups = _groups(numbers, [pair for pair in cuts if pair not in kept])
            if len(groups) != count:
                continue
            parted = {piece for pair in kept for piece in pair}
            lumps = [_joined([pieces[one] for one in group], touching=bool(group & parted)) for group in groups]
            score = judge(lumps) + sum(math.log(max(cuts[pair], LEAST_EVIDENCE)) for pair in kept)
            way = frozenset(groups)
            if score > found.get(way, (-math.inf, ()))[0]:
                found[way] = (score, kept)
    best = sorted(found.values(), key=lambda one: -one[0])
    if not best or (len(best) > 1 and best[0][0] - best[1][0] < math.log(CLEAR_ODDS)):
        return None
    return best[0][1]


def _lump(mask: NDArray[np.bool_]) -> Lump:
    rows, columns = np.nonzero(mask)
    return Lump(float(rows.size), float(rows.min()), float(rows.max()), float(rows.mean()), float(columns.mean()))


def _joined(parts: Sequence[Lump], *, touching: bool) -> Lump:
    area = sum(one.area for one in parts)
    return Lump(
        area,
        min(one.top for one in parts),
        max(one.bottom for one in parts),
        sum(one.area * one.y for one in parts) / area,
        sum(one.area * one.x for one in parts) / area,
        touching,
    )


def _groups(numbers: Sequence[int], joins: Sequence[tuple[int, int]]) -> list[frozenset[int]]:
    """Pieces that hang together by joins."""
    group = {number: {number} for number in numbers}
    for a, b in joins:
        if group[a] is not group[b]:
            group[a] |= group[b]
            for one in group[b]:
                group[one] = group[a]
    return list({id(one): frozenset(one) for one in group.values()}.values())
