"""The instrument's response to light that lasts no time: cleaned of its background, and shifted by parts of a channel."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array

Array = NDArray[np.float64]
# channels of the running mean that tells where the response ends, and how clearly it must stand above the background
_RUN, _CLEAR = 25, 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Response of the instrument.

    Parameters
    ----------
    shape : numpy.ndarray
        Share of the photons per channel, background removed, sum 1, dims (channel,).
    variance : numpy.ndarray
        Of `shape`, from the counts, dims (channel,); 0 of a response that is known.
    background : float
        Counts per channel that were removed.
    counts : float
        Photons that the response rests on; infinity of a known one.
    """

    shape: Array
    variance: Array
    background: float = 0.0
    counts: float = math.inf

    def __post_init__(self) -> None:
        shape = frozen_array("shape", self.shape, ("channel",), np.float64)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(
            self, "variance", frozen_array("variance", self.variance, ("channel",), np.float64, shape.shape)
        )

    @property
    def width_channels(self) -> float:
        """Full width at half of the highest channel, between the outermost channels above it."""
        above = np.flatnonzero(self.shape >= 0.5 * self.shape.max())
        return float(above[-1] - above[0] + 1)


def response_from_counts(counts: Array, /, *, channels: int = 0) -> Response:
    """Response from its recording.

    Parameters
    ----------
    counts : numpy.ndarray
        As recorded, dims (channel,).
    channels : int
        Of the decay; the recording is cut or filled with nothing to that length. 0 keeps its own.

    Returns
    -------
    Response
        Outside the run of channels about the peak whose running mean stands clearly above the background it is 0.

    Raises
    ------
    ValueError
        If it holds no photon above its background.

    Examples
    --------
    >>> found = response_from_counts(np.array([1.0] * 60 + [30.0, 100.0, 40.0, 10.0] + [1.0] * 60))
    >>> found.background, int(found.shape.argmax())
    (1.0, 61)
    """
    counts = np.asarray(counts, np.float64)
    if channels:
        counts = np.concatenate([counts[:channels], np.zeros(max(0, channels - counts.size))])
    if not counts.any():
        raise ValueError("the response holds no photon")
    background = _background(counts)
    start, end = _support(counts, background)
    shape = np.zeros_like(counts)
    shape[start:end] = np.maximum(counts[start:end] - background, 0.0)
    total = float(shape.sum())
    if not total > 0.0:
        raise ValueError("the response holds no photon above its background")
    variance = np.zeros_like(counts)
    variance[start:end] = counts[start:end] / total**2
    return Response(shape / total, variance, background, total)


def _background(counts: Array) -> float:
    """Mean of the recorded channels well before the peak, or of the last tenth where there are none."""
    recorded = np.flatnonzero(counts)
    peak = int(counts.argmax())
    low = np.flatnonzero(counts[:peak] < 0.1 * counts[peak])
    rise = int(low[-1]) + 1 if low.size else 0
    before = counts[recorded[0] : max(recorded[0], rise - max(5, 3 * (peak - rise)))]
    if before.size >= 20:
        return float(before.mean())
    after = counts[recorded[-1] + 1 - max(1, (recorded[-1] + 1 - peak) // 10) : recorded[-1] + 1]
    return float(after.mean()) if after.size >= 20 else 0.0


def _support(counts: Array, background: float) -> tuple[int, int]:
    peak = int(counts.argmax())
    width = min(_RUN, counts.size)
    running = np.convolve(counts, np.full(width, 1.0 / width), mode="same")
    clear = running > background + _CLEAR * math.sqrt((background + 1.0 / width) / width)
    low = np.flatnonzero(~clear[:peak])
    high = np.flatnonzero(~clear[peak + 1 :])
    start = int(low[-1]) + 1 if low.size else 0
    end = peak + 1 + int(high[0]) if high.size else counts.size
    return min(start, peak), max(end, peak + 1)


def shifted(shape: Array, shift: float, /) -> tuple[Array, Array]:
    """Shape later by `shift` channels, and its derivative by the shift.

    Cubic convolution, whose slope has no jumps. What leaves the window is lost.

    References
    ----------
    Keys 1981, IEEE Trans Acoust Speech Signal Process 29:1153, doi:10.1109/TASSP.1981.1163711 (a = -1/2).
    """
    whole = math.floor(shift)
    f = shift - whole
    # of the channels 2, 1, 0 and -1 beyond the whole shift
    weights = (
        0.5 * f * f * (f - 1.0),
        0.5 * f * (1.0 + f * (4.0 - 3.0 * f)),
        0.5 * (2.0 + f * f * (3.0 * f - 5.0)),
        0.5 * f * (-1.0 + f * (2.0 - f)),
    )
    leaning = (
        0.5 * f * (3.0 * f - 2.0),
        0.5 * (1.0 + f * (8.0 - 9.0 * f)),
        0.5 * f * (9.0 * f - 10.0),
        0.5 * (-1.0 + f * (4.0 - 3.0 * f)),
    )
    moved, slope = np.zeros_like(shape), np.zeros_like(shape)
    for offset, weight, lean in zip((2, 1, 0, -1), weights, leaning, strict=True):
        _add(moved, shape, whole + offset, weight)
        _add(slope, shape, whole + offset, lean)
    return moved, slope


def shifted_response(shape: Array, shift: float, /) -> tuple[Array, Array]:
    """As `shifted`, without the small negative lobes beside steep edges, which no light has."""
    moved, slope = shifted(shape, shift)
    below = moved < 0.0
    moved[below], slope[below] = 0.0, 0.0
    return moved, slope


def sharpened(shape: Array, /, *, along: Array | None = None) -> Array:
    """Shape less a twelfth of its second difference, for a convolution that draws it straight from channel to channel.

    A channel holds the mean of the light within it. Straight lines between channels widen that by a sixth of a channel squared,
    in variance, which long recordings see at the rise; this takes it off again, up to the fourth power of a channel's width over
    the response's. What moves from a channel to a larger neighbour is at most half of it, so that no light becomes negative:
    with less than none expected, a count at a steep foot would rule the fit.

    Parameters
    ----------
    shape : numpy.ndarray, dims (channel,)
    along : numpy.ndarray, dims (channel,), optional
        Shape whose limits hold, where `shape` is its slope; its own otherwise.

    Examples
    --------
    >>> sharpened(np.array([0.0, 0.3, 0.6, 0.3, 0.0])).round(6).tolist()
    [0.0, 0.275, 0.65, 0.275, 0.0]
    """
    left, right = _moving(shape if along is None else along)
    moving = left * shape[:-1] + right * shape[1:]
    found = shape.copy()
    found[1:] += moving
    found[:-1] -= moving
    return np.asarray(found)


def sharpened_back(weights: Array, along: Array, /) -> Array:
    """Weights of the shape whose `sharpened` has these weights: the transposed of that step, with the limits of a shape."""
    left, right = _moving(along)
    gained = np.diff(weights)
    found = weights.copy()
    found[:-1] += left * gained
    found[1:] += right * gained
    return np.asarray(found)


def _moving(shape: Array) -> tuple[Array, Array]:
    """What moves to the next channel, as shares of this one and of the next, dims (pair of neighbours,)."""
    rise = np.diff(shape) / 12.0
    lower = np.maximum(np.minimum(shape[:-1], shape[1:]), 0.0)
    limited = np.abs(rise) > 0.5 * lower
    held = np.where(lower > 0.0, 0.5 * np.sign(rise), 0.0)
    left = np.where(limited, np.where(rise > 0.0, held, 0.0), -1.0 / 12.0)
    right = np.where(limited, np.where(rise < 0.0, held, 0.0), 1.0 / 12.0)
    return left, right


def _add(into: Array, shape: Array, by: int, weight: float) -> None:
    size = shape.size
    if by >= size or by <= -size or not weight:
        return
    if by >= 0:
        into[by:] += weight * shape[: size - by]
    else:
        into[:by] += weight * shape[-by:]
