"""Two bands coupled at one point of the zone, as at L in lead salts: dispersion and mass of either, bent at large k.

With remote parts a and b of the masses ``(E - Eg - a q)(E + b q) = Ep q``, ``q = hbar^2 k^2 / 2 m0`` (Kang and Wise, isotropic). The
remote parts come from bands only some 2 eV away, and what they add to the energy does not grow for ever: beside the free
electron's ``q`` it goes as ``a q / (1 + a q / W)``, whose next term is the one in k^4 that second order (Lowdin) leaves out. W is
that with which the two bands follow the mean over directions of the crystal's from first principles (accuracy table ``bands``):
that mean at equal k is what an s level feels to first order of the anisotropy.

References
----------
Kang and Wise 1997 doi:10.1364/JOSAB.14.001632; Lowdin 1951 doi:10.1063/1.1748067.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

COUPLING_FLOOR_EV = 0.1
"""Least gap and least distance to the coupled band: a level deep in the gap of a barrier stays finite."""
FLATTEST = 0.25
"""Least slope of a band with ``q``, an inverse mass: its top would have no mass at all."""
MOST_SQUARE_EV = 4.0
"""Of ``q`` up to which the dispersion is followed: farther than from L to the centre of the zone in lead salts."""


@dataclass(frozen=True, slots=True)
class FarPart:
    """Energy that one of two coupled bands owes to all other bands: a Pade approximant of its expansion in ``q``.

    Parameters
    ----------
    bending, fixed : float
        Inverse mass that other bands give, and that of the free electron.
    limit_ev : float
        The most that other bands add.
    """

    bending: float
    fixed: float
    limit_ev: float

    def at(self, q: float) -> tuple[float, float]:
        """Energy over ``q``, and slope of the energy; evanescent states, of negative ``q``, do not bend."""
        less = 1.0 + self.bending * max(q, 0.0) / self.limit_ev
        return self.fixed + self.bending / less, self.fixed + self.bending / less**2

    def turn(self, q: float) -> float:
        """Slope of the energy over ``q``."""
        return -(self.bending**2) / self.limit_ev / (1.0 + self.bending * q / self.limit_ev) ** 2 if q > 0 else 0.0


@dataclass(frozen=True, slots=True)
class CoupledBands:
    """Two coupled bands, seen from the one of a carrier: ``(E - Eg - x(q)) (E + y(q)) = Ep q``."""

    own: FarPart
    other: FarPart
    gap_ev: float
    kane_ev: float

    def above(self, q: float) -> tuple[float, float]:
        """Energy above the edge, and its slope with ``q``."""
        (x, dx), (y, dy) = self.own.at(q), self.other.at(q)
        apart = self.gap_ev + (x + y) * q
        root = math.sqrt(apart**2 + 4 * self.kane_ev * q)
        slope = (dx - dy + (apart * (dx + dy) + 2 * self.kane_ev) / root) / 2
        return ((x - y) * q - self.gap_ev + root) / 2, slope

    def square(self, above_ev: float) -> float:
        """``q`` at an energy above the edge."""
        straight = _straight_from(self)
        top, slope = self.above(straight)
        if above_ev >= top:
            return straight + (above_ev - top) / max(slope, FLATTEST)
        low, high, q = 0.0, straight, min(above_ev / self.above(0.0)[1], straight)
        for _ in range(60):
            value, slope = self.above(q)
            low, high = (q, high) if value < above_ev else (low, q)
            # a step of Newton, or half the way where it leaves the bracket
            step = (above_ev - value) / slope if slope > 0 else math.inf
            following = q + step if low <= q + step <= high else (low + high) / 2
            if abs(following - q) <= 1e-14 + 1e-13 * q:
                return following
            q = following
        return q

    def inverse_mass(self, distance_ev: float) -> tuple[float, float]:
        """Inverse mass at a distance from the other band's edge, and its slope with it."""
        energy = max(distance_ev, COUPLING_FLOOR_EV)
        above = energy - self.gap_ev
        if above <= 0:
            return self._evanescent(energy, flat=distance_ev <= COUPLING_FLOOR_EV)
        q = self.square(above)
        straight = _straight_from(self)
        if q > straight:
            slope = max(self.above(straight)[1], FLATTEST)
            return above / q, (1.0 - above / q / slope) / q
        (x, _), (y, dy) = self.own.at(q), self.other.at(q)
        beyond, dq = energy + y * q, 1.0 / self.above(q)[1]
        return x + self.kane_ev / beyond, self.own.turn(q) * dq - self.kane_ev * (1.0 + dy * dq) / beyond**2

    def _evanescent(self, energy_ev: float, *, flat: bool) -> tuple[float, float]:
        """The same within the gap, where ``q`` is negative and the far parts do not depend on it."""
        above = energy_ev - self.gap_ev
        a, b = max(self.own.at(0.0)[0], 0.0), self.other.at(0.0)[0]
        linear = self.kane_ev + a * energy_ev - b * above
        root = math.sqrt(max(linear**2 + 4 * a * b * energy_ev * above, 0.0))
        q = 2 * energy_ev * above / (linear + root)
        beyond = max(energy_ev + b * q, COUPLING_FLOOR_EV)
        if flat or energy_ev + b * q <= COUPLING_FLOOR_EV or root == 0.0:
            return a + self.kane_ev / beyond, 0.0
        dq = (energy_ev + above - (a - b) * q) / root
        return a + self.kane_ev / beyond, -self.kane_ev * (1 + b * dq) / beyond**2


def coupled_bands(
    gap_ev: float, kane_ev: float, /, *, masses: tuple[float, float], far_limits_ev: tuple[float, float]
) -> tuple[CoupledBands, CoupledBands]:
    """The pair seen from its upper band, the electron's, and from its lower one, the hole's.

    Parameters
    ----------
    gap_ev, kane_ev : float
        Gap, and energy of the coupling ``2 P^2 / m0``.
    masses : tuple of float
        Of electron and hole at their edges, in m0. A remote part that would be negative is taken as none.
    far_limits_ev : tuple of float
        The most that other bands add to the energy of each; infinite where their part of the mass is constant.
    """
    found = []
    # a free electron adds 1 to the inverse mass of an electron and takes 1 from that of a hole
    for mass, limit, free in zip(masses, far_limits_ev, (1.0, -1.0), strict=True):
        total = max(1.0 / mass - kane_ev / gap_ev, 0.0)
        bending = max(total - free, 0.0)
        found.append(FarPart(bending, total - bending, limit))
    electron, hole = found
    return CoupledBands(electron, hole, gap_ev, kane_ev), CoupledBands(hole, electron, gap_ev, kane_ev)


@lru_cache(maxsize=256)
def _straight_from(pair: CoupledBands) -> float:
    """``q`` at which a band is as flat as `FLATTEST`: from there it goes on straight."""
    low, high = 0.0, MOST_SQUARE_EV
    if pair.above(high)[1] > FLATTEST:
        return high
    while high - low > 1e-12:
        q = (low + high) / 2
        low, high = (q, high) if pair.above(q)[1] > FLATTEST else (low, q)
    return low
