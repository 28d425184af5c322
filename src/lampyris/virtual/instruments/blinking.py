"""A virtual microscope with a photon counter: traces of single dots that switch by known laws, as CSV."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.blinking import predict_trace
from lampyris.io.durable import write_text
from lampyris.probe.photophysics.blinking import SojournTimes

Array = NDArray[np.float64]
_AT_ONCE = 512
# halvings that find what is left of the first stay; records beyond which stays of a law without mean do not count
_HALVINGS, _BEYOND = 40, 100.0


@dataclass(frozen=True, slots=True)
class BlinkingTruth:
    """What a dot is.

    Parameters
    ----------
    on, off : SojournTimes
        Laws of its stays.
    on_rate_hz, off_rate_hz : float
        Photons per second in either state, background included.
    drift : float
        Relative change of the on rate over the record.
    bleaches_at_s : float
        When it goes dark for good; infinity for never.
    grey_share : float
        Share of on stays of half the brightness: a third level that the two-state laws do not hold.
    """

    on: SojournTimes
    off: SojournTimes
    on_rate_hz: float = 6000.0
    off_rate_hz: float = 600.0
    drift: float = 0.0
    bleaches_at_s: float = float("inf")
    grey_share: float = 0.0


def virtual_trace(truth: BlinkingTruth, /, *, bins: int, bin_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Photons per bin of a dot, dims (bin,); switches fall anywhere within bins.

    The dot has blinked for long when the record begins, so that it begins in a long stay more often than in a short one.
    """
    end = bins * bin_s
    means = [_mean_s(one, end) for one in (truth.on, truth.off)]
    at, lit = 0.0, bool(rng.random() * sum(means) < means[0])
    edges, brightness = [0.0], []
    drawn: dict[bool, list[float]] = {True: [], False: []}
    while at < end:
        if not drawn[lit]:
            # many at once, as a quantile is found by halving
            drawn[lit] = (truth.on if lit else truth.off).quantile(rng.random(_AT_ONCE)).tolist()
        at += drawn[lit].pop() if edges[1:] else _rest_s(truth.on if lit else truth.off, end, rng)
        edges.append(at)
        grey = 0.5 if truth.grey_share and rng.random() < truth.grey_share else 1.0
        brightness.append(grey if lit else 0.0)
        lit = not lit
    times = np.array(edges)
    lit_until = np.concatenate([[0.0], np.cumsum(np.diff(times) * np.array(brightness))])
    at_edges = np.interp(np.minimum(np.arange(bins + 1) * bin_s, truth.bleaches_at_s), times, lit_until)
    share = np.diff(at_edges) / bin_s * (1.0 + truth.drift * np.linspace(0.0, 1.0, bins))
    expected = predict_trace(share, on=truth.on_rate_hz * bin_s, off=truth.off_rate_hz * bin_s)
    return rng.poisson(np.maximum(expected, 0.0)).astype(np.float64)


def _mean_s(law: SojournTimes, end: float) -> float:
    """Mean stay; of a law without a mean that within a time far beyond the record."""
    mean = law.mean_s()
    return mean if math.isfinite(mean) else law.mean_s(within_s=_BEYOND * end)


def _rest_s(law: SojournTimes, end: float, rng: np.random.Generator) -> float:
    """What is left at a time that chance picks of the stay that holds it, cut at the end: its density is S(t) over the mean stay.

    References
    ----------
    Cox 1962, Renewal Theory, section 5.3 (recurrence times).
    """
    asked = float(rng.random()) * _mean_s(law, end)
    if law.mean_s(within_s=end) <= asked:
        return end
    # the mean of stays that are cut at t is the integral of S from 0 to t
    low, high = 0.0, end
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        # up to the shortest stay S is 1
        reached = middle if middle <= law.shortest_s else law.mean_s(within_s=middle)
        low, high = (middle, high) if reached < asked else (low, middle)
    return 0.5 * (low + high)


def write_virtual_blinking(
    path: Path,
    dots: tuple[BlinkingTruth, ...],
    /,
    *,
    rng: np.random.Generator,
    seconds: float = 300.0,
    bin_s: float = 0.01,
) -> None:
    """Write the traces of dots as CSV: time, and a column of photons per bin for each dot."""
    bins = round(seconds / bin_s)
    columns = [virtual_trace(one, bins=bins, bin_s=bin_s, rng=rng).astype(np.int64).tolist() for one in dots]
    head = ",".join(["time (s)", *(f"dot {k} counts" for k in range(1, len(dots) + 1))])
    rows = "\n".join(
        ",".join([f"{(k + 0.5) * bin_s:.6g}", *map(str, row)]) for k, row in enumerate(zip(*columns, strict=True))
    )
    write_text(path, f"synthetic blinking\n{head}\n{rows}\n")
