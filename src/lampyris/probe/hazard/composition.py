"""What a dot is made of: elements of a layer, mass of each in one dot and in a dose."""

import math
import re
from dataclasses import dataclass

from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.sourced import SourcedValue
from lampyris.probe.ranges import outside, refuse, unknown
from lampyris.probe.probe import AVOGADRO_PER_MOL
from lampyris.probe.structure import Layer, Structure
from lampyris.probe.tables import row_named, sourced, table_rows

_PART = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")


@dataclass(frozen=True, slots=True)
class Element:
    """An element as the table has it.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    molar_mass : float
        In g/mol.
    permitted_ug_day : SourcedValue or None
        Permitted daily exposure of a person by injection, None where none is published.
    impurity_class : str
        Class of ICH Q3D: 1 is the most toxic, empty where it has none.
    """

    symbol: str
    molar_mass: float
    permitted_ug_day: SourcedValue | None
    impurity_class: str


@dataclass(frozen=True, slots=True)
class Substance:
    """A layer's material in numbers.

    Parameters
    ----------
    name : str
        Name with the share of an alloy.
    density_g_cm3, density_sd_g_cm3 : float
        Of the crystal.
    mass_share : dict of str to float
        By element; they add up to 1.
    mark : str
        How far the density is to be trusted.
    """

    name: str
    density_g_cm3: float
    density_sd_g_cm3: float
    mass_share: dict[str, float]
    mark: str


def element(symbol: str, /) -> Element:
    """Element of a symbol.

    Raises
    ------
    InputError
        If the table has none of that name.

    Examples
    --------
    >>> element("Cd").permitted_ug_day.value
    2.0
    """
    row = row_named(table_rows("elements.csv"), symbol, column="element")
    if row is None:
        known = [one["element"] for one in table_rows("elements.csv")]
        raise InputError(
            "The material has 1 fault.", (unknown("element", symbol, known, basis="the table of elements"),)
        )
    column = "pde_parenteral_ug_day"
    permitted = sourced(row, column, "ug/day", conditions="human, by injection") if row[column] else None
    return Element(row["element"], float(row["molar_mass_g_mol"]), permitted, row["class"])


def formula_counts(formula: str, /) -> dict[str, float]:
    """Atoms of each element in a formula.

    Examples
    --------
    >>> formula_counts("CuInS2")
    {'Cu': 1.0, 'In': 1.0, 'S': 2.0}
    """
    return {symbol: float(number or 1) for symbol, number in _PART.findall(formula)}


def material_names() -> tuple[str, ...]:
    """Materials and alloys whose composition is known."""
    simple = [row["material"] for row in table_rows("compositions.csv")]
    return (*simple, *(row["alloy"] for row in table_rows("mixtures.csv")))


def substance(material: str, /, *, composition: float = math.nan, field: str = "layers.material") -> Substance:
    """Density and elements of a material or alloy.

    An alloy's molar volume is taken between those of its end members (Vegard).

    Parameters
    ----------
    material : str
        Name, such as CdTe or CdSeTe.
    composition : float
        Share of an alloy's second end member, 0 to 1.

    Raises
    ------
    InputError
        If the material is unknown, or an alloy has no share.

    Examples
    --------
    >>> round(substance("CdTe").mass_share["Cd"], 3)
    0.468
    """
    row = row_named(table_rows("compositions.csv"), material, column="material")
    if row is not None:
        return _simple(row)
    mixture = row_named(table_rows("mixtures.csv"), material, column="alloy")
    if mixture is None:
        fault = unknown(field, material, material_names(), basis="the table of compositions")
        raise InputError("The dot has 1 fault.", (fault,))
    basis = f"share of {mixture['second']} in {mixture['alloy']}"
    refuse(
        outside(field.replace("material", "composition"), composition, low=0, high=1, unit="1", basis=basis),
        what="The dot",
    )
    ends = [_simple(_composition_row(mixture[end])) for end in ("first", "second")]
    return _mixed(material, composition, ends, [_molar_mass(mixture[end]) for end in ("first", "second")])


def element_mass_ag(structure: Structure, /) -> dict[str, Estimate]:
    """Mass of each element in one dot, in attograms, with the densities' uncertainty.

    Examples
    --------
    >>> dot = Structure((Layer("CdTe", 3.4),))
    >>> round(element_mass_ag(dot)["Cd"].value, 2)
    0.45
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for layer, volume in zip(structure.layers, layer_volumes_nm3(structure), strict=True):
        known = substance(layer.material, composition=layer.composition)
        for symbol, share in known.mass_share.items():
            # 1 g/cm3 is 1e-3 ag/nm3
            mass = volume * known.density_g_cm3 * 1e-3 * share
            found.setdefault(symbol, []).append((mass, mass * known.density_sd_g_cm3 / known.density_g_cm3))
    return {
        symbol: _estimate(
            math.fsum(mass for mass, _ in parts), math.sqrt(math.fsum(sd**2 for _, sd in parts)), "ag", "bulk density"
        )
        for symbol, parts in found.items()
    }


def layer_volumes_nm3(structure: Structure, /) -> tuple[float, ...]:
    """Volume of each layer of a spherical dot."""
    edges = [0.0]
    for layer in structure.layers:
        edges.append(edges[-1] + layer.thickness_nm)
    return tuple(
        4 / 3 * math.pi * (outer**3 - inner**3) for inner, outer in zip(edges[:-1], edges[1:], strict=True)
    )


def dots_of_nmol(nmol: float, /) -> float:
    """Number of dots in an amount."""
    return nmol * 1e-9 * AVOGADRO_PER_MOL


def size_correction(core_nm: float, core_sd_nm: float, /) -> float:
    """Mean volume over the volume of the mean diameter, 1 + 3 (sd / d)^2: dots of one sample differ in size.

    Examples
    --------
    >>> round(size_correction(6.8, 0.9), 4)
    1.0526
    """
    return 1 + 3 * (core_sd_nm / core_nm) ** 2


def _composition_row(material: str) -> dict[str, str]:
    row = row_named(table_rows("compositions.csv"), material, column="material")
    assert row is not None  # a test holds the two tables together
    return row


def _molar_mass(material: str) -> float:
    counts = formula_counts(_composition_row(material)["formula"])
    return math.fsum(number * element(symbol).molar_mass for symbol, number in counts.items())


def _simple(row: dict[str, str]) -> Substance:
    counts = formula_counts(row["formula"])
    total = _molar_mass(row["material"])
    shares = {symbol: number * element(symbol).molar_mass / total for symbol, number in counts.items()}
    return Substance(row["material"], float(row["density_g_cm3"]), float(row["sd_g_cm3"]), shares, row["mark"])


def _mixed(name: str, share: float, ends: list[Substance], masses: list[float]) -> Substance:
    moles = (1 - share, share)
    mass = math.fsum(part * molar for part, molar in zip(moles, masses, strict=True))
    volume = math.fsum(
        part * molar / end.density_g_cm3 for part, molar, end in zip(moles, masses, ends, strict=True)
    )
    shares: dict[str, float] = {}
    for part, molar, end in zip(moles, masses, ends, strict=True):
        for symbol, of_end in end.mass_share.items():
            shares[symbol] = shares.get(symbol, 0.0) + part * molar * of_end / mass
    relative = max(end.density_sd_g_cm3 / end.density_g_cm3 for end in ends)
    density = mass / volume
    return Substance(f"{name}({share:.2f})", density, relative * density, shares, "computed")


def _estimate(value: float, sd: float, unit: str, method: str) -> Estimate:
    return Estimate(value, sd, max(0.0, value - 1.96 * sd), value + 1.96 * sd, 0.95, unit, method)
