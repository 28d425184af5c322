"""Linear mixed models for days and nested regions, and repeated measures."""

from lampyris.statistics.mixed.compare import compare_over_time, mixed_comparison
from lampyris.statistics.mixed.results import (
    CoefficientTest,
    ColumnNames,
    DayContrast,
    LongitudinalComparison,
    MarginalMean,
    MixedComparison,
    Trace,
    VarianceComponent,
)

__all__ = [
    "CoefficientTest",
    "ColumnNames",
    "DayContrast",
    "LongitudinalComparison",
    "MarginalMean",
    "MixedComparison",
    "Trace",
    "VarianceComponent",
    "compare_over_time",
    "mixed_comparison",
]
