"""Whether outlines have corners, and what facets hide where they have."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.statistics.thresholds import half_width

Array = NDArray[np.float64]
Corners = Literal["seen", "open", "none"]
MOST_WAVES = 8
"""Waves about an outline that are looked at; 0 to 2 are size, place and ellipse."""
CORNERS_SIGMAS, LEAST_CORNERS, FEWEST_CORNERS = 2.0, 0.01, 8
"""Outlines have corners from so many standard errors (at most one sample of round particles in 44 is taken for faceted, and gets an
interval that is too wide), from this share of the radius (root mean square), of so many particles."""
CRYSTALS = 0.02
"""Root mean square ripple of drawn crystals near to round: 0.03 of a cube cut by an octahedron, less of an icosahedron."""
MOST_TAPER = 0.2
"""Most that a taper is taken to hide, as a share of the radius. Drawn octahedra, rhombic dodecahedra, icosahedra, hexagonal prisms and
cut cubes, lying or anyhow turned, seemed 0.03 to 0.18 too small, cubes anyhow turned 0.16 to 0.22; tetrahedra and their cut forms
seemed up to 0.38 too small and are beyond it."""
TAPER_OF_CORNERS = 1.8
"""What a taper usually hides over the corners' root mean square, both as shares of the radius: the median of twelve crystals anyhow
turned (1.0 to 2.4, and 4 to 5 of cubes) and of eight that lie on a face (0 to 5, and 10 of octahedra), drawn at a blur of 0.07 of their
radius. Computed; `accuracy bench-tem-crystals` draws them anew."""
# waves 3 to 8 that corners are sought in: 3, 4, 5, 6, and 4 with 6; and the four of them
_REGULAR = np.eye(6)[:, [0, 1, 2, 3, 3]]
_REGULAR[1, 4] = 1.0
_FACETS = slice(0, 4)
# a wave counts up to so many times its noise
_MOST_POWER = 6.0
# as flat as a disc
_EVEN = 0.85


@dataclass(frozen=True, slots=True, eq=False)
class Ripples:
    """By how much waves 3 to 8 of edges leave their ellipses, dims (particle, wave).

    Parameters
    ----------
    power : numpy.ndarray
        Mean square in squares of the radius, what noise adds taken off; NaN where it cannot be told.
    noise : numpy.ndarray
        What noise adds in the mean; 0 of waves that blur does not let through.
    shared_sd : numpy.ndarray
        Error of the noise, of one sign in all particles of a picture.
    """

    power: Array
    noise: Array
    shared_sd: Array

    def of(self, which: NDArray[np.bool_], /) -> "Ripples":
        """Those of some particles."""
        return Ripples(self.power[which], self.noise[which], self.shared_sd[which])

    def joined(self, others: "Sequence[Ripples]", /) -> "Ripples":
        """These and others."""
        every = (self, *others)
        return Ripples(
            np.concatenate([one.power for one in every]),
            np.concatenate([one.noise for one in every]),
            np.concatenate([one.shared_sd for one in every]),
        )

    def known(self) -> "Ripples":
        """Those of particles of which all waves are told."""
        return self.of(np.asarray(np.isfinite(self.power + self.noise + self.shared_sd).all(axis=1)))


@dataclass(frozen=True, slots=True)
class Taper:
    """What a taper of facets hides, as shares of the diameters.

    Parameters
    ----------
    usual : float
        What is added.
    most : float
        Most that may be hidden.
    """

    usual: float = 0.0
    most: float = 0.0

    def relative_sd(self) -> float:
        """Standard uncertainty of the diameters: all between none and the most is alike, about what was added."""
        return math.hypot(self.most / math.sqrt(12.0), 0.5 * self.most - self.usual) / (1.0 + self.usual)


def corners(ripples: Ripples, /) -> Corners:
    """Whether edges leave their ellipses by more than noise does.

    Parameters
    ----------
    ripples : Ripples
        Of particles that stand alone.

    Returns
    -------
    str
        ``seen``: a wave of 3 to 6, or the fourth and sixth together, are above their noise, all five looked at once as rarely by
        chance as `CORNERS_SIGMAS`, and the root of their mean is above `LEAST_CORNERS`. ``open``: all waves together may be those
        of crystals (`CRYSTALS`) as well as none. ``none`` otherwise.

    Notes
    -----
    Facets are regular: what has three, four, five or six corners shows in the wave of that number, and the shadow of a body that has a
    centre in no odd wave; anyhow turned, such bodies show in the fourth and sixth. Other waves would add but noise.

    Power of noise is exponential, of known mean. So the chance is told from that law, up to the skewness of a sum (Cornish and
    Fisher), and not from the scatter of the waves seen: crystals turned at random scatter theirs. Each power counts up to six
    times its noise, so that one odd particle makes no sample faceted, and the less the noisier it is, so far as half of them are.
    """
    from scipy.special import ndtr

    ripples = ripples.known()
    count = len(ripples.power)
    if count < FEWEST_CORNERS:
        return "open"
    mean = (ripples.power @ _REGULAR).mean(axis=0)
    rare = half_width(1.0 - 2.0 * float(ndtr(-CORNERS_SIGMAS)) / len(mean))
    excess, error, skewness = _over_noise(ripples)
    limit = error * (rare + (rare**2 - 1.0) / 6.0 * skewness)
    if ((mean > LEAST_CORNERS**2) & (excess > limit)).any():
        return "seen"
    whole = ripples.power.sum(axis=1)
    shared = float(np.linalg.norm(ripples.shared_sd.mean(axis=0)))
    error_sum = math.hypot(float(whole.std(ddof=1)) / math.sqrt(count), shared)
    return "open" if float(whole.mean()) + 2.0 * error_sum > CRYSTALS**2 else "none"


def _over_noise(ripples: Ripples) -> tuple[Array, Array, Array]:
    """Weighted sums of powers above their noise, their standard errors and skewness where there is only noise, dims (sum,)."""
    noise, top, rest = ripples.noise, _MOST_POWER, math.exp(-_MOST_POWER)
    shown = noise > 0
    usual = np.array(
        [float(np.median(own[seen])) if seen.any() else 1.0 for own, seen in zip(noise.T, shown.T, strict=True)]
    )
    weight = np.where(shown, 1.0 / np.maximum(noise, usual), 0.0)
    power = np.minimum((ripples.power + noise) / np.where(shown, noise, 1.0), top)
    # moments of an exponential power that is cut at the top
    mean, square = 1.0 - rest, 2.0 - 2.0 * rest * (1.0 + top)
    cube = 6.0 - rest * (3.0 * top**2 + 6.0 * top + 6.0)
    variance, third = square - mean**2, cube - 3.0 * mean * square + 2.0 * mean**3
    share = ripples.shared_sd / np.where(shown, noise, 1.0)
    excess = (weight * (power - mean)).sum(axis=0) @ _REGULAR
    shared = (weight * share).sum(axis=0) @ _REGULAR
    own = variance * (weight**2).sum(axis=0) @ _REGULAR
    # where blur lets no wave through there is no error and nothing over it
    error = np.sqrt(own + shared**2)
    skewness = third * (weight**3).sum(axis=0) @ _REGULAR / np.where(error > 0, error, 1.0) ** 3
    return excess, error, skewness


def corner_size(ripples: Ripples, /) -> float:
    """Root mean square of waves 3 to 6 of outlines, as a share of the radius, what noise adds taken off; at least `LEAST_CORNERS`."""
    power = ripples.known().power[:, _FACETS]
    return math.sqrt(max(float(power.sum(axis=1).mean()) if len(power) else 0.0, LEAST_CORNERS**2))


def hidden_taper(blur_px: float, radius_px: float, flatness: float, corner: float, /) -> Taper:
    """By how much particles with facets are larger than they seem, as a share of their size.

    Facets that lean towards the beam thin out to the edge. A round particle's edge is steep, so their taper passes for blur, and
    the fit ends within it: between not at all, where the blur was all the microscope's, and by the blur, where none was. Particles
    of even contrast have no taper. How much of that is likely follows the corners: both grow as a crystal has fewer facets.

    Parameters
    ----------
    blur_px, radius_px, flatness : float
        Of the picture's edge, and of its usual particle.
    corner : float
        Of `corner_size`.

    Returns
    -------
    Taper
        `MOST_TAPER` bounds it, and `TAPER_OF_CORNERS` tells what is usual.
    """
    if flatness > _EVEN or not radius_px > 0:
        return Taper()
    most = min(blur_px / radius_px, MOST_TAPER)
    return Taper(min(TAPER_OF_CORNERS * corner, most), most)
