"""What infrared bands are of, from a cited table."""

from dataclasses import dataclass

from lampyris.bench.tables import table_rows
from lampyris.core.estimate import Estimate

BINDING = (
    ("monodentate", 200.0, 400.0),
    ("bridging bidentate", 140.0, 200.0),
    ("chelating bidentate", 40.0, 110.0),
)
"""Modes of a carboxylate by the splitting of its two stretches, 1/cm; between chelating and bridging nothing is said.

References
----------
Ranges as often quoted after Deacon and Phillips, Coord. Chem. Rev. 33, 227 (1980), DOI 10.1016/S0010-8545(00)80455-5; not read here.
"""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A row of the table of bands that a band may be.

    Parameters
    ----------
    key, group, vibration, ligands, source, mark : str
        As the table gives them.
    """

    key: str
    group: str
    vibration: str
    ligands: str
    source: str
    mark: str


def assignments(centre_cm: Estimate, /) -> tuple[Assignment, ...]:
    """Every row of the table of bands whose range touches the interval of a band's centre; several stay several.

    Examples
    --------
    >>> [one.key for one in assignments(Estimate(2575.0, 1.0, 2573.0, 2577.0, 0.95, "1/cm", ""))]
    ['sh']
    """
    return tuple(
        Assignment(row["key"], row["group"], row["vibration"], row["ligands"], row["source"], row["mark"])
        for row in table_rows("ftir_bands.csv")
        if centre_cm.low <= float(row["high_cm"]) and centre_cm.high >= float(row["low_cm"])
    )


def binding_modes(splitting_cm: Estimate, /) -> tuple[str, ...]:
    """Every binding mode of a carboxylate whose range touches the splitting's interval.

    Examples
    --------
    >>> binding_modes(Estimate(195.0, 5.0, 185.0, 205.0, 0.95, "1/cm", ""))
    ('monodentate', 'bridging bidentate')
    """
    return tuple(name for name, low, high in BINDING if splitting_cm.low <= high and splitting_cm.high >= low)
