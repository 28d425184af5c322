"""Linear mixed models for days and nested regions, and repeated measures."""

from lampyris.statistics.mixed.compare import mixed_comparison
from lampyris.statistics.mixed.fixed import Covariate, Factor, FixedPart, fixed_part
from lampyris.statistics.mixed.model import MixedModel, fit_mixed_model, intraclass_correlations, random_term_tests
from lampyris.statistics.mixed.over_time import compare_over_time
from lampyris.statistics.mixed.profiles import profile_intervals
from lampyris.statistics.mixed.repeated import RepeatedEffect, RepeatedMeasures, repeated_measures
from lampyris.statistics.mixed.results import (
    Change,
    CoefficientTest,
    ColumnNames,
    DayContrast,
    LongitudinalComparison,
    MarginalMean,
    MixedComparison,
    Trace,
    VarianceComponent,
)
from lampyris.statistics.mixed.structure import RandomTerm, nested_labels

__all__ = [
    "Change",
    "CoefficientTest",
    "ColumnNames",
    "Covariate",
    "DayContrast",
    "Factor",
    "FixedPart",
    "LongitudinalComparison",
    "MarginalMean",
    "MixedComparison",
    "MixedModel",
    "RandomTerm",
    "RepeatedEffect",
    "RepeatedMeasures",
    "Trace",
    "VarianceComponent",
    "compare_over_time",
    "fit_mixed_model",
    "fixed_part",
    "intraclass_correlations",
    "mixed_comparison",
    "nested_labels",
    "profile_intervals",
    "random_term_tests",
    "repeated_measures",
]
