"""What a microscope writes into the picture: a legend below it and a scale bar, both of one grey level throughout."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# of the height: a dark field's black ground is no legend
_MOST_LEGEND = 0.25
_EVEN_SHARE = 0.5
# of the width
_LEAST_LENGTH, _MOST_LENGTH = 0.03, 0.9
_LEAST_ROWS, _LEAST_SLENDER = 2, 3.0
_BOTTOM = 0.3
BAR_END_SD_PX = 0.4
"""Standard uncertainty of a bar's length: half a pixel at either end, evenly spread."""


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A scale bar in pixels: its box and grey level."""

    left: int
    right: int
    top: int
    bottom: int
    level: float

    @property
    def length_px(self) -> int:
        """Pixels from end to end."""
        return self.right - self.left


def legend_rows(pixels: NDArray[np.generic], /) -> int:
    """Rows at the bottom that are legend: of each more than half has one and the same grey level.

    Parameters
    ----------
    pixels : numpy.ndarray, dims (y, x)

    Returns
    -------
    int
        0 where there is none.
    """
    most = int(_MOST_LEGEND * pixels.shape[0])
    rows = 0
    for rows in range(most + 1):
        row = np.sort(pixels[-1 - rows])
        changes = np.flatnonzero(np.diff(row)) + 1
        longest = np.diff(np.concatenate([[0], changes, [row.size]])).max()
        if longest < _EVEN_SHARE * row.size:
            break
    return 0 if rows >= most else rows


def scale_bar(pixels: NDArray[np.generic], /, *, legend: int = 0) -> ScaleBar | None:
    """Scale bar in the lower part of a picture.

    Parameters
    ----------
    pixels : numpy.ndarray, dims (y, x)
        Legend included.
    legend : int
        Rows of it.

    Returns
    -------
    ScaleBar or None
        The longest bar of one level, of at least two rows and three times as long as high, with nothing of its level beside it.
    """
    height, width = pixels.shape
    start = height - max(legend, int(_BOTTOM * height))
    levels = {pixels[start:].max(), pixels[start:].min()}
    if legend:
        levels |= {pixels[-legend:].max(), pixels[-legend:].min()}
    found = [bar for level in levels for bar in _bars(pixels == level, start, level)]
    found = [bar for bar in found if _LEAST_LENGTH * width <= bar.length_px <= _MOST_LENGTH * width]
    return max(found, key=lambda bar: bar.length_px, default=None)


def _bars(same: NDArray[np.bool_], start: int, level: np.generic) -> list[ScaleBar]:
    """Boxes of equal runs in rows that follow each other."""
    width = same.shape[1]
    least = max(8, int(_LEAST_LENGTH * width))
    open_bars: dict[tuple[int, int], int] = {}
    found = []
    for row in range(start, same.shape[0] + 1):
        runs: set[tuple[int, int]] = set()
        if row < same.shape[0]:
            steps = np.flatnonzero(np.diff(np.concatenate([[False], same[row], [False]]).astype(np.int8)))
            ends = steps.reshape(-1, 2)
            # what reaches the border is a frame or the legend's ground
            keep = (ends[:, 1] - ends[:, 0] >= least) & (ends[:, 0] > 0) & (ends[:, 1] < width)
            runs = {(int(a), int(b)) for a, b in ends[keep]}
        for run in list(open_bars):
            if run not in runs:
                top = open_bars.pop(run)
                rows = row - top
                if rows >= _LEAST_ROWS and run[1] - run[0] >= _LEAST_SLENDER * rows:
                    found.append(ScaleBar(run[0], run[1], top, row, float(level)))
        for run in runs:
            open_bars.setdefault(run, row)
    return found


def written_pixels(pixels: NDArray[np.generic], bar: ScaleBar, /) -> NDArray[np.bool_]:
    """Pixels of a scale bar and of the text about it, with a rim.

    Parameters
    ----------
    pixels : numpy.ndarray, dims (y, x)
    bar : ScaleBar

    Returns
    -------
    numpy.ndarray of bool, dims (y, x)
        Of the bar's level within an eighth of the height above and below, and within its own length to the sides.
    """
    from scipy.ndimage import binary_dilation

    height, width = pixels.shape
    away = max(8, height // 8)
    rows = slice(max(bar.top - away, 0), min(bar.bottom + away, height))
    columns = slice(max(bar.left - bar.length_px, 0), min(bar.right + bar.length_px, width))
    written = np.zeros(pixels.shape, bool)
    written[rows, columns] = binary_dilation(pixels[rows, columns] == bar.level, iterations=3)
    return written
