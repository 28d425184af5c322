"""Which cuts to make where organs touch, asked of the weights: of all ways to come to the right number, the one whose organs fit theirs.

The picture alone may leave open whether a dark organ along a pale one is a second organ or a lobe. A sheet of places and weights decides
it where it can: a cut in the wrong place shifts the names of all that follow, and few of those then fit.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ways to cut that are tried; with more the least sure cuts are left out
MOST_WAYS = 2000
# the best way must be so many times likelier than the next
CLEAR_ODDS = 20.0
# a way may take so many cuts more than the organs that it gains: of three pieces that meet in a ring one parts by two
RING = 2
LEAST_EVIDENCE = 0.01
# two outlines that share so much of both together are the same organ, its border in dispute
SAME_ORGAN = 0.5
# where the names of more of a tray's organs are in dispute it has not been read
MOST_UNSURE = 0.25


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


# the log-likelihood of lumps being the organs of the sheet, and the lump of each place; None where they cannot be named
Judge = Callable[[Sequence[Lump]], tuple[float, list[int]] | None]


@dataclass(frozen=True, slots=True)
class Parting:
    """Cuts that are made.

    Parameters
    ----------
    cuts : tuple of (int, int)
        Pairs of pieces.
    disputed : tuple of (frozenset of int, frozenset of int)
        Organs, as the pieces they are made of, that another way of nearly the same likelihood gives other pieces: these.
    unsure : tuple of frozenset of int
        Organs of whose places another such way has an organ elsewhere.
    """

    cuts: tuple[tuple[int, int], ...]
    disputed: tuple[tuple[frozenset[int], frozenset[int]], ...] = ()
    unsure: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to cut: its log-likelihood, its cuts, and the pieces of the organ at each place."""

    score: float
    cuts: tuple[tuple[int, int], ...]
    places: tuple[frozenset[int], ...]


def judged_cuts(
    labels: NDArray[np.int32], cuts: Mapping[tuple[int, int], float], /, *, count: int, judge: Judge
) -> Parting | None:
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
    Parting or None
        None where no way is possible, or others that are nearly as likely dispute the names of many organs.
    """
    numbers = [int(one) for one in np.unique(labels) if one]
    pieces = {number: lump_of(labels == number) for number in numbers}
    ways = sorted(_ways(pieces, cuts, count, judge), key=lambda way: -way.score)
    if not ways:
        return None
    best, *rest = ways
    disputed: dict[frozenset[int], frozenset[int]] = {}
    unsure: set[frozenset[int]] = set()
    for rival in rest:
        if rival.score <= best.score - math.log(CLEAR_ODDS):
            break
        for mine, its in zip(best.places, rival.places, strict=True):
            shared, whole = (sum(pieces[one].area for one in held) for held in (mine & its, mine | its))
            if shared < SAME_ORGAN * whole:
                unsure.add(mine)
            elif mine != its:
                disputed[mine] = disputed.get(mine, frozenset()) | (mine ^ its)
    if len(unsure) > MOST_UNSURE * count:
        return None
    return Parting(best.cuts, tuple(disputed.items()), tuple(unsure))


def _ways(pieces: Mapping[int, Lump], cuts: Mapping[tuple[int, int], float], count: int, judge: Judge) -> list[_Way]:
    """Every way to come to so many organs, once each."""
    order = sorted(cuts, key=lambda pair: -cuts[pair])
    need = count - len(groups_of(pieces, list(cuts)))
    if need < 0 or need > len(order):
        return []
    while math.comb(len(order), need) > MOST_WAYS:
        order = order[:-1]
    found: dict[frozenset[frozenset[int]], _Way] = {}
    for size in range(need, need + RING + 1):
        for kept in itertools.islice(itertools.combinations(order, size), MOST_WAYS):
            groups = groups_of(pieces, [pair for pair in cuts if pair not in kept])
            if len(groups) != count:
                continue
            parted = {piece for pair in kept for piece in pair}
            read = judge(
                [joined_lump([pieces[one] for one in group], touching=bool(group & parted)) for group in groups]
            )
            if read is None:
                continue
            score = read[0] + sum(math.log(max(cuts[pair], LEAST_EVIDENCE)) for pair in kept)
            way = frozenset(groups)
            if way not in found or score > found[way].score:
                found[way] = _Way(score, kept, tuple(groups[index] for index in read[1]))
    return list(found.values())


def lump_of(mask: NDArray[np.bool_], /) -> Lump:
    """Where a shape lies, and how large it is."""
    rows, columns = np.nonzero(mask)
    return Lump(float(rows.size), float(rows.min()), float(rows.max()), float(rows.mean()), float(columns.mean()))


def joined_lump(parts: Sequence[Lump], /, *, touching: bool = False) -> Lump:
    """Several shapes as one."""
    area = sum(one.area for one in parts)
    return Lump(
        area,
        min(one.top for one in parts),
        max(one.bottom for one in parts),
        sum(one.area * one.y for one in parts) / area,
        sum(one.area * one.x for one in parts) / area,
        touching,
    )


def groups_of(numbers: Iterable[int], joins: Sequence[tuple[int, int]], /) -> list[frozenset[int]]:
    """Pieces that hang together by joins."""
    group = {number: {number} for number in numbers}
    for a, b in joins:
        if group[a] is not group[b]:
            group[a] |= group[b]
            for one in group[b]:
                group[one] = group[a]
    return list({id(one): frozenset(one) for one in group.values()}.values())
