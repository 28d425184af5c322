"""Tables of the package: animals, kinetics of phagocytes, coats, published figures; every row with its source and mark."""

import math
from dataclasses import dataclass
from functools import lru_cache

from lampyris.core.sourced import SourcedValue
from lampyris.io import package_tables
from lampyris.probe.tables import constant

ORGANS = ("lung", "liver", "spleen", "gut", "kidney", "tumour", "muscle", "bone", "rest")
SPECIES = ("mouse", "rat", "human")


@dataclass(frozen=True, slots=True)
class Coat:
    """A coat with what is known of it.

    Parameters
    ----------
    name : str
    aliases : tuple of str
        Other names, such as those of the products.
    lowest_nm, highest_nm : float
        Hydrodynamic diameters between which published figures lie.
    adsorbed_nm : float
        What serum proteins add to the diameter in blood.
    about, source, mark : str
        What it is, and how that is known.
    """

    name: str
    aliases: tuple[str, ...]
    lowest_nm: float
    highest_nm: float
    adsorbed_nm: float
    about: str
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class Published:
    """A published figure, and what it served for.

    Parameters
    ----------
    name, probe, coat, ligand : str
        `coat` and `ligand` are those of this package that stand for the probe.
    diameter_nm : float
        Hydrodynamic.
    species : str
    weight_kg, weight_log_sd : float
        Of the study's animals, and the standard deviation of its logarithm: what is not known of it.
    tumour : bool
        Whether the animals bore one.
    quantity, organ : str
        `quantity` is ``half-life``, ``content``, ``ratio`` (of contents, to that at 4 h), ``excreted`` or ``delivered``.
    hours : float
        After injection; NaN for a half-life.
    value, log_sd : float
        Figure and the standard deviation of its logarithm; NaN where only bounds are known.
    low, high : float
        Bounds that a prediction must lie in; NaN where there are none.
    unit : str
    role : str
        ``calibrated``, ``held out`` or ``sanity``.
    conditions, source, mark : str
    """

    name: str
    probe: str
    coat: str
    ligand: str
    diameter_nm: float
    species: str
    weight_kg: float
    weight_log_sd: float
    tumour: bool
    quantity: str
    organ: str
    hours: float
    value: float
    log_sd: float
    low: float
    high: float
    unit: str
    role: str
    conditions: str
    source: str
    mark: str

    @property
    def study(self) -> str:
        """First word of the name: rows of one study share their animals."""
        return self.name.split("-")[0]


def rows_of(name: str, /) -> tuple[dict[str, str], ...]:
    """Rows of a table of the package."""
    return package_tables.rows_of("lampyris.probe.fate", "data", f"{name}.csv")


@lru_cache
def physiology(species: str, /) -> dict[tuple[str, str], SourcedValue]:
    """Values of a species by organ and quantity.

    Examples
    --------
    >>> physiology("mouse")["liver", "mass_fraction"].value
    0.055
    """
    rows = rows_of("physiology")
    return {(row["organ"], row["quantity"]): constant(row) for row in rows if row["species"] == species}


@lru_cache
def kinetics(lineage: str, /) -> dict[tuple[str, str], SourcedValue]:
    """Published kinetics of one set by organ and quantity: ``mouse gold``, ``rat gold`` or ``mouse liposomes``."""
    return {(row["organ"], row["quantity"]): constant(row) for row in rows_of("kinetics") if row["set"] == lineage}


@lru_cache
def spread(quantity: str, /) -> float:
    """Standard deviation of the logarithm that a quantity is drawn with (of ``diameter``, in nm)."""
    return next(float(row["log_sd"]) for row in rows_of("spreads") if row["quantity"] == quantity)


@lru_cache
def coats() -> tuple[Coat, ...]:
    """All coats."""
    return tuple(
        Coat(
            row["coat"], tuple(one for one in row["aliases"].split(";") if one), float(row["lowest_nm"]),
            float(row["highest_nm"]), float(row["adsorbed_nm"]), row["about"], row["source"], row["mark"],
        )
        for row in rows_of("coats")
    )  # fmt: skip


def coat_named(name: str, /) -> Coat | None:
    """Coat of a name or alias, whatever its capitals; None where it is not known."""
    wanted = _plain(name)
    return next((one for one in coats() if wanted in {_plain(word) for word in (one.name, *one.aliases)}), None)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@lru_cache
def published() -> tuple[Published, ...]:
    """Published figures that this model is set to, and those that it is compared with."""
    return tuple(
        Published(
            row["id"], row["probe"], row["coat"], row["ligand"], float(row["diameter_nm"]), row["species"],
            float(row["weight_kg"]), float(row["weight_log_sd"]), row["tumour"] == "yes", row["quantity"], row["organ"],
            _number(row["hours"]), _number(row["value"]), _number(row["log_sd"]), _number(row["low"]), _number(row["high"]),
            row["unit"], row["role"], row["conditions"], row["source"], row["mark"],
        )
        for row in rows_of("validation")
    )  # fmt: skip


def _number(text: str) -> float:
    return float(text) if text else math.nan
