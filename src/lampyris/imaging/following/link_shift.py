"""Images whose whole frame lies off: a common shift of all their spots against the animal's other sessions."""

import math
from collections.abc import Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from lampyris.imaging.following.link_score import ChainScore
from lampyris.imaging.following.link_search import Partition

# a larger one is a mistaken outline of the animal, which registration itself must tell
_LARGEST_MM = 15.0
# matches and their mean settle within two or three rounds
_REFINEMENTS = 5
# least share of the spots that could match, by how many do: two, or three and more
_AGREEING = {2: 2 / 3, 3: 1 / 2}


@dataclass(frozen=True, slots=True)
class FrameShift:
    """A common shift of all spots of an image.

    Parameters
    ----------
    session : int
    view : str
    y_mm, x_mm : float
        Of its spots against those of the animal's other sessions; linking takes it off.
    sd_mm : float
        Standard uncertainty along each axis.
    sources : int
        Spots that agree on it.
    log_cost : float
        What it costs in log-likelihood that an image's frame is off, and off by this.
    """

    session: int
    view: str
    y_mm: float
    x_mm: float
    sd_mm: float
    sources: int
    log_cost: float


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """Spots of one image, dims (spot, 2) and (spot,), and where chains of other sessions would be, dims (chain, 2), (chain,)."""

    spot: NDArray[np.float64]
    spot_variance: NDArray[np.float64]
    chain: NDArray[np.float64]
    chain_variance: NDArray[np.float64]


def next_shift(
    partition: Partition, score: ChainScore, /, *, done: Set[tuple[int, str]] = frozenset()
) -> FrameShift | None:
    """The shift of one image that explains most, if any is more likely than none.

    Parameters
    ----------
    partition : list of tuple of int
        Chains as they are.
    score : ChainScore
    done : set of (session, view)
        Images that were moved before.

    Returns
    -------
    FrameShift or None
        Of two images that differ only from each other the later is called shifted.

    Notes
    -----
    Each image is compared with chains of the other sessions only. Candidates bring one spot onto one chain; the best is refined
    by the matched pairs' weighted mean. It is accepted where the matches gain more than a shifted frame costs, and at least three
    spots, or two that are most of what could match, agree: two alone match by chance too often.
    """
    best: tuple[float, FrameShift] | None = None
    for session, view in score.images:
        if (session, view) in done:
            continue
        image = _image(partition, score, session, view)
        if min(len(image.spot), len(image.chain)) < 2:
            continue
        found = _best_shift(image, score)
        if found is None:
            continue
        gain, shift_y, shift_x, sd, sources, cost = found
        if gain > 0 and (best is None or gain >= best[0] - 1e-9):
            best = gain, FrameShift(session, view, shift_y, shift_x, sd, sources, cost)
    return best[1] if best else None


def _image(partition: Partition, score: ChainScore, session: int, view: str) -> _Image:
    own = [s for s in score.spots if (s.session, s.view) == (session, view)]
    places = []
    for chain in partition:
        others = tuple(i for i in chain if score.spots[i].session != session)
        if others:
            places.append(score.place(others, view))
    chains = np.array(places, float).reshape(-1, 3)
    return _Image(
        np.array([(s.y_mm, s.x_mm) for s in own], float).reshape(-1, 2),
        np.array([s.sd_mm**2 for s in own], float),
        chains[:, :2],
        chains[:, 2],
    )


def _best_shift(image: _Image, score: ChainScore) -> tuple[float, float, float, float, int, float] | None:
    """Gain over no shift, the shift (y, x), its sd, the number of matches and the cost."""
    candidates = (image.spot[:, None, :] - image.chain[None, :, :]).reshape(-1, 2)
    candidates = candidates[np.hypot(candidates[:, 0], candidates[:, 1]) < _LARGEST_MM]
    if len(candidates) == 0:
        return None
    gains = np.maximum(_match_gain(image, candidates, score), 0.0)
    # no assignment can gain more than the best of each spot, or of each chain
    bound = np.minimum(gains.max(axis=2).sum(axis=1), gains.max(axis=1).sum(axis=1))
    shift = candidates[int(np.argmax(bound))]
    for _ in range(_REFINEMENTS):
        rows, columns, _ = _matches(image, shift, score)
        if len(rows) == 0:
            return None
        weight = 1.0 / (image.spot_variance[rows] + image.chain_variance[columns])
        shift = (weight[:, None] * (image.spot[rows] - image.chain[columns])).sum(axis=0) / weight.sum()
    rows, columns, gain = _matches(image, shift, score)
    possible = min(len(image.spot), len(image.chain))
    # of pairs of spots in two unrelated animals about one in three agrees on some shift; of triples few do
    if len(rows) < 2 or len(rows) < _AGREEING[min(len(rows), 3)] * possible:
        return None
    variance = 1.0 / float(np.sum(1.0 / (image.spot_variance[rows] + image.chain_variance[columns])))
    spread = score.options.shift_sd_mm**2
    share = score.options.bad_registration
    cost = math.log(spread / variance) + 0.5 * float(shift @ shift) / spread + math.log((1.0 - share) / share)
    advantage = gain - cost - _matches(image, np.zeros(2), score)[2]
    return advantage, float(shift[0]), float(shift[1]), math.sqrt(variance), len(rows), cost


def _match_gain(image: _Image, shifts: NDArray[np.float64], score: ChainScore) -> NDArray[np.float64]:
    """Log-likelihood ratio of each spot as each chain's, over one of its own; dims (shift, spot, chain)."""
    options = score.options
    away = image.spot[None, :, None, :] - shifts[:, None, None, :] - image.chain[None, None, :, :]
    variance = image.spot_variance[:, None] + image.chain_variance[None, :]
    unmatched = (options.lesions + options.false_spots) / options.area_mm2
    density = -np.log(2.0 * np.pi * variance * unmatched)
    return np.asarray(density - 0.5 * (away**2).sum(axis=3) / variance)


def _matches(
    image: _Image, shift: NDArray[np.float64], score: ChainScore
) -> tuple[NDArray[np.intp], NDArray[np.intp], float]:
    gain = np.maximum(_match_gain(image, shift[None], score)[0], 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    kept = gain[rows, columns] > 0
    return rows[kept], columns[kept], float(gain[rows, columns].sum())
