"""The one fitting engine: least squares, Poisson likelihood, and likelihoods of the caller's own, with honest errors.

In the order of use: `Parameter` and `DataSet` (or `LogLikelihood`) state the problem; `fit_least_squares`, `fit_poisson` and
`fit_likelihood` solve it and give a `Fit`; `profile_interval`, `profile_rise`, `with_profiles` and
`derived` ask it further.
"""

from lampyris.statistics.fitting.derived import derived
from lampyris.statistics.fitting.fit import fit_least_squares, fit_likelihood, fit_poisson
from lampyris.statistics.fitting.problem import DataSet, LogLikelihood, Parameter
from lampyris.statistics.fitting.profile import profile_interval, profile_rise, with_profiles
from lampyris.statistics.fitting.result import ERROR_KINDS, FIT_FLAG_MEANING, Fit, FitFlag, Goodness

__all__ = [
    "ERROR_KINDS",
    "FIT_FLAG_MEANING",
    "DataSet",
    "Fit",
    "FitFlag",
    "Goodness",
    "LogLikelihood",
    "Parameter",
    "derived",
    "fit_least_squares",
    "fit_likelihood",
    "fit_poisson",
    "profile_interval",
    "profile_rise",
    "with_profiles",
]
