"""A structure at other sizes, and the batch of dots around it."""

import math
from typing import Literal

from lampyris.probe.spectra import Ensemble, SizeSpread
from lampyris.probe.structure import Layer, Structure

# a normal spread beyond this share of the mean would reach zero size
_WIDEST_NORMAL = 0.2


def varied_nm(structure: Structure, /, *, scaled: bool) -> float:
    """Diameter that varies over a batch: that of all layers where they grow together, else the core's."""
    return structure.diameter_nm if scaled else structure.core_diameter_nm


def resized(structure: Structure, diameter_nm: float, /, *, scaled: bool) -> Structure:
    """The structure at another diameter: all layers in proportion, or the core alone under the same shells."""
    if not scaled:
        core, *shells = structure.layers
        return Structure((Layer(core.material, diameter_nm / 2, core.composition), *shells))
    factor = diameter_nm / structure.diameter_nm
    return Structure(tuple(Layer(one.material, one.thickness_nm * factor, one.composition) for one in structure.layers))


def batch(
    structure: Structure,
    sd_nm: float,
    /,
    *,
    scaled: bool,
    aspect: float = 1.0,
    gap_ev: float = math.nan,
    defect_ev: float = 0.0,
) -> Ensemble:
    """A batch of dots around a structure."""
    mean = varied_nm(structure, scaled=scaled)
    kind: Literal["normal", "lognormal"] = "normal" if sd_nm <= _WIDEST_NORMAL * mean else "lognormal"
    return Ensemble(
        SizeSpread(mean, sd_nm, kind),
        aspect=aspect,
        bulk_gap_ev=max(gap_ev, 0.0) if aspect > 1 else math.nan,
        defect_fwhm_ev=defect_ev,
    )
