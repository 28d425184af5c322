"""What dots that are not of a model's shape do to its size, strain and lattice: errors that are held beside noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from lampyris.bench.xrd.crystals import phases
from lampyris.bench.xrd.infer import (
    SPHERE,
    SPHERE_BELOW_A,
    LineFit,
    Recorded,
    line_over_place,
    shape_error,
    sphere_nm,
    strain_of,
)
from lampyris.bench.xrd.whole import WholeFit
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import with_error


@dataclass(frozen=True, slots=True)
class Shapes:
    """Errors of dots' shape, as standard deviations.

    Parameters
    ----------
    size, width, lattice : float
        Of sizes, relative; of lines' widths against each other, relative; of lines' places, over their widths.
    """

    size: float
    width: float
    lattice: float


WHOLE = Shapes(0.006, 0.004, 0.0015)
"""Root mean square by which Debye's sum misses in patterns without noise: zinc blende, rock salt and wurtzite of 2 to 5.2 nm as spheres,
ellipsoids of 0.8 and 1.25, rounded cubes and truncated octahedra. The accuracy table ``bench-xrd-shapes`` computes it."""
LINES: Mapping[str, Shapes] = MappingProxyType(
    {
        "zinc blende": Shapes(0.0135, 0.015, 0.005),
        "rock salt": Shapes(0.027, 0.021, 0.0105),
        "other": Shapes(0.036, 0.053, 0.009),
    }
)
"""The same of pseudo-Voigts, by structure: the nearer lines lie to each other, the more of a line's feet goes to its neighbours."""
MOST_MISFIT = MappingProxyType({"sum": 0.004, "lines": 0.015})
"""Misfit of `misfit_of` that the shape of dots may leave by Debye's sum and by pseudo-Voigts; half and two thirds more than in that
table."""


def shapes_of(found: LineFit | WholeFit, /) -> Shapes:
    """Errors of shape of a fit. Of crystals so large that their lines stand apart, those of zinc blende."""
    if isinstance(found, WholeFit):
        return WHOLE
    structure = phases()[found.phase].structure
    return LINES["zinc blende" if not _small(found) else structure if structure in LINES else "other"]


def misfits(found: LineFit | WholeFit, /) -> bool:
    """A fit leaves more beyond noise than the shape of dots does."""
    return found.misfit > MOST_MISFIT["sum" if isinstance(found, WholeFit) else "lines"]


def _small(found: LineFit | WholeFit) -> bool:
    return isinstance(found, WholeFit) or 10.0 * found.column_nm.value < SPHERE_BELOW_A


def _held(found: LineFit | WholeFit, parameter: str, one: Estimate, shape_sd: float) -> Estimate:
    """An estimate that follows a parameter, with noise and shape.

    A misfit that shapes leave is not held twice: their errors are those of fits with that very misfit, so that noise alone is added.
    Noise widened by the misfit stands where the misfit is another, or the crystal so large that none of the shapes was computed.
    """
    words = f"{one.method}, shape of the dots"
    widened = found.fit[parameter].sd
    if not (_small(found) and not misfits(found) and widened > 0 and math.isfinite(one.high)):
        # where shape is seen, misfit is its doing
        misfit2 = one.sd**2 * (1.0 - 1.0 / found.widening**2)
        return with_error(
            one, math.sqrt(max(shape_sd**2 - misfit2, 0.0)) if math.isfinite(misfit2) else shape_sd, words
        )
    share = found.noise[parameter] / widened
    ends = (one.value + share * (end - one.value) for end in (one.low, one.high))
    low, high = ends
    return with_error(replace(one, sd=share * one.sd, low=low, high=high), shape_sd, words)


def size_of(found: LineFit | WholeFit, factor: float = SPHERE, /) -> Estimate:
    """Size in nm: by lines a factor times the column."""
    shapes = shapes_of(found)
    if isinstance(found, WholeFit):
        return _held(found, "diameter", found.size_nm, shapes.size * found.size_nm.value)
    return sphere_nm(_held(found, "breadth", found.true_column_nm, shapes.size * found.true_column_nm.value), factor)


def lattice_of(found: LineFit | WholeFit, recorded: Recorded, parameter: str = "a", /) -> Estimate:
    """Lattice constant in A, with by how much the dots' shape may move lines."""
    one = found.fit[parameter]
    return _held(found, parameter, one, shapes_of(found).lattice * _ratio(found, recorded) * one.value)


def strain_with_shape(found: LineFit | WholeFit, recorded: Recorded, /) -> Estimate:
    """Root mean square strain, with what the dots' shape may pass for."""
    sd = shape_error(_ratio(found, recorded), relative_sd=shapes_of(found).width)
    return strain_of(_held(found, "strain2", found.fit["strain2"], sd))


def _ratio(found: LineFit | WholeFit, recorded: Recorded) -> float:
    column = found.true_column_nm.value if isinstance(found, LineFit) else found.size_nm.value / SPHERE
    return line_over_place(column, recorded.two_theta_deg, recorded.beam.mean_a)
