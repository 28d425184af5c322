"""Blinking of single dots: traces of counts to change points, levels, stays, and the laws of on and off times.

`predict_trace` and `variance_trace` give what a counter records of a dot that switches at known times; `infer_stays` finds the
stays from a trace by change points, `infer_law` their law by likelihood, and `stays_by_threshold` is the customary other way.
"""

from lampyris.bench.blinking.changes import Levels, change_points, cluster_levels
from lampyris.bench.blinking.laws import StayLaw, infer_law, stay_counts
from lampyris.bench.blinking.share import on_share
from lampyris.bench.blinking.stays import (
    Stays,
    beyond_photons,
    infer_stays,
    predict_trace,
    stays_by_threshold,
    variance_trace,
)

__all__ = [
    "Levels",
    "StayLaw",
    "Stays",
    "beyond_photons",
    "change_points",
    "cluster_levels",
    "infer_law",
    "infer_stays",
    "on_share",
    "predict_trace",
    "stay_counts",
    "stays_by_threshold",
    "variance_trace",
]
