"""Lifetimes from photon-counting decays: what a counter records of known lifetimes, and what a recording tells of unknown ones.

`predict_decay` and `variance_decay` give the counts per channel that a decay law makes behind a measured response;
`infer_decay` finds the law by Poisson likelihood through the same prediction, `phasor_of` looks at the decay without a law.
"""

from lampyris.bench.lifetime.beside import Beside, beside_of
from lampyris.bench.lifetime.inference import (
    DecayFit,
    background_over,
    fit_decay,
    infer_decay,
    laws_that_weigh,
    mean_over,
    shift_over,
)
from lampyris.bench.lifetime.model import Window
from lampyris.bench.lifetime.phasor import Phasor, averaged_phasor, phasor_of
from lampyris.bench.lifetime.prediction import DecayLaw, predict_decay, variance_decay
from lampyris.bench.lifetime.range import Range, pulse_at, range_of, saturated
from lampyris.bench.lifetime.response import Response, response_from_counts

__all__ = [
    "Beside",
    "DecayFit",
    "DecayLaw",
    "Phasor",
    "Range",
    "Response",
    "Window",
    "averaged_phasor",
    "background_over",
    "beside_of",
    "fit_decay",
    "infer_decay",
    "laws_that_weigh",
    "mean_over",
    "phasor_of",
    "predict_decay",
    "pulse_at",
    "range_of",
    "response_from_counts",
    "saturated",
    "shift_over",
    "variance_decay",
]
