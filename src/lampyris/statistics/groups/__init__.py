"""Comparison of groups: a file per kind of test.

Every function takes one value per experimental unit (or mean, standard deviation and number of units); `compare_groups` makes
them from the rows of a table and refuses rows of one unit as replicates.
"""

from lampyris.statistics.explained import epsilon_squared, eta_squared, omega_squared
from lampyris.statistics.groups.assumptions import (
    Outlier,
    bartlett,
    bartlett_from_summary,
    levene,
    outliers,
    sd_ratio,
    shapiro_wilk,
)
from lampyris.statistics.groups.compare import compare_groups, compare_summary
from lampyris.statistics.groups.designs import compare_factorial
from lampyris.statistics.groups.effects import (
    geometric_mean_ratio,
    hedges_g,
    hedges_g_from_summary,
    mean_difference,
    mean_difference_from_summary,
    mean_ratio,
    mean_ratio_from_summary,
)
from lampyris.statistics.groups.equal import (
    dunnett,
    dunnett_from_summary,
    one_way_anova,
    one_way_anova_from_summary,
    tukey_kramer,
    tukey_kramer_from_summary,
)
from lampyris.statistics.groups.factorial import FactorialAnova, FactorTerm, SimpleEffect, factorial_anova
from lampyris.statistics.groups.overlap import cliffs_delta, superiority
from lampyris.statistics.groups.paired import PairedTest, paired_t, wilcoxon_signed_rank
from lampyris.statistics.groups.plan import ComparisonPlan, Source
from lampyris.statistics.groups.ranks import dunn, kruskal_wallis, mann_whitney
from lampyris.statistics.groups.samples import OmnibusTest, PairTest, why_no_test
from lampyris.statistics.groups.unequal import (
    dunnett_unequal,
    dunnett_unequal_from_summary,
    games_howell,
    games_howell_from_summary,
    welch_anova,
    welch_anova_from_summary,
)
from lampyris.statistics.multiplicity import (
    adjust_endpoints,
    benjamini_hochberg,
    compact_letters,
    hochberg,
    holm,
)

__all__ = [
    "ComparisonPlan",
    "FactorTerm",
    "FactorialAnova",
    "OmnibusTest",
    "Outlier",
    "PairTest",
    "PairedTest",
    "SimpleEffect",
    "Source",
    "adjust_endpoints",
    "bartlett",
    "bartlett_from_summary",
    "benjamini_hochberg",
    "cliffs_delta",
    "compact_letters",
    "compare_factorial",
    "compare_groups",
    "compare_summary",
    "dunn",
    "dunnett",
    "dunnett_from_summary",
    "dunnett_unequal",
    "dunnett_unequal_from_summary",
    "epsilon_squared",
    "eta_squared",
    "factorial_anova",
    "games_howell",
    "games_howell_from_summary",
    "geometric_mean_ratio",
    "hedges_g",
    "hedges_g_from_summary",
    "hochberg",
    "holm",
    "kruskal_wallis",
    "levene",
    "mann_whitney",
    "mean_difference",
    "mean_difference_from_summary",
    "mean_ratio",
    "mean_ratio_from_summary",
    "omega_squared",
    "one_way_anova",
    "one_way_anova_from_summary",
    "outliers",
    "paired_t",
    "sd_ratio",
    "shapiro_wilk",
    "superiority",
    "tukey_kramer",
    "tukey_kramer_from_summary",
    "welch_anova",
    "welch_anova_from_summary",
    "why_no_test",
    "wilcoxon_signed_rank",
]
