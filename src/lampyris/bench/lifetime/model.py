"""The decay as a function of fitted parameters over the channels that are fitted, with exact slopes, and where to start."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.lifetime.prediction import Exponential
from lampyris.bench.lifetime.response import Response, sharpened, sharpened_back, shifted, shifted_response
from lampyris.bench.lifetime.stretched import Stretched
from lampyris.statistics.fitting import Parameter

Array = NDArray[np.float64]
# share of the mean count below which no channel is expected to lie: a rounded zero is not impossible
_LEAST = 1e-7
_NOTHING = 1e-140
_LIBRARY = 14
# channels between the shifts that are tried first
_COARSE = 4
LEAST_STRETCH = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What is fitted.

    Parameters
    ----------
    counts : numpy.ndarray
        All channels, dims (channel,).
    response : Response
        Over the same channels.
    start, end : int
        Channels that are fitted, the last one excluded.
    period : float
        Channels between pulses.
    """

    counts: Array
    response: Response
    start: int
    end: int
    period: float = math.inf

    @property
    def seen(self) -> Array:
        """Counts of the fitted channels."""
        return self.counts[self.start : self.end]


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Response where it is shifted to, its slope, the same sharpened, and each component of unit area behind it."""

    moved: Array
    lean: Array
    sharp: Array
    laws: list[Exponential | Stretched]
    through: list[Array]


@dataclass(slots=True, eq=False)
class Decay:
    """Expected counts for the parameters in the order of `names`; lifetimes in channels.

    Parameters
    ----------
    window : Window
    components : int
    stretched : bool
        One component with an exponent.
    scatter : bool
        Whether light of the pulse itself is fitted.
    """

    window: Window
    components: int
    stretched: bool = False
    scatter: bool = False
    names: tuple[str, ...] = field(init=False)
    _at: tuple[float, ...] = field(init=False, default=())
    _columns: _Parts | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        shape = [*(f"lifetime {k + 1}" for k in range(self.components)), *(["stretch"] if self.stretched else [])]
        tail = ["background", "shift", *(["scatter"] if self.scatter else [])]
        self.names = (*shape, *(f"photons {k + 1}" for k in range(self.components)), *tail)

    def _parts(self, values: Array) -> _Parts:
        """Response where it is shifted to, and each component of unit area behind it; kept for the slopes."""
        shift = float(values[self.names.index("shift")])
        at = (shift, *values[: self.components + self.stretched].tolist())
        if self._columns is not None and at == self._at:
            return self._columns
        if self._columns is not None and shift == self._at[0]:
            moved, lean, sharp = self._columns.moved, self._columns.lean, self._columns.sharp
        else:
            moved, lean = shifted_response(self.window.response.shape, shift)
            sharp = sharpened(moved)
        laws: list[Exponential | Stretched]
        if self.stretched:
            laws = [Stretched(at[1], at[2], self.window.period, moved.size)]
        else:
            laws = [Exponential(tau, self.window.period, moved.size) for tau in at[1:]]
        self._at, self._columns = at, _Parts(moved, lean, sharp, laws, [law.through(sharp) for law in laws])
        return self._columns

    def _photons(self, values: Array) -> Array:
        first = self.components + self.stretched
        return values[first : first + self.components]

    def whole(self, values: Array, /) -> Array:
        """Expected counts of all channels."""
        found = self._parts(values)
        expected = np.full(found.moved.size, values[self.names.index("background")])
        for photons, part in zip(self._photons(values), found.through, strict=True):
            expected += photons * part
        if self.scatter:
            expected += values[-1] * found.moved
        return np.maximum(expected, _LEAST * float(self.window.seen.mean()))

    def parts(self, values: Array, /) -> list[Array]:
        """Expected counts of each component alone, all channels."""
        through = self._parts(values).through
        return [photons * part for photons, part in zip(self._photons(values), through, strict=True)]

    def expected(self, values: Array, /) -> Array:
        """Expected counts of the fitted channels."""
        return self.whole(values)[self.window.start : self.window.end]

    def jacobian(self, values: Array, /) -> Array:
        """Slopes of `expected`, dims (channel, parameter)."""
        at = self._parts(values)
        sharp_lean = sharpened(at.lean, along=at.moved)
        photons = self._photons(values)
        columns: list[Array] = []
        by_shift = values[-1] * at.lean if self.scatter else np.zeros_like(at.lean)
        for law, part, own in zip(at.laws, at.through, photons, strict=True):
            columns += [own * one for one in law.slopes(at.sharp, part)]
            by_shift += own * law.through(sharp_lean)
        columns += [*at.through, np.ones_like(at.moved), by_shift]
        if self.scatter:
            columns.append(at.moved)
        found = np.stack([one[self.window.start : self.window.end] for one in columns], axis=1)
        # numbers so small that arithmetic with them is slow
        found[np.abs(found) < _NOTHING] = 0.0
        return found

    def back(self, values: Array, weights: Array, /) -> Array:
        """Sum over the fitted channels of weight by slope by the response's channels, dims (channel,)."""
        whole = np.zeros(self.window.counts.size)
        whole[self.window.start : self.window.end] = weights
        at = self._parts(values)
        found = np.zeros_like(whole)
        for law, own in zip(at.laws, self._photons(values), strict=True):
            found += own * law.back(whole)
        found = sharpened_back(found, at.moved)
        if self.scatter:
            found += values[-1] * whole
        moved, _ = shifted(found, -float(values[self.names.index("shift")]))
        return moved

    def by_response(self, values: Array, places: NDArray[np.intp], /) -> Array:
        """Slopes of `expected` by some channels of the response: that of the middle one, moved; dims (channel, place)."""
        middle = int(places[places.size // 2])
        pulse = np.zeros(self.window.counts.size)
        pulse[middle] = 1.0
        pulse, _ = shifted(pulse, float(values[self.names.index("shift")]))
        sharp = np.convolve(pulse, [-1.0 / 12.0, 7.0 / 6.0, -1.0 / 12.0], mode="same")
        light = values[-1] * pulse if self.scatter else np.zeros_like(pulse)
        for law, own in zip(self._parts(values).laws, self._photons(values), strict=True):
            light += own * law.through(sharp)
        first, last = int(places[0]), int(places[-1])
        # the light that a pulse a few channels beyond the ends would leave is that at the ends
        padded = np.pad(light, (last - middle, middle - first), mode="edge")
        moved = np.lib.stride_tricks.sliding_window_view(padded, last - first + 1)[
            self.window.start : self.window.end, ::-1
        ]
        return np.asarray(moved if places.size == last - first + 1 else moved[:, places - first])

    @property
    def shortest(self) -> float:
        """Shortest lifetime that is searched for: a tenth of the response's width, below which light looks like scatter."""
        return max(0.3, 0.1 * self.window.response.width_channels)

    def parameters(self, start: Array, /, *, shift_fixed: bool, shift_reach: float) -> list[Parameter]:
        """Parameters for the engine from starts in the order of `names`."""
        span, least = self.window.end - self.window.start, self.shortest
        made = []
        for name, value in zip(self.names, start.tolist(), strict=True):
            if name.startswith("lifetime"):
                made.append(Parameter(name, min(max(value, 1.01 * least), 19.0 * span), low=least, high=20.0 * span))
            elif name == "stretch":
                made.append(Parameter(name, value, low=LEAST_STRETCH, high=1.0))
            elif name == "shift":
                low, high = value - shift_reach, value + shift_reach
                made.append(Parameter(name, value, low=low, high=high, fixed=shift_fixed, scale=0.02))
            else:
                made.append(Parameter(name, max(value, 0.0), low=0.0, scale=max(1e-3 * abs(value), 1e-6)))
        return made


def best_shift(window: Window, /, *, reach: int) -> float:
    """Whole shift of the response that a few lifetimes fit best, by weighted least squares."""
    columns = _library(window, 0.0, _lifetimes(window)[::3])
    root = 1.0 / np.sqrt(np.maximum(window.counts, 1.0))
    inside = np.zeros(window.counts.size, bool)
    inside[window.start : window.end] = True
    target = window.seen * root[inside]

    def gain(shift: int) -> float:
        moved = np.roll(columns, shift, axis=0)
        # what a roll brings round is no light
        if shift > 0:
            moved[:shift] = 0.0
        design = np.column_stack([moved, np.ones(root.size)])[inside] * root[inside, None]
        square, with_seen = design.T @ design, design.T @ target
        square += 1e-9 * np.diag(np.diag(square)) + 1e-300 * np.eye(square.shape[0])
        answer = np.maximum(np.linalg.solve(square, with_seen), 0.0)
        return float(2.0 * answer @ with_seen - answer @ square @ answer)

    found = max(range(-reach, reach + 1, _COARSE), key=gain)
    for step in (2, 1):
        found = max((found - step, found, found + step), key=gain)
    return float(found)


def _lifetimes(window: Window) -> Array:
    span = window.end - window.start
    return np.geomspace(max(0.5, 0.2 * window.response.width_channels), 0.5 * span, _LIBRARY)


def _library(window: Window, shift: float, lifetimes: Sequence[float] | Array) -> Array:
    moved, _ = shifted_response(window.response.shape, shift)
    return np.column_stack([Exponential(float(tau), window.period, moved.size).through(moved) for tau in lifetimes])


def starts_of(window: Window, shift: float, components: int, /, *, scatter: bool) -> Array:
    """Lifetimes, photons, background and scatter of the combination of a grid of lifetimes that fits best.

    Parameters
    ----------
    window : Window
    shift : float
    components : int
    scatter : bool

    Returns
    -------
    numpy.ndarray
        Lifetimes, photons, background, and scatter if asked for.
    """
    lifetimes = _lifetimes(window)
    columns = [_library(window, shift, lifetimes), np.ones((window.counts.size, 1))]
    if scatter:
        columns.append(shifted_response(window.response.shape, shift)[0][:, None])
    root = 1.0 / np.sqrt(np.maximum(window.seen, 1.0))
    design = np.concatenate(columns, axis=1)[window.start : window.end] * root[:, None]
    square, with_seen = design.T @ design, design.T @ (window.seen * root)
    others = list(range(_LIBRARY, design.shape[1]))
    sets = np.array([[*one, *others] for one in itertools.combinations(range(_LIBRARY), components)])
    small = square[sets[:, :, None], sets[:, None, :]]
    # a share so small that it only keeps near-equal columns apart
    small = small + 1e-9 * np.einsum("sii->si", small)[:, :, None] * np.eye(sets.shape[1])
    answers = np.linalg.solve(small, with_seen[sets][:, :, None])[:, :, 0]
    answers = np.maximum(answers, 0.0)
    gain = 2.0 * (answers * with_seen[sets]).sum(axis=1) - np.einsum("si,sij,sj->s", answers, small, answers)
    best = int(gain.argmax())
    photons = answers[best]
    least = 1e-3 * float(photons[:components].sum()) or 1.0
    photons[:components] = np.maximum(photons[:components], least)
    return np.concatenate([lifetimes[sets[best][:components]], photons])
