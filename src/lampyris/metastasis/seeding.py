"""Which organs a primary's cells reach, and when."""

from dataclasses import dataclass
from functools import lru_cache

from lampyris.io.package_tables import rows_of


@dataclass(frozen=True, slots=True)
class Tropism:
    """One organ that a primary may seed.

    Parameters
    ----------
    organ : str
        Organ of the animal model.
    weight : float
        Relative frequency; those of one primary sum to 1.
    arrival_day, arrival_spread : float
        Median day of arrival and its geometric standard deviation.
    """

    organ: str
    weight: float
    arrival_day: float
    arrival_spread: float


@lru_cache(maxsize=8)
def tropism(primary: str, /) -> tuple[Tropism, ...]:
    """Organs that a primary at the given site may seed.

    Parameters
    ----------
    primary : str
        Kind of site, e.g. ``mammary fat pad``.

    Raises
    ------
    KeyError
        If no row gives this primary.

    Examples
    --------
    >>> round(sum(row.weight for row in tropism("mammary fat pad")), 9)
    1.0
    """
    table = [row for row in rows_of("lampyris.metastasis", "data", "tropism.csv") if row["primary"] == primary]
    if not table:
        raise KeyError(f"no tropism is known for a primary at {primary!r}")
    total = sum(float(row["weight"]) for row in table)
    return tuple(
        Tropism(row["organ"], float(row["weight"]) / total, float(row["arrival_day"]), float(row["arrival_spread"]))
        for row in table
    )
