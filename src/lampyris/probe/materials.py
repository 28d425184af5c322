"""Materials of dots: what each source says of a constant, and the estimate that joins the sources.

Tasks in order: `material` or `alloy` (or `layer_material` for a layer of a structure), `Material.values` for the sources,
`Material.estimate` for the number with its spread. All constants stand in ``data/materials.csv``.

Energies of band edges are against vacuum in eV, below it negative. Deformation potentials are shifts of the edge per unit
of relative volume change. Masses are in units of the free electron's.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.sourced import MARKS, SourcedValue
from lampyris.probe.refusals import refused
from lampyris.probe.structure import Layer
from lampyris.probe.tables import constant, table_rows
from lampyris.statistics.intervals import normal_interval

REFERENCE_K = 300.0
"""Temperature of the gaps in the table."""
TEMPERATURES_K = (4.0, 400.0)
"""Range of the gaps' temperature laws; a linear coefficient is held to it with a wider error."""

UNITS = {
    "gap": "eV",
    "gap_0k": "eV",
    "varshni_alpha": "eV/K",
    "varshni_beta": "K",
    "gap_slope": "eV/K",
    "electron_mass": "m0",
    "hole_mass": "m0",
    "kane_energy": "eV",
    "hole_kane_energy": "eV",
    "electron_far_limit": "eV",
    "hole_far_limit": "eV",
    "spin_orbit": "eV",
    "permittivity_static": "1",
    "permittivity_optical": "1",
    "valence_edge": "eV",
    "electron_affinity": "eV",
    "lattice_constant": "nm",
    "optical_phonon": "meV",
    "deformation_conduction": "eV",
    "deformation_valence": "eV",
    "elastic_c11": "GPa",
    "elastic_c12": "GPa",
    "density": "g/cm3",
    "molar_mass": "g/mol",
}
"""Quantities of the table and the unit of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A semiconductor, with every value that a source gives.

    Parameters
    ----------
    name : str
        Formula, such as CdSe; of an alloy its name, such as CdSeTe.
    family : str
        II-VI, III-V, IV-VI, I-III-VI, I-VI or IV.
    crystal : str
        Crystal for which the constants stand.
    indirect : bool
        Whether the lowest gap is indirect: confinement of one valley does not describe its absorption edge then.
    metals_of_concern : tuple of str
        Elements with a toxicology of their own.
    toxicity : str
        Class drawn from the elements: "restricted heavy element", "moderate" or "low".
    constants : tuple of (str, SourcedValue)
        Quantity and value, in the order of the table.
    composition : float
        Of an alloy the share of the second end member, NaN otherwise.
    """

    name: str
    family: str
    crystal: str
    indirect: bool
    metals_of_concern: tuple[str, ...]
    toxicity: str
    constants: tuple[tuple[str, SourcedValue], ...]
    composition: float = math.nan

    @property
    def quantities(self) -> tuple[str, ...]:
        """Quantities for which there is a value, in the order of the table."""
        return tuple(dict.fromkeys(quantity for quantity, _ in self.constants))

    def values(self, quantity: str, /) -> tuple[SourcedValue, ...]:
        """Each source's value of a quantity; empty where no source gives one.

        Raises
        ------
        InputError
            If the quantity is none of `UNITS`.
        """
        if quantity not in UNITS:
            raise refused(
                "material.unknown-quantity", "quantity", f"no quantity {quantity!r}", f"Say one of {', '.join(UNITS)}."
            )
        return tuple(value for name, value in self.constants if name == quantity)

    def estimate(self, quantity: str, /) -> Estimate:
        """The sources joined: a mixture weighted by 1/sd2, so that their disagreement widens the estimate.

        The gap is that at 300 K, and takes in gaps given at 0 K; the valence edge takes in what affinity and gap say.

        Raises
        ------
        InputError
            If no source gives the quantity.
        """
        values = self.values(quantity)
        if quantity == "gap":
            values += tuple(self._gap_from_0k(value) for value in self.values("gap_0k"))
        if quantity == "valence_edge" and self.values("electron_affinity"):
            values += tuple(self._edge_from_affinity(value) for value in self.values("electron_affinity"))
        if not values:
            known = ", ".join(self.quantities)
            raise refused(
                "material.missing-quantity",
                "quantity",
                f"the table of materials has no {quantity} of {self.name}",
                f"It has {known}.",
            )
        return pooled(values)

    def gap(self, temperature_k: float = REFERENCE_K, /) -> Estimate:
        """Gap at a temperature, by the law of Varshni where it is known and linearly otherwise.

        Negative where the bands are inverted, as in HgTe.

        Raises
        ------
        InputError
            If the temperature is outside `TEMPERATURES_K`.
        """
        low, high = TEMPERATURES_K
        if not low <= temperature_k <= high:
            raise refused(
                "material.temperature-range",
                "temperature_k",
                f"{temperature_k:g} K is outside {low:g} to {high:g} K, the range of the gaps' temperature laws",
                "Give a temperature in kelvin within it.",
            )
        at_reference = self.estimate("gap")
        shift, shift_sd = self._gap_shift(temperature_k)
        sd = math.hypot(at_reference.sd, shift_sd)
        return normal_interval(
            at_reference.value + shift, sd, unit="eV", method=f"{at_reference.method}; at {temperature_k:g} K"
        )

    def _gap_shift(self, temperature_k: float) -> tuple[float, float]:
        alpha, beta, slope = (self.values(name) for name in ("varshni_alpha", "varshni_beta", "gap_slope"))
        if alpha and beta:
            a, b = pooled(alpha), pooled(beta)
            shape = REFERENCE_K**2 / (REFERENCE_K + b.value) - temperature_k**2 / (temperature_k + b.value)
            return a.value * shape, a.sd * abs(shape)
        if not slope:
            return 0.0, 5e-4 * abs(temperature_k - REFERENCE_K)
        s = pooled(slope)
        return s.value * (temperature_k - REFERENCE_K), s.sd * abs(temperature_k - REFERENCE_K)

    def _gap_from_0k(self, value: SourcedValue) -> SourcedValue:
        slope, alpha = self.values("gap_slope"), self.values("varshni_alpha")
        if alpha:
            shift, sd = self._gap_shift(0.0)
        else:
            # the slope near room temperature flattens below 100 K: the straight line overstates the way to 0 K by about a fifth
            straight = pooled(slope).value * -REFERENCE_K if slope else 0.0
            shift, sd = 0.8 * straight, math.hypot(0.2 * straight, 0.01)
        return replace(
            value,
            value=value.value - shift,
            sd=math.hypot(value.sd, sd),
            conditions=f"{value.conditions}; moved to 300 K",
        )

    def _edge_from_affinity(self, value: SourcedValue) -> SourcedValue:
        gap = self.estimate("gap")
        edge = -value.value - max(gap.value, 0.0)
        return replace(value, value=edge, sd=math.hypot(value.sd, gap.sd), conditions="from affinity and gap")


def pooled(values: Iterable[SourcedValue], /) -> Estimate:
    """Sources joined as a mixture weighted by 1/sd2: the spread between them adds to what each allows.

    Unlike a weighted mean this never narrows with the number of sources, for sources copy one another.

    Examples
    --------
    >>> one = SourcedValue(2.0, 0.1, "eV", "", "a handbook", "secondary")
    >>> two = SourcedValue(2.4, 0.1, "eV", "", "another", "secondary")
    >>> joined = pooled([one, two])
    >>> round(joined.value, 3), round(joined.sd, 3)
    (2.2, 0.224)
    """
    rows = tuple(values)
    weights = [1.0 / max(row.sd, 1e-3 * abs(row.value), 1e-12) ** 2 for row in rows]
    total = math.fsum(weights)
    mean = math.fsum(w * row.value for w, row in zip(weights, rows, strict=True)) / total
    variance = (
        math.fsum(w * (row.sd**2 + (row.value - mean) ** 2) for w, row in zip(weights, rows, strict=True)) / total
    )
    worst = max((row.mark for row in rows), key=list(MARKS).index)
    return normal_interval(
        mean, math.sqrt(variance), unit=rows[0].unit, method=f"{len(rows)} source(s), least trusted: {worst}"
    )


@lru_cache(maxsize=1)
def materials() -> tuple[Material, ...]:
    """All materials of the table, alloys not among them.

    Examples
    --------
    >>> [one.name for one in materials()][:3]
    ['CdSe', 'CdTe', 'CdS']
    """
    constants: dict[str, list[tuple[str, SourcedValue]]] = {}
    for row in table_rows("materials.csv"):
        constants.setdefault(row["material"], []).append((row["quantity"], constant(row)))
    return tuple(
        Material(
            name=row["material"],
            family=row["family"],
            crystal=row["crystal"],
            indirect=row["gap_kind"] == "indirect",
            metals_of_concern=tuple(row["metals_of_concern"].split()),
            toxicity=row["toxicity"],
            constants=tuple(constants[row["material"]]),
        )
        for row in table_rows("material_families.csv")
    )


def alloys() -> tuple[tuple[str, str, str], ...]:
    """Name, first and second end member of each alloy; the composition is the share of the second."""
    return tuple((row["alloy"], row["first"], row["second"]) for row in table_rows("alloys.csv"))


def material(name: str, /) -> Material:
    """A material by its formula.

    Raises
    ------
    InputError
        If the table has none of that name; the error lists those that it has.

    Examples
    --------
    >>> material("CdTe").estimate("gap").unit
    'eV'
    """
    found = {one.name: one for one in materials()}.get(name)
    if found is not None:
        return found
    if any(name == alloy for alloy, _, _ in alloys()):
        raise refused(
            "material.composition", "composition", f"{name} is an alloy and needs its composition",
            "Say the share of its second end member, from 0 to 1.",
        )  # fmt: skip
    raise refused(
        "material.unknown", "material", f"no material {name!r} in the table of materials",
        f"Say one of {', '.join(one.name for one in materials())}, or an alloy: {', '.join(row[0] for row in alloys())}.",
    )  # fmt: skip


@lru_cache(maxsize=512)
def alloy(name: str, composition: float, /) -> Material:
    """An alloy at a composition: constants linear between the end members, the gap with its bowing.

    The bowing is given to the conduction edge; the valence edge is linear. Each value is marked as its less trusted end.

    Parameters
    ----------
    name : str
        Such as CdSeTe.
    composition : float
        Share of the second end member, from 0 to 1.

    Raises
    ------
    InputError
        If there is no such alloy, or the composition is outside 0 to 1.

    Examples
    --------
    >>> gap = alloy("CdSeTe", 0.5).estimate("gap").value
    >>> 1.3 < gap < 1.5  # below both ends: the bowing
    True
    """
    row = next((row for row in table_rows("alloys.csv") if row["alloy"] == name), None)
    if row is None:
        names = ", ".join(entry[0] for entry in alloys())
        raise refused(
            "material.unknown-alloy", "material", f"no alloy {name!r} in the table of alloys", f"Say one of {names}."
        )
    if not 0.0 <= composition <= 1.0:
        raise refused(
            "material.composition", "composition", f"composition of {name} is {composition:g}, outside 0 to 1: it is a share",
            f"Say the share of {row['second']}, from 0 to 1.",
        )  # fmt: skip
    first, second = material(row["first"]), material(row["second"])
    metals = tuple(dict.fromkeys(first.metals_of_concern + second.metals_of_concern))
    ends = (first,) if composition == 0 else (second,) if composition == 1 else (first, second)
    ranks = ("low", "moderate", "restricted heavy element")
    return Material(
        name=name,
        family=first.family,
        crystal=first.crystal,
        indirect=any(one.indirect for one in ends),
        metals_of_concern=metals if len(ends) == 2 else ends[0].metals_of_concern,
        toxicity=max((one.toxicity for one in ends), key=ranks.index),
        constants=_alloyed(first, second, composition, constant(row)),
        composition=composition,
    )


def layer_material(layer: Layer, /) -> Material:
    """Material of a layer: an alloy where it has a composition.

    Raises
    ------
    InputError
        As `material` and `alloy`.
    """
    return material(layer.material) if math.isnan(layer.composition) else alloy(layer.material, layer.composition)


def _alloyed(
    first: Material, second: Material, share: float, bowing: SourcedValue
) -> tuple[tuple[str, SourcedValue], ...]:
    """Constants between two end members."""
    constants = []
    for quantity in UNITS:
        # laws of temperature are joined below, as one slope
        if quantity in {"gap_0k", "varshni_alpha", "varshni_beta", "electron_affinity", "gap_slope"}:
            continue
        value = _between(first, second, quantity, share, bowing)
        if value is not None:
            constants.append((quantity, value))
    slopes = [(one.gap(310.0).value - one.gap(290.0).value) / 20.0 for one in (first, second)]
    slope = (1 - share) * slopes[0] + share * slopes[1]
    origin = f"between {first.name} and {second.name}"
    constants.append(("gap_slope", SourcedValue(slope, 1e-4, "eV/K", "near 300 K", f"linear {origin}", "assumed")))
    return tuple(constants)


def _between(
    first: Material, second: Material, quantity: str, share: float, bowing: SourcedValue
) -> SourcedValue | None:
    try:
        one, two = first.estimate(quantity), second.estimate(quantity)
    except InputError:
        return None
    value = (1 - share) * one.value + share * two.value
    sd = math.hypot((1 - share) * one.sd, share * two.sd)
    if quantity == "gap":
        value -= bowing.value * share * (1 - share)
        sd = math.hypot(sd, bowing.sd * share * (1 - share))
    marks = [row.mark for part in (first, second) for row in part.values(quantity)]
    mark = max([*marks, bowing.mark] if quantity == "gap" else (marks or ["assumed"]), key=list(MARKS).index)
    source = f"linear between {first.name} and {second.name}" + (
        f", bowing: {bowing.source}" if quantity == "gap" else ""
    )
    return SourcedValue(value, sd, UNITS[quantity], f"share of {second.name} {share:g}", source, mark)
