"""Each of the 25 methods checks: cases in which it fires, each one change of a sound study, and that study, in which none fires."""

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from check_cases import FIRES, TEN
from faults import A1_D00, rewrite, sheet
from faults import animals as animals_sheet
from silent_cases import SILENT
from sound_study import (
    comparison,
    correlation,
    sound,
)

from lampyris.core.checks import Basis, Outcome
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.relations.correlation import partial_correlation
from lampyris.study.check import check_study
from lampyris.study.checks.evidence import Evidence
from lampyris.study.checks.numbers import largest_percent_sd
from lampyris.study.checks.run import CHECKS, OF_COMPARISONS, after_analysis, comparison_checks, methods_checks
from lampyris.study.checks.table import WHEN, check_rules
from lampyris.study.checks.tests_made import _pearson


def drop_dark(study):
    """The first image has no dark frame."""
    text = (study / "samplesheet.csv").read_text()
    (study / "samplesheet.csv").write_text(text.replace(",raw/dark.ome.tif,", ",,", 1))


def of(case, evidence):
    (verdict,) = methods_checks(evidence, only=[case.check])
    return verdict


def named(cases):
    return {"argvalues": cases, "ids": [f"{case.check}-{case.name.replace(' ', '-')}" for case in cases]}


@pytest.mark.parametrize("case", **named(FIRES))
def test_it_fires(case):
    verdict = of(case, case.evidence())
    assert (verdict.outcome, verdict.severity) == (Outcome.FIRED, case.severity), verdict.seen
    assert any(case.says in str(finding) for finding in verdict.findings), [str(one) for one in verdict.findings]
    assert verdict.mend and verdict.why and verdict.source


@pytest.mark.parametrize("case", **named(SILENT))
def test_it_stays_silent(case):
    verdict = of(case, case.evidence())
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ()), verdict.seen
    assert case.says in verdict.seen


def test_a_sound_study_passes_every_check():
    verdicts = methods_checks(sound())
    assert [verdict.check for verdict in verdicts] == list(CHECKS)
    # what is not there cannot be biased: no region was drawn by hand
    assert {v.check for v in verdicts if v.outcome is not Outcome.PASSED} == {"L13"}, [
        (v.check, v.seen) for v in verdicts if v.outcome is not Outcome.PASSED
    ]


def test_every_check_has_a_case_that_fires():
    assert {case.check for case in FIRES} == set(CHECKS)


def test_no_check_says_worse_than_its_rule():
    rank = ["note", "warning", "error"]
    worst = {rule.id: rank.index(rule.severity) for rule in check_rules()}
    assert all(rank.index(case.severity) <= worst[case.check] for case in FIRES)
    reached = {case.check: max(rank.index(one.severity) for one in FIRES if one.check == case.check) for case in FIRES}
    assert reached == worst


def test_every_check_gives_one_verdict_whatever_is_there():
    for evidence in (Evidence(), sound(analysed=False, headers=None), sound(listed=(), rows=())):
        verdicts = methods_checks(evidence)
        assert [verdict.check for verdict in verdicts] == list(CHECKS)
        assert all(verdict.seen for verdict in verdicts)
    assert {verdict.outcome for verdict in methods_checks(Evidence())} == {Outcome.NOT_APPLICABLE}


def test_faulty_sheets_are_not_judged():
    evidence = sound(analysed=False, sheets={"standards": ()})
    faulty = replace(evidence, sheets=replace(evidence.sheets, whole=False))
    for verdict in methods_checks(faulty, only=["L03", "L13", "L15", "L16", "L17"]):
        assert verdict.outcome is Outcome.NOT_APPLICABLE and "faults" in verdict.seen


@pytest.mark.parametrize(
    ("change", "rule", "check"),
    [
        (drop_dark, "header.no-dark", "L02"),
        (rewrite(A1_D00, exposure=3.0), "header.exposure", "L03"),
        (animals_sheet("c1,tail vein,,,", "c1,tail vein,yes,,"), "animals.exclusion-reason", "L16"),
        (sheet("a1,d07,7,2026-03-09", "a1,d07,7,2026-02-09", 2), "sheet.date-order", "L25"),
    ],
    ids=["no-dark", "exposure", "exclusion", "date"],
)
def test_what_another_rule_found_is_taken_up_under_its_own_name(small_study, change, rule, check):
    change(small_study)
    checked = check_study(small_study)
    assert rule in {finding.rule for finding in checked.findings}
    assert len(set(checked.findings)) == len(checked.findings)
    (verdict,) = [one for one in checked.checks if one.check == check]
    assert verdict.outcome is Outcome.FIRED and rule in {finding.rule for finding in verdict.findings}


def test_what_the_analysis_adds_replaces_what_was_said_before():
    before = methods_checks(
        sound(
            analysed=False, findings=(Finding("image.saturated", Severity.WARNING, Place("a"), "off the animal.", "m"),)
        )
    )
    after = after_analysis(before, sound(headers=None, comparisons=(comparison(values=(TEN, TEN)),)))
    then = {verdict.check: (a.outcome, verdict.outcome) for a, verdict in zip(before, after, strict=True)}
    assert then["L01"] == (Outcome.FIRED, Outcome.PASSED)
    assert then["L04"] == (Outcome.NOT_APPLICABLE, Outcome.FIRED)
    none = {verdict.check: verdict.seen for verdict in after_analysis(before, sound(headers=None, comparisons=()))}
    assert none["L06"] == "nothing was compared."
    # images are not opened again: what they said stands
    assert then["L02"] == (Outcome.PASSED, Outcome.PASSED)


def test_a_comparison_can_be_checked_alone():
    verdicts = comparison_checks([comparison(values=(TEN, TEN))], correlations=[correlation()])
    assert [verdict.check for verdict in verdicts] == list(OF_COMPARISONS)
    assert [verdict.check for verdict in verdicts if verdict.outcome is Outcome.FIRED] == ["L04"]


def test_the_table_is_complete_and_cites_its_sources():
    rules = check_rules()
    assert [rule.id for rule in rules] == [f"L{number:02d}" for number in range(1, 26)] == list(CHECKS)
    assert {rule.basis for rule in rules} == set(Basis)
    for rule in rules:
        assert all((rule.title, rule.what, rule.threshold, rule.why, rule.mend, rule.sources, rule.when)), rule.id
        assert set(rule.when) <= set(WHEN)
    cited = [source for rule in rules for source in rule.sources]
    # a DOI as its registry writes it, not a link
    assert all(re.search(r"doi:10\.\d{4,5}/\S+", source) for source in cited if "doi" in source)


def test_no_sample_of_shares_spreads_more_than_the_bound():
    """All samples of three to five values of 0, 50 and 100 per cent; the bound is met where they are 0 and 100."""
    met = 0
    for n in (2, 3, 4, 5):
        for values in itertools.combinations_with_replacement((0.0, 50.0, 100.0), n):
            sd, most = float(np.std(values, ddof=1)), largest_percent_sd(float(np.mean(values)), n)
            # rounding of sums of a few terms
            assert sd <= most + 1e-9
            met += math.isclose(sd, most, abs_tol=1e-9) and sd > 0
    assert met == 1 + 2 + 3 + 4
    assert math.isnan(largest_percent_sd(101.0, 3))


def test_leaving_one_out_within_groups_has_the_degrees_of_freedom_of_the_test():
    rng = np.random.default_rng(5)
    groups = tuple("aaaabbbbcccc")
    x = rng.normal(size=12) + 3.0 * np.repeat([0.0, 1.0, 2.0], 4)
    y = 0.55 * (x - 3.0 * np.repeat([0.0, 1.0, 2.0], 4)) + rng.normal(size=12)
    rows = list(zip(x.tolist(), y.tolist(), groups, strict=True))
    r, p = _pearson(rows)
    members = np.array([[float(one == name) for name in "bc"] for one in groups])
    expected = partial_correlation(x, y, members)
    assert r == pytest.approx(expected.r.value, rel=1e-9) and p == pytest.approx(expected.tests[0].p, rel=1e-9)
    # means are taken anew without the pair, and a group of one pair tells nothing
    assert _pearson([*rows, (1.0, 2.0, "d")]) == pytest.approx((r, p), rel=1e-12)
    assert _pearson([(1.0, 2.0, "a"), (2.0, 3.0, "a")])[1] == 1.0
