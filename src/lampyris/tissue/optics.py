"""Absorption and scattering of the organs, from tables with their sources.

Values are served from 600 to 1000 nm, where the tables hold; nothing is extrapolated. A tissue without a row of its own
has the values of a named proxy and a wider spread.
"""

import csv
import io
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.io.package_tables import packaged_text

WAVELENGTH_RANGE_NM = (600.0, 1000.0)

_STATUSES = ("certified", "printed", "computed", "secondary", "unseen", "assumed")
_NUMBERS = ("S_B", "x_SO2", "S_W", "a", "b", "refractive_index", "relative_sd_absorption", "relative_sd_scattering")
_HAEMOGLOBIN_G_PER_L = 150.0
_HAEMOGLOBIN_G_PER_MOL = 64500.0
_MM_PER_CM = 10.0


@dataclass(frozen=True, slots=True)
class OpticalProperties:
    """Optics of a tissue at one wavelength.

    Parameters
    ----------
    absorption_per_mm : float
        Absorption coefficient.
    reduced_scattering_per_mm : float
        Reduced scattering coefficient mus (1 - g).
    refractive_index : float
        Index against air.
    relative_sd_absorption, relative_sd_scattering : float
        Standard deviation of the coefficient over its value, of the table and between animals together.
    """

    absorption_per_mm: float
    reduced_scattering_per_mm: float
    refractive_index: float
    relative_sd_absorption: float
    relative_sd_scattering: float


@dataclass(frozen=True, slots=True)
class TissueRow:
    """A row of the table of organs.

    Parameters
    ----------
    tissue : str
        Name.
    blood, saturation, water : float
        Blood volume share, oxygenated share of haemoglobin, water share.
    scattering_scale, scattering_power : float
        a (mm^-1 nm^b) and b of the reduced scattering a lambda^-b.
    refractive_index, relative_sd_absorption, relative_sd_scattering : float
        As in `OpticalProperties`.
    status : str
        How the values were obtained, e.g. ``secondary`` or ``assumed``.
    proxy_for : str
        Tissue whose values stand in, "" if the row is the tissue's own.
    citation : str
        Source.
    """

    tissue: str
    blood: float
    saturation: float
    water: float
    scattering_scale: float
    scattering_power: float
    refractive_index: float
    relative_sd_absorption: float
    relative_sd_scattering: float
    status: str
    proxy_for: str
    citation: str


def tissue_optics(tissue: str, wavelength_nm: float, /) -> OpticalProperties:
    """Return the optics of a tissue.

    ``mua = S_B (x mua_HbO2 + (1 - x) mua_Hb) + S_W mua_water`` with 150 g/L haemoglobin in blood, and
    ``musp = a lambda^-b``. Spectra are interpolated linearly.

    Parameters
    ----------
    tissue : str
        One of `tissue_names`.
    wavelength_nm : float
        From 600 to 1000.

    Returns
    -------
    OpticalProperties

    Raises
    ------
    ValueError
        If the tissue is unknown or the wavelength outside the range.

    References
    ----------
    Alexandrakis, Rannou & Chatziioannou (2005) Phys. Med. Biol. 50, 4225. doi:10.1088/0031-9155/50/17/021

    Examples
    --------
    >>> liver = tissue_optics("liver", 800.0)
    >>> round(liver.absorption_per_mm, 3), round(liver.reduced_scattering_per_mm, 2)
    (0.13, 0.56)
    """
    low, high = WAVELENGTH_RANGE_NM
    if not low <= wavelength_nm <= high:
        raise ValueError(
            f"wavelength_nm must lie between {low:g} and {high:g}, where the tables hold; it is {wavelength_nm!r}"
        )
    row = tissue_row(tissue)
    haemoglobin, water = _spectra()
    oxygenated, deoxygenated = (float(np.interp(wavelength_nm, haemoglobin[0], column)) for column in haemoglobin[1:])
    extinction = row.saturation * oxygenated + (1.0 - row.saturation) * deoxygenated
    blood = math.log(10.0) * extinction * _HAEMOGLOBIN_G_PER_L / _HAEMOGLOBIN_G_PER_MOL
    absorption_per_cm = row.blood * blood + row.water * float(np.interp(wavelength_nm, *water))
    return OpticalProperties(
        absorption_per_mm=absorption_per_cm / _MM_PER_CM,
        reduced_scattering_per_mm=row.scattering_scale * wavelength_nm**-row.scattering_power,
        refractive_index=row.refractive_index,
        relative_sd_absorption=row.relative_sd_absorption,
        relative_sd_scattering=row.relative_sd_scattering,
    )


def tissue_names() -> tuple[str, ...]:
    """Return the tissues that have optics, in the order of the table.

    Returns
    -------
    tuple of str
    """
    return tuple(_table())


def tissue_row(tissue: str, /) -> TissueRow:
    """Return a tissue's row of the table, with its source.

    Parameters
    ----------
    tissue : str
        One of `tissue_names`.

    Returns
    -------
    TissueRow

    Raises
    ------
    ValueError
        If the tissue is unknown.
    """
    table = _table()
    if tissue not in table:
        raise ValueError(f"unknown tissue {tissue!r}; known are {', '.join(table)}")
    return table[tissue]


def read_tissue_rows(text: str, /) -> tuple[TissueRow, ...]:
    """Return the rows of a table of organs after checking them.

    Parameters
    ----------
    text : str
        CSV with the columns of the package's own table; lines that begin with # are remarks.

    Returns
    -------
    tuple of TissueRow

    Raises
    ------
    ValueError
        With every row that lacks a citation, has no known status, or holds no positive number where one must be.
    """
    rows, faults = [], []
    for record in csv.DictReader(_without_remarks(text)):
        name = record["tissue"]
        own = [
            f"{column} must be a positive number, it is {record[column]!r}"
            for column in _NUMBERS
            if not _positive(record[column])
        ]
        if not record["citation"].strip():
            own.append("citation is empty")
        if record["status"] not in _STATUSES:
            own.append(f"status must be one of {', '.join(_STATUSES)}, it is {record['status']!r}")
        if record["status"] == "assumed" and not record["proxy_for"]:
            own.append("an assumed row must name its proxy")
        faults += [f"{name}: {fault}" for fault in own]
        if not own:
            rows.append(_row(record))
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(rows)


def _row(record: dict[str, str]) -> TissueRow:
    return TissueRow(
        tissue=record["tissue"],
        blood=float(record["S_B"]),
        saturation=float(record["x_SO2"]),
        water=float(record["S_W"]),
        scattering_scale=float(record["a"]),
        scattering_power=float(record["b"]),
        refractive_index=float(record["refractive_index"]),
        relative_sd_absorption=float(record["relative_sd_absorption"]),
        relative_sd_scattering=float(record["relative_sd_scattering"]),
        status=record["status"],
        proxy_for=record["proxy_for"],
        citation=record["citation"],
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, TissueRow]:
    return {row.tissue: row for row in read_tissue_rows(_data("organ_optics.csv"))}


@lru_cache(maxsize=1)
def _spectra() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return haemoglobin (wavelength, oxygenated, deoxygenated) and water (wavelength, absorption per cm)."""
    tables = []
    for name in ("haemoglobin_absorption.csv", "water_absorption.csv"):
        rows = list(csv.reader(_without_remarks(_data(name))))[1:]
        tables.append(np.array(rows, dtype=np.float64).T)
    return tables[0], tables[1]


def _data(name: str) -> str:
    return packaged_text("lampyris.tissue", "data", name)


def _without_remarks(text: str) -> list[str]:
    return [line for line in io.StringIO(text) if line.strip() and not line.startswith("#")]


def _positive(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and value > 0.0
