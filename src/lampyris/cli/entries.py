"""What verbs of tables share in their JSON: the design of an answer, and its tests."""

from typing import Any

from lampyris.core.design import Design, TestResult


def design_entry(design: Design | None, /) -> dict[str, Any] | None:
    """A design in JSON."""
    if design is None:
        return None
    return {
        "experimental_unit": design.experimental_unit,
        "groups": design.groups,
        "n": design.n,
        "rows": design.rows,
        "within": design.within,
        "nested": design.nested,
        "covariates": design.covariates,
        "below_limit": design.below_limit,
        "exclusions": [{"unit": one.unit, "group": one.group, "reason": one.reason} for one in design.exclusions],
        "sentence": design.sentence(),
    }


def test_entry(test: TestResult, /) -> dict[str, Any]:
    """A test in JSON."""
    return {
        "name": test.name,
        "symbol": test.symbol,
        "statistic": test.statistic,
        "df": test.df,
        "p": test.p,
        "null": test.null,
        "role": test.role,
        "note": test.note,
    }
