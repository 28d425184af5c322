"""Whether a tray holds one organ more or fewer than its sheet names, asked of picture and weights alike.

A sheet that lacks a row makes two organs that touch one, and every name after them goes to its neighbour; a row too many cuts an organ in
two. Either may fit the weights by chance. Hence no naming stands by itself: its likelihood is laid beside those of the same tray with an
organ that no row names, and with a row whose organ does not lie there.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.assays.exvivo.partings import (
    CLEAR_ODDS,
    MOST_UNSURE,
    MOST_WAYS,
    SAME_ORGAN,
    Lump,
    Parting,
    groups_of,
    joined_lump,
    lump_of,
)

# odds that a sheet has a row too few, and that it has one too many: one in ten, more than careful sheets have
OFF_BY_ONE = 0.1
# the area of what no weight tells of lies evenly between a node's and more than a liver's, by its logarithm
AREAS_MM2 = (1.5, 400.0)
FLAT = -math.log(math.log(AREAS_MM2[1] / AREAS_MM2[0]))
# a way that the picture makes so many times (logarithm) less likely than the one that was taken is not read
HARDLY = 10.0
_LIKELY = 1.0 / (1.0 + CLEAR_ODDS)


@dataclass(frozen=True, slots=True)
class Borders:
    """How evidence for a cut becomes odds that two organs meet there.

    Parameters
    ----------
    even, sure : float
        Evidence at which an organ's own lobes are as likely, and at which they are `CLEAR_ODDS` times less likely.
    """

    even: float
    sure: float

    def log_odds(self, evidence: float, /) -> float:
        """Logarithm of the odds."""
        return math.log(CLEAR_ODDS) * (evidence - self.even) / (self.sure - self.even)


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to give the names of a sheet to lumps.

    Parameters
    ----------
    score : float
        Log-likelihood of the lumps' areas.
    lumps : tuple of int or None
        The lump of each place; None where its organ does not lie there.
    """

    score: float
    lumps: tuple[int | None, ...]


# every way to name lumps, of which there may be one more or fewer than rows; none where they lie in no clear rows
Reader = Callable[[Sequence[Lump]], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Census:
    """What a count that is off by one would change.

    Parameters
    ----------
    parting : Parting
        The cuts, with the organs that another count would give another border or another name.
    right : float
        Probability that as many organs lie there as the sheet names.
    refused : str
        Why no name on the tray is sure; empty where names stand.
    """

    parting: Parting
    right: float = 1.0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Named:
    """A reading of a tray: pieces of the organ of each place, and those of an organ that no row names."""

    score: float
    places: tuple[frozenset[int], ...]
    unnamed: frozenset[int]
    lumps: int


def census(
    labels: NDArray[np.int32],
    odds: Mapping[tuple[int, int], float],
    parting: Parting,
    /,
    *,
    reader: Reader,
    pixel_mm: float,
) -> Census:
    """Lay the names that a parting gives beside those that one organ more or fewer would give.

    Parameters
    ----------
    labels : ndarray of int, dims (y, x)
        Pieces; 0 on the tray.
    odds : mapping of (int, int) to float
        Pairs of pieces that meet, and the logarithm of the odds that two organs do.
    parting : Parting
        The cuts that were made.
    reader : callable
        How the sheet may be read on lumps.
    pixel_mm : float

    Returns
    -------
    Census
        An organ's name is not sure where namings that are together a twentieth as likely as all others give that name elsewhere.
    """
    pieces = {int(one): lump_of(labels == one) for one in np.unique(labels) if one}
    own = frozenset(groups_of(pieces, [pair for pair in odds if pair not in parting.cuts]))
    looks = {way: _looks(way, len(pieces), odds) for way in {own, *_ways(pieces, odds, len(own))}}
    least = looks[own] - HARDLY
    found = [one for way, look in looks.items() if look >= least for one in _named(way, look, pieces, reader)]
    as_made = [one for one in found if one.lumps == len(one.places) and set(one.places) == own]
    if not as_made:
        return Census(parting)
    mine = max(as_made, key=lambda one: one.score)
    weights = np.exp(np.array([one.score for one in found]) - max(one.score for one in found))
    shares = (weights / weights.sum()).tolist()
    judged = _doubted(parting, mine, found, shares, pieces)
    count = len(mine.places)
    right = math.fsum(share for one, share in zip(found, shares, strict=True) if one.lumps == count)
    refused = ""
    if len(judged.unsure) > MOST_UNSURE * count or right < _LIKELY:
        best = max((one for one in found if one.lumps != count), key=lambda one: one.score, default=None)
        refused = _told(best, count, right, pieces, pixel_mm)
    return Census(judged, right, refused)


def _doubted(
    parting: Parting, mine: _Named, found: Sequence[_Named], shares: Sequence[float], pieces: Mapping[int, Lump]
) -> Parting:
    """The cuts, with the names that likely enough readings give elsewhere and the borders that another count moves."""
    unsure = set(parting.unsure)
    disputed = dict(parting.disputed)
    for place, here in enumerate(mine.places):
        elsewhere = 0.0
        moved: defaultdict[frozenset[int], float] = defaultdict(float)
        for one, share in zip(found, shares, strict=True):
            there = one.places[place]
            if not _same(here, there, pieces):
                elsewhere += share
            elif here != there and one.lumps != mine.lumps:
                moved[here ^ there] += share
        if elsewhere > _LIKELY:
            unsure.add(here)
        if math.fsum(moved.values()) > _LIKELY:
            disputed[here] = disputed.get(here, frozenset()) | max(moved.items(), key=lambda one: one[1])[0]
    return replace(parting, disputed=tuple(disputed.items()), unsure=tuple(unsure))


def _same(here: frozenset[int], there: frozenset[int], pieces: Mapping[int, Lump]) -> bool:
    shared, whole = (sum(pieces[one].area for one in held) for held in (here & there, here | there))
    return shared >= SAME_ORGAN * whole


def _ways(
    pieces: Mapping[int, Lump], odds: Mapping[tuple[int, int], float], count: int
) -> Iterator[frozenset[frozenset[int]]]:
    """Ways to come to so many organs, or one more or fewer; cuts that are surest either way are left as they look."""
    open_cuts = sorted((pair for pair in odds if odds[pair] < math.log(CLEAR_ODDS)), key=lambda pair: abs(odds[pair]))
    open_cuts = open_cuts[: int(math.log2(MOST_WAYS))]
    closed = [pair for pair in odds if pair not in open_cuts and odds[pair] < 0]
    for size in range(len(open_cuts) + 1):
        for joins in itertools.combinations(open_cuts, size):
            groups = groups_of(pieces, [*closed, *joins])
            if abs(len(groups) - count) <= 1:
                yield frozenset(groups)


def _looks(way: frozenset[frozenset[int]], pieces: int, odds: Mapping[tuple[int, int], float]) -> float:
    """Log-likelihood of a way by the picture."""
    group = {piece: index for index, held in enumerate(sorted(way, key=min)) for piece in held}
    # a border that parts no organs cuts off any area: without that, ways of fewer organs would have fewer areas to explain
    found = FLAT * (pieces - len(way))
    for (a, b), log_odds in odds.items():
        found -= float(np.logaddexp(0.0, -log_odds if group[a] != group[b] else log_odds))
    return found


def _named(way: frozenset[frozenset[int]], look: float, pieces: Mapping[int, Lump], reader: Reader) -> Iterator[_Named]:
    groups = sorted(way, key=min)
    for reading in reader([joined_lump([pieces[one] for one in held]) for held in groups]):
        places = tuple(frozenset() if one is None else groups[one] for one in reading.lumps)
        off = len(groups) != len(places)
        unnamed = frozenset().union(*groups) - frozenset().union(*places)
        yield _Named(reading.score + look + (math.log(OFF_BY_ONE) if off else 0.0), places, unnamed, len(groups))


def _told(best: _Named | None, count: int, right: float, pieces: Mapping[int, Lump], pixel_mm: float) -> str:
    """What would make the names others."""
    if best is None:
        return f"organs that touch can be parted into {count} in ways that give many names to others."
    other = best.lumps
    seen = (
        f"organs.csv names {count} organs, and {other} seem to lie there: most likely"
        if right < _LIKELY
        else f"{count} organs, as organs.csv names, or {other} lie there, and names hang on which: if {other}, most likely"
    )
    if other > count:
        it = joined_lump([pieces[one] for one in best.unnamed])
        at = f"{it.area * pixel_mm**2:.0f} mm2 at y {it.y * pixel_mm:.0f}, x {it.x * pixel_mm:.0f} mm"
        return f"{seen} no row is that of the {at}."
    return f"{seen} that of place {best.places.index(frozenset()) + 1} does not."
