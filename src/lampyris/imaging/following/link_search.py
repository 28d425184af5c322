"""The partition of an animal's spots into chains that has the highest total score.

A start by assignment, exact for what two spots (or two sessions) say about each other; then exchanges between whole chains,
which know their places better than any two spots do, until none raises the total.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from lampyris.imaging.following.link_score import ChainScore, LinkSpot

Members = tuple[int, ...]
Partition = list[Members]

_EPSILON = 1e-9
# standard deviations beyond which two chains are not compared: less than one pair in 1000 lies farther apart
_REACH_SD = 3.0
_MAX_ROUNDS = 50


def best_partition(score: ChainScore, /) -> Partition:
    """Divide all spots into chains.

    Parameters
    ----------
    score : ChainScore

    Returns
    -------
    list of tuple of int
        Ascending members of each chain, sorted; each spot is in exactly one.

    References
    ----------
    Jaqaman et al. 2008, Nat Methods 5:695, doi:10.1038/nmeth.1237 (links and gaps as one linear assignment).
    """
    return refine(linked(paired_views(score), score), score)


def paired_views(score: ChainScore, /) -> Partition:
    """Pair the spots of each session's views, view after view, by the assignment with the highest gain."""
    nodes: Partition = []
    for session in sorted({spot.session for spot in score.spots}):
        here = [i for i, spot in enumerate(score.spots) if spot.session == session]
        groups: Partition = []
        for view in sorted({score.spots[i].view for i in here}):
            single: Partition = [(i,) for i in here if score.spots[i].view == view]
            partner = _assign(groups, single, score)
            groups = [_union(g, single[partner[k]]) if k in partner else g for k, g in enumerate(groups)]
            groups += [one for k, one in enumerate(single) if k not in partner.values()]
        nodes += sorted(groups)
    return nodes


def linked(nodes: Partition, score: ChainScore, /) -> Partition:
    """Link nodes of single sessions to chains: the path cover with the highest sum of gains, gaps allowed, by one assignment."""
    following = _assign(nodes, nodes, score, ordered=True)
    chains = []
    for start in sorted(set(range(len(nodes))) - set(following.values())):
        chain, at = nodes[start], start
        while at in following:
            at = following[at]
            chain = _union(chain, nodes[at])
        chains.append(chain)
    return sorted(chains)


def refine(chains: Partition, score: ChainScore, /) -> Partition:
    """Exchange spots within and between chains as long as the total score rises."""
    current = sorted(chains)
    settled: set[tuple[Members, ...]] = set()
    for _ in range(_MAX_ROUNDS):
        changed = False
        for group in _groups(current, score):
            if group in settled or not set(group) <= set(current):
                continue
            proposals = _divisions(group[0], score) if len(group) == 1 else _exchanges(group[0], group[1], score)
            base = sum(score(chain) for chain in group) + _EPSILON
            best = max(proposals, key=lambda new: sum(map(score, new)), default=())
            if best and sum(map(score, best)) > base:
                current = sorted((set(current) - set(group)) | {chain for chain in best if chain})
                changed = True
            else:
                settled.add(group)
        if not changed:
            break
    return current


def _assign(rows: Partition, columns: Partition, score: ChainScore, *, ordered: bool = False) -> dict[int, int]:
    """Row to column, of highest total gain; pairs that gain nothing stay apart. With `ordered`, columns come later."""
    if not rows or not columns:
        return {}
    gain = np.zeros((len(rows), len(columns)))
    reaches = _reaches([*rows, *columns], score)
    for r, row in enumerate(rows):
        for c, column in enumerate(columns):
            if ordered and score.spots[row[0]].session >= score.spots[column[0]].session:
                continue
            if _near(reaches[r], reaches[len(rows) + c]):
                gain[r, c] = max(score(_union(row, column)) - score(row) - score(column), 0.0)
    taken = linear_sum_assignment(gain, maximize=True)
    return {int(r): int(c) for r, c in zip(*taken, strict=True) if gain[r, c] > _EPSILON}


def _groups(chains: Partition, score: ChainScore) -> list[tuple[Members, ...]]:
    """Each chain that can be divided, and each two chains near each other."""
    groups: list[tuple[Members, ...]] = [(chain,) for chain in chains if len(chain) > 1]
    reaches = _reaches(chains, score)
    for a, chain in enumerate(chains):
        groups += [(chain, chains[b]) for b in range(a + 1, len(chains)) if _near(reaches[a], reaches[b])]
    return groups


def _divisions(chain: Members, score: ChainScore) -> Iterator[tuple[Members, ...]]:
    spots = score.spots
    for i in chain:
        yield tuple(k for k in chain if k != i), (i,)
    yield from _cuts(chain, chain, spots)
    for view in sorted({spots[i].view for i in chain})[1:]:
        yield tuple(k for k in chain if spots[k].view != view), tuple(k for k in chain if spots[k].view == view)


def _exchanges(a: Members, b: Members, score: ChainScore) -> Iterator[tuple[Members, ...]]:
    spots = score.spots
    image_a = {(spots[i].session, spots[i].view): i for i in a}
    image_b = {(spots[i].session, spots[i].view): i for i in b}
    for image, i in image_a.items():
        # moved, or swapped where the other has a spot in that image
        other = image_b.get(image)
        yield _exchanged(a, i, other), _exchanged(b, other, i)
    for image, i in image_b.items():
        if image not in image_a:
            yield _exchanged(a, None, i), _exchanged(b, i, None)
    yield _gathered(a, b, score)
    for early, late in _cuts(a, b, spots):
        rest = set(a) | set(b)
        yield _union(early, late), tuple(sorted(rest - set(early) - set(late)))
    for view in sorted({spots[i].view for i in (*a, *b)})[1:]:
        yield (
            tuple(sorted([i for i in a if spots[i].view != view] + [i for i in b if spots[i].view == view])),
            tuple(sorted([i for i in b if spots[i].view != view] + [i for i in a if spots[i].view == view])),
        )


def _cuts(a: Members, b: Members, spots: Sequence[LinkSpot]) -> Iterator[tuple[Members, Members]]:
    """The spots of `a` before, and of `b` from a session on, for each session between the first and the last of both."""
    for session in sorted({spots[i].session for i in (*a, *b)})[1:]:
        yield tuple(i for i in a if spots[i].session < session), tuple(i for i in b if spots[i].session >= session)


def _gathered(a: Members, b: Members, score: ChainScore) -> tuple[Members, Members]:
    """Both as one chain; where both have a spot in an image, the one nearer to their common place, the rest beside it."""
    spots = score.spots
    both = _union(a, b)
    chosen: dict[tuple[int, str], tuple[float, int]] = {}
    for i in both:
        y, x, _ = score.place(both, spots[i].view)
        distance = math.hypot(spots[i].y_mm - y, spots[i].x_mm - x)
        image = (spots[i].session, spots[i].view)
        chosen[image] = min(chosen.get(image, (math.inf, i)), (distance, i))
    kept = {i for _, i in chosen.values()}
    return tuple(sorted(kept)), tuple(i for i in both if i not in kept)


def _exchanged(chain: Members, out: int | None, into: int | None) -> Members:
    kept = [i for i in chain if i != out]
    return tuple(sorted(kept if into is None else [*kept, into]))


def _union(a: Members, b: Members) -> Members:
    return tuple(sorted((*a, *b)))


def _reaches(chains: Partition, score: ChainScore) -> list[tuple[float, float, float]]:
    """Mean place of each chain and how far from it another of the same source may lie."""
    rows = []
    for chain in chains:
        spots = [score.spots[i] for i in chain]
        offset = score.options.view_offset * max(spot.width_mm for spot in spots)
        y = math.fsum(spot.y_mm for spot in spots) / len(spots)
        x = math.fsum(spot.x_mm for spot in spots) / len(spots)
        rows.append((y, x, _REACH_SD * math.hypot(max(spot.sd_mm for spot in spots), offset)))
    return rows


def _near(a: tuple[float, float, float], b: tuple[float, float, float]) -> bool:
    return math.hypot(a[0] - b[0], a[1] - b[1]) <= a[2] + b[2]
