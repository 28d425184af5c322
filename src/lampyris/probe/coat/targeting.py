"""What targeting changes: the same dot with each ligand, held anywhere or by one end."""

from dataclasses import dataclass

from lampyris.core.dots import CoatSettings
from lampyris.core.estimate import Estimate
from lampyris.probe.coat.conjugation import conjugated
from lampyris.probe.coat.kinds import Orientation
from lampyris.probe.coat.size import coated_size

COMPARED: tuple[tuple[str, Orientation], ...] = (
    ("antibody", "random"),
    ("antibody", "oriented"),
    ("scFv", "random"),
    ("scFv", "oriented"),
    ("nanobody", "oriented"),
    ("RGD", "oriented"),
)


@dataclass(frozen=True, slots=True)
class Targeting:
    """A dot with one kind of ligand.

    Parameters
    ----------
    ligand, orientation : str
        What it is targeted with, and how that is held.
    diameter : Estimate
        Hydrodynamic, in nm.
    growth_nm : float
        What the ligands add to it.
    below_renal_threshold : float
        Share of dots that stay small enough for the kidney.
    active_sites : Estimate
        Binding sites per dot that can bind.
    silent : Estimate
        Share of dots that cannot bind.
    uptake : str
        What is known of uptake without the target.
    """

    ligand: str
    orientation: Orientation
    diameter: Estimate
    growth_nm: float
    below_renal_threshold: float
    active_sites: Estimate
    silent: Estimate
    uptake: str


def targeting_choices(
    inorganic_nm: float, coat: CoatSettings, /, *, ligands_per_particle: float, core_sd_nm: float = 0.0
) -> tuple[Targeting, ...]:
    """The same coated dot with antibodies, single chains, nanobodies or peptides, as many of each.

    Parameters
    ----------
    inorganic_nm, core_sd_nm : float
        Diameter of the crystal, and spread of the core's.
    coat : CoatSettings
        What the ligands stand on.
    ligands_per_particle : float
        Mean number.

    Raises
    ------
    InputError
        If so many do not fit on the dot, or the coat is unknown.

    Examples
    --------
    >>> found = targeting_choices(6.8, CoatSettings(kind="PEG2000"), ligands_per_particle=2.0)
    >>> [one.ligand for one in found][:3]
    ['antibody', 'antibody', 'scFv']
    """
    found = []
    for name, orientation in COMPARED:
        settings = coat.model_copy(update={"ligand": name, "ligands_per_particle": ligands_per_particle})
        size = coated_size(inorganic_nm, settings, core_sd_nm=core_sd_nm)
        assert size.ligand is not None  # the settings name one
        spread = conjugated(size.ligand, ligands_per_particle, orientation=orientation)
        found.append(
            Targeting(
                ligand=size.ligand.name,
                orientation=orientation,
                diameter=size.diameter,
                growth_nm=size.diameter.value - size.bare.value,
                below_renal_threshold=size.below_renal_threshold,
                active_sites=spread.active_sites,
                silent=spread.silent,
                uptake=_uptake(size.ligand.name, size.bare_below_renal_threshold, size.below_renal_threshold),
            )
        )
    return tuple(found)


def _uptake(ligand: str, before: float, after: float) -> str:
    """What a ligand does without its target; known by kind, not by number."""
    said = []
    if before > 0.5 > after:
        said.append("takes the dot out of the kidney's reach")
    if ligand == "antibody":
        said.append("its Fc end binds phagocytes: more uptake by liver and spleen; an isotype control tells how much")
    else:
        said.append("no Fc end; a scrambled or blocked ligand is the control")
    return "; ".join(said)
