"""Band edges, masses and permittivities of each region of a dot: its layers, then ligand and medium.

An electron's mass depends on its energy by the coupling to the valence bands (Kane): ``m0/m(E) = a + (Ep/3) (2/(E - Ev) +
1/(E - Ev + D))``. The remote part ``a`` is what the measured mass at the edge leaves; where that is negative, Ep is lowered
until it is 0, lest the mass diverge above the edge (Foreman). Where electron and hole belong to one pair of bands, as at L in
lead salts, both masses follow from the dispersion of the two (`coupled`).

References
----------
Kane 1957 doi:10.1016/0022-3697(57)90013-6; Foreman 1997 doi:10.1103/PhysRevB.56.R12748;
Efros and Rosen 2000 doi:10.1146/annurev.matsci.30.1.475.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.probe.confinement.coupled import COUPLING_FLOOR_EV, CoupledBands, coupled_bands
from lampyris.probe.confinement.strain import hydrostatic_strain
from lampyris.probe.materials import layer_material
from lampyris.probe.refusals import refused
from lampyris.probe.structure import Layer, Structure
from lampyris.probe.tables import table_rows

CORE_DIAMETER_NM = (1.0, 40.0)
SHELL_THICKNESS_NM = (0.15, 20.0)
NEEDED = (
    "gap", "valence_edge", "electron_mass", "hole_mass", "permittivity_optical", "kane_energy", "spin_orbit", "permittivity_static",
    "optical_phonon", "lattice_constant", "elastic_c11", "elastic_c12", "deformation_conduction", "deformation_valence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BandConstants:
    """Constants of one region as the model takes them, and the uncertainty of those that matter.

    Energies in eV, masses in m0. The gap is not negative: inverted bands (HgTe) have gap 0 and keep ``coupling_gap_ev``.
    ``electron_far_limit_ev`` and ``hole_far_limit_ev`` are the most that remote bands add to the energy of each, infinite where their
    part of the mass does not depend on the energy.
    """

    name: str
    valence_ev: float
    gap_ev: float
    coupling_gap_ev: float
    electron_mass: float
    hole_mass: float
    kane_ev: float
    hole_kane_ev: float
    electron_far_limit_ev: float
    hole_far_limit_ev: float
    spin_orbit_ev: float
    permittivity_static: float
    permittivity_optical: float
    phonon_ev: float
    lattice_nm: float
    c11_gpa: float
    c12_gpa: float
    deformation_conduction_ev: float
    deformation_valence_ev: float
    gap_sd_ev: float
    valence_sd_ev: float
    electron_mass_sd: float
    hole_mass_sd: float
    permittivity_relative_sd: float
    indirect: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Ligand and medium: barrier for both carriers, mass in it, permittivity around the dot."""

    conduction_ev: float
    valence_ev: float
    edge_sd_ev: float
    mass: float
    mass_sd: float
    permittivity: float


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Edges and constants of each region, dims (region,): layers from the core outwards, then the outside.

    Parameters
    ----------
    layers : tuple of BandConstants
        Of each layer.
    outside : Surroundings
        Of ligand and medium.
    thickness_nm : tuple of float
        Radius of the core and thickness of the shells.
    conduction_ev, valence_ev : ndarray (region,)
        Edges against vacuum, strain among them.
    strain : ndarray (layer,)
        Relative change of volume.
    """

    layers: tuple[BandConstants, ...]
    outside: Surroundings
    thickness_nm: tuple[float, ...]
    conduction_ev: NDArray[np.float64]
    valence_ev: NDArray[np.float64]
    strain: NDArray[np.float64]

    @property
    def radius_nm(self) -> float:
        """Radius of all layers."""
        return math.fsum(self.thickness_nm)

    def electron_inverse_mass(self, energy_ev: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Inverse mass of the electron in each region at an energy against vacuum, and its slope."""
        pairs = []
        for one, edge in zip(self.layers, self.valence_ev[:-1], strict=True):
            # of inverted bands the coupled one lies below the touching edges by the size of the negative gap
            distance = energy_ev - float(edge) + max(one.coupling_gap_ev - one.gap_ev, 0.0)
            pairs.append(_coupled(one)[0].inverse_mass(distance) if one.hole_kane_ev else _kane_mass(distance, one))
        return _with_outside(pairs, self.outside.mass)

    def hole_inverse_mass(self, energy_ev: float, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Inverse mass of the hole in each region, the energy counted downwards from vacuum, and its slope."""
        pairs = [
            _coupled(one)[1].inverse_mass(energy_ev + float(edge)) if one.hole_kane_ev else (1.0 / one.hole_mass, 0.0)
            for one, edge in zip(self.layers, self.conduction_ev[:-1], strict=True)
        ]
        return _with_outside(pairs, self.outside.mass)


def bands(
    structure: Structure, /, *, temperature_k: float = 295.0, medium: str = "water", coherence: float = 0.5
) -> Bands:
    """Edges and constants of a structure.

    Parameters
    ----------
    structure : Structure
        Layers from the core outwards.
    temperature_k : float
        Temperature.
    medium : str
        Around the dot, a name of ``data/media.csv``.
    coherence : float
        Share of the lattice misfit that is strain, the rest being relaxed by dislocations: 1 grows fully coherent.

    Raises
    ------
    InputError
        If a layer's size is outside validity, a material or medium is unknown, a constant is missing: all faults at once.
    """
    check_sizes(structure)
    layers = tuple(_constants(layer.material, layer.composition, temperature_k) for layer in structure.layers)
    around = surroundings(medium)
    thickness = tuple(layer.thickness_nm for layer in structure.layers)
    strain = np.zeros(len(layers))
    if coherence > 0 and len({one.name for one in layers}) > 1:
        lattice, c11, c12 = (
            np.array([getattr(one, key) for one in layers]) for key in ("lattice_nm", "c11_gpa", "c12_gpa")
        )
        strain = coherence * hydrostatic_strain(np.array(thickness), lattice, c11, c12)
    conduction = [
        one.valence_ev + one.gap_ev + one.deformation_conduction_ev * s for one, s in zip(layers, strain, strict=True)
    ]
    valence = [one.valence_ev + one.deformation_valence_ev * s for one, s in zip(layers, strain, strict=True)]
    return Bands(
        layers,
        around,
        thickness,
        np.array([*conduction, around.conduction_ev]),
        np.array([*valence, around.valence_ev]),
        strain,
    )


def check_sizes(structure: Structure, /) -> None:
    """Refuse layers too thin or too thick for envelopes.

    Raises
    ------
    InputError
        With a finding for each layer outside its bounds.
    """
    findings = []
    for number, layer in enumerate(structure.layers):
        size, field = (layer.thickness_nm, "thickness_nm") if number else (2 * layer.thickness_nm, "diameter_nm")
        (low, high), why = (
            (SHELL_THICKNESS_NM, "half a monolayer, below which a layer has no band edge") if number
            else (CORE_DIAMETER_NM, "two unit cells, below which a cluster has no band edge")
        )  # fmt: skip
        if not low <= size <= high:
            findings.append(
                Finding(
                    "confinement.size-range", Severity.ERROR, Place(column=f"layers.{number + 1}.{field}"),
                    f"{layer.label} has {field} {size:g} nm, outside {low:g} to {high:g} nm ({why}; above, nothing is confined).",
                    "Give the size in nm, within these bounds.",
                )
            )  # fmt: skip
    if findings:
        raise InputError(
            f"{structure.label}: {len(findings)} layer(s) outside the sizes for which envelopes hold", findings
        )


@lru_cache(maxsize=32)
def surroundings(medium: str, /) -> Surroundings:
    """Ligand and medium around the dot: the permittivity is that of the ligand, which is what stands at the surface.

    Raises
    ------
    InputError
        If the medium is unknown.
    """
    rows = [(row["medium"], row["quantity"], float(row["value"]), float(row["sd"])) for row in table_rows("media.csv")]
    optical = {name: value for name, quantity, value, _ in rows if name != "any" and quantity == "permittivity_optical"}
    if medium not in optical:
        mend = f"Say one of {', '.join(optical)}."
        raise refused("confinement.unknown-medium", "medium", f"no medium {medium!r} in the table of media", mend)
    common = {quantity: (value, sd) for name, quantity, value, sd in rows if name == "any"}
    # an organic shell of some nm stands between surface and medium; the field there is that of the two together
    permittivity = 1.0 if medium == "vacuum" else (common["permittivity_ligand"][0] + optical[medium]) / 2
    edge, edge_sd = common["conduction_edge"]
    return Surroundings(edge, common["valence_edge"][0], edge_sd, *common["mass"], permittivity)


@lru_cache(maxsize=1024)
def _constants(name: str, composition: float, temperature_k: float) -> BandConstants:
    one = layer_material(Layer(name, 1.0, composition))
    # an edge may come from the affinity alone
    known = {*one.quantities, *(["valence_edge"] if "electron_affinity" in one.quantities else [])}
    missing = [key for key in NEEDED if key not in known]
    if missing:
        mend = "Choose another material, or add a sourced row."
        raise refused(
            "confinement.missing-constant", "material", f"{one.name} has no {', '.join(missing)} in the table", mend
        )
    gap = one.gap(temperature_k)
    valence, electron, hole, optical = (one.estimate(key) for key in NEEDED[1:5])
    paired = one.estimate("hole_kane_energy").value if "hole_kane_energy" in known else 0.0
    electron_limit, hole_limit = (
        one.estimate(key).value if key in known else math.inf for key in ("electron_far_limit", "hole_far_limit")
    )
    rest = {key: one.estimate(key).value for key in NEEDED[5:]}
    coupling = max(abs(gap.value), COUPLING_FLOOR_EV)
    return BandConstants(
        name=one.name if math.isnan(composition) else f"{one.name}({composition:.4f})",
        valence_ev=valence.value,
        gap_ev=max(gap.value, 0.0),
        coupling_gap_ev=coupling,
        electron_mass=electron.value,
        hole_mass=hole.value,
        kane_ev=0.0 if one.indirect else rest["kane_energy"],
        hole_kane_ev=paired,
        electron_far_limit_ev=electron_limit,
        hole_far_limit_ev=hole_limit,
        spin_orbit_ev=rest["spin_orbit"],
        permittivity_static=rest["permittivity_static"],
        permittivity_optical=optical.value,
        phonon_ev=1e-3 * rest["optical_phonon"],
        lattice_nm=rest["lattice_constant"],
        c11_gpa=rest["elastic_c11"],
        c12_gpa=rest["elastic_c12"],
        deformation_conduction_ev=rest["deformation_conduction"],
        deformation_valence_ev=rest["deformation_valence"],
        gap_sd_ev=gap.sd,
        valence_sd_ev=valence.sd,
        electron_mass_sd=electron.sd,
        hole_mass_sd=hole.sd,
        permittivity_relative_sd=optical.sd / optical.value,
        indirect=one.indirect,
    )


def _kane_mass(distance_ev: float, one: BandConstants) -> tuple[float, float]:
    """Inverse mass of an electron at a distance from the valence edge, and its slope with it."""
    if one.kane_ev == 0:
        return 1.0 / one.electron_mass, 0.0
    clipped, gap, split = max(distance_ev, COUPLING_FLOOR_EV), one.coupling_gap_ev, max(one.spin_orbit_ev, 0.0)
    edge = (2.0 / gap + 1.0 / (gap + split)) / 3.0
    coupling = min(one.kane_ev, 1.0 / one.electron_mass / edge)
    here = (2.0 / clipped + 1.0 / (clipped + split)) / 3.0
    slope = -(2.0 / clipped**2 + 1.0 / (clipped + split) ** 2) / 3.0 if distance_ev > COUPLING_FLOOR_EV else 0.0
    return 1.0 / one.electron_mass + coupling * (here - edge), coupling * slope


@lru_cache(maxsize=256)
def _coupled(one: BandConstants) -> tuple[CoupledBands, CoupledBands]:
    """The two bands of a lead salt, seen from the conduction and from the valence band."""
    return coupled_bands(
        one.coupling_gap_ev, one.kane_ev, masses=(one.electron_mass, one.hole_mass),
        far_limits_ev=(one.electron_far_limit_ev, one.hole_far_limit_ev),
    )  # fmt: skip


def _with_outside(pairs: list[tuple[float, float]], mass: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inverse, slope = zip(*pairs, (1.0 / mass, 0.0), strict=True)
    return np.array(inverse), np.array(slope)
