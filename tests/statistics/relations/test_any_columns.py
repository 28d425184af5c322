"""Every relation on columns of any kind: a result, or a ValueError that says why; never a warning, a NaN interval or a crash."""

import numpy as np
import pytest

from lampyris.statistics.relations.bland_altman import bland_altman
from lampyris.statistics.relations.calls import sensitivity_specificity
from lampyris.statistics.relations.concordance import concordance, intraclass
from lampyris.statistics.relations.correlation import correlate, kendall, partial_correlation, pearson, spearman
from lampyris.statistics.relations.equivalence import equivalence_paired, equivalence_welch
from lampyris.statistics.relations.kappa import cohen_kappa
from lampyris.statistics.relations.regression import deming_line, lines_beside, york_relation
from lampyris.statistics.relations.roc import compare_auc, roc

KINDS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "few whole numbers": lambda rng, n: rng.integers(0, 3, n),
    "tiny": lambda rng, n: 1e-50 * rng.normal(size=n),
    "huge": lambda rng, n: 1e50 * rng.normal(size=n),
    "equal": lambda rng, n: np.full(n, 0.1),
    "equal but for rounding": lambda rng, n: 1e8 + 1e-8 * rng.normal(size=n),
    "one alone varies": lambda rng, n: np.eye(n)[-1],
    "many decades": lambda rng, n: np.exp(rng.normal(0, 20, n)),
    "in order": lambda rng, n: np.arange(n),
}
RELATIONS = {
    "pearson": lambda x, y, s, t: pearson(x, y),
    "spearman": lambda x, y, s, t: spearman(x, y),
    "kendall": lambda x, y, s, t: kendall(x, y),
    "repeated": lambda x, y, s, t: correlate(x, y, subject=s),
    "means": lambda x, y, s, t: correlate(x, y, subject=s, of_means=True),
    "partial": lambda x, y, s, t: partial_correlation(x, y, s),
    "limits": lambda x, y, s, t: bland_altman(x, y),
    "limits of repeats": lambda x, y, s, t: bland_altman(x, y, subject=s),
    "limits of ratios": lambda x, y, s, t: bland_altman(np.abs(x) + 1e-3, np.abs(y) + 1e-3, scale="ratio"),
    "concordance": lambda x, y, s, t: concordance(x, y),
    "concordance of repeats": lambda x, y, s, t: concordance(x, y, subject=s),
    "icc": lambda x, y, s, t: intraclass(np.column_stack([x, y])),
    "kappa": lambda x, y, s, t: cohen_kappa(s, t, weights="linear"),
    "kappa of clusters": lambda x, y, s, t: cohen_kappa(s % 2, t, cluster=s),
    "deming": lambda x, y, s, t: deming_line(x, y),
    "york": lambda x, y, s, t: york_relation(x, y, np.abs(y), s),
    "lines": lambda x, y, s, t: lines_beside(x, y),
    "roc": lambda x, y, s, t: roc(x, t),
    "roc of clusters": lambda x, y, s, t: roc(x, t, cluster=s),
    "two areas": lambda x, y, s, t: compare_auc(x, y, t, cluster=s),
    "calls": lambda x, y, s, t: sensitivity_specificity(s % 2, t, cluster=s),
    "equivalence": lambda x, y, s, t: equivalence_welch(x, y, margin=1.0),
    "equivalence of ratios": lambda x, y, s, t: equivalence_welch(x, y, margin=1.25, scale="ratio"),
    "equivalence of pairs": lambda x, y, s, t: equivalence_paired(x, y, margin=1.0),
}
# what arithmetic says where nobody looked first
UNTOLD = ("math domain", "does not hold", "shape mismatch", "operands", "f(a) and f(b)", "convert")


@pytest.mark.parametrize("name", RELATIONS)
def test_columns_of_any_kind(name):
    rng = np.random.default_rng(1)
    answered = 0
    for one in KINDS.values():
        for other in KINDS.values():
            n = int(rng.integers(1, 14))
            x, y = one(rng, n), other(rng, n)
            try:
                answered += RELATIONS[name](x, y, rng.integers(0, n // 2 + 1, n), rng.integers(0, 2, n)) is not None
            except ValueError as error:
                assert not any(words in str(error) for words in UNTOLD), str(error)
    # most columns that vary do have an answer
    assert answered > 8
