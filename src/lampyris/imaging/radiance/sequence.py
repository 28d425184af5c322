"""A sequence of frames in one pass: mean image, variance, time courses, and what is wrong with its clock or its frames.

One frame is held at a time, so that memory does not depend on length. Every sum runs over the frames in their order and over
the pixels in theirs: how a file is stored changes no byte of the result.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.frames import FrameStream
from lampyris.core.settings import Instrument
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import lambertian_flux, normalised_flat, radiance_per_count

# frames are compared on a grid of at most this many pixels a side
_DRIFT_SIDE = 512
_DRIFT_BLUR_PX = 1.5
# peak of a correlation above its spread elsewhere; of half a million places of noise one stands out by five
_DRIFT_SIGMAS = 8.0
# an interval this much longer than most holds a frame that is not there
_GAP = 1.5
_SHOWN = 8
_MEND_CLOCK = "Check the camera program's log; rates over time are wrong where times are."
_MEND_FRAMES = "Check the camera program's log, and export the sequence again where it has all frames."


@dataclass(frozen=True, slots=True, eq=False)
class RegionLight:
    """Where light is summed, and what a count stands for there.

    Parameters
    ----------
    labels : ndarray, dims (y, x), uint16
        Regions 1, 2, ...; 0 outside.
    dark : ndarray, dims (channel, y, x), float64
        Dark frame of the frames' exposure, counts.
    flux_per_count : ndarray, dims (channel, y, x), float64
        Photons per second that leave the skin of a pixel, for each count above the dark.
    gain_e_per_count, read_noise_e : float
        Of the camera, for the noise of a frame.
    """

    labels: NDArray[np.uint16]
    dark: NDArray[np.float64]
    flux_per_count: NDArray[np.float64]
    gain_e_per_count: float
    read_noise_e: float

    def __post_init__(self) -> None:
        dark = frozen_array("dark", self.dark, ("channel", "y", "x"), np.float64)
        object.__setattr__(self, "dark", dark)
        labels = frozen_array("labels", self.labels, ("y", "x"), np.uint16, dark.shape[1:])
        object.__setattr__(self, "labels", labels)
        factor = frozen_array("flux_per_count", self.flux_per_count, ("channel", "y", "x"), np.float64, dark.shape)
        object.__setattr__(self, "flux_per_count", factor)


@dataclass(frozen=True, slots=True, eq=False)
class SequenceSummary:
    """What one pass over a sequence gives.

    Parameters
    ----------
    count : int
        Frames.
    mean : ndarray, dims (channel, y, x), float64
        Mean counts.
    variance : ndarray, dims (channel, y, x), float64
        Variance between frames, of one frame, counts squared; NaN where there is one frame only.
    largest : ndarray, dims (channel, y, x), float64
        Largest counts.
    shift_px : ndarray, dims (frame, 2), float64
        How far each frame lies down and to the right of the first; NaN where the frames show too little to tell.
    flux : ndarray, dims (frame, region, channel), float64
        Lambertian flux that leaves each region, ph s-1; tissue's own light in it is not taken off.
    flux_variance : ndarray, dims (frame, region, channel), float64
        Its variance from photon noise, read noise and rounding of the frame.
    findings : tuple of Finding
        Clock, dropped and duplicate frames, blank frames, motion.
    """

    count: int
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    largest: NDArray[np.float64]
    shift_px: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_variance: NDArray[np.float64]
    findings: tuple[Finding, ...]


def region_light(view: ViewInput, labels: NDArray[np.uint16], instrument: Instrument, /) -> RegionLight:
    """What `reduce_frames` needs of a view to give fluxes, by the same calibration as `radiance_from_counts`.

    Parameters
    ----------
    view : ViewInput
        Dark, flat and exposures; its counts do not matter.
    labels : ndarray, dims (y, x), uint16
        Regions 1, 2, ...
    instrument : Instrument
        Gain, read noise, and the radiance of one electron per second.

    Returns
    -------
    RegionLight
    """
    per_count = radiance_per_count(view, normalised_flat(view.flat, view.flat_level), instrument)
    factor = lambertian_flux(1.0, instrument.pixel_mm) * per_count
    dark = view.dark.astype(np.float64)
    return RegionLight(labels, dark, factor, instrument.gain_e_per_count, instrument.read_noise_e)


def reduce_frames(
    stream: FrameStream, /, *, light: RegionLight | None = None, moved_px: float = 2.0
) -> SequenceSummary:
    """Reduce a sequence to what does not grow with its length.

    Parameters
    ----------
    stream : FrameStream
        The frames, each of dims (channel, y, x).
    light : RegionLight, optional
        Where light is summed; without it there are no regions.
    moved_px : float
        A frame that lies further from the first is told as moved.

    Returns
    -------
    SequenceSummary

    Raises
    ------
    ImageError
        If a frame cannot be read, or there are other frames than the stream tells.
    ValueError
        If the regions do not fit the frames.

    References
    ----------
    Welford, Technometrics 4 (1962) 419, doi:10.1080/00401706.1962.10490022: mean and variance, updated value by value.

    Examples
    --------
    >>> frames = [np.full((1, 2, 2), value, np.uint16) for value in (1, 2, 6)]
    >>> stream = FrameStream("x", (1, 2, 2), np.dtype("u2"), 3, ("a",), 1.0, (1.0,), (1.0,), (1.0,), lambda: iter(frames))
    >>> found = reduce_frames(stream)
    >>> float(found.mean[0, 0, 0]), float(found.variance[0, 0, 0])
    (3.0, 7.0)
    """
    if light is not None and light.dark.shape != stream.shape:
        raise ValueError(f"regions have shape {light.dark.shape}, the frames {stream.shape}")
    mean, squares = np.zeros(stream.shape), np.zeros(stream.shape)
    largest = np.full(stream.shape, -np.inf)
    regions = int(light.labels.max()) if light is not None else 0
    flux, flux_variance = np.zeros((2, stream.count, regions, stream.shape[0]))
    drift = _Drift(stream.shape)
    seen: dict[bytes, int] = {}
    copies: list[int] = []
    blank: list[int] = []
    done = 0
    for number, frame in enumerate(stream):
        if number >= stream.count or frame.shape != stream.shape:
            break
        frame = np.ascontiguousarray(frame)
        _add(frame, 1.0 / (number + 1), mean, squares, largest)
        if light is not None:
            noise = light.gain_e_per_count, light.read_noise_e
            _sum(frame, light.labels, light.dark, light.flux_per_count, *noise, flux[number], flux_variance[number])
        drift.add(frame)
        if frame.min() == frame.max():
            blank.append(number)
        elif seen.setdefault(hashlib.blake2b(frame.data, digest_size=16).digest(), number) != number:
            copies.append(number)
        done += 1
    if done != stream.count:
        seen_text = f"holds {done} frames of {stream.shape}, not {stream.count}."
        finding = Finding("image.mixed", Severity.ERROR, Place(stream.file), seen_text, _MEND_FRAMES)
        raise ImageError(f"{stream.file} cannot be read.", [finding])
    shift = drift.shifts()
    findings = [
        *clock_findings(stream),
        *_told(stream, "sequence.duplicate", copies, "are copies of frames before them"),
        *_told(stream, "sequence.blank", blank, "are blank: every pixel is the same"),
        *_told(
            stream,
            "sequence.moved",
            np.flatnonzero(np.hypot(*shift.T) > moved_px).tolist(),
            f"lie more than {moved_px:g} pixels from the first: the animal or the camera moved",
        ),
    ]
    variance = squares / (done - 1) if done > 1 else np.full(stream.shape, np.nan)
    return SequenceSummary(done, mean, variance, largest, shift, flux, flux_variance, tuple(findings))


def clock_findings(stream: FrameStream, /) -> tuple[Finding, ...]:
    """What is wrong with the times and numbers that a sequence's frames bear; nothing is read.

    Parameters
    ----------
    stream : FrameStream
        Any.

    Returns
    -------
    tuple of Finding
        Warnings: ``sequence.order``, ``sequence.dropped``, ``sequence.clock``, ``sequence.stamps``.
    """
    findings: list[Finding] = []
    steps = np.diff(stream.numbers)
    findings += _told(
        stream,
        "sequence.order",
        (np.flatnonzero(steps <= 0) + 1).tolist(),
        "bear a number that does not come after the one before",
    )
    missing = int((steps[steps > 1] - 1).sum())
    intervals = np.diff(stream.times_s)
    usual = float(np.median(intervals)) if intervals.size else 0.0
    if not missing and usual > 0:
        gaps = intervals[intervals > _GAP * usual]
        missing = int(np.rint(gaps / usual - 1.0).sum())
    if missing:
        seen = f"{missing} frames are missing between the {stream.count} that are there."
        findings.append(Finding("sequence.dropped", Severity.WARNING, Place(stream.file), seen, _MEND_FRAMES))
    for rule, found, words in (
        ("sequence.clock", intervals < 0, "bear a time before that of the frame before: the clock runs backwards"),
        ("sequence.stamps", intervals == 0, "bear the time of the frame before"),
    ):
        findings += _told(stream, rule, (np.flatnonzero(found) + 1).tolist(), words, mend=_MEND_CLOCK)
    return tuple(findings)


def _told(
    stream: FrameStream, rule: str, numbers: Sequence[int], words: str, *, mend: str = _MEND_FRAMES
) -> list[Finding]:
    """A warning that names the frames it is about, counted from 1; none where there are none."""
    if not numbers:
        return []
    shown = ", ".join(str(number + 1) for number in numbers[:_SHOWN])
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    seen = f"of {stream.count} frames, {len(numbers)} {words} (frames {shown}{more})."
    return [Finding(rule, Severity.WARNING, Place(stream.file), seen, mend)]


class _Drift:
    """How far frames lie from the first, by the peak of their correlation on a coarser grid."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._step = max(1, -(-max(shape[1:]) // _DRIFT_SIDE))
        grid = tuple(size // self._step for size in shape[1:])
        self._grid = (max(grid[0], 1), max(grid[1], 1))
        rows, columns = np.fft.fftfreq(self._grid[0])[:, None], np.fft.rfftfreq(self._grid[1])
        # both images are smoothed, so that noise does not put the peak on a pixel
        self._smooth = np.exp(-((2.0 * np.pi * _DRIFT_BLUR_PX) ** 2) * (rows**2 + columns**2))
        self._window = np.outer(*(np.hanning(size + 2)[1:-1] for size in self._grid))
        self._first: NDArray[np.complex128] | None = None
        self._shifts: list[tuple[float, float]] = []

    def add(self, frame: NDArray[Any]) -> None:
        """Compare a frame with the first."""
        coarse = np.zeros(self._grid)
        _bin(frame, self._step, coarse)
        coarse -= coarse.mean()
        coarse *= self._window
        spectrum = np.fft.rfft2(coarse)
        if self._first is None:
            self._first = np.conj(spectrum) * self._smooth
        self._shifts.append(self._shift(np.fft.irfft2(spectrum * self._first, s=self._grid)))

    def shifts(self) -> NDArray[np.float64]:
        """Shift of each frame in pixels, dims (frame, 2)."""
        return np.array(self._shifts).reshape(-1, 2) * self._step

    def _shift(self, correlation: NDArray[np.float64]) -> tuple[float, float]:
        place = np.unravel_index(int(correlation.argmax()), correlation.shape)
        height, spread = float(correlation[place]), float(correlation.std())
        if min(self._grid) < 8 or not height > _DRIFT_SIGMAS * spread > 0.0:
            return math.nan, math.nan
        found = []
        for axis, at in enumerate(place):
            size = correlation.shape[axis]
            line = np.moveaxis(correlation, axis, 0)[:, place[1 - axis]]
            before, after = float(line[(at - 1) % size]), float(line[(at + 1) % size])
            bend = before + after - 2.0 * height
            offset = 0.5 * (before - after) / bend if bend < 0 else 0.0
            found.append((at + offset + size // 2) % size - size // 2)
        return found[0], found[1]


@njit(cache=True, nogil=True)
def _add(frame, share, mean, squares, largest):  # type: ignore[no-untyped-def]
    """Add a frame to mean, sum of squared deviations and maximum."""
    for channel in range(frame.shape[0]):
        for y in range(frame.shape[1]):
            for x in range(frame.shape[2]):
                value = float(frame[channel, y, x])
                away = value - mean[channel, y, x]
                mean[channel, y, x] += away * share
                squares[channel, y, x] += away * (value - mean[channel, y, x])
                largest[channel, y, x] = max(largest[channel, y, x], value)


@njit(cache=True, nogil=True)
def _sum(frame, labels, dark, factor, gain, read_noise, flux, variance):  # type: ignore[no-untyped-def]
    """Sum the light of each region and its variance."""
    for channel in range(frame.shape[0]):
        for y in range(frame.shape[1]):
            for x in range(frame.shape[2]):
                if labels[y, x]:
                    region = labels[y, x] - 1
                    above = float(frame[channel, y, x]) - dark[channel, y, x]
                    each = factor[channel, y, x]
                    flux[region, channel] += above * each
                    noise = (max(above * gain, 0.0) + read_noise**2) / gain**2 + 1.0 / 12.0
                    variance[region, channel] += noise * each * each


@njit(cache=True, nogil=True)
def _bin(frame, step, coarse):  # type: ignore[no-untyped-def]
    """Sum squares of pixels over all channels; what does not fill a square at the edge is left out."""
    for channel in range(frame.shape[0]):
        for y in range(coarse.shape[0] * step):
            for x in range(coarse.shape[1] * step):
                coarse[y // step, x // step] += frame[channel, y, x]
