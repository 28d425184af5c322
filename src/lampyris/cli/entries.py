"""What verbs share in their JSON: estimates, the design of an answer, and its tests."""

from typing import Any, overload

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate


@overload
def estimate_entry(estimate: Estimate, /) -> dict[str, Any]: ...
@overload
def estimate_entry(estimate: Estimate | None, /) -> dict[str, Any] | None: ...
def estimate_entry(estimate: Estimate | None, /) -> dict[str, Any] | None:
    """An estimate in JSON, in an entry of its own."""
    if estimate is None:
        return None
    return {
        "value": estimate.value,
        "sd": estimate.sd,
        "low": estimate.low,
        "high": estimate.high,
        "level": estimate.level,
        "unit": estimate.unit,
        "method": estimate.method,
    }


def flat_entry(name: str, estimate: Estimate, /) -> dict[str, float]:
    """An estimate in JSON among other keys, each of which begins with its name."""
    return {
        name: estimate.value,
        f"{name}_sd": estimate.sd,
        f"{name}_low": estimate.low,
        f"{name}_high": estimate.high,
    }


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
