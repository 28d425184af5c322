"""Infrared spectra: `predict_bands` and `variance_absorbance` give what an instrument records of bands, `infer_bands` finds them.

`assignments` names what a band may be of from a cited table, `height_at` and `ratio_of` say what an exchange of ligands changed, and
`misshapen` and `lopsided` whether bands have the shape that was fitted, and whether that is the same to both sides.
"""

from lampyris.bench.ftir.assignments import Assignment, assignments, binding_modes
from lampyris.bench.ftir.band_shapes import lopsided, misshapen
from lampyris.bench.ftir.bands import (
    MOST_CANDIDATES,
    SHAPE_FLOOR,
    Band,
    BandFit,
    absorbance,
    band_area,
    infer_bands,
    variance_absorbance,
)
from lampyris.bench.ftir.baseline import noise_sd, penalised_baseline, rubber_band, smooth_line
from lampyris.bench.ftir.exchange import height_at, ratio_of
from lampyris.bench.ftir.group import predict_bands

__all__ = [
    "MOST_CANDIDATES",
    "SHAPE_FLOOR",
    "Assignment",
    "Band",
    "BandFit",
    "absorbance",
    "assignments",
    "band_area",
    "binding_modes",
    "height_at",
    "infer_bands",
    "lopsided",
    "misshapen",
    "noise_sd",
    "penalised_baseline",
    "predict_bands",
    "ratio_of",
    "rubber_band",
    "smooth_line",
    "variance_absorbance",
]
