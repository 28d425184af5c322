"""Coverage levels in print: each interval's own, and the study's where the page derives one itself."""

import dataclasses
import math
import re
from typing import Any

import pytest

from lampyris.core.estimate import Estimate
from lampyris.core.study import StudyResults
from lampyris.report.arms import arms_of
from lampyris.report.headline import headline
from lampyris.report.levels import interval_level, level_text, with_level
from lampyris.report.render import render_report


def at_level(value: Any, level: float) -> Any:
    """Copy of nested results with every estimate's level replaced."""
    if isinstance(value, Estimate):
        return dataclasses.replace(value, level=level)
    if isinstance(value, tuple):
        return tuple(at_level(item, level) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{f.name: at_level(getattr(value, f.name), level) for f in dataclasses.fields(value)}
        )
    return value


def with_options(study: StudyResults, options: dict[str, Any]) -> StudyResults:
    return dataclasses.replace(study, record=dataclasses.replace(study.record, options=options))


@pytest.fixture(scope="module")
def study_at_80(small_study: StudyResults) -> StudyResults:
    return with_options(at_level(small_study, 0.8), {"analysis": {"interval_level": 0.8}})


@pytest.mark.parametrize(
    ("options", "level"),
    [({}, 0.95), ({"analysis": {}}, 0.95), ({"analysis": None}, 0.95), ({"analysis": {"interval_level": 0.9}}, 0.9)],
)
def test_level_comes_from_the_record(small_study: StudyResults, options: dict[str, Any], level: float) -> None:
    assert interval_level(with_options(small_study, options)) == level


def test_every_level_that_occurs_is_named() -> None:
    low, high = (Estimate(1.0, 0.1, 0.8, 1.2, level, "1", "test") for level in (0.9, 0.99))
    assert level_text([high, low, high]) == "90\u00a0% and 99\u00a0%"
    assert with_level("Mean", [low]) == "Mean (90\u00a0% interval)" and with_level("Mean", []) == "Mean"


def test_shares_are_exact_at_the_level_of_the_study(study_at_80: StudyResults) -> None:
    lines = [sentence.text for sentence in headline(study_at_80, arms_of(study_at_80))]
    control = next(line for line in lines if line.startswith("Unlabelled controls") and "none of 2" in line)
    # Clopper and Pearson: 0 of 2 at 80 % has the upper end 1 - 0.1 ** (1 / 2)
    assert f"80\u00a0% interval of the share 0.00–{1 - math.sqrt(0.1):.2f}" in control


def test_no_interval_of_another_level_is_claimed_on_the_page(study_at_80: StudyResults) -> None:
    page = render_report(study_at_80)["report.html"].decode()
    words = re.sub(r"<style>.*?</style>|<script.*?</script>", "", page, flags=re.S)
    assert not re.search(r"95\s%\s(interval|\d)", words)
    for claim in ("its 80 % interval (thick", "Mean (80 % interval)", "Difference (80 % interval)",
                  "intervals are 80 %", "median 80 % span",
                  "(80 % 0.31–0.79)"):  # fmt: skip
        assert claim in re.sub(r"\s", " ", words), claim
    assert re.search(r"geometric mean [^<]*\(80\s%\s", words) and re.search(
        r"dot: geometric mean [^<]*\(80\s%\s", words
    )
