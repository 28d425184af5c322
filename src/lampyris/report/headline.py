"""What happened and how sure we are: one sentence per finding, each with its interval."""

import math
import statistics
from dataclasses import dataclass

from lampyris.core.comparison import Comparison, PairDifference
from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Severity
from lampyris.core.results import DetectionLimit
from lampyris.core.study import AnimalOutcome, StudyResults, ViewResult
from lampyris.report.arms import Arm
from lampyris.report.identities import animals_done, is_tumour
from lampyris.report.levels import interval_level, level_text
from lampyris.report.limits import probe_carried, probe_title
from lampyris.report.numbers import day_text, ends_text, median_range_text, number, p_text, share_text, unit_text
from lampyris.report.spread.bodymap import ELSEWHERE
from lampyris.report.spread.reach import ANY, arm_reach, reached_text
from lampyris.statistics.intervals import clopper_pearson_interval


@dataclass(frozen=True, slots=True)
class Sentence:
    """A line of the headline.

    Parameters
    ----------
    text : str
        The sentence.
    items : tuple of str
        A list below it, in few words each.
    rest : str
        What closes the list; empty for nothing.
    arm : int
        Colour class of the arm it speaks of, -1 for none.
    action : bool
        Something needs doing: printed in red.
    target : str
        Section that tells more.
    """

    text: str
    items: tuple[str, ...] = ()
    rest: str = ""
    arm: int = -1
    action: bool = False
    target: str = ""


def joined(parts: list[str], /) -> str:
    """Words joined with commas and "and"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def at_a_glance(results: StudyResults, arms: dict[str, Arm], /) -> str:
    """Animals, arms, days and views in one sentence."""
    done = sum(outcome.status == "done" for outcome in results.outcomes)
    days = sorted({session.day for session in results.sessions})
    views = list(dict.fromkeys(view.view for session in results.sessions for view in session.views))
    counts = {key: sum(outcome.group == key for outcome in results.outcomes) for key in arms}
    arm_text = joined([f"{arms[key].title} ({counts[key]})" for key in arms if counts[key]])
    animals = f"{done} of {len(results.outcomes)} animals analysed" if results.outcomes else "No animals"
    text = f"{animals} in {sum(map(bool, counts.values()))} arms: {arm_text}." if arm_text else f"{animals}."
    if days:
        text += f" Imaged on {'day' if len(days) == 1 else 'days'} {joined([day_text(day) for day in days])}"
        text += f", {' and '.join(views)}." if views else "."
    return text


def _last_limits(results: StudyResults, animals: set[str]) -> list[tuple[str, DetectionLimit]]:
    """Limits of each animal's last session, with the key of the probe it carried ("" for none)."""
    last = {session.animal: session for session in results.sessions if session.animal in animals}
    return [
        (probe_carried(results, session), limit)
        for session in last.values()
        for view in session.views
        for limit in view.limits
    ]


def _limit_clause(results: StudyResults, animals: set[str]) -> str:
    limits = [item for item in _last_limits(results, animals) if math.isfinite(item[1].flux.value)]
    if not limits:
        return ""
    flux = median_range_text([limit.flux.value for _, limit in limits])
    text = f", where the limit on the last day was {flux} {unit_text(limits[0][1].flux.unit)} inside the outline"
    for probe in dict.fromkeys(probe for probe, _ in limits if probe):
        cells = [limit.cells.value for own, limit in limits if own == probe and math.isfinite(limit.cells.value)]
        if cells:
            text += f" or {median_range_text(cells)} cells labelled with {probe_title(results, probe)}"
    text += ", median and range over regions"
    # without a label there is no light per cell
    return text if any(probe for probe, _ in limits) else f"{text}; how many cells that is depends on the probe"


def _arm_sentence(results: StudyResults, arm: Arm, outcomes: list[AnimalOutcome]) -> Sentence:
    """How many animals of an arm showed a lesion, by when."""
    with_lesions = [outcome for outcome in outcomes if any(outcome.lesion_count)]
    share = clopper_pearson_interval(len(with_lesions), len(outcomes), level=interval_level(results))
    interval = f"({level_text([share])} interval of the share {share.low:.2f}–{share.high:.2f})"
    seen = share_text(len(with_lesions), len(outcomes))
    # a known control says so by its title; otherwise its role is told
    name = arm.title if arm.role != "control" or "control" in arm.title.lower() else f"{arm.title} (control)"
    if not with_lesions:
        clause = _limit_clause(results, {outcome.animal for outcome in outcomes})
        return Sentence(f"{name}: lesions seen in {seen} animals {interval}{clause}.", arm=arm.index, target="limits")
    first = [min(day for day, count in zip(o.days, o.lesion_count, strict=True) if count) for o in with_lesions]
    text = f"{name}: lesions seen in {seen} animals by day {day_text(max(first))} {interval}"
    if min(first) < max(first):
        text += f", the first on day {day_text(min(first))}"
    text += _spread_clause(outcomes, share.level)
    action = arm.role == "control"
    if action:
        text += "; signal in a control is a false alarm or a mix-up and needs a look"
    return Sentence(text + ".", arm=arm.index, action=action, target="films")


def _spread_clause(outcomes: list[AnimalOutcome], level: float) -> str:
    """In how many animals a second lesion was seen, and by when: the sign of spread."""
    second = [
        min(day for day, count in zip(outcome.days, outcome.lesion_count, strict=True) if count > 1)
        for outcome in outcomes
        if any(count > 1 for count in outcome.lesion_count)
    ]
    share = clopper_pearson_interval(len(second), len(outcomes), level=level)
    seen = share_text(len(second), len(outcomes))
    when = f" by day {day_text(max(second))}" if second else ""
    return f"; two or more at once in {seen}{when} ({level_text([share])} {share.low:.2f}–{share.high:.2f})"


def _organ_sentence(
    results: StudyResults, arms: dict[str, Arm], arm: Arm, outcomes: list[AnimalOutcome]
) -> Sentence | None:
    """Spread of an arm: in how many animals, to which organs, by when; what controls showed; what may be missed."""
    rows = arm_reach(results, arm.key)
    reached = [course for organ, course in rows.items() if organ != ANY and course.last.value > 0]
    if not reached or arm.role == "control":
        return None
    reached.sort(key=lambda course: (-course.last.value, course.final_day(), course.row.organ))
    spread = rows.get(ANY)
    seen = f" in {reached_text(spread, ' animals')}" if spread else ""
    text = f"{arm.title}: signal away from the primary{seen}{_control_clause(results, arms)}."
    items = tuple(f"{course.row.organ} {reached_text(course)}" for course in reached)
    missed = _missed_text(outcomes, {course.row.organ for course in reached})
    return Sentence(text, items, missed, arm.index, target="spread")


def _control_clause(results: StudyResults, arms: dict[str, Arm]) -> str:
    """In how many animals of the control arms any organ was reached."""
    parts: list[str] = []
    for key, arm in arms.items():
        course = arm_reach(results, key).get(ANY)
        if arm.role == "control" and course is not None:
            parts.append(f"{share_text(course.count(-1), course.observed[-1])} in {arm.title}")
    return f"; {joined(parts)}" if parts else ""


def _missed_text(outcomes: list[AnimalOutcome], reached: set[str]) -> str:
    """The limits in cells of the organs that no animal of the arm showed: the least and the most, with their organs."""
    limits: dict[str, list[float]] = {}
    for outcome in outcomes:
        for onset in outcome.endpoints.onsets if outcome.endpoints is not None else ():
            # what lies right under the skin is no organ, and its limit says nothing of one
            if onset.organ not in {*reached, ELSEWHERE} and math.isfinite(onset.limit_cells):
                limits.setdefault(onset.organ, []).append(onset.limit_cells)
    if not limits:
        return ""
    middle = sorted((statistics.median(cells), organ) for organ, cells in limits.items())
    ends = [f"{number(cells)} ({organ})" for cells, organ in (middle[0], middle[-1])]
    if number(middle[0][0]) == number(middle[-1][0]):
        ends = [number(middle[0][0])]
    text = f"In no other organ, where the limit on the last day was {' to '.join(ends)} labelled cells"
    return f"{text}, median of the animals."


def comparison_text(comparison: Comparison, /) -> str:
    """Test, degrees of freedom, exact p, effect size and unit of replication of a comparison.

    Parameters
    ----------
    comparison : Comparison
        One endpoint.

    Returns
    -------
    str
        A sentence without its final stop.
    """
    replication = _compared_units(comparison)
    if not comparison.test or math.isnan(comparison.p):
        return f"{comparison.endpoint}: no test could be made ({replication})"
    freedom = " and ".join(f"{df:.3g}" for df in (comparison.df1, comparison.df2) if not math.isnan(df))
    statistic = "" if math.isnan(comparison.statistic) else f" {number(comparison.statistic, digits=3)}"
    text = f"{comparison.endpoint}: {comparison.test}{statistic}" + (
        f" on {freedom} degrees of freedom" if freedom else ""
    )
    text += f", {p_text(comparison.p)}"
    if comparison.effect_size is not None and not math.isnan(comparison.effect_size.value):
        effect = comparison.effect_size
        text += f", {effect.method.split(',')[0]} {number(effect.value)} "
        text += f"({level_text([effect])} {number(effect.low)}–{number(effect.high)})"
    return f"{text} ({replication})"


def _comparison_sentence(comparison: Comparison, arms: dict[str, Arm]) -> Sentence:
    """The clearest difference of an endpoint first, then the test over all arms; the rest stands in its section."""
    if not comparison.test or math.isnan(comparison.p):
        return Sentence(_begun(comparison_text(comparison)) + ".", target="groups")
    over_all = f"{comparison.test}, {p_text(comparison.p)}{_adjusted_clause(comparison)}"
    known = [pair for pair in comparison.pairs if not math.isnan(pair.p)]
    text = f"{_begun(comparison.endpoint)}: "
    if known:
        pair = min(known, key=lambda pair: pair.p)
        by = f" ({comparison.post_hoc})" if comparison.post_hoc else ""
        text += f"{_pair_clause(comparison, pair, arms)}, {p_text(pair.p)}{by}; over all arms "
    return Sentence(f"{text}{over_all} ({_compared_units(comparison)}).", target="groups")


def _begun(text: str) -> str:
    """A sentence's begin: of logarithms the quantity itself, as differences are given as ratios."""
    text = text.removeprefix("log10 ")
    return text[:1].upper() + text[1:]


def _compared_units(comparison: Comparison) -> str:
    """What was replicated, and how often; arms that are only shown, not tested, do not count."""
    tested = {name for pair in comparison.pairs for name in (pair.a, pair.b)}
    sizes = joined([str(group.n) for group in comparison.groups if not tested or group.group in tested])
    return f"{comparison.experimental_unit} as the unit, n = {sizes}"


def _pair_clause(comparison: Comparison, pair: PairDifference, arms: dict[str, Arm]) -> str:
    """How far two arms lie apart: of logarithms as a ratio, which is easier to read."""
    d, (a, b) = pair.difference, (arms[pair.a].title, arms[pair.b].title)
    if comparison.endpoint.startswith("log10 "):
        if math.isnan(d.value):
            return _one_end(d, a, b)
        ends = f"{level_text([d])} {number(10**d.low)} to {number(10**d.high)}"
        return f"{a} {number(10**d.value)} times {b} ({ends})"
    if math.isnan(d.value):
        return f"{a} and {b}"
    ends = f"{level_text([d])} {number(d.low)} to {number(d.high)}"
    return f"{a} minus {b}: {number(d.value)} ({ends}) {unit_text(d.unit)}".rstrip()


def _one_end(d: Estimate, a: str, b: str) -> str:
    """Of an arm in which nothing was seen only one end is known."""
    if math.isfinite(d.low):
        return f"{a} more than {number(10**d.low)} times {b} ({level_text([d])})"
    if math.isfinite(d.high):
        return f"{a} less than {number(10**d.high)} times {b} ({level_text([d])})"
    return f"{a} and {b}"


def _adjusted_clause(comparison: Comparison) -> str:
    if math.isnan(comparison.p_adjusted):
        return ""
    return f", adjusted {p_text(comparison.p_adjusted)} ({comparison.adjustment})"


def _analysis_sentences(results: StudyResults) -> list[Sentence]:
    """Whether courses and onsets differ between the arms."""
    sentences = []
    for course in results.analyses.over_time:
        if course.tests:
            asked = _asked(course.tests[0], course.p_adjusted, course.design)
            sentences.append(
                Sentence(f"{_begun(course.endpoint)}, whether the arms' courses differ: {asked}.", target="curves")
            )
    first = next(iter(results.analyses.onsets), None)
    if first is not None and first.tests:
        listed = next((one.p_family for one in results.analyses.family if one.question.endswith(first.event)), math.nan)
        asked = _asked(first.tests[0], listed, first.design)
        sentences.append(Sentence(f"Onset of {first.event}, whether the arms differ: {asked}.", target="onset"))
    return sentences


def _asked(test: TestResult, adjusted: float, design: Design) -> str:
    also = f", adjusted {p_text(adjusted)}" if math.isfinite(adjusted) else ""
    units = f"{design.experimental_unit} as the unit, n = {joined([str(n) for n in design.n])}"
    return f"{test.name}, {p_text(test.p)}{also} ({units})"


def _action_sentences(results: StudyResults) -> list[Sentence]:
    """What needs action, else nothing."""
    sentences = []
    failed = [outcome for outcome in results.outcomes if outcome.status == "failed"]
    if failed:
        who = joined([outcome.animal for outcome in failed[:6]]) + (" and others" if len(failed) > 6 else "")
        verb = "animal could" if len(failed) == 1 else "animals could"
        sentences.append(Sentence(f"{len(failed)} {verb} not be analysed: {who}.", action=True, target="quality"))
    found = [*results.findings, *(finding for session in results.sessions for finding in session.findings)]
    for severity in (Severity.ERROR, Severity.WARNING):
        count = sum(finding.severity == severity for finding in found)
        if count:
            text = f"{count} {severity}{'s, each' if count > 1 else ''} with its place and mend."
            sentences.append(Sentence(text, action=severity == Severity.ERROR, target="quality"))
    return sentences


def headline(results: StudyResults, arms: dict[str, Arm], /) -> list[Sentence]:
    """The sentences under the title.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.

    Returns
    -------
    list of Sentence
        What needs action first, then arms, comparisons, courses and onsets.
    """
    sentences = _action_sentences(results)
    for key, arm in arms.items():
        outcomes = animals_done(results, key)
        if outcomes:
            spread = _organ_sentence(results, arms, arm, outcomes)
            sentences.append(spread or _arm_sentence(results, arm, outcomes))
    compared = [_comparison_sentence(comparison, arms) for comparison in results.comparisons]
    return [*sentences, *compared, *_analysis_sentences(results)]


def false_alarm_text(results: StudyResults, arms: dict[str, Arm], /) -> str:
    """The false-alarm budget: what chance alone is expected to give, and what controls showed.

    Parameters
    ----------
    results : StudyResults
        The study.
    arms : dict of str to Arm
        From `arms_of`.

    Returns
    -------
    str
        One or two sentences; empty where no limit states a budget.
    """
    budgets = []
    for session in results.sessions:
        stated = [limit.false_alarms for view in session.views for limit in view.limits]
        if stated:
            budgets.append(max(stated))
    if not budgets:
        return ""
    rate = ends_text(budgets, lambda value: f"{value:g}")
    text = f"Thresholds were set for {rate} expected false alarms per animal-session, over its views together;"
    text += f" {len(budgets)} animal-sessions give"
    text += f" {number(sum(budgets))} expected in the whole study."
    controls = [s for s in results.sessions if s.group in arms and arms[s.group].role == "control"]
    if controls:
        # the budget holds for all views of an animal-session together, so each view's count is added
        seen = sum(_lesions(view) for session in controls for view in session.views)
        text += f" Controls showed {seen or 'none'} in {len(controls)} animal-sessions, all views counted."
    return text


def _lesions(view: ViewResult) -> int:
    return sum(is_tumour(detection.kind) for detection in view.detections)
