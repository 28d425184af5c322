"""One brightness scale for every picture of the study, and the colours on it."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.study import ViewResult
from lampyris.report.drawing.colours import palette

# least span of the scale, so that a study without signal is not shown as a storm of noise
_LEAST_SPAN = 100.0
AUTOFLUORESCENCE = "autofluorescence"
_GREYS = 64
_COLOURS = 192


@dataclass(frozen=True, slots=True)
class Window:
    """Ends of the logarithmic scale: below `low` the photograph shows, at `high` the colour is brightest."""

    low: float
    high: float

    def ticks(self) -> tuple[float, ...]:
        """Whole powers of ten inside the scale, at least its two ends."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        inside = tuple(10.0**n for n in range(first, last + 1))
        return inside if len(inside) > 1 else (self.low, self.high)

    def share(self, value: float, /) -> float:
        """Place of `value` on the scale, 0 at `low` and 1 at `high`."""
        return math.log(value / self.low) / math.log(self.high / self.low)


def _step_up(value: float) -> float:
    """Next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(float(f"{m * power:.1e}") for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9))


def view_levels(view: ViewResult, /) -> tuple[float, float]:
    """Bright end of what lies outside every outline, and the brightest pixel."""
    body = view.body if view.body.any() else np.ones_like(view.body)
    values = np.where(np.isfinite(view.display), view.display, 0.0)[body]
    outside = values[view.lesions[body] == 0]
    return float(np.quantile(outside, 0.99)) if outside.size else 0.0, float(values.max(initial=0.0))


def shared_window(levels: Sequence[tuple[float, float]], /) -> Window:
    """The scale of all pictures, from the study's own values.

    The low end is where background outside outlines ends (the lower quartile over pictures of its 99th percentile), the
    high end the brightest pixel, both rounded up to 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    levels : sequence of (float, float)
        From `view_levels`, of every picture.

    Returns
    -------
    Window
        In the unit of radiance; 1 to 100 for a study without any light.
    """
    high = max((top for _, top in levels), default=0.0)
    if high <= 0:
        return Window(1.0, _LEAST_SPAN)
    high = _step_up(high)
    # the dim pictures tell where background ends; in the bright ones a lesion's glow reaches beyond its outline
    background = float(np.quantile([level for level, _ in levels], 0.25))
    low = _step_up(background) if background > 0 else high / 1e4
    return Window(low, high) if high / low >= _LEAST_SPAN else Window(high / _LEAST_SPAN, high)


def layer_levels(view: ViewResult, /) -> dict[str, tuple[float, float]]:
    """Dim end of the body (5th percentile) and brightest pixel of autofluorescence and of each band."""
    body = view.body if view.body.any() else np.ones_like(view.body)
    levels = {}
    for name, image in zip((AUTOFLUORESCENCE, *view.channels), (view.autofluorescence, *view.radiance), strict=True):
        values = np.where(np.isfinite(image), image, 0.0)[body]
        levels[name] = float(np.quantile(values, 0.05)), float(values.max(initial=0.0))
    return levels


def layer_windows(levels: Sequence[dict[str, tuple[float, float]]], /) -> dict[str, Window]:
    """Scales of autofluorescence and of each band, each shared by all pictures, from the study's own values.

    The low end is where the dimmest pictures' bodies begin (lower quartile over pictures of the 5th percentile), the
    high end the brightest pixel, both rounded up to 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    levels : sequence of dict
        From `layer_levels`, of every picture.

    Returns
    -------
    dict of str to Window
        By layer; 1 to 100 for a layer without any light.
    """
    names = dict.fromkeys(name for own in levels for name in own)
    return {name: _layer_window([own[name] for own in levels if name in own]) for name in names}


def _layer_window(ends: Sequence[tuple[float, float]]) -> Window:
    high = max(top for _, top in ends)
    if high <= 0:
        return Window(1.0, _LEAST_SPAN)
    high, low = _step_up(high), float(np.quantile([low for low, _ in ends], 0.25))
    return Window(min(max(low and _step_up(abs(low)), high / 1e4), high / 10), high)


@functools.cache
def picture_palette() -> NDArray[np.uint8]:
    """Palette of the still pictures: 64 greys of the photograph, then 192 colours of the scale; dims (index, rgb)."""
    greys = np.repeat(np.round(np.linspace(0, 255, _GREYS)).astype(np.uint8)[:, None], 3, axis=1)
    colours = palette("inferno")[np.round(np.linspace(0, 255, _COLOURS)).astype(int)]
    joined = np.concatenate([greys, colours])
    joined.flags.writeable = False
    return joined


def picture_indices(photo: NDArray[np.float32], display: NDArray[np.float32], window: Window, /) -> NDArray[np.uint8]:
    """A still picture as indices of `picture_palette`: the photograph, and over it the probe above the scale's low end.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
        Photograph, 0-1.
    display : ndarray, dims (y, x)
        Probe radiance.
    window : Window
        The shared scale.

    Returns
    -------
    ndarray, dims (y, x), uint8
        Indices.
    """
    grey = np.round(np.clip(np.nan_to_num(photo), 0, 1) * (_GREYS - 1)).astype(np.uint8)
    values = np.nan_to_num(display.astype(np.float64), nan=0.0, posinf=window.high)
    share = np.log(np.maximum(values, window.low) / window.low) / math.log(window.high / window.low)
    colour = _GREYS + np.round(np.clip(share, 0, 1) * (_COLOURS - 1)).astype(np.uint8)
    return np.where(values > window.low, colour, grey).astype(np.uint8)
