"""A study's courses, onsets, relations and the list of all its answers, on made animals."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from made_outcomes import GROUPS, outcome
from scipy import stats
from small_study import SETTINGS

from lampyris.core.analyses import Analyses
from lampyris.core.estimate import Estimate
from lampyris.core.lesions import Endpoints, OrganOnset
from lampyris.core.study import RunRecord, StudyResults
from lampyris.io.durable import canonical_json
from lampyris.io.settings import read_settings
from lampyris.statistics.multiplicity import holm
from lampyris.study.checks.run import comparison_checks
from lampyris.study.graph.codec import decode, encode
from lampyris.study.methods.statistics import StatisticsDone, statistics_done
from lampyris.study.statistics import course_over_time, onsets_by_organ, relations, study_statistics
from lampyris.study.statistics.family import adjusted_family
from lampyris.study.statistics.records import correlation_records, course_comparisons
from lampyris.study.statistics.relating import is_answer, within_arms
from lampyris.study.tables.analyses import analysis_tables

DAYS = (0.0, 7.0, 14.0)
INF = math.inf
NONE = Estimate.unknown(0.95, "1", "")


def number(value, low=None):
    return Estimate(value, 0.1, value / 2 if low is None else low, 2 * value, 0.95, "1", "")


def ends(burden, share, liver, lungs):
    """An animal's spread: cells on the last day, share left, and intervals of two organs."""
    onsets = (OrganOnset("liver", 0.9, *liver, 1e4), OrganOnset("lungs", 0.9, *lungs, 1e4))
    first = min(liver, lungs, key=lambda one: one[1])
    cells = (number(10.0),) * 2 + (number(burden),)
    return Endpoints(
        DAYS, onsets, cells, (False,) * 3, cells, (0, 1, 1), NONE, NONE, number(share), first, NONE, (), (), {}
    )


def animals(seed=3, count=5, limits=()):
    """Two arms whose light falls at different speed; `limits` names animals of which nothing is seen on the last day."""
    rng = np.random.default_rng(seed)
    made = []
    for arm, slope, came in (("targeted", -0.02, (0.0, 7.0)), ("dye", -0.08, (7.0, 14.0))):
        for k in range(count):
            start = 6 + 0.2 * rng.standard_normal()
            values = [10 ** (start + slope * day + 0.03 * rng.standard_normal()) for day in DAYS]
            name = f"{arm}{k}"
            one = outcome(name, arm, values, days=DAYS, below=(False, False, name in limits))
            share = values[-1] / values[0]
            later = (14.0, INF) if k else came
            made.append(replace(one, endpoints=ends(10 ** (start - 3), share, came, later)))
    return made


@pytest.fixture(scope="module")
def whole():
    weights = {one.animal: 20.0 + k for k, one in enumerate(animals())}
    return study_statistics(animals(), GROUPS, weights, study="made")


def test_the_course_is_compared_over_days():
    course = course_over_time(animals(), GROUPS)
    assert course.design.n == (5, 5) and course.design.within == ("day",) and course.design.rows == 30
    assert course.tests[0].p < 1e-6 and [one.role for one in course.tests[:3]] == ["primary", "beside", "beside"]
    assert len(course.means) == 6 and len(course.courses) == 10
    last = next(one for one in course.differences if one.day == 14.0)
    assert (last.a, last.b) == ("targeted", "dye")
    assert last.difference.low < 14 * 0.06 < last.difference.high


def test_limits_are_not_in_the_course_and_said():
    course = course_over_time(animals(limits=("dye0", "dye1")), GROUPS)
    assert course.design.rows == 28 and course.design.below_limit == (0, 2)
    assert "2 of 15 in dye" in course.notes[0] and "too high" in course.notes[0]
    assert sum(sum(one.below) for one in course.courses) == 2


def test_a_thin_or_dark_arm_is_not_fitted():
    thin = course_over_time(animals(count=2), GROUPS)
    assert thin.tests == () and "3 are the least" in thin.notes[1] and len(thin.courses) == 4
    dark = [replace(one, below_limit=(True,) * 3) if one.group == "dye" else one for one in animals()]
    assert "0 animals with measured values" in course_over_time(dark, GROUPS).notes[-1]
    faint = [replace(one, below_limit=(False, True, True)) if one.group == "dye" else one for one in animals()]
    assert "10 of 15 values are limits" in course_over_time(faint, GROUPS).notes[-1]
    assert course_over_time([replace(one, days=(0.0,)) for one in ()], GROUPS) is None


def test_onsets_are_intervals_with_holm_over_organs():
    found = onsets_by_organ(animals(), GROUPS, study="made")
    assert [one.event for one in found] == [
        "metastasis in any organ but the primary's", "metastasis in liver", "metastasis in lungs"
    ]  # fmt: skip
    assert all(one.censoring == "interval" for one in found)
    assert math.isnan(found[0].p_adjusted)
    p = [one.tests[0].p for one in found[1:]]
    assert [one.p_adjusted for one in found[1:]] == pytest.approx(holm(p))
    # every targeted animal came before every dye animal: 2 of all 252 arrangements are as far apart
    assert p[0] == pytest.approx(2 / 252)
    assert [arm.events for arm in found[2].arms] == [1, 1]


def test_an_organ_reached_on_day_0_has_its_interval():
    made = animals()
    made[0] = replace(made[0], endpoints=ends(1e3, 0.5, (-INF, 0.0), (14.0, INF)))
    liver = onsets_by_organ(made, GROUPS)[1]
    assert "Seen on day 0 in targeted0 (targeted)" in liver.notes[-1]
    assert liver.arms[0].events == 5


def test_thin_arms_have_an_onset_described_and_not_tested():
    third = {**GROUPS, "few": {"role": "labelled"}}
    few = [replace(one, animal=f"few{k}", group="few") for k, one in enumerate(animals(count=2)[:2])]
    first, *organs = onsets_by_organ([*animals(), *few], third)
    whole = onsets_by_organ(animals(), GROUPS)
    assert [arm.group for arm in first.arms] == ["targeted", "dye", "few"]
    assert first.design.groups == ("targeted", "dye") and first.design.n == (5, 5)
    assert "Described and not tested: few (2 animals, 3 are the least)." in first.notes
    # what is tested is what would be without that arm
    assert [one.tests[0].p for one in (first, *organs)] == [one.tests[0].p for one in whole]
    assert first.arms[0].median_within == (0.0, 7.0)
    thin = onsets_by_organ(animals(count=2), GROUPS)
    assert all(one.tests == () and math.isnan(one.p_adjusted) for one in thin)
    assert "two groups of 3 animals are needed, and none has them" in thin[0].notes[0]
    assert thin[0].design.n == (2, 2) and len(thin[0].arms) == 2


def test_nothing_followed_or_reached_has_no_onset():
    assert onsets_by_organ([outcome("a", "dye", (1e4, 1e4))], GROUPS) == ()
    never = [replace(one, endpoints=ends(1e3, 0.5, (14.0, INF), (14.0, INF))) for one in animals()]
    assert onsets_by_organ(never, GROUPS) == ()


def test_relations_are_within_arms_with_each_arm_described(whole):
    related = whole[1].relations
    answers = [one for one in related if is_answer(one)]
    assert [one.group for one in answers] == [""] * 3 and len(related) == 9
    assert [one.p_adjusted for one in answers] == pytest.approx(holm([one.tests[0].p for one in answers]))
    assert all(math.isnan(one.p_adjusted) and math.isnan(one.tests[0].p) for one in related if one.group)
    first = answers[0]
    x, y = within_arms(first.x_values, first.groups), within_arms(first.y_values, first.groups)
    r = stats.pearsonr(x, y).statistic
    assert first.r.value == pytest.approx(r)
    # one degree of freedom less than ten animals give, for the second arm's mean
    assert first.tests[0].df == (7.0,) and "whose leaving moves it most" in first.influence
    assert first.design.covariates == ("arm",)
    alone = next(one for one in related if one.group == "dye")
    assert alone.r.value == pytest.approx(stats.pearsonr(alone.x_values, alone.y_values).statistic)


def test_limits_and_few_animals_are_left_out_of_relations():
    found = relations(animals(limits=("dye0",)), GROUPS, {f"dye{k}": 20.0 + k for k in range(5)})
    weight = [one for one in found if one.x == "weight (g)"]
    assert [(one.group, len(one.animals)) for one in weight] == [("dye", 4)] and is_answer(weight[0])
    assert [one.unit for one in weight[0].design.exclusions] == ["dye0"]
    assert relations(animals(count=2), GROUPS) == ()


def test_every_answer_is_listed_with_its_families(whole):
    comparisons, found = whole
    assert [one.endpoint.split(",")[0] for one in comparisons] == [
        "log10 total lesion flux on day 14", "log10 ratio of total lesion flux",
        "log10 labelled cells outside the primary on day 14",
        "log10 share of the primary's first signal that is left in the last session",
    ]  # fmt: skip
    assert [one.family for one in found.family] == ["endpoints"] * 6 + ["organs"] * 2 + ["relations"] * 3
    ends_p = holm([one.p for one in found.family[:6]])
    assert [one.p_family for one in found.family[:6]] == pytest.approx(ends_p)
    assert [one.p_all for one in found.family] == pytest.approx(holm([one.p for one in found.family]))
    assert [one.p_adjusted for one in comparisons] == pytest.approx(ends_p[:4])
    assert found.over_time[0].p_adjusted == pytest.approx(ends_p[4])
    flux = comparisons[0]
    assert flux.adjustment == "Holm over 6 endpoints"


def test_a_stated_primary_endpoint_goes_first():
    made = animals(seed=5)
    (flux, *_), found = study_statistics(made, GROUPS, primary="flux")
    assert flux.p_adjusted == flux.p and "Stated in advance" in flux.notes[-1]
    assert [one.primary for one in found.family].index(True) == 0
    assert all(one.p_family >= flux.p for one in found.family[:6])
    # an endpoint without a test cannot be a gate
    assert adjusted_family([math.nan, 0.01, 0.02], 0)[1:] == (0.02, 0.02)


def test_a_stated_primary_endpoint_that_was_not_tested_is_told():
    made = [replace(one, endpoints=None) for one in animals()]
    (flux, *_), _ = study_statistics(made, GROUPS, primary="persistence")
    assert flux.adjustment == "Holm over 3 endpoints"
    assert "stated in advance as primary (persistence) was not tested" in flux.notes[-1]


def test_every_result_names_lost_animals_and_lots():
    lost = [
        outcome("t9", "targeted", (), days=(), status="excluded", reason="died"),
        outcome("none9", "none", (), days=(), status="failed", reason="cut short"),
    ]
    blank = replace(animals()[0], animal="dye9", group="dye", endpoints=None)
    lots = {"targeted0": ["qd L1"], "targeted1": ["qd L2", "qd L1"], "dye0": ["dye D1"], "t9": ["qd L9"]}
    comparisons, found = study_statistics([*animals(), *lost, blank], GROUPS, lots=lots)
    results = [*comparisons, *found.over_time, *found.onsets, *(one for one in found.relations if not one.group)]
    assert len(results) == 4 + 1 + 3 + 2
    for one in results:
        assert one.design.lots == ("dye D1", "qd L1", "qd L2")
        assert [each.reason for each in one.design.exclusions if each.unit == "t9"] == ["died"]
        assert "none9" not in {each.unit for each in one.design.exclusions}
    # an animal without endpoints is no animal without metastasis
    assert all(one.design.exclusions[-1].unit == "dye9" and one.design.n == (5, 5) for one in found.onsets)
    cells = found.relations[0]
    assert {each.unit: each.reason for each in cells.design.exclusions} == {"t9": "died", "dye9": "a value is missing"}
    assert sum(cells.design.below_limit) == 0


def test_the_same_for_animals_in_any_order(whole):
    weights = {one.animal: 20.0 + k for k, one in enumerate(animals())}
    assert repr(study_statistics(animals()[::-1], GROUPS, weights, study="made")) == repr(whole)


def test_analyses_are_stored_and_read_back(whole):
    stored = json.loads(canonical_json(encode(whole[1])))
    assert repr(decode(Analyses, stored)) == repr(whole[1])


def test_a_stated_endpoint_repeats_no_analysis_of_images(tmp_path):
    (tmp_path / "study.toml").write_text(SETTINGS)
    plain = read_settings(tmp_path / "study.toml")
    (tmp_path / "study.toml").write_text(f'{SETTINGS}\n[analysis]\nprimary_endpoint = "ratio"\n')
    stated = read_settings(tmp_path / "study.toml")
    assert stated.analysis.primary_endpoint == "ratio" and stated.analysed() == plain.analysed()


def test_tables_hold_every_test_and_mean(whole):
    comparisons, found = whole
    record = RunRecord("", "", {}, {}, {}, "")
    results = StudyResults("", "", False, GROUPS, (), (), comparisons, (), (), record, analyses=found)
    tables = {name: columns for name, (columns, _, _) in analysis_tables(results).items()}
    tests = tables["tests"]
    answers = [k for k, family in enumerate(tests["family"]) if family]
    assert [tests["p"][k] for k in answers] == pytest.approx([one.p for one in found.family])
    assert {"primary", "assumption", "beside"} == set(tests["role"])
    assert tables["over_time"]["what"] == ["mean"] * 6 + ["difference"] * 3
    assert len(tables["relations"]["r"]) == 9 and set(tables["onset_curves"]["group"]) == {"targeted", "dye"}
    assert len(tables["onset_tests"]["event"]) == 2 * len(found.onsets)


def test_checks_of_a_reviewer_pass(whole):
    comparisons, found = whole
    records = correlation_records(found.relations)
    verdicts = comparison_checks([*comparisons, *course_comparisons(found.over_time)], correlations=records)
    said = {one.check: (str(one.outcome), one.seen) for one in verdicts if one.outcome == "fired"}
    assert said.keys() <= {"L08", "L12"}, said
    assert all(one.n == one.units for one in records)


def test_what_was_done_is_read_from_results(whole):
    assert statistics_done((), Analyses()) == StatisticsDone((), (), False, "", "", False, (), ())
    done = statistics_done(*whole)
    assert done.compared == ("flux", "ratio", "burden", "persistence")
    assert (done.course, done.onset, done.tests, done.limits) == ("tested", "tested", ("measured",), False)
    assert done.relations == ("beside", "within") and done.families == ("endpoints", "organs", "relations")
