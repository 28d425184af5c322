"""`FateQuestion`: which dot, in which animal, given how; checked with every fault at once."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.probe.fate.dosing import Dosing
from lampyris.probe.fate.motion import Uptake
from lampyris.probe.fate.rates import LIGANDS
from lampyris.probe.fate.tables import ORGANS, SPECIES, Coat, coat_named, coats, physiology

UNITS = ("pmol", "nmol", "mg")
CLOCKS = ("", "mouse gold", "rat gold")
TUMOURS = ("any", "U87MG", "none")
SMALLEST_NM, LARGEST_NM = 1.0, 200.0
MOST_DOSES, LONGEST_H, MOST_DRAWS = 60, 24.0 * 366, 20000
_SIZES = "dots and their coats are from 1 nm up; the lineage's particles end at 200 nm"

# field, value, bounds, unit, and where the bounds come from
_Bounded = tuple[str, float, float, float, str, str]

_ONE_DOSE, _CONSTANT = Dosing(), Uptake()


@dataclass(frozen=True, slots=True)
class FateQuestion:
    """What `predict_fate` is asked.

    Parameters
    ----------
    diameter_nm, diameter_sd_nm : float
        Hydrodynamic diameter, and its standard deviation (NaN: that of the table ``spreads``).
    coat, ligand : str
        Name or alias of a coat; empty, ``RAD`` or ``RGD``.
    species : str
        ``mouse``, ``rat`` or ``human``.
    dosing : Dosing
    hours : float
        Length of the prediction.
    at : tuple of float
        Hours that must be among those shown.
    uptake : Uptake
    tumour : str
        ``any``, ``U87MG`` or ``none``.
    tumour_g, weight_kg : float
        NaN: those of the table.
    weight_log_sd : float
        Standard deviation of the logarithm of the body weight: 0 where it is known, as of one's own animals.
    draws, seed : int
        Of the Monte Carlo intervals.
    file : str
        Sheet of the dot, for messages.
    """

    diameter_nm: float = 15.9
    diameter_sd_nm: float = math.nan
    coat: str = "PEG"
    ligand: str = ""
    species: str = "mouse"
    dosing: Dosing = _ONE_DOSE
    hours: float = 24.0
    at: tuple[float, ...] = ()
    uptake: Uptake = _CONSTANT
    tumour: str = "any"
    tumour_g: float = math.nan
    weight_kg: float = math.nan
    weight_log_sd: float = 0.0
    draws: int = 400
    seed: int = 1
    file: str = ""

    @property
    def known_coat(self) -> Coat:
        """Coat of the table.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        found = coat_named(self.coat)
        if found is None:
            raise InputError("this dot's fate cannot be predicted", [self._unknown_coat()])
        return found

    def _unknown_coat(self) -> Finding:
        names = "; ".join(", ".join((one.name, *one.aliases)) for one in coats())
        return _fault(self.file, "coat", f"no half-life is known of a coat {self.coat!r}.", f"Known are: {names}.")


def _fault(file: str, field: str, seen: str, mend: str) -> Finding:
    return Finding(f"fate.{field}", Severity.ERROR, Place(file=file, column=field), seen, mend)


def check_question(question: FateQuestion, /) -> None:
    """Refuse what cannot be answered.

    Raises
    ------
    InputError
        With one finding per fault: field, bounds, and where the bounds come from.
    """
    file = question.file
    found = []
    for field, value, low, high, unit, why in (*_always_bounded(question), *_bounded_where_given(question)):
        if not low <= value <= high:
            bounds = f"{low:g} to {high:g} {unit}".rstrip()
            found.append(_fault(file, field, f"{value:g} lies outside {bounds}: {why}.", "Give one within them."))
    for field, name, known in _names(question):
        if name not in known:
            names = ", ".join(one or "(none)" for one in known)
            found.append(_fault(file, field, f"{name!r} is unknown.", f"Known are: {names}."))
    if coat_named(question.coat) is None:
        found.append(question._unknown_coat())
    dosing, uptake = question.dosing, question.uptake
    if not (dosing.amount > 0 and math.isfinite(dosing.amount)):
        found.append(_fault(file, "dose", f"a dose is above 0, got {dosing.amount:g} {dosing.unit}.", "Give one."))
    if dosing.cells_in and dosing.infusion_h > 0:
        found.append(_fault(file, "infusion_h", "labelled cells are not infused here.", "Leave it out."))
    for field, value in (("capacity", uptake.capacity_per_g), ("receptors", uptake.receptors_per_g)):
        if not value > 0:
            found.append(_fault(file, field, f"what 1 g holds is above 0, got {value:g}.", "Give it, or none."))
    if found:
        raise InputError("this dot's fate cannot be predicted", found)


def _always_bounded(question: FateQuestion) -> Iterator[_Bounded]:
    dosing = question.dosing
    yield "diameter_nm", question.diameter_nm, SMALLEST_NM, LARGEST_NM, "nm", _SIZES
    yield "doses", dosing.doses, 1, MOST_DOSES, "", "more are not computed"
    yield "hours", question.hours, 1.0 / 60.0, LONGEST_H, "h", "from a minute to a year"
    longest = dosing.every_h if dosing.doses > 1 else question.hours
    why = "an infusion ends before the next dose or the prediction does"
    yield "infusion_h", dosing.infusion_h, 0.0, longest, "h", why
    why = "at 1 a weight is known to a factor of three only"
    yield "weight_log_sd", question.weight_log_sd, 0.0, 1.0, "", why
    for hour in question.at:
        yield "at", hour, 0.0, question.hours, "h", "within the prediction"
    yield "draws", question.draws, 2, MOST_DRAWS, "", "draws of the intervals"


def _bounded_where_given(question: FateQuestion) -> Iterator[_Bounded]:
    dosing = question.dosing
    if not math.isnan(question.diameter_sd_nm):
        yield "diameter_sd_nm", question.diameter_sd_nm, 0.0, question.diameter_nm, "nm", "a spread is not negative"
    if dosing.doses > 1:
        yield "every_h", dosing.every_h, 0.1, LONGEST_H, "h", "between two doses"
    if dosing.cells_in:
        yield "cell_half_life_h", dosing.cell_half_life_h, 0.1, LONGEST_H, "h", "half of the cells die in it"
    if question.species not in SPECIES:
        return
    usual = physiology(question.species)["body", "weight"].value
    if not math.isnan(question.weight_kg):
        why = f"a {question.species} weighs about {usual:g} kg"
        yield "weight_kg", question.weight_kg, usual / 4, usual * 4, "kg", why
    if not math.isnan(question.tumour_g):
        yield "tumour_g", question.tumour_g, 0.0, 100.0 * usual, "g", "up to a tenth of the usual body weight"


def _names(question: FateQuestion) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield "ligand", question.ligand, LIGANDS
    yield "species", question.species, SPECIES
    yield "unit", question.dosing.unit, UNITS
    yield "clock", question.uptake.clock, CLOCKS
    yield "tumour", question.tumour, TUMOURS
    if question.dosing.cells_in:
        yield "cells", question.dosing.cells_in, ("blood", *ORGANS)
