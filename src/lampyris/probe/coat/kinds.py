"""Coats and ligands by name, each with thickness, charge, source and mark."""

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

from lampyris.core.estimate import Estimate
from lampyris.core.sourced import SourcedValue
from lampyris.probe.coat.polymer import polymer_layer
from lampyris.probe.refusals import faulty, outside, refuse, unknown
from lampyris.probe.tables import row_named, sourced, table_rows
from lampyris.statistics.intervals import normal_interval

PEG_MASSES = (350, 550, 750, 1000, 2000, 3400, 5000)
"""Molar masses that are sold, tried where a coat is looked for."""
ANCHOR_NM, ANCHOR_SD_NM = 0.5, 0.2
"""Of a thiol or acid that holds a PEG chain to bare crystal: assumed from its length."""
PEG_ZETA_MV, PEG_ZETA_SD_MV = -5.0, 6.0
"""Near zero, for the plane of slip lies outside of the chains: assumed."""
PEG_SOURCE = "de Gennes 1980, doi:10.1021/ma60077a009; Daoud & Cotton 1982, doi:10.1051/jphys:01982004303053100"
_PEG = re.compile(
    r"(?:m|dhla[- ]?)?peg[- ]?(?P<mass>[0-9]+(?:\.[0-9]+)?)\s*(?P<kilo>k(?:da)?)?(?:[- ]?(?:thiol|sh))?", re.I
)

Orientation = Literal["random", "oriented"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a coat, as it lies on a dot.

    Parameters
    ----------
    name : str
        Name in the table, or PEG with its molar mass.
    thickness : Estimate
        In nm.
    zeta : SourcedValue
        Zeta potential in mV where this is the outermost layer.
    peg_g_mol : float
        Molar mass of a PEG chain, NaN of other layers.
    grafting_per_nm2 : float
        Its chains per nm2, NaN of other layers.
    hard_nm : float
        Thickness that cannot be squeezed out.
    small_molecule : bool
        Whether it is held by one or two bonds and comes off with time.
    regime, note, source, mark : str
        Regime of a polymer; a remark; where the thickness comes from.
    """

    name: str
    thickness: Estimate
    zeta: SourcedValue
    peg_g_mol: float
    grafting_per_nm2: float
    hard_nm: float
    small_molecule: bool
    regime: str
    note: str
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class Ligand:
    """What a dot is targeted with.

    Parameters
    ----------
    name : str
        Name in the table.
    molar_mass_kda, radius_nm : float
        Molar mass, and hydrodynamic radius from it.
    sites : int
        Binding sites of one ligand.
    active_random, active_oriented : Estimate
        Share that can bind when held anywhere, or by one chosen end.
    source, mark : str
        Where the shares come from.
    """

    name: str
    molar_mass_kda: float
    radius_nm: float
    sites: int
    active_random: Estimate
    active_oriented: Estimate
    source: str
    mark: str

    def active(self, orientation: Orientation, /) -> Estimate:
        """Share that can bind in an orientation."""
        return self.active_oriented if orientation == "oriented" else self.active_random


def coat_names() -> tuple[str, ...]:
    """Names of all coats of the table; PEG has its molar mass behind it, and `+` puts one coat on another."""
    return (*(row["name"] for row in table_rows("coats.csv")), *(f"PEG{mass}" for mass in PEG_MASSES))


def ligand_names() -> tuple[str, ...]:
    """Names of all ligands of the table."""
    return tuple(row["name"] for row in table_rows("ligands.csv"))


def coat_layers(
    kind: str,
    /,
    *,
    radius_nm: float,
    thickness_nm: float | None = None,
    grafting_per_nm2: float | None = None,
    field: str = "coat.kind",
) -> tuple[Layer, ...]:
    """Layers of a coat, from the dot outwards.

    Parameters
    ----------
    kind : str
        Name of a coat, ``PEG`` with a molar mass, or several joined by ``+``, such as ``amphiphilic polymer + PEG2000``.
    radius_nm : float
        Of the inorganic dot, which PEG's height depends on.
    thickness_nm : float, optional
        Measured thickness of the whole coat: the layers are then scaled to it.
    grafting_per_nm2 : float, optional
        Chains of PEG per nm2.
    field : str
        Named in a fault.

    Raises
    ------
    InputError
        If a coat is unknown, or a number outside of its bounds.

    Examples
    --------
    >>> [layer.name for layer in coat_layers("amphiphilic polymer + PEG2000", radius_nm=3.4)]
    ['amphiphilic polymer', 'PEG2000']
    """
    layers: list[Layer] = []
    faults = []
    for word in (part.strip() for part in kind.split("+")):
        below = radius_nm + math.fsum(layer.thickness.value for layer in layers)
        row = row_named(table_rows("coats.csv"), word)
        peg = _PEG.fullmatch(word)
        if row is not None:
            layers.append(_table_layer(row))
        elif peg is not None:
            mass = float(peg["mass"]) * (1000 if peg["kilo"] else 1)
            layers.append(_peg_layer(mass, radius_nm=below, grafting_per_nm2=grafting_per_nm2, anchored=not layers))
        else:
            faults.append(unknown(field, word, (*coat_names(), "PEG5000"), basis="the table of coats"))
    refuse(faults, what="The coat")
    return tuple(layers) if thickness_nm is None else _scaled(tuple(layers), thickness_nm)


def ligand_named(name: str, /, *, field: str = "coat.ligand") -> Ligand:
    """Ligand of a name.

    Raises
    ------
    InputError
        If the table has none of that name.

    Examples
    --------
    >>> round(ligand_named("antibody").radius_nm, 1), round(ligand_named("scFv").radius_nm, 1)
    (5.3, 2.5)
    """
    row = row_named(table_rows("ligands.csv"), name)
    if row is None:
        fault = unknown(field, name, ligand_names(), basis="the table of ligands")
        raise faulty((fault,), what="The coat")
    mass = float(row["molar_mass_kda"])
    return Ligand(
        name=row["name"],
        molar_mass_kda=mass,
        radius_nm=float(row["friction"]) * 0.066 * (1000 * mass) ** (1 / 3),
        sites=int(row["sites"]),
        active_random=_share(row, "active_random"),
        active_oriented=_share(row, "active_oriented"),
        source=row["source"],
        mark=row["mark"],
    )


def _share(row: dict[str, str], column: str) -> Estimate:
    value, low, high = (float(row[column + end]) for end in ("", "_low", "_high"))
    return Estimate(value, (high - low) / math.sqrt(12), low, high, 0.95, "1", f"{row['mark']} bounds")


def _table_layer(row: dict[str, str]) -> Layer:
    value, sd = float(row["thickness_nm"]), float(row["thickness_sd_nm"])
    soft = row["soft"] == "1"
    return Layer(
        name=row["name"],
        thickness=normal_interval(value, sd, unit="nm", method=f"table of coats, {row['mark']}", low=0.0),
        zeta=sourced(row, "zeta_mv", "mV", sd="zeta_sd_mv", conditions="pH 7.4, dilute salt"),
        peg_g_mol=math.nan,
        grafting_per_nm2=math.nan,
        hard_nm=0.3 * value if soft else value,
        small_molecule=row["small"] == "1",
        regime="",
        note=row["note"],
        source=row["source"],
        mark=row["mark"],
    )


def _peg_layer(mass: float, *, radius_nm: float, grafting_per_nm2: float | None, anchored: bool) -> Layer:
    """PEG; on bare crystal an anchor holds it, on another layer it hangs from that."""
    anchor, anchor_sd = (ANCHOR_NM, ANCHOR_SD_NM) if anchored else (0.0, 0.0)
    layer = polymer_layer(mass, radius_nm=radius_nm + anchor, grafting_per_nm2=grafting_per_nm2)
    density = layer.chains / (4 * math.pi * (radius_nm + anchor) ** 2)
    sd = math.hypot(layer.thickness_sd_nm, anchor_sd)
    return Layer(
        name=f"PEG{mass:g}",
        thickness=normal_interval(
            anchor + layer.thickness_nm, sd, unit="nm", method=f"{layer.regime}, computed", low=0.0
        ),
        zeta=SourcedValue(
            PEG_ZETA_MV, PEG_ZETA_SD_MV, "mV", "pH 7.4", "plane of slip outside of the chains", "assumed"
        ),
        peg_g_mol=mass,
        grafting_per_nm2=density,
        hard_nm=anchor + layer.dry_nm,
        small_molecule=False,
        regime=layer.regime,
        note=f"{layer.regime} of about {layer.chains:.0f} chains",
        source=PEG_SOURCE,
        mark="computed",
    )


def _scaled(layers: tuple[Layer, ...], thickness_nm: float) -> tuple[Layer, ...]:
    """Layers whose thicknesses add up to a measured one, which is taken as known to 5 %."""
    refuse(
        outside("coat.thickness_nm", thickness_nm, low=0.1, high=100, unit="nm", basis="from an atom to a silica bead"),
        what="The coat",
    )
    factor = thickness_nm / math.fsum(layer.thickness.value for layer in layers)
    return tuple(_layer_of(layer, factor * layer.thickness.value) for layer in layers)


def _layer_of(layer: Layer, thickness_nm: float) -> Layer:
    return replace(
        layer,
        thickness=normal_interval(thickness_nm, 0.05 * thickness_nm, unit="nm", method="as measured", low=0.0),
        # a layer's hard part cannot be thicker than the layer
        hard_nm=min(layer.hard_nm, thickness_nm),
        source="thickness as the sheet has it",
        mark="quoted",
    )
