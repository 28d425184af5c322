"""Drug that a dot carries: how much is in it, and how it comes out.

In the order of use: `drug_loading`; `ReleaseProfile` holds a curve as measured; `fit_release` says which model holds;
`compare_profiles` gives f1 and f2, `compare_conditions` whether a condition such as pH triggers the release.
"""

from lampyris.probe.release.fits import ModelFit, ReleaseFits, fit_release
from lampyris.probe.release.loading import Loading, drug_loading
from lampyris.probe.release.models import EXPONENTS, MODELS, ReleaseModel, exponent_meaning, model_named
from lampyris.probe.release.profile import ReleaseProfile, TimeMean, time_means
from lampyris.probe.release.similarity import (
    Similarity,
    Trigger,
    compare_conditions,
    compare_profiles,
    difference_factor,
    similarity_factor,
)

__all__ = [
    "EXPONENTS",
    "MODELS",
    "Loading",
    "ModelFit",
    "ReleaseFits",
    "ReleaseModel",
    "ReleaseProfile",
    "Similarity",
    "TimeMean",
    "Trigger",
    "compare_conditions",
    "compare_profiles",
    "difference_factor",
    "drug_loading",
    "exponent_meaning",
    "fit_release",
    "model_named",
    "similarity_factor",
    "time_means",
]
