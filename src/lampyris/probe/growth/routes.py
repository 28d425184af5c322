"""Routes of synthesis as a sourced guide: what each gives, and when to choose it."""

from dataclasses import dataclass

from lampyris.core.sourced import MARKS
from lampyris.probe.tables import table_rows


@dataclass(frozen=True, slots=True)
class Route:
    """A route of synthesis.

    Parameters
    ----------
    name, gives : str
    materials : tuple of str
    least_nm, most_nm : float
        Diameters that it reaches.
    spread_percent : float
        Typical standard deviation of the diameter over its mean, of a good batch; no source was read for it.
    temperature_c, surface, scale, choose_when, avoid_when : str
    source, mark : str
        Of the route itself; mark: a key of `lampyris.core.sourced.MARKS`.
    figures_source, figures_mark : str
        Of sizes, and of what else in the row is a number.
    """

    name: str
    materials: tuple[str, ...]
    gives: str
    least_nm: float
    most_nm: float
    spread_percent: float
    temperature_c: str
    surface: str
    scale: str
    choose_when: str
    avoid_when: str
    source: str
    mark: str
    figures_source: str
    figures_mark: str

    def __post_init__(self) -> None:
        if not {self.mark, self.figures_mark} <= MARKS.keys() or not (self.source and self.figures_source):
            raise ValueError(f"route {self.name} needs sources and marks of {', '.join(MARKS)}")
        if not 0 < self.least_nm < self.most_nm:
            raise ValueError(f"route {self.name}: sizes must rise from above 0")


def routes(*, material: str = "", diameter_nm: float | None = None) -> tuple[Route, ...]:
    """Routes that make a material and a size.

    Parameters
    ----------
    material : str
        Any case; empty for all.
    diameter_nm : float, optional
        A size that the route must reach.

    Returns
    -------
    tuple of Route
        The narrowest spread first; empty where no row of the guide makes it.

    Examples
    --------
    >>> [one.name for one in routes(material="InAs", diameter_nm=5.0)]
    ['hot injection', 'molecular beam epitaxy']
    """
    found = [_route(row) for row in table_rows("synthesis_routes.csv")]
    wanted = material.strip().casefold()
    return tuple(
        sorted(
            (
                one
                for one in found
                if (not wanted or wanted in {name.casefold() for name in one.materials})
                and (diameter_nm is None or one.least_nm <= diameter_nm <= one.most_nm)
            ),
            key=lambda one: (one.spread_percent, one.name),
        )
    )


def _route(row: dict[str, str]) -> Route:
    return Route(
        row["route"],
        tuple(name.strip() for name in row["materials"].split(";")),
        row["gives"],
        float(row["least_nm"]),
        float(row["most_nm"]),
        float(row["spread_percent"]),
        row["temperature_c"],
        row["surface"],
        row["scale"],
        row["choose_when"],
        row["avoid_when"],
        row["source"],
        row["mark"],
        row["figures_source"],
        row["figures_mark"],
    )
