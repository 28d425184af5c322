"""The tables of what was analysed: every test, courses over days, onsets per organ, relations."""

import math
from collections.abc import Iterator

from lampyris.core.analyses import Analyses, DayDifference, DayMean, OverTime, Relation, StudyTest
from lampyris.core.comparison import Comparison
from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.onset import OnsetArm, OnsetResult
from lampyris.core.study import StudyResults
from lampyris.study.tables.columns import Cell, Table, columns, estimate_cells

_NAN = math.nan


def analysis_tables(results: StudyResults, /) -> dict[str, Table]:
    """Lay the analyses out, with the columns and units of `lampyris.study.tables.study.study_tables`."""
    found = results.analyses
    return {
        "tests": columns(_tests(results), _test("", "", _TEST, _ANSWER)),
        "over_time": columns(_over_time(found), _mean(_COURSE, DayMean("", 0.0, 0, _UNKNOWN))),
        "onset_tests": columns(_onset_tests(found), _onset_test(_ONSET, _TEST)),
        "onset_curves": columns(_onset_curves(found), _curve(_ONSET, _ARM, 0.0, _UNKNOWN, 0)),
        "relations": columns((_relation(one) for one in found.relations), _relation(_RELATION)),
    }


def _tests(results: StudyResults) -> Iterator[list[Cell]]:
    """Every test that was made: the answer of each question first, then what stands beside it."""
    listed = {one.question: one for one in results.analyses.family}
    for question, about, tests in _questions(results):
        for test in tests:
            primary = test is tests[0] and test.role == "primary"
            yield _test(question, about, test, listed.get(question, _ANSWER) if primary else _ANSWER)


def _questions(results: StudyResults) -> Iterator[tuple[str, str, tuple[TestResult, ...]]]:
    for comparison in results.comparisons:
        yield comparison.endpoint, _sentence(comparison.design), comparison.tests or _bare(comparison)
    for course in results.analyses.over_time:
        yield f"{course.endpoint}: arm by day", course.design.sentence(), course.tests
    for onset in results.analyses.onsets:
        yield f"onset of {onset.event}", onset.design.sentence(), onset.tests
    for relation in results.analyses.relations:
        if relation.tests[0].role != "primary":
            continue
        yield relation.name, relation.design.sentence(), relation.tests


def _sentence(design: Design | None) -> str:
    return design.sentence() if design is not None else ""


def _bare(comparison: Comparison) -> tuple[TestResult, ...]:
    """The test of a comparison of an older version."""
    if not comparison.test:
        return ()
    df = tuple(one for one in (comparison.df1, comparison.df2) if not math.isnan(one))
    return (TestResult(comparison.test, "", comparison.statistic, df, comparison.p),)


def _test(question: str, design: str, test: TestResult, answer: StudyTest) -> list[Cell]:
    df = (*test.df, _NAN, _NAN)
    return [
        ("question", "", question),
        ("family", "", answer.family),
        ("role", "", test.role),
        ("test", "", test.name),
        ("symbol", "", test.symbol),
        ("statistic", "1", test.statistic),
        ("df1", "1", df[0]),
        ("df2", "1", df[1]),
        ("p", "1", test.p),
        ("p_family", "1", answer.p_family),
        ("p_all", "1", answer.p_all),
        ("stated_primary", "", answer.primary),
        ("null", "", test.null),
        ("note", "", test.note),
        ("design", "", design),
    ]


def _over_time(found: Analyses) -> Iterator[list[Cell]]:
    for course in found.over_time:
        for mean in course.means:
            yield _mean(course, mean)
        for difference in course.differences:
            yield _difference(course, difference)


def _mean(course: OverTime, mean: DayMean) -> list[Cell]:
    # a mean is told as a difference from nothing: in the same columns, without a p
    return _row(course, "mean", mean.n, DayDifference(mean.group, "", mean.day, mean.mean, _NAN, _NAN, ""))


def _difference(course: OverTime, one: DayDifference) -> list[Cell]:
    return _row(course, "difference", None, one)


def _row(course: OverTime, what: str, n: int | None, one: DayDifference) -> list[Cell]:
    return [
        ("endpoint", "", course.endpoint),
        ("unit", "", course.unit),
        ("what", "", what),
        ("a", "", one.a),
        ("b", "", one.b),
        ("day", "d", one.day),
        ("n", "", n),
        *estimate_cells("value", "", one.difference),
        ("p_alone", "1", one.p_alone),
        ("p", "1", one.p),
        ("method", "", one.method),
        ("model", "", course.model),
    ]


def _onset_tests(found: Analyses) -> Iterator[list[Cell]]:
    for onset in found.onsets:
        for test in onset.tests:
            yield _onset_test(onset, test)


def _onset_test(onset: OnsetResult, test: TestResult) -> list[Cell]:
    df = (*test.df, _NAN)
    return [
        ("event", "", onset.event),
        ("role", "", test.role),
        ("test", "", test.name),
        ("statistic", "1", test.statistic),
        ("df1", "1", df[0]),
        ("p", "1", test.p),
        ("p_adjusted", "1", onset.p_adjusted if test.role == "primary" else _NAN),
        ("censoring", "", onset.censoring),
        ("design", "", onset.design.sentence()),
        ("notes", "", " ".join(onset.notes)),
    ]


def _onset_curves(found: Analyses) -> Iterator[list[Cell]]:
    for onset in found.onsets:
        for arm in onset.arms:
            for day, free, at_risk in zip(arm.days, arm.free, arm.at_risk, strict=True):
                yield _curve(onset, arm, day, free, at_risk)


def _curve(onset: OnsetResult, arm: OnsetArm, day: float, free: Estimate, at_risk: int) -> list[Cell]:
    return [
        ("event", "", onset.event),
        ("group", "", arm.group),
        ("n", "", arm.n),
        ("events", "", arm.events),
        ("day", "d", day),
        *estimate_cells("free", "1", free),
        ("at_risk", "", at_risk),
        *estimate_cells("median", "d", arm.median),
        ("median_after", "d", arm.median_within[0] if arm.median_within else _NAN),
        ("median_by", "d", arm.median_within[1] if arm.median_within else _NAN),
    ]


def _relation(one: Relation) -> list[Cell]:
    test = one.tests[0]
    return [
        ("x", "", one.x),
        ("y", "", one.y),
        ("group", "", one.group),
        ("n", "", len(one.animals)),
        *estimate_cells("r", "1", one.r),
        ("p", "1", test.p),
        ("p_adjusted", "1", one.p_adjusted),
        ("role", "", test.role),
        ("test", "", test.name),
        ("left_out", "", sum(one.design.below_limit)),
        ("influence", "", one.influence),
        ("notes", "", " ".join(one.notes)),
    ]


# one of each, to know the columns of a table without rows
_UNKNOWN = Estimate.unknown(0.95, "1", "")
_TEST = TestResult("", "", _NAN, (), _NAN)
_ANSWER = StudyTest("", "", "", _NAN, _NAN, _NAN)
_DESIGN = Design("animal", (), (0,))
_COURSE = OverTime("", "", "", _DESIGN)
_ONSET = OnsetResult("", "d", "", (), (), (), _DESIGN)
_ARM = OnsetArm("", 0, 0, 0, (), (), (), _UNKNOWN, _UNKNOWN)
_RELATION = Relation("", "", "", _UNKNOWN, (_TEST,), _NAN, (), (), (), (), "", _DESIGN)
