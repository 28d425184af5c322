"""`Structure`: the layers of a dot, from the core outwards."""

import math
from dataclasses import dataclass

from lampyris.core.dots import DotSettings


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a dot.

    Parameters
    ----------
    material : str
        Name of the material in the table of materials.
    thickness_nm : float
        Of a shell its thickness, of the core its radius.
    composition : float
        Of an alloy the share of the second end member, NaN otherwise.
    """

    material: str
    thickness_nm: float
    composition: float = math.nan

    def __post_init__(self) -> None:
        if not (math.isfinite(self.thickness_nm) and self.thickness_nm > 0):
            raise ValueError(f"thickness_nm of {self.material} needs a number above 0, got {self.thickness_nm}")

    @property
    def label(self) -> str:
        """Name with the share of the second end member, where it is an alloy."""
        return self.material if math.isnan(self.composition) else f"{self.material}({self.composition:.2f})"


@dataclass(frozen=True, slots=True)
class Structure:
    """A spherical dot: a core and any number of shells.

    Parameters
    ----------
    layers : tuple of Layer
        From the core outwards.

    Examples
    --------
    >>> dot = Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2)))
    >>> dot.label, dot.core_diameter_nm, round(dot.diameter_nm, 3)
    ('CdTe/CdSe', 4.4, 6.8)
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a dot needs at least its core")

    @property
    def label(self) -> str:
        """Materials from the core outwards, such as CdTe/CdSe."""
        return "/".join(layer.label for layer in self.layers)

    @property
    def core_diameter_nm(self) -> float:
        """Diameter of the first layer."""
        return 2.0 * self.layers[0].thickness_nm

    @property
    def diameter_nm(self) -> float:
        """Diameter of all layers together, without the coat."""
        return 2.0 * math.fsum(layer.thickness_nm for layer in self.layers)


def structure_from_settings(settings: DotSettings, /) -> Structure:
    """Layers of a dot's sheet."""
    core, *shells = settings.layers
    return Structure(
        (
            _layer(core.material, (core.diameter_nm or math.nan) / 2, core.composition),
            *(_layer(one.material, one.thickness_nm or math.nan, one.composition) for one in shells),
        )
    )


def _layer(material: str, thickness_nm: float, composition: float | None) -> Layer:
    return Layer(material, thickness_nm, math.nan if composition is None else composition)
