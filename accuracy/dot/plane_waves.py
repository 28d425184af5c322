"""Bands of a lead salt from first principles: local density, plane waves, separable pseudopotentials, spin-orbit coupling.

Small on purpose: two atoms of rock salt, whose inversion at an atom keeps the Hamiltonian without spin real. The density is found
without spin-orbit coupling, which then enters among the lowest bands at L. Atomic units inside.

References
----------
Hartwigsen, Goedecker and Hutter 1998 doi:10.1103/PhysRevB.58.3641 (pseudopotentials, exchange and correlation in the form of
Goedecker, Teter and Hutter 1996 doi:10.1103/PhysRevB.54.1703); Pulay 1980 doi:10.1016/0009-2614(80)80396-4 (mixing).
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

HARTREE_EV = 27.211386245988
BOHR_NM = 0.0529177210903
BANDS = 70
"""Lowest bands at L, without spin, in which spin-orbit coupling and other wave vectors are expanded."""
SETTLED = 1e-4
"""Change of the density, in electrons, at which it is taken as found."""
PADE_ABOVE = (0.4581652932831429, 2.217058676663745, 0.7405551735357053, 0.01968227878617998)
PADE_BELOW = (0.0, 1.0, 4.504130959426697, 1.110667363742916, 0.02359291751427506)
Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pseudopotential:
    """Constants of an atom: charge, local part, and radius and upper triangle of the projectors of s, p and d.

    ``spin_orbit`` couples the p projectors to the spin; that of d is left out, for no d state is near the gap.
    """

    charge: int
    local_radius: float
    local: float
    s: tuple[float, tuple[float, ...]]
    p: tuple[float, tuple[float, ...]]
    spin_orbit: tuple[float, ...]
    d: tuple[float, tuple[float, ...]] | None = None


ATOMS = {
    "Pb": Pseudopotential(
        4, 0.6175, 0.75314257, (0.70525860, (1.97992741, 0.06388872, -0.19665860, -0.16495996, 0.50777033, -0.80606040)),
        (0.84664106, (0.86442030, 0.22860106, -0.54096885)), (0.20771072, -0.00547158, 0.01294813), (0.97193857, (0.37496708,)),
    ),
    "S": Pseudopotential(
        6, 0.42, -6.55449184, (0.36175665, (7.90530250, -1.73188130, 4.47169830)),
        (0.40528502, (3.86657900, 0.0, 0.0)), (0.00537161, -0.00932309, 0.02206245),
    ),
    "Se": Pseudopotential(
        6, 0.51, 0.0, (0.43253108, (5.14513084, -0.79473967, -0.33405137, 2.05200900, 0.86251693, -1.36920317)),
        (0.47247252, (2.85880607, 0.24960384, -0.59067050)), (0.06219585, -0.02742836, 0.06490734), (0.61342013, (0.43482888,)),
    ),
    "Te": Pseudopotential(
        6, 0.575, 9.38708481, (0.55645602, (2.04689031, 0.01136047, -0.21497109, -0.02933260, 0.55505297, -0.88111927)),
        (0.61526187, (1.03347754, 0.20333245, -0.48117240)), (0.17299713, -0.02139985, 0.05064130), (0.80510072, (0.31741073,)),
    ),
}  # fmt: skip
"""Read in the data files of public programs that list the publication's table."""


@dataclass(frozen=True, slots=True, eq=False)
class Crystal:
    """A lead salt on a grid of plane waves.

    Parameters
    ----------
    anion : str
        S, Se or Te.
    lattice : float
        Edge of the cube in Bohr.
    cutoff : float
        Of the plane waves, in Hartree.
    millers : ndarray of int (wave, 3)
        All reciprocal vectors of the density, in units of 2 pi / lattice: all even or all odd.
    local : ndarray (wave,)
        Local potential of the atoms at each.
    """

    anion: str
    lattice: float
    cutoff: float
    millers: NDArray[np.int64]
    local: Real

    @property
    def unit(self) -> float:
        """Length of the unit of `millers`."""
        return 2 * math.pi / self.lattice

    @property
    def volume(self) -> float:
        """Of the primitive cell."""
        return self.lattice**3 / 4

    @property
    def side(self) -> int:
        """Points of the Fourier grid along each axis."""
        return 2 * int(np.abs(primitive(self.millers)).max()) + 2

    @property
    def atoms(self) -> tuple[tuple[str, Real], ...]:
        """Name and place of both atoms."""
        return ("Pb", np.zeros(3)), (self.anion, np.full(3, self.lattice / 2))

    @property
    def at_l(self) -> Real:
        """Wave vector of L."""
        return np.full(3, self.unit / 2)

    def waves(self, vector: Real) -> NDArray[np.int64]:
        """Reciprocal vectors whose plane waves are within the cutoff."""
        return self.millers[((self.millers * self.unit + vector) ** 2).sum(1) / 2 <= self.cutoff]

    def on_grid(
        self, coefficients: NDArray[np.complex128] | Real, millers: NDArray[np.int64]
    ) -> NDArray[np.complex128]:
        """Coefficients laid on the Fourier grid."""
        grid = np.zeros((self.side,) * 3, dtype=np.complex128)
        grid[tuple((primitive(millers) % self.side).T)] = coefficients
        return grid

    def from_grid(self, values: Real) -> Real:
        """Coefficients of a function on the points of the Fourier grid: real, for the crystal has an inversion."""
        return (np.fft.fftn(values) / self.side**3)[tuple((primitive(self.millers) % self.side).T)].real


def primitive(millers: NDArray[np.int64], /) -> NDArray[np.int64]:
    """Numbers of the primitive reciprocal vectors in a reciprocal vector."""
    h, k, m = np.moveaxis(millers, -1, 0)
    return np.stack([(k + m) // 2, (h + m) // 2, (h + k) // 2], axis=-1)


def crystal(anion: str, lattice_nm: float, cutoff: float, /) -> Crystal:
    """A lead salt without its electrons."""
    lattice = lattice_nm / BOHR_NM
    unit, volume = 2 * math.pi / lattice, lattice**3 / 4
    most = math.ceil(2 * math.sqrt(2 * cutoff) / unit) + 1
    millers = np.array(list(itertools.product(range(-most, most + 1), repeat=3)))
    millers = millers[np.isin((millers % 2).sum(1), (0, 3))]
    square = ((millers * unit) ** 2).sum(1)
    millers, square = millers[square <= 8 * cutoff], square[square <= 8 * cutoff]
    local = np.zeros(len(millers))
    for name, place in (("Pb", 0.0), (anion, math.pi)):
        atom = ATOMS[name]
        core = math.sqrt(8 * math.pi**3) * atom.local_radius**3 * atom.local
        with np.errstate(divide="ignore"):
            coulomb = -4 * math.pi * atom.charge / square
        # at the origin the charge cancels against the electrons', what is left is a constant
        coulomb[square == 0] = 2 * math.pi * atom.charge * atom.local_radius**2
        potential = np.exp(-square * atom.local_radius**2 / 2) * (coulomb + core) / volume
        local += potential * np.cos(place * millers.sum(1))
    return Crystal(anion, lattice, cutoff, millers, local)


def _triangle(values: tuple[float, ...]) -> Real:
    size = {1: 1, 3: 2, 6: 3}[len(values)]
    full = np.zeros((size, size))
    full[np.triu_indices(size)] = values
    return full + full.T - np.diag(np.diag(full))


def _radial(order: int, number: int, radius: float, length: Real) -> Real:
    """Projector of an angular momentum in reciprocal space."""
    x = (length * radius) ** 2
    scale = radius ** (order + 1.5) * length**order * np.exp(-x / 2) * math.pi**1.25
    forms = {
        (0, 0): 4 * math.sqrt(2), (0, 1): 8 * math.sqrt(2 / 15) * (3 - x), (0, 2): 16 / 3 * math.sqrt(2 / 105) * (15 - 10 * x + x * x),
        (1, 0): 8 / math.sqrt(3), (1, 1): 16 / math.sqrt(105) * (5 - x), (2, 0): 8 * math.sqrt(2 / 15),
    }  # fmt: skip
    return np.asarray(forms[order, number] * scale)


def _harmonics(direction: Real) -> tuple[list[Real], list[Real], list[Real]]:
    x, y, z = direction.T
    s, p, d = (math.sqrt(number / (4 * math.pi)) for number in (1, 3, 15))
    two = [d * x * y, d * y * z, d * x * z, d / 2 * (x * x - y * y), d / 2 / math.sqrt(3) * (3 * z * z - 1)]
    return [np.full(len(x), s)], [p * x, p * y, p * z], two


def hamiltonian(
    salt: Crystal, millers: NDArray[np.int64], vector: Real, potential: Real, /
) -> tuple[Real, list[tuple[list[Real], Real]]]:
    """Hamiltonian without spin at a wave vector, and the p projectors of each atom with their coupling to the spin."""
    waves = millers * salt.unit + vector
    length = np.linalg.norm(waves, axis=1)
    harmonics = _harmonics(waves / np.where(length > 0, length, 1.0)[:, None])
    apart = primitive(millers[:, None] - millers[None])
    within = np.abs(apart).max(-1) < salt.side // 2
    grid = salt.on_grid(potential, salt.millers).real
    found = np.where(within, grid[tuple(np.moveaxis(apart % salt.side, -1, 0))], 0.0) + np.diag(length**2 / 2)
    coupled = []
    for name, place in salt.atoms:
        atom = ATOMS[name]
        phase = np.cos(millers @ place * salt.unit) / math.sqrt(salt.volume)
        for order, part in enumerate((atom.s, atom.p, atom.d)):
            if part is None:
                continue
            strength = _triangle(part[1])
            radial = [_radial(order, number, part[0], length) * phase for number in range(len(strength))]
            rows = [np.array([one * harmonic for one in radial]) for harmonic in harmonics[order]]
            found += sum(row.T @ strength @ row for row in rows)
            if order == 1:
                coupled.append((rows, _triangle(atom.spin_orbit)))
    return found, coupled


def self_consistent(salt: Crystal, /, *, points: int = 4, steps: int = 25) -> Real:
    """Potential of atoms and electrons at each of the crystal's reciprocal vectors."""
    square = ((salt.millers * salt.unit) ** 2).sum(1)
    stars = np.unique(np.sort(np.abs(salt.millers), axis=1), axis=0, return_inverse=True)[1].ravel()
    sizes = np.bincount(stars)
    density = sum(
        ATOMS[name].charge * np.exp(-0.9 * square / 2) * np.cos(salt.millers @ place * salt.unit) / salt.volume
        for name, place in salt.atoms
    )
    special = _special_points(points, salt.unit)
    past: list[tuple[Real, Real]] = []
    for _ in range(steps):
        found = _density(salt, special, _potential(salt, density, square))
        change = (np.bincount(stars, found) / sizes)[stars] - density
        if math.sqrt(float(change @ change)) * salt.volume < SETTLED:
            return _potential(salt, density, square)
        past = [*past[-5:], (density, change)]
        density = _mixed(past)
    raise RuntimeError("the density did not settle")


def _mixed(past: list[tuple[Real, Real]]) -> Real:
    size = len(past)
    matrix = np.ones((size + 1, size + 1))
    matrix[size, size] = 0.0
    matrix[:size, :size] = 1e3 * np.array([[one @ other for _, other in past] for _, one in past])
    weights = np.linalg.lstsq(matrix, np.append(np.zeros(size), 1.0), rcond=None)[0][:size]
    return np.asarray(sum(w * (density + 0.6 * change) for w, (density, change) in zip(weights, past, strict=True)))


def _density(salt: Crystal, special: list[tuple[Real, float]], potential: Real) -> Real:
    found = np.zeros((salt.side,) * 3)
    for vector, weight in special:
        millers = salt.waves(vector)
        matrix, _ = hamiltonian(salt, millers, vector, potential)
        # five filled bands: s and p of the anion, s of lead
        _, states = eigh(matrix, subset_by_index=(0, 4), driver="evr")
        for state in states.T:
            found += 2 * weight * np.abs(np.fft.ifftn(salt.on_grid(state, millers)) * salt.side**3) ** 2 / salt.volume
    return salt.from_grid(found)


def _potential(salt: Crystal, density: Real, square: Real) -> Real:
    """Of atoms, electrons, exchange and correlation."""
    here = np.maximum(np.fft.ifftn(salt.on_grid(density, salt.millers)).real * salt.side**3, 1e-8)
    radius = (3 / (4 * math.pi * here)) ** (1 / 3)
    above, below = (np.polynomial.Polynomial(one) for one in (PADE_ABOVE, PADE_BELOW))
    slope = (above.deriv()(radius) * below(radius) - above(radius) * below.deriv()(radius)) / below(radius) ** 2
    exchange = -above(radius) / below(radius) + radius / 3 * slope
    hartree = np.where(square > 0, 4 * math.pi * density / np.where(square > 0, square, 1.0), 0.0)
    return salt.local + hartree + salt.from_grid(exchange)


def _special_points(count: int, unit: float) -> list[tuple[Real, float]]:
    """Shifted grid of wave vectors, one of each that the cube's symmetries make equal, with its share."""
    axes = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) * unit
    turns = [
        np.diag(signs)[list(order)]
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    ]
    back = np.linalg.inv(axes)
    found: dict[tuple[float, ...], tuple[Real, float]] = {}
    for place in itertools.product(range(count), repeat=3):
        vector = ((np.array(place) + 0.5) / count - 0.5) @ axes
        key = min(tuple(np.round((turn @ vector @ back) % 1.0, 6) % 1.0) for turn in turns)
        first, weight = found.get(key, (vector, 0.0))
        found[key] = first, weight + 1.0 / count**3
    return list(found.values())
