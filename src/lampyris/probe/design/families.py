"""The families of dots that are searched: layers, what is free in them, and who made them."""

import math
from dataclasses import dataclass
from functools import lru_cache

from lampyris.core.sourced import MARKS
from lampyris.probe.structure import Layer, Structure
from lampyris.probe.tables import table_rows

MADE = {"routine": 1.0, "shown": 0.8}
"""How often a family has been made, and the weight that it has in the ranking (assumed)."""

FREE = ("none", "shell", "composition")
"""What may be free in a family besides its size."""


@dataclass(frozen=True, slots=True)
class Family:
    """A family of dots.

    Parameters
    ----------
    layers : tuple of str
        Materials from the core outwards; the last is the cap where there is one.
    free : str
        One of `FREE`: what is tuned at a given size.
    cap_nm : float
        Thickness of the capping shell, 0 without one.
    made : str
        A key of `MADE`.
    note, source, mark : str
        What it is known for, by whom, and how the source was read.
    """

    layers: tuple[str, ...]
    free: str
    cap_nm: float
    made: str
    note: str
    source: str
    mark: str

    def __post_init__(self) -> None:
        if self.free not in FREE or self.made not in MADE or self.mark not in MARKS or not self.source:
            raise ValueError(f"{self.label}: free, made, mark or source of the family's row is not known")

    @property
    def label(self) -> str:
        """Materials from the core outwards."""
        return "/".join(self.layers)

    @property
    def shells(self) -> tuple[str, ...]:
        """Materials around the core."""
        return self.layers[1:]

    def structure(self, size_nm: float, share: float, /, *, reading: str) -> Structure | None:
        """A dot of the family.

        Parameters
        ----------
        size_nm : float
            Diameter of all layers (reading ``particle``) or of the first (``core``).
        share : float
            Shell thickness in nm, or composition, as `free` says; of no matter for a bare dot.
        reading : str
            ``particle`` or ``core``.

        Returns
        -------
        Structure or None
            None where the shells leave no core.
        """
        composition = share if self.free == "composition" else math.nan
        shell = share if self.free == "shell" else 0.0
        radius = size_nm / 2 - (shell + self.cap_nm if reading == "particle" else 0.0)
        if radius < LEAST_RADIUS_NM:
            return None
        layers = [Layer(self.layers[0], radius, composition)]
        if self.free == "shell":
            layers.append(Layer(self.layers[1], shell))
        if self.cap_nm:
            layers.append(Layer(self.layers[-1], self.cap_nm))
        return Structure(tuple(layers))

    def ends(self, size_nm: float, /, *, reading: str) -> tuple[float, float]:
        """Least and greatest value of what is free at a size; reversed or equal where nothing is free."""
        if self.free == "composition":
            return LEAST_SHARE, 1.0 - LEAST_SHARE
        if self.free == "none":
            return 0.0, 0.0
        room = size_nm / 2 - self.cap_nm - LEAST_RADIUS_NM if reading == "particle" else MOST_SHELL_NM
        return LEAST_SHELL_NM, min(room, MOST_SHELL_NM)


LEAST_RADIUS_NM = 0.75
"""Smaller cores are clusters of a few dozen atoms, for which an envelope has no meaning."""

LEAST_SHARE = 0.05
"""An alloy with less than this of an end member is that of the other end, which has a family of its own."""

LEAST_SHELL_NM, MOST_SHELL_NM = 0.3, 3.0
"""One monolayer of a zinc-blende shell, and about the thickest that is grown without dislocations or years of work."""


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """Return the families, in the order of their table.

    Returns
    -------
    tuple of Family

    Examples
    --------
    >>> [family.label for family in families() if family.layers[0] == "CdTe"][:3]
    ['CdTe', 'CdTe/CdSe', 'CdTe/CdSe/ZnS']
    """
    return tuple(_family(row) for row in table_rows("dot_families.csv"))


def _family(row: dict[str, str]) -> Family:
    return Family(
        layers=tuple(row["layers"].split("/")),
        free=row["free"],
        cap_nm=float(row["cap_nm"] or 0.0),
        made=row["made"],
        note=row["note"],
        source=row["source"],
        mark=row["mark"],
    )
