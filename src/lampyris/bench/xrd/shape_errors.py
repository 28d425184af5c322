"""What dots that are not of a model's shape do to its size, strain and lattice: errors that are held beside noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from lampyris.bench.xrd.crystals import phases
from lampyris.bench.xrd.infer import (
    SPHERE,
    SPHERE_BELOW_A,
    LineFit,
    Recorded,
    line_over_place,
    line_width_deg,
    shape_error,
    sphere_nm,
    strain_of,
)
from lampyris.bench.xrd.whole import WholeFit
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import with_error


@dataclass(frozen=True, slots=True)
class Miss:
    """By how much fits miss for the shape of dots: mean, which is taken off, and standard deviation, which is held.

    The misses of shapes are few and fixed, and no normal law: where 1.96 root mean squares about the mean do not hold 95 % of them, the
    standard deviation is the one that does. That of shifts, whose noise is as large, is the root mean square.
    """

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Shapes:
    """What dots' shapes do.

    Parameters
    ----------
    size, width, lattice : Miss
        Of sizes, relative; of lines' widths against each other, relative; of lines' places, over their widths.
    axis : Miss
        Of the places that give a second axis, over widths.
    shift : Miss
        Of the shift of all lines, over their width at small angles.
    """

    size: Miss
    width: Miss
    lattice: Miss
    axis: Miss = Miss(0.0, 0.0)
    shift: Miss = Miss(0.0, 0.0)


SMALL_NM, LARGE_NM = 2.4, 4.4
"""Sizes for which the misses stand: means of those of 2 and 2.8 nm, and of 3.8 and 5.2 nm, in the middle of their logarithms."""
SUM: Mapping[str, tuple[Shapes, Shapes]] = MappingProxyType(
    {
        "zinc blende": (
            Shapes(Miss(-0.0033, 0.0027), Miss(-0.0022, 0.0024), Miss(-0.0009, 0.0011)),
            Shapes(Miss(-0.0024, 0.0027), Miss(-0.001, 0.0017), Miss(-0.0004, 0.00089)),
        ),
        "rock salt": (
            Shapes(Miss(0.001, 0.006), Miss(0.0011, 0.0029), Miss(-0.0007, 0.0015)),
            Shapes(Miss(-0.0008, 0.0024), Miss(0.0003, 0.00054), Miss(-0.0005, 0.0012)),
        ),
        "other": (
            Shapes(Miss(0.0032, 0.0052), Miss(0.0022, 0.0055), Miss(0.0006, 0.0013)),
            Shapes(Miss(0.0015, 0.0034), Miss(-0.0003, 0.0015), Miss(0.0006, 0.0012)),
        ),
    }
)
"""By Debye's sum in patterns without noise, by structure, of small and of large dots: spheres, ellipsoids of 0.8 and 1.25, rounded
cubes and truncated octahedra. The accuracy table ``bench-xrd-shapes`` computes it."""
LINES: Mapping[str, tuple[Shapes, Shapes]] = MappingProxyType(
    {
        "zinc blende": (
            Shapes(Miss(-0.0073, 0.011), Miss(-0.0037, 0.006), Miss(0.0001, 0.0084), shift=Miss(-0.0031, 0.01)),
            Shapes(Miss(-0.0064, 0.0039), Miss(-0.0033, 0.0058), Miss(-0.0008, 0.0041), shift=Miss(-0.0023, 0.0046)),
        ),
        "rock salt": (
            Shapes(Miss(-0.0047, 0.0098), Miss(0.0025, 0.0055), Miss(0.0016, 0.0031), shift=Miss(-0.001, 0.0036)),
            Shapes(Miss(-0.0063, 0.0084), Miss(-0.0026, 0.0086), Miss(0.0019, 0.0023), shift=Miss(0.0015, 0.0025)),
        ),
        "other": (
            Shapes(
                Miss(-0.0061, 0.031),
                Miss(-0.0126, 0.05),
                Miss(0.0063, 0.0043),
                Miss(0.0078, 0.0094),
                Miss(0.0044, 0.0066),
            ),
            Shapes(
                Miss(-0.0009, 0.0017),
                Miss(0.001, 0.0034),
                Miss(0.0043, 0.0032),
                Miss(0.0052, 0.0049),
                Miss(0.0033, 0.0022),
            ),
        ),
    }
)
"""The same of lines: what they share where they lie near each other is not theirs alone."""
MOST_MISFIT = MappingProxyType({"sum": 0.0026, "lines": 0.0075})
"""Misfit of `misfit_of` that the shape of dots may leave by Debye's sum and by lines; at least half more than in that table."""


def shapes_of(found: LineFit | WholeFit, /) -> Shapes:
    """What shapes do to a fit. Of crystals so large that their lines stand apart, errors of zinc blende, and nothing is taken off."""
    kinds = SUM if isinstance(found, WholeFit) else LINES
    structure = phases()[found.phase].structure
    if _small(found):
        return between(kinds[structure if structure in kinds else "other"], SPHERE * _column_nm(found))
    own = kinds["zinc blende"][1]
    return Shapes(*(replace(one, mean=0.0) for one in (own.size, own.width, own.lattice, own.lattice, own.shift)))


def between(ends: tuple[Shapes, Shapes], size_nm: float, /) -> Shapes:
    """Misses at a size, between those of small and of large dots by the logarithm of the size."""
    share = math.log(max(size_nm, SMALL_NM) / SMALL_NM) / math.log(LARGE_NM / SMALL_NM)
    share = min(share, 1.0)

    def of(small: Miss, large: Miss) -> Miss:
        return Miss(*((1.0 - share) * a + share * b for a, b in ((small.mean, large.mean), (small.sd, large.sd))))

    return Shapes(*(of(getattr(ends[0], one.name), getattr(ends[1], one.name)) for one in fields(Shapes)))


def misfits(found: LineFit | WholeFit, /) -> bool:
    """A fit leaves more beyond noise than the shape of dots does."""
    return found.misfit > MOST_MISFIT["sum" if isinstance(found, WholeFit) else "lines"]


def _small(found: LineFit | WholeFit) -> bool:
    return isinstance(found, WholeFit) or 10.0 * found.column_nm.value < SPHERE_BELOW_A


def _held(found: LineFit | WholeFit, parameter: str, one: Estimate, miss: Miss, unit: float) -> Estimate:
    """An estimate that follows a parameter, with noise, and with what shapes do to it in multiples of a unit.

    A misfit that shapes leave is not held twice: their errors are those of fits with that very misfit, so that noise alone is added.
    Noise widened by the misfit stands where the misfit is another, or the crystal so large that none of the shapes was computed.
    """
    words, off, shape_sd = f"{one.method}, shape of the dots", miss.mean * unit, miss.sd * unit
    widened = found.fit[parameter].sd
    if not (_small(found) and not misfits(found) and widened > 0 and math.isfinite(one.high)):
        # where shape is seen, misfit is its doing
        misfit2 = one.sd**2 * (1.0 - 1.0 / found.widening**2)
        shape_sd = math.sqrt(max(shape_sd**2 - misfit2, 0.0)) if math.isfinite(misfit2) else shape_sd
        share = 1.0
    else:
        share = found.noise[parameter] / widened
    value = one.value - off
    low, high = (value + share * (end - one.value) for end in (one.low, one.high))
    return with_error(replace(one, value=value, sd=share * one.sd, low=low, high=high), shape_sd, words)


def size_of(found: LineFit | WholeFit, factor: float = SPHERE, /) -> Estimate:
    """Size in nm: by lines a factor times the column."""
    if isinstance(found, WholeFit):
        return _held(found, "diameter", found.size_nm, shapes_of(found).size, found.size_nm.value)
    return sphere_nm(column_of(found), factor)


def column_of(found: LineFit, /) -> Estimate:
    """Volume-weighted column by lines, in nm."""
    return _held(found, "breadth", found.true_column_nm, shapes_of(found).size, found.true_column_nm.value)


def shift_of(found: LineFit, recorded: Recorded, /) -> Estimate:
    """Shift of a pattern by lines, in deg of two theta, with by how much the dots' shape may move lines together."""
    unit = line_width_deg(_column_nm(found), recorded.beam.mean_a)
    return _held(found, "shift", found.shift_deg, shapes_of(found).shift, unit)


def lattice_of(found: LineFit | WholeFit, recorded: Recorded, parameter: str = "a", /) -> Estimate:
    """Lattice constant in A, with by how much the dots' shape may move lines."""
    one, shapes = found.fit[parameter], shapes_of(found)
    miss = shapes.axis if parameter == "c" else shapes.lattice
    return _held(found, parameter, one, miss, _ratio(found, recorded) * one.value)


def strain_with_shape(found: LineFit | WholeFit, recorded: Recorded, /) -> Estimate:
    """Root mean square strain, with what the dots' shape may pass for."""
    unit = shape_error(_ratio(found, recorded), relative_sd=1.0)
    return strain_of(_held(found, "strain2", found.fit["strain2"], shapes_of(found).width, unit))


def _column_nm(found: LineFit | WholeFit) -> float:
    return found.true_column_nm.value if isinstance(found, LineFit) else found.size_nm.value / SPHERE


def _ratio(found: LineFit | WholeFit, recorded: Recorded) -> float:
    return line_over_place(_column_nm(found), recorded.two_theta_deg, recorded.beam.mean_a)
