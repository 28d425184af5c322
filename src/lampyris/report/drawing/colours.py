"""Colours of scales: palettes to choose from, each a part of one of matplotlib's maps."""

import functools

import numpy as np
from numpy.typing import NDArray

# the darkest fifth of inferno cannot be told from a dark photograph
INFERNO_START = 0.18

# in words, for the reader's choice
PALETTES = {
    "inferno": "inferno",
    "viridis": "viridis",
    "cividis": "cividis, for colour-blind eyes",
    "grey": "grey",
    "rainbow": "rainbow, as vendors draw it",
}
# map of matplotlib, and the part of it that is used: none starts so dark that it reads as a dark photograph
_MAPS = {
    "inferno": ("inferno", INFERNO_START, 1.0),
    "viridis": ("viridis", 0.0, 1.0),
    "cividis": ("cividis", 0.0, 1.0),
    "grey": ("gray", 0.25, 1.0),
    "rainbow": ("jet", 0.08, 0.95),
}


@functools.cache
def colour_map(name: str, low: float = 0.0, high: float = 1.0, /) -> NDArray[np.uint8]:
    """256 colours of one of matplotlib's maps between two of its places, dims (level, rgb)."""
    import matplotlib

    colours = np.round(255 * matplotlib.colormaps[name](np.linspace(low, high, 256))[:, :3]).astype(np.uint8)
    colours.flags.writeable = False
    return colours


def palette(name: str, /) -> NDArray[np.uint8]:
    """256 colours of one of `PALETTES`, dims (level, rgb)."""
    return colour_map(*_MAPS[name])
