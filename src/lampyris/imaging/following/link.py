"""Linking: which spots of all days and views are the same source of light in the animal.

Found as one partition of all spots, not from frame to frame: a lesion keeps its place, so late days say where an early spot
belongs. Sessions whose frame is off are moved first; sessions that fit nothing are told by `SessionFit.log_odds`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from lampyris.imaging.following.link_score import ChainScore, LimitAt, LinkOptions, LinkSpot
from lampyris.imaging.following.link_search import Members, Partition, best_partition
from lampyris.imaging.following.link_shift import FrameShift, next_shift

__all__ = ["Chain", "FrameShift", "LimitAt", "LinkOptions", "LinkSpot", "Linking", "SessionFit", "link_spots"]

# sd of the log of a flux that was predicted from neighbouring sessions: label loss and posture
_BLEND_FLUX_SD = 0.4


@dataclass(frozen=True, slots=True)
class Chain:
    """One source of light.

    Parameters
    ----------
    members : tuple of int
        Indices into the spots as given, by session and view; at most one per session and view.
    shared : tuple of (session, index of chain)
        Sessions in which it has no spot of its own and its light is part of that chain's spot.
    split_from, merged_into : int
        Chain whose spot it shares in the session before its first, or after its last own spot; -1 for none.
    """

    members: tuple[int, ...]
    shared: tuple[tuple[int, int], ...] = ()
    split_from: int = -1
    merged_into: int = -1


@dataclass(frozen=True, slots=True)
class SessionFit:
    """How well a session goes with the animal's others.

    Parameters
    ----------
    session : int
    spots : int
        In all its views.
    sources : int
        Chains with a spot in it.
    shared : int
        Those of them that other sessions show too.
    expected : int
        Chains of other sessions, seen both before and after it or (first and last session) in the one next to it.
    log_odds : float
        Log-likelihood of the session as part of this animal, over that of it as an animal of its own. Below 0 it goes with
        nothing: another animal, or a frame that could not be found; down to -3 it also says too little, as where one new spot
        is all there is. 0 where there is no other session.
    """

    session: int
    spots: int
    sources: int
    shared: int
    expected: int
    log_odds: float


@dataclass(frozen=True, slots=True)
class Linking:
    """All chains of an animal and what they say about its sessions.

    Parameters
    ----------
    chains : tuple of Chain
        By first session, then brightest first; every spot is in exactly one.
    shifts : tuple of FrameShift
        Images whose whole frame lies off the animal's others, by session and view; empty where none does.
    fits : tuple of SessionFit
        One per session.
    """

    chains: tuple[Chain, ...]
    shifts: tuple[FrameShift, ...]
    fits: tuple[SessionFit, ...]


def link_spots(
    spots: Sequence[LinkSpot],
    /,
    *,
    days: Sequence[float],
    views: Sequence[Sequence[str]],
    limit_at: LimitAt | None = None,
    options: LinkOptions | None = None,
) -> Linking:
    """Link the spots of all sessions and views of one animal to sources of light.

    Parameters
    ----------
    spots : sequence of LinkSpot
        In any order.
    days : sequence of float
        Per session, not falling; the same day may occur twice.
    views : sequence of sequence of str
        Per session, the views that were taken.
    limit_at : callable (session, view, y_mm, x_mm) -> float, optional
        Flux that would have been seen at a place of the nominal animal, ph s-1; inf outside the image. Without it the
        weakest spot of the view's sessions is the limit everywhere.
    options : LinkOptions, optional

    Returns
    -------
    Linking

    Raises
    ------
    ValueError
        If days fall, their number is not that of `views`, a spot lies in an image that was not taken, or one of its numbers is
        not finite, or not positive where it must be.

    Notes
    -----
    The chains maximise the likelihood of places (one fixed point per source, one fixed offset per view), fluxes (label loss
    with a broad prior), and of what was not seen where. A session's frame is moved where at least two sources agree on it.
    Merging and splitting are decided afterwards, from flux and place of the spot in question.

    References
    ----------
    Jaqaman et al. 2008, Nat Methods 5:695, doi:10.1038/nmeth.1237 (assignment with gaps, merging and splitting).
    Reid 1979, IEEE Trans Autom Control 24:843, doi:10.1109/TAC.1979.1102177 (likelihood of a partition with new sources, misses
    and false spots).

    Examples
    --------
    >>> spots = [LinkSpot(s, "dorsal", 50.0 + 0.5 * s, 2.0, 1.0, 4.0, 1e6 / 2**s, 1e5) for s in range(3)]
    >>> link_spots(spots, days=[0, 3, 7], views=[["dorsal"]] * 3).chains[0].members
    (0, 1, 2)
    """
    _check(spots, days, views)
    order = sorted(range(len(spots)), key=lambda i: _key(spots[i]))
    images = tuple((session, view) for session, taken in enumerate(views) for view in sorted(set(taken)))
    score = _prepared([spots[i] for i in order], days, images, limit_at, options or LinkOptions())
    partition = best_partition(score)
    shifts: dict[tuple[int, str], FrameShift] = {}
    for _ in images:
        shift = next_shift(partition, score, done=set(shifts))
        if shift is None:
            break
        shifts[shift.session, shift.view] = shift
        score = _moved(score, shift)
        partition = best_partition(score)
    partition.sort(key=lambda chain: (score.spots[chain[0]].session, -max(score.spots[i].flux for i in chain), chain))
    chains = _blended(partition, score)
    given = tuple(replace(chain, members=tuple(order[i] for i in chain.members)) for chain in chains)
    return Linking(given, tuple(shifts[k] for k in sorted(shifts)), _fits(partition, score, shifts))


def _check(spots: Sequence[LinkSpot], days: Sequence[float], views: Sequence[Sequence[str]]) -> None:
    if len(days) != len(views):
        raise ValueError(f"expected the views of each of {len(days)} days, got {len(views)}")
    if not all(map(math.isfinite, days)) or any(b < a for a, b in pairwise(days)):
        raise ValueError(f"expected sessions sorted by finite day, got days {tuple(days)}")
    for index, spot in enumerate(spots):
        if not 0 <= spot.session < len(days) or spot.view not in views[spot.session]:
            raise ValueError(f"spot {index} lies in session {spot.session}, view {spot.view!r}, which was not taken")
        numbers = (spot.y_mm, spot.x_mm, spot.sd_mm, spot.width_mm, spot.flux, spot.flux_sd)
        if not all(map(math.isfinite, numbers)) or min(spot.sd_mm, spot.width_mm, spot.flux) <= 0 or spot.flux_sd < 0:
            raise ValueError(f"spot {index} needs finite numbers, positive sd_mm, width_mm and flux, got {spot}")


def _key(spot: LinkSpot) -> tuple[int, str, float, float, float, float, float, float]:
    """Order that depends on nothing but the spots."""
    return (spot.session, spot.view, spot.y_mm, spot.x_mm, spot.flux, spot.width_mm, spot.sd_mm, spot.flux_sd)


def _prepared(
    spots: list[LinkSpot],
    days: Sequence[float],
    images: tuple[tuple[int, str], ...],
    limit_at: LimitAt | None,
    options: LinkOptions,
) -> ChainScore:
    limits = np.full((len(spots), len(images)), np.inf)
    for column, (session, view) in enumerate(images):
        weakest = min((spot.flux for spot in spots if spot.view == view), default=math.inf)
        for row, spot in enumerate(spots):
            limits[row, column] = limit_at(session, view, spot.y_mm, spot.x_mm) if limit_at else weakest
    if not (limits > 0).all():
        raise ValueError("limit_at is expected to return positive fluxes, inf where nothing could be seen")
    log_limit: NDArray[np.float64] = np.log(limits)
    return ChainScore(spots, tuple(days), images, log_limit, options, tuple(range(len(days))))


def _moved(score: ChainScore, shift: FrameShift) -> ChainScore:
    """The same spots with one image's brought back."""
    spots = [
        replace(spot, y_mm=spot.y_mm - shift.y_mm, x_mm=spot.x_mm - shift.x_mm)
        if (spot.session, spot.view) == (shift.session, shift.view)
        else spot
        for spot in score.spots
    ]
    return ChainScore(spots, score.days, score.images, score.log_limit, score.options, score.sessions)


@dataclass(frozen=True, slots=True)
class _Followed:
    """Chains, their score, and the fall of the log flux per day that they have in common."""

    partition: Partition
    score: ChainScore
    decline: float


def _decline(partition: Partition, score: ChainScore) -> float:
    """Median over all steps of chains within a view: one label is lost alike by all cells of an animal."""
    rates = []
    for chain in partition:
        for view in sorted({score.spots[i].view for i in chain}):
            own = [score.spots[i] for i in chain if score.spots[i].view == view]
            for a, b in pairwise(own):
                days = score.days[b.session] - score.days[a.session]
                if days > 0:
                    rates.append(math.log(a.flux / b.flux) / days)
    return median(rates) if rates else score.middle_decline


def _blended(partition: Partition, score: ChainScore) -> list[Chain]:
    """Chains, with the sessions in which one's light is part of another's spot."""
    chains = []
    follow = _Followed(partition, score, _decline(partition, score))
    for index, members in enumerate(partition):
        sessions = [score.spots[i].session for i in members]
        first, last = sessions[0], sessions[-1]
        hosts = {s: h for s in range(first + 1, last) if s not in sessions and (h := _host(follow, index, s)) >= 0}
        split = _run(follow, index, range(first - 1, -1, -1))
        merged = _run(follow, index, range(last + 1, len(score.days)))
        shared = sorted((split | hosts | merged).items())
        chains.append(Chain(members, tuple(shared), _nearest(split, first), _nearest(merged, last)))
    return chains


def _nearest(hosts: dict[int, int], session: int) -> int:
    return hosts[min(hosts, key=lambda s: abs(s - session))] if hosts else -1


def _run(follow: _Followed, index: int, sessions: range) -> dict[int, int]:
    """Unbroken sessions beyond a chain's end in which another chain's spot holds its light."""
    hosts: dict[int, int] = {}
    for session in sessions:
        host = _host(follow, index, session, beyond=True)
        if host < 0:
            break
        hosts[session] = host
    return hosts


def _host(follow: _Followed, index: int, session: int, *, beyond: bool = False) -> int:
    """The nearest chain whose spot in a session can hold the light of one that has none there; -1 for none.

    Between a chain's own spots its light is there, and nearness is enough. Beyond them it may as well be absent, and the spot
    itself must look more like both than like one.
    """
    score, members, best = follow.score, follow.partition[index], (math.inf, -1)
    for other, hosts in enumerate(follow.partition):
        for i in hosts:
            spot = score.spots[i]
            if other == index or spot.session != session:
                continue
            distance = _separation(members, i, score)
            if distance > score.options.blend_width * spot.width_mm:
                continue
            if not beyond or _evidence_of_both(follow, members, hosts, i) > 0:
                best = min(best, (distance, other))
    return best[1]


def _separation(members: Members, spot: int, score: ChainScore) -> float:
    """Distance of a chain from a spot; inf if the chain was never seen in that view."""
    found = score.spots[spot]
    if all(score.spots[i].view != found.view for i in members):
        return math.inf
    y, x, _ = score.place(members, found.view)
    return math.hypot(found.y_mm - y, found.x_mm - x)


def _evidence_of_both(follow: _Followed, members: Members, hosts: Members, spot: int) -> float:
    """Log-likelihood ratio of a spot as the light of both chains, over the host's alone and the other absent or missed."""
    score = follow.score
    found, options = score.spots[spot], score.options
    apart = {score.spots[i].session for i in members}
    # only where the two were told apart does the host's own flux say what it has alone
    alone = tuple(i for i in hosts if score.spots[i].session in apart and score.spots[i].view == found.view)
    if not alone:
        return -math.inf
    own = score.log_flux(members, found.session, found.view, decline=follow.decline)
    host = score.log_flux(alone, found.session, found.view, decline=follow.decline)
    both = float(np.logaddexp(own, host))
    weight = math.exp(own - both)
    seen, variance = math.log(found.flux), _BLEND_FLUX_SD**2 + (found.flux_sd / found.flux) ** 2
    result = _gaussian(seen - both, variance) - _gaussian(seen - host, variance)
    ours, theirs = score.place(members, found.view), score.place(alone, found.view)
    blurred = found.sd_mm**2 + theirs[2]
    for axis, at in ((0, found.y_mm), (1, found.x_mm)):
        mixed = (1.0 - weight) * theirs[axis] + weight * ours[axis]
        result += _gaussian(at - mixed, blurred) - _gaussian(at - theirs[axis], blurred)
    absent = options.loss if found.session > score.spots[members[-1]].session else 0.5
    # a lone spot is a lesion at all with the odds of its own score
    present = (1.0 - absent) * (-math.expm1(-score(members)) if len(members) == 1 else 1.0)
    return result + math.log(present) - math.log1p(-present * (1.0 - score.missed(members, found.session)))


def _gaussian(deviation: float, variance: float) -> float:
    return -0.5 * deviation * deviation / variance


def _fits(partition: Partition, score: ChainScore, shifts: dict[tuple[int, str], FrameShift]) -> tuple[SessionFit, ...]:
    sessions = score.sessions
    whole = math.fsum(map(score, partition))
    rows = []
    for session in sessions:
        cut = list(_parted(partition, session, score))
        here = [own for own, _ in cut if own]
        rest = [others for _, others in cut if others]
        seen = [{score.spots[i].session for i in others} for others in rest]
        log_odds = 0.0
        if len(sessions) > 1:
            without = score.within(tuple(s for s in sessions if s != session))
            log_odds = whole - math.fsum(map(without, rest)) - math.fsum(map(score.within((session,)), here))
            log_odds -= sum(shift.log_cost for (s, _), shift in shifts.items() if s == session)
        rows.append(
            SessionFit(
                session,
                spots=sum(map(len, here)),
                sources=len(here),
                shared=sum(1 for own, others in cut if own and others),
                expected=sum(_bridges(found, session, sessions) for found in seen),
                log_odds=log_odds,
            )
        )
    return tuple(rows)


def _parted(partition: Partition, session: int, score: ChainScore) -> Iterator[tuple[Members, Members]]:
    for chain in partition:
        own = tuple(i for i in chain if score.spots[i].session == session)
        yield own, tuple(i for i in chain if score.spots[i].session != session)


def _bridges(found: set[int], session: int, sessions: tuple[int, ...]) -> bool:
    """A chain of these sessions ought to be in another one, as far as arrival and loss go."""
    if session in (sessions[0], sessions[-1]):
        return (session + 1 if session == sessions[0] else session - 1) in found
    return min(found) < session < max(found)
