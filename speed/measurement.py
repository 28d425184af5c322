"""One measured line, and the clock behind it."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """Ours beside a peer on one piece of work.

    Parameters
    ----------
    row, part : str
        Stable name of the row, and which of its figures this is.
    peer : str
        What it is compared with; "" where the goal is a time of its own.
    ours_s, peer_s : float or None
        Median seconds; None where nothing could be run.
    ratio, ratio_low, ratio_high : float or None
        Peer over ours: median, smallest and largest of the alternating runs.
    goal : str
        What ours must reach.
    held : bool or None
        Whether it does; None where that cannot be told here.
    answers_agree : bool or None
        Whether both gave the same answer; None without a peer.
    note : str
        What a reader must know, e.g. why there is no figure.
    ours_gb, peer_gb : float or None
        Most memory that was ever held, in GB, where the goal is one of memory.
    """

    row: str
    part: str
    peer: str
    goal: str
    ours_s: float | None = None
    peer_s: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    held: bool | None = None
    answers_agree: bool | None = None
    note: str = ""
    ours_gb: float | None = None
    peer_gb: float | None = None


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process and its threads on one core, where the system can; put it back afterwards."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def core_seconds(work: Callable[[], object], /) -> float:
    """Processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def alternate(
    ours: Callable[[], object], peer: Callable[[], object], /, *, rounds: int
) -> tuple[list[float], list[float]]:
    """Core-seconds of ours and of the peer, run in turn on one core."""
    times: tuple[list[float], list[float]] = ([], [])
    with one_core():
        for _ in range(rounds):
            times[0].append(core_seconds(ours))
            times[1].append(core_seconds(peer))
    return times


def compared(
    row: str, part: str, peer: str, times: tuple[list[float], list[float]], /, *, goal_ratio: float, agree: bool
) -> Measurement:
    """A measurement from alternating times; it holds where the median ratio reaches the goal and the answers agree."""
    ratios = [theirs / own for own, theirs in zip(*times, strict=True)]
    ratio = statistics.median(ratios)
    return Measurement(
        row,
        part,
        peer,
        goal=f"{goal_ratio:g} x",
        ours_s=statistics.median(times[0]),
        peer_s=statistics.median(times[1]),
        ratio=ratio,
        ratio_low=min(ratios),
        ratio_high=max(ratios),
        held=agree and ratio >= goal_ratio,
        answers_agree=agree,
    )
