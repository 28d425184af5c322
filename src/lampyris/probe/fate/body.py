"""`Body`: the masses, flows and volumes of an animal, or of many draws of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.probe.fate.tables import ORGANS, physiology, spread

Array = NDArray[np.float64]
NO_TUMOUR_G = 1e-6
_LARGEST_VASCULAR_SHARE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Animals, all arrays dims (draw,) and one entry per organ of `ORGANS` in mappings.

    Parameters
    ----------
    species : str
    weight_kg : ndarray
    mass_g : mapping of str to ndarray
        Organs with their blood; 1 ml weighs 1 g.
    flow_ml_h : mapping of str to ndarray
        Plasma flow from the arteries; of the lung the whole output, of the liver its artery.
    vascular_ml : mapping of str to ndarray
        Plasma in the organ's vessels.
    central_ml : ndarray
        Plasma in large vessels, half arterial and half venous.
    filtration_ml_h : ndarray
        Plasma that the kidneys filter.
    """

    species: str
    weight_kg: Array
    mass_g: Mapping[str, Array]
    flow_ml_h: Mapping[str, Array]
    vascular_ml: Mapping[str, Array]
    central_ml: Array
    filtration_ml_h: Array

    @property
    def plasma_ml(self) -> Array:
        """All plasma, dims (draw,)."""
        return self.central_ml + np.sum([self.vascular_ml[organ] for organ in ORGANS], axis=0)


def body(
    species: str, /, *, weight_kg: float | Array | None = None, tumour_g: float | Array | None = None, draws: int = 1,
    rng: np.random.Generator | None = None,
) -> Body:  # fmt: skip
    """Animal of a species, or draws of it.

    Parameters
    ----------
    species : str
        One of `SPECIES`.
    weight_kg, tumour_g : float or ndarray, optional
        Of this animal; those of the table otherwise. Without a tumour a microgram stands for it; an array gives one per draw.
    draws : int
        Animals drawn; with `rng`, masses, flows, plasma and filtration are lognormal about the table's values with the
        spreads of the table ``spreads``.
    rng : numpy.random.Generator, optional
        None for the table's values themselves.

    Returns
    -------
    Body
        Flows to the rest of the body make up for what others are drawn above or below, and its mass does so too; where the
        vessels of all organs would hold more than nine tenths of the plasma, they are scaled to that.

    Examples
    --------
    >>> mouse = body("mouse")
    >>> round(float(mouse.mass_g["liver"][0]), 2), round(float(mouse.plasma_ml[0]), 2)
    (1.1, 0.71)
    """
    table = physiology(species)

    def value(organ: str, quantity: str) -> float:
        return table[organ, quantity].value

    def about(one: float | Array, kind: str) -> Array:
        scatter = np.zeros(draws) if rng is None else rng.normal(0.0, spread(kind), draws)
        return one * np.exp(scatter)

    weight = np.full(draws, value("body", "weight") if weight_kg is None else weight_kg)
    grams = 1000.0 * weight
    liquid = 1.0 - value("body", "hematocrit")
    output = 1000.0 * value("body", "cardiac_output") * weight**0.75 * liquid * about(1.0, "flow")
    named = [organ for organ in ORGANS if organ not in ("tumour", "rest")]
    mass = {organ: about(grams * value(organ, "mass_fraction"), "mass") for organ in named}
    mass["tumour"] = np.maximum(np.full(draws, value("tumour", "mass") if tumour_g is None else tumour_g), NO_TUMOUR_G)
    plasma = about(grams * value("body", "plasma_fraction"), "plasma")
    mass["rest"] = np.maximum(grams - np.sum([mass[organ] for organ in named], axis=0) - plasma / liquid, 0.1 * grams)
    share = {organ: about(value(organ, "flow_fraction"), "flow") for organ in named if organ != "lung"}
    share["tumour"] = about(value("tumour", "flow_per_g"), "flow") * mass["tumour"]
    # what is drawn too large leaves the rest of the body a twentieth at least
    total = np.sum(list(share.values()), axis=0)
    shrink = np.minimum(1.0, 0.95 / total)
    flow = {organ: output * part * shrink for organ, part in share.items()}
    flow["rest"] = output - np.sum(list(flow.values()), axis=0)
    flow["lung"] = output
    vascular = {organ: liquid * value(organ, "vascular_fraction") * mass[organ] for organ in ORGANS}
    held = np.sum(list(vascular.values()), axis=0)
    tight = np.minimum(1.0, _LARGEST_VASCULAR_SHARE * plasma / held)
    vascular = {organ: tight * part for organ, part in vascular.items()}
    return Body(
        species=species,
        weight_kg=weight,
        mass_g=mass,
        flow_ml_h=flow,
        vascular_ml=vascular,
        central_ml=plasma - tight * held,
        filtration_ml_h=about(60.0 * weight * value("body", "filtration"), "filtration"),
    )
