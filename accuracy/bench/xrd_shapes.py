"""What dots that are no spheres do to fits of diffraction: patterns without noise, of four phases, all shapes and four sizes.

The package takes these misses for errors of the model (`lampyris.bench.xrd.shape_errors.SUM`, `LINES`, by structure) and takes their mean
off. They are computed here anew and laid beside what it takes: a miss may not be larger, but for the rounding of numbers of one digit.
Arms are Debye's sum of the whole pattern and pseudo-Voigt lines. What a fit leaves of the pattern may be no more than three quarters of
what is flagged.
"""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Figure, figure
from lampyris.bench.xrd.crystals import anodes, phases
from lampyris.bench.xrd.infer import (
    LineFit,
    Recorded,
    infer_lines,
    line_over_place,
    line_width_deg,
    shape_error,
    sphere_nm,
)
from lampyris.bench.xrd.match import match_phases
from lampyris.bench.xrd.pattern import Beam, Resolution
from lampyris.bench.xrd.shape_errors import LINES, MOST_MISFIT, SUM
from lampyris.bench.xrd.whole import WholeFit, infer_whole
from lampyris.core.seeds import seed_sequence
from lampyris.statistics.intervals import NORMAL_95
from lampyris.virtual.instruments.xrd import SHAPES, XrdTruth, expected_pattern

TABLE = "bench-xrd-shapes"
PHASES = {
    "zinc blende": ("CdTe zinc blende", "CdSe zinc blende", "InP zinc blende"),
    "rock salt": ("PbS rock salt",),
    "other": ("CdSe wurtzite",),
}
SIZES_NM = ((2.0, 2.8), (3.8, 5.2))
"""Small and large, as the package takes their misses."""
QUICK_SIZES_NM = ((2.4,),)
STRAIN = 0.003
MISSES = ("size", "width", "lattice", "axis", "shift")
# of numbers that are given with one digit
ROUNDED = 1.1


def tables(*, quick: bool = False) -> list[Figure]:
    """Misses of either fit by structure and size, and the largest misfits."""
    sizes = QUICK_SIZES_NM if quick else SIZES_NM
    lines: list[Figure] = []
    every = []
    for kind, names in PHASES.items():
        for end, own_sizes in enumerate(sizes):
            found = np.array([misses(*case) for case in itertools.product(names, SHAPES, own_sizes)])
            every.append(found)
            for fit, (word, kinds) in enumerate((("sum", SUM), ("lines", LINES))):
                arm = f"{word}, {kind}, {own_sizes[0]:g} nm or more"
                for k, name in enumerate(MISSES):
                    if np.isnan(found[:, fit, k]).any():
                        continue
                    taken, own = getattr(kinds[kind][end], name), found[:, fit, k]
                    mean = float(own.mean()) - taken.mean
                    lines.append(figure(TABLE, arm, f"{name}_mean_less_what_is_taken_off", mean, None, own.size))
                    rms = math.sqrt(float(np.mean((own - taken.mean) ** 2)))
                    most = None if quick else ROUNDED * taken.sd
                    lines.append(figure(TABLE, arm, f"{name}_rms", rms, None, own.size, at_most=most))
                    held = float(np.mean(np.abs(own - taken.mean) <= NORMAL_95 * ROUNDED * taken.sd))
                    least = None if quick else 0.9
                    lines.append(figure(TABLE, arm, f"{name}_held", held, None, own.size, at_least=least))
    pooled = np.concatenate(every)
    for fit, arm in enumerate(MOST_MISFIT):
        most = None if quick else 0.75 * MOST_MISFIT[arm]
        lines.append(
            figure(
                TABLE,
                arm,
                "largest_misfit",
                float(pooled[:, fit, len(MISSES)].max()),
                None,
                pooled.shape[0],
                at_most=most,
            )
        )
    return lines


def misses(phase: str, shape: str, size_nm: float, /) -> NDArray[np.float64]:
    """Of Debye's sum and of lines: relative miss of the size, of lines' widths, of places of either axis over widths, of the shift over
    the width at small angles, and misfit.

    Dims (fit, 6); NaN where there is no second axis, and of the sum's shift, of which nothing is told.
    """
    anode = anodes()["Cu"]
    beam = Beam((anode.alpha1.value, anode.alpha2.value), (1 / (1 + anode.ratio), anode.ratio / (1 + anode.ratio)))
    two_theta = np.arange(15.0, 85.0, 0.05)
    truth = XrdTruth(
        phase=phase, size_nm=size_nm, spread=0.12, strain=STRAIN, width_deg=0.1, peak_counts=1e5, background_counts=1e4,
        shape=shape,
    )  # fmt: skip
    rng = np.random.default_rng(seed_sequence("accuracy", TABLE, phase, shape, f"{size_nm:g}"))
    counts = expected_pattern(two_theta, truth, rng)
    recorded = Recorded(two_theta, counts, np.sqrt(counts), beam, Resolution(w=0.01, share=0.5), 0.05, 0.05)
    match = match_phases(two_theta, counts, recorded.sd, beam, recorded.resolution, (phase,))[0]
    whole, lines = infer_whole(recorded, match), infer_lines(recorded, match)
    column = 0.75 * size_nm
    ratio = line_over_place(column, two_theta, beam.mean_a)

    crystal = phases()[phase]

    def of(fit: WholeFit | LineFit, size: float) -> tuple[float, ...]:
        width = (fit.fit["strain2"].value - 1e4 * STRAIN**2) / shape_error(ratio, relative_sd=1.0)
        ends = [fit.fit[one].value if one in fit.fit.names else math.nan for one in ("a", "c")]
        places = [(own / crystal.lengths_a[axis] - 1.0) / ratio for own, axis in zip(ends, (0, 2), strict=True)]
        shift = fit.shift_deg.value / line_width_deg(column, beam.mean_a) if isinstance(fit, LineFit) else math.nan
        return size / size_nm - 1.0, width, *places, shift, fit.misfit

    return np.array([of(whole, whole.size_nm.value), of(lines, sphere_nm(lines.true_column_nm).value)])
