"""Comparison of groups: a file per kind of test.

Every function takes one value per experimental unit (or mean, standard deviation and number of units).
"""

from lampyris.statistics.groups.compare import compare_groups, compare_summary
from lampyris.statistics.groups.effects import omega_squared
from lampyris.statistics.groups.multiplicity import holm
from lampyris.statistics.groups.plan import ComparisonPlan, Source
from lampyris.statistics.groups.samples import OmnibusTest, PairTest, why_no_test
from lampyris.statistics.groups.unequal import (
    games_howell,
    games_howell_from_summary,
    welch_anova,
    welch_anova_from_summary,
)

__all__ = [
    "ComparisonPlan",
    "OmnibusTest",
    "PairTest",
    "Source",
    "compare_groups",
    "compare_summary",
    "games_howell",
    "games_howell_from_summary",
    "holm",
    "omega_squared",
    "welch_anova",
    "welch_anova_from_summary",
    "why_no_test",
]
