"""What a dot is made of: elements of a layer, mass of each in one dot and in a dose."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from lampyris.core.constants import AVOGADRO_PER_MOL
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.sourced import MARKS, SourcedValue
from lampyris.probe.materials import alloys, materials, pooled
from lampyris.probe.refusals import faulty, outside, refuse, unknown
from lampyris.probe.structure import Structure
from lampyris.probe.tables import plain, row_named, sourced, table_rows
from lampyris.statistics.intervals import normal_interval

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
        raise faulty((unknown("element", symbol, known, basis="the table of elements"),), what="The material")
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
    own = [row["material"] for row in table_rows("compositions.csv")]
    simple = dict.fromkeys((*(one.name for one in materials()), *own))
    return (*simple, *(name for name, _, _ in alloys()))


def substance(material: str, /, *, composition: float = math.nan, field: str = "layers.material") -> Substance:
    """Density and elements of a material or alloy.

    An alloy's molar volume is taken between those of its end members (Vegard).

    Parameters
    ----------
    material : str
        Name, such as CdTe or CdSeTe.
    composition : float
        Share of an alloy's second end member, 0 to 1.
    field : str
        Where the material was named, for the message.

    Returns
    -------
    Substance

    Raises
    ------
    InputError
        If the material is unknown, or an alloy has no share.

    Examples
    --------
    >>> round(substance("CdTe").mass_share["Cd"], 3)
    0.468
    """
    name = _named(material, material_names())
    mixture = next((ends for ends in alloys() if ends[0] == name), None)
    if mixture is None:
        if name:
            return _simple(name)
        fault = unknown(field, material, material_names(), basis="the table of compositions")
        raise faulty((fault,), what="The dot")
    basis = f"share of {mixture[2]} in {mixture[0]}"
    refuse(
        outside(field.replace("material", "composition"), composition, low=0, high=1, unit="1", basis=basis),
        what="The dot",
    )
    return _mixed(material, composition, mixture[1:])


def material_faults(structure: Structure, /) -> tuple[Finding, ...]:
    """Every layer whose composition is not known."""
    found: list[Finding] = []
    for number, layer in enumerate(structure.layers):
        try:
            substance(layer.material, composition=layer.composition, field=f"layers[{number}].material")
        except InputError as error:
            found += error.findings
    return tuple(found)


def element_mass_ag(structure: Structure, /) -> dict[str, Estimate]:
    """Mass of each element in one dot, in attograms, with the densities' uncertainty.

    Examples
    --------
    >>> from lampyris.probe.structure import Layer
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
        symbol: normal_interval(
            math.fsum(mass for mass, _ in parts),
            math.hypot(*(sd for _, sd in parts)),
            unit="ag",
            method="bulk density",
            low=0.0,
        )
        for symbol, parts in found.items()
    }


def layer_volumes_nm3(structure: Structure, /) -> tuple[float, ...]:
    """Volume of each layer of a spherical dot."""
    edges = [0.0]
    for layer in structure.layers:
        edges.append(edges[-1] + layer.thickness_nm)
    return tuple(4 / 3 * math.pi * (outer**3 - inner**3) for inner, outer in pairwise(edges))


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


def _named(name: str, known: tuple[str, ...]) -> str:
    """The known name that is meant, "" where there is none."""
    return next((one for one in known if plain(one) == plain(name)), "")


def _molar_mass(formula: str) -> float:
    return math.fsum(number * element(symbol).molar_mass for symbol, number in formula_counts(formula).items())


@lru_cache(maxsize=128)
def _simple(name: str) -> Substance:
    """A material of one formula, its density pooled over the sources."""
    values = [value for one in materials() if one.name == name for value in one.values("density")]
    row = row_named(table_rows("compositions.csv"), name, column="material")
    if row is not None:
        values.append(sourced(row, "density_g_cm3", "g/cm3", sd="sd_g_cm3", conditions="300 K"))
    density = pooled(values)
    formula = row["formula"] if row is not None else name
    total = _molar_mass(formula)
    shares = {symbol: number * element(symbol).molar_mass / total for symbol, number in formula_counts(formula).items()}
    # one printed source is enough to trust the number by
    mark = min((value.mark for value in values), key=list(MARKS).index)
    return Substance(name, density.value, density.sd, shares, mark)


def _mixed(name: str, share: float, ends: tuple[str, str]) -> Substance:
    moles, parts = (1 - share, share), [_simple(end) for end in ends]
    masses = [part * _molar_mass(end) for part, end in zip(moles, ends, strict=True)]
    volume = math.fsum(mass / part.density_g_cm3 for mass, part in zip(masses, parts, strict=True))
    shares: dict[str, float] = {}
    for mass, part in zip(masses, parts, strict=True):
        for symbol, of_end in part.mass_share.items():
            shares[symbol] = shares.get(symbol, 0.0) + mass * of_end / math.fsum(masses)
    relative = max(part.density_sd_g_cm3 / part.density_g_cm3 for part in parts)
    density = math.fsum(masses) / volume
    return Substance(f"{name}({share:.2f})", density, relative * density, shares, "computed")
