"""Unmixing: non-negative abundance of four components in twenty bands, a megapixel, beside scipy's nnls per pixel."""

import numpy as np
from scipy.optimize import nnls

from lampyris.imaging.radiance.unmix import non_negative
from speed.measurement import Measurement, alternate, compared

ROW = "unmixing"
PEER = "scipy nnls per pixel"
SIZE, BANDS, COMPONENTS = 1024, 20, 4
# every 256th pixel for the peer, whose time goes with the number of pixels
STEP = 256
GOAL = 200.0
# optimality conditions in units of the largest gradient a pixel can have
OPTIMALITY = 1e-9
# a residual may exceed the peer's by rounding only
ROUNDING = 1e-12


def measure() -> list[Measurement]:
    """A megapixel by ours; the peer on every 256th pixel, scaled up."""
    data, mixing = _scene()
    some = data[::STEP]

    def ours() -> np.ndarray:
        return non_negative(data, mixing)

    def peer() -> np.ndarray:
        return np.stack([nnls(mixing, pixel)[0] for pixel in some])

    found = ours()
    agree = _optimal(found, data, mixing) and _no_worse(found[::STEP], peer(), some, mixing)
    times, peer_times = alternate(ours, peer, rounds=3)
    return [
        compared(
            ROW,
            f"{SIZE}x{SIZE}, {BANDS} bands, {COMPONENTS} components",
            PEER,
            (times, [took * len(data) / len(some) for took in peer_times]),
            goal_ratio=GOAL,
            agree=agree,
        )
    ]


def _scene() -> tuple[np.ndarray, np.ndarray]:
    """Overlapping Gaussian spectra, abundances of which half are absent, and noise."""
    rng = np.random.default_rng(7)
    bands = np.linspace(700.0, 890.0, BANDS)[:, None]
    mixing = np.exp(-0.5 * ((bands - np.linspace(730.0, 860.0, COMPONENTS)) / 35.0) ** 2)
    abundance = rng.gamma(2.0, 1.0, (SIZE * SIZE, COMPONENTS)) * (rng.random((SIZE * SIZE, COMPONENTS)) < 0.5)
    return abundance @ mixing.T + 0.05 * rng.standard_normal((SIZE * SIZE, BANDS)), mixing


def _optimal(found: np.ndarray, data: np.ndarray, mixing: np.ndarray) -> bool:
    """Karush-Kuhn-Tucker conditions on every pixel."""
    gradient = (data - found @ mixing.T) @ mixing
    scale = np.linalg.norm(data, axis=1, keepdims=True) * np.linalg.norm(mixing, axis=0).max()
    present = found > 0
    met = (found >= 0) & np.where(present, np.abs(gradient) <= OPTIMALITY * scale, gradient <= OPTIMALITY * scale)
    return bool(met.all())


def _no_worse(found: np.ndarray, peer: np.ndarray, data: np.ndarray, mixing: np.ndarray) -> bool:
    """Residual nowhere above the peer's."""
    own, theirs = (np.linalg.norm(data - one @ mixing.T, axis=1) for one in (found, peer))
    return bool((own <= theirs + ROUNDING * np.linalg.norm(data, axis=1)).all())
