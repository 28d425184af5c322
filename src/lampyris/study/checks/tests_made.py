"""Checks of comparisons and correlations (L04-L07, L09-L12, L23): they read results as they would be published."""

import math
import re
from collections.abc import Iterator, Sequence

from lampyris.core.checks import CorrelationRecord
from lampyris.core.comparison import Comparison, GroupSummary
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.study.checks.evidence import (
    NEEDS_ANALYSIS,
    Answer,
    Evidence,
    answer,
    beside_the_point,
    fault,
)
from lampyris.study.rules.sheets import SETTINGS

VARIANCE_RATIO = 4.0
SIGNIFICANT = 0.05
LEAST_PAIRS = 4
CENSORED_SHARE = 0.5
_MODELS_UNITS = re.compile(r"mixed|repeated|friedman|\bpaired|random effect|durbin|skillings", re.IGNORECASE)
_REPEATED_ANOVA = re.compile(r"repeated[- ]measures anova|repeated[- ]measures analysis of variance", re.IGNORECASE)
_SPHERICAL = re.compile(r"greenhouse|huynh|mixed|multivariate|manova", re.IGNORECASE)
_EQUAL_SPREAD = re.compile(r"one-way|two-way|student|pooled|fisher|classical|tukey|dunnett", re.IGNORECASE)
_UNEQUAL_SPREAD = re.compile(
    r"welch|games|kruskal|dunn\b|rank|mixed|brown|permut|alexander|without equal|unequal", re.IGNORECASE
)
_ADJUSTED = re.compile(
    r"holm|bonferroni|hochberg|benjamini|[sš]id[aá]k|(?<!not )(?<!un)adjust|tukey|games-howell|dunnett|scheff|hommel",
    re.IGNORECASE,
)
_EQUIVALENCE = re.compile(r"equivalence|two one-sided|tost", re.IGNORECASE)
_CENSORED = re.compile(r"censor|tobit|turnbull|log-rank|peto|kruskal|rank|kaplan|weibull", re.IGNORECASE)


def _names(comparison: Comparison) -> str:
    """All by which a comparison names its tests."""
    tests = [f"{test.name} {test.note}" for test in comparison.tests]
    return " ".join([comparison.test, comparison.post_hoc, *tests])


def _answering(comparison: Comparison) -> str:
    """Names of what answers, without what stands beside it or checks it."""
    tests = [f"{test.name} {test.note}" for test in comparison.tests if test.role == "primary"]
    return " ".join([comparison.test, comparison.post_hoc, *tests])


def _tested(evidence: Evidence) -> list[Comparison]:
    return [one for one in evidence.comparisons or () if math.isfinite(one.p)]


def _none(evidence: Evidence) -> Answer | None:
    """Why there is nothing to look at; None where there is."""
    if evidence.comparisons is None:
        return beside_the_point(NEEDS_ANALYSIS)
    if not evidence.comparisons:
        return beside_the_point("nothing was compared.")
    return None


def _no_test(evidence: Evidence) -> Answer | None:
    """Why there is no test to look at; None where there is one."""
    none = _none(evidence)
    if none is None and not _tested(evidence):
        return beside_the_point("no test was made.")
    return none


def _units(comparison: Comparison, group: GroupSummary, evidence: Evidence) -> int | None:
    """Independent units of an arm: of the design, else animals of the sheet; None where not known."""
    design = comparison.design
    if design is not None and group.group in design.groups:
        return design.n[design.groups.index(group.group)]
    animals = sum(name == group.group for name in evidence.groups.values())
    return animals or None


def check_pseudo_replication(evidence: Evidence, /) -> Answer:
    """L04: n of a test is n of animals."""
    if (none := _none(evidence)) is not None:
        return none
    findings = []
    for comparison in evidence.comparisons or ():
        if not comparison.experimental_unit:
            seen = f"{comparison.endpoint}: what was replicated is not named."
            findings.append(fault("L04", Severity.ERROR, Place(), seen))
        if math.isnan(comparison.p) or _MODELS_UNITS.search(_answering(comparison)):
            continue
        for group in comparison.groups:
            units = _units(comparison, group, evidence)
            if units is not None and group.n > units:
                what = comparison.experimental_unit or "unit"
                seen = f"{comparison.endpoint}: {group.n} values of {units} {what}s of {group.group} were tested as independent."
                findings.append(fault("L04", Severity.ERROR, Place(), seen))
    named = sorted({one.experimental_unit for one in evidence.comparisons or ()} - {""})
    return answer(findings, f"{len(evidence.comparisons or ())} comparisons count {' and '.join(named)}s.")


def check_nesting(evidence: Evidence, /) -> Answer:
    """L05: what lies within a unit is averaged or modelled, and named."""
    if (none := _none(evidence)) is not None:
        return none
    findings, told = [], set()
    for comparison in evidence.comparisons or ():
        design = comparison.design
        if design is None:
            continue
        told |= {*design.nested, *design.within}
        if design.rows > sum(design.n) and not (design.nested or design.within):
            seen = (
                f"{comparison.endpoint}: {design.rows} values of {sum(design.n)} {design.experimental_unit}s, and what lies "
                "within them is not named."
            )
            findings.append(fault("L05", Severity.WARNING, Place(), seen))
    inside = f"{', '.join(sorted(told))} averaged or modelled within the unit" if told else "one value per unit"
    return answer(findings, f"{inside}.")


def check_repeated(evidence: Evidence, /) -> Answer:
    """L06: days of one animal in a test that knows it."""
    if (none := _no_test(evidence)) is not None:
        return none
    findings = []
    for comparison in _tested(evidence):
        within, names = comparison.design.within if comparison.design else (), _answering(comparison)
        counted = comparison.design is not None and any(
            group.n > (_units(comparison, group, evidence) or group.n) for group in comparison.groups
        )
        if within and counted and not _MODELS_UNITS.search(names):
            taken = f"{', '.join(within)} of one {comparison.experimental_unit}"
            seen = f"{comparison.endpoint}: {comparison.test} takes {taken} as independent."
            findings.append(fault("L06", Severity.ERROR, Place(), seen))
        if _REPEATED_ANOVA.search(names) and not _SPHERICAL.search(_names(comparison)):
            seen = f"{comparison.endpoint}: {comparison.test} without a correction for unequal correlation of the days."
            mend = "Report the p corrected by Greenhouse and Geisser whatever epsilon is, or use a mixed model."
            findings.append(fault("L06", Severity.WARNING, Place(), seen, mend))
    return answer(findings, "one value per animal and test, or a test for repeated measures.")


def check_reported(evidence: Evidence, /) -> Answer:
    """L07: n, spread, exact p, effect size and interval of each comparison."""
    if (none := _none(evidence)) is not None:
        return none
    findings = []
    for comparison in evidence.comparisons or ():
        missing = _missing(comparison)
        if missing:
            seen = f"{comparison.endpoint}: {', '.join(missing)} missing."
            findings.append(fault("L07", Severity.WARNING, Place(), seen))
    return answer(findings, f"all of it is given for {len(evidence.comparisons or ())} comparisons.")


def _missing(comparison: Comparison) -> list[str]:
    missing = []
    known = [group for group in comparison.groups if group.n > 1]
    if any(not (_is_interval(group.mean) and group.mean.level > 0) for group in known):
        missing.append("the interval of a mean")
    if any(not group.mean.method for group in known):
        missing.append("the name of the spread")
    if comparison.test and math.isnan(comparison.p):
        missing.append("the exact p")
    if math.isfinite(comparison.p):
        effect = comparison.effect_size
        pairs = [pair.difference for pair in comparison.pairs]
        if effect is None and not pairs:
            missing.append("the effect size")
        elif not all(_is_interval(one) for one in ([effect] if effect else pairs)):
            missing.append("the interval of the effect size")
    return missing


def _is_interval(one: Estimate) -> bool:
    """Whether both ends are given and one of them says something: where nothing was seen in a group only one end is known."""
    return not (math.isnan(one.low) or math.isnan(one.high)) and (math.isfinite(one.low) or math.isfinite(one.high))


def check_multiplicity(evidence: Evidence, /) -> Answer:
    """L09: several tests, one family."""
    if (none := _no_test(evidence)) is not None:
        return none
    tested = _tested(evidence)
    made = max(len(tested), evidence.reporting.comparisons_made or 0)
    findings = []
    bare = [
        one for one in tested if not _ADJUSTED.search(" ".join((*one.notes, one.adjustment))) and not _is_adjusted(one)
    ]
    if made > 1 and bare:
        shown = f"; {len(tested)} are shown" if made > len(tested) else ""
        seen = f"{made} tests were made{shown}, and p of {bare[0].endpoint} is not adjusted for them."
        findings.append(fault("L09", Severity.ERROR, Place(), seen))
    elif made > len(tested):
        seen = f"{made} tests were made, and the adjustment covers the {len(tested)} that are shown."
        findings.append(fault("L09", Severity.WARNING, Place(SETTINGS, None, "reporting.comparisons_made"), seen))
    for one in tested:
        if len(one.pairs) > 1 and not _ADJUSTED.search(one.post_hoc):
            seen = f"{one.endpoint}: {len(one.pairs)} pairs by {one.post_hoc or 'an unnamed procedure'}, not adjusted."
            findings.append(fault("L09", Severity.ERROR, Place(), seen))
    return answer(
        findings, f"{made} {'test' if made == 1 else 'tests, adjusted together'}; pairs by a procedure that adjusts."
    )


def _is_adjusted(comparison: Comparison) -> bool:
    """Whether one of its own tests says that its p is adjusted."""
    return any(_ADJUSTED.search(test.note) for test in comparison.tests if test.role == "primary")


def check_assumptions(evidence: Evidence, /) -> Answer:
    """L10: equal spread where a test needs it; advises only."""
    if (none := _no_test(evidence)) is not None:
        return none
    findings = []
    for comparison in _tested(evidence):
        leaning = [
            name
            for name in (comparison.test, comparison.post_hoc)
            if _EQUAL_SPREAD.search(name) and not _UNEQUAL_SPREAD.search(name)
        ]
        if not leaning:
            continue
        variances = [v for group in comparison.groups if (v := _variance(group.values)) > 0]
        sizes = {group.n for group in comparison.groups}
        levene = [test for test in comparison.tests if test.role == "assumption" and "levene" in test.name.lower()]
        ratio = max(variances) / min(variances) if len(variances) > 1 else 1.0
        unlike = ratio > VARIANCE_RATIO or any(test.p < SIGNIFICANT for test in levene)
        if unlike and len(sizes) > 1:
            seen = f"{comparison.endpoint}: {' and '.join(leaning)} with unequal n, and variances that differ {ratio:.2g} times."
            findings.append(fault("L10", Severity.WARNING, Place(), seen))
    return answer(findings, "no test leans on equal spread where spreads and n differ.")


def _variance(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    if len(known) < 2:
        return math.nan
    mean = math.fsum(known) / len(known)
    return math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)


def check_no_difference(evidence: Evidence, /) -> Answer:
    """L11: a claim of no difference has its equivalence test."""
    claims = evidence.reporting.no_difference_claims
    place = Place(SETTINGS, None, "reporting.no_difference_claims")
    if evidence.comparisons is None and not claims:
        return beside_the_point(NEEDS_ANALYSIS if evidence.settings is None else "no claim of no difference is stated.")
    findings = []
    if claims and not evidence.reporting.equivalence_margin:
        seen = f"{', '.join(claims)}: said to be not different, and no margin is stated."
        findings.append(fault("L11", Severity.ERROR, place, seen))
    for claim in claims if evidence.comparisons is not None else ():
        own = [one for one in evidence.comparisons or () if claim.casefold() in one.endpoint.casefold()]
        shown = [p for one in own if math.isfinite(p := _equivalence_p(one))]
        if not shown:
            seen = f"{claim}: said to be not different without an equivalence test."
            findings.append(fault("L11", Severity.ERROR, place, seen))
        elif max(shown) >= SIGNIFICANT:
            seen = f"{claim}: said to be not different, and equivalence is not shown (p = {max(shown):.2g})."
            mend = "Say that the study could not tell; the interval of the difference says what is still possible."
            findings.append(fault("L11", Severity.ERROR, place, seen, mend))
    quiet = [one.endpoint for one in _tested(evidence) if one.p > SIGNIFICANT]
    more = f"; p above {SIGNIFICANT:g} in {'; '.join(quiet)} does not show that there is no difference" if quiet else ""
    return answer(findings, f"{len(claims) or 'no'} claim{'' if len(claims) == 1 else 's'} of no difference{more}.")


def _equivalence_p(comparison: Comparison) -> float:
    """p of its test of equivalence, the larger of two one-sided ones; NaN where there is none."""
    found = [test.p for test in comparison.tests if _EQUIVALENCE.search(f"{test.name} {test.note}")]
    if _EQUIVALENCE.search(comparison.test):
        found.append(comparison.p)
    return max(found, default=math.nan)


def check_correlations(evidence: Evidence, /) -> Answer:
    """L12: n, interval, independent units, leverage."""
    if not evidence.correlations:
        return beside_the_point("no correlation was made.")
    findings = [finding for record in evidence.correlations for finding in _correlation_faults(record)]
    claimed = sum(record.claimed for record in evidence.correlations)
    hung = f"{claimed or 'none'} {'is' if claimed == 1 else 'are'} claimed{' and hang on no single unit' if claimed else ''}"
    return answer(findings, f"{len(evidence.correlations)} correlations give n and interval; {hung}.")


def _correlation_faults(record: CorrelationRecord) -> Iterator[Finding]:
    units = record.units or record.n
    if min(record.n, units) < LEAST_PAIRS:
        seen = f"{record.name}: r from n = {min(record.n, units)}; no interval exists below {LEAST_PAIRS}."
        yield fault("L12", Severity.ERROR, Place(), seen, "Show the points; give no r.")
        return
    if record.n > units and not record.models_units:
        seen = f"{record.name}: {record.n} pairs of {units} units were correlated as independent."
        yield fault("L12", Severity.ERROR, Place(), seen)
    if not (math.isfinite(record.low) and math.isfinite(record.high)):
        yield fault("L12", Severity.WARNING, Place(), f"{record.name}: no interval is given.")
    # of several pairs of a unit a pair is no unit, and r is not that of all pairs
    turned = leave_one_out(record.x, record.y, record.groups) if record.claimed and not record.models_units else ""
    if turned:
        yield fault("L12", Severity.WARNING, Place(), f"{record.name}: {turned} when one pair is left out.")


def leave_one_out(x: Sequence[float], y: Sequence[float], groups: Sequence[str] = (), /) -> str:
    """What changes of a correlation when any one pair is left out: its sign or its significance; "" where nothing.

    Parameters
    ----------
    x, y : sequence of float
        One pair per independent unit.
    groups : sequence of str
        Group of each pair, where the groups' means are removed from both values: each costs a degree of freedom, and the means are
        taken anew without the pair that is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> leave_one_out((1, 2, 3, 4, 5, 30), (3, 1, 2, 3, 1, 20))
    'its sign changes'
    >>> leave_one_out((1, 2, 3, 4, 5, 6), (1.1, 2.0, 2.9, 4.2, 5.1, 5.8))
    ''
    """
    rows = list(zip(x, y, groups or [""] * len(x), strict=False))
    if len(rows) < LEAST_PAIRS:
        return ""
    whole, p = _pearson(rows)
    rest = [_pearson([*rows[:k], *rows[k + 1 :]]) for k in range(len(rows))]
    if any(r * whole < 0 for r, _ in rest):
        return "its sign changes"
    if any((own < SIGNIFICANT) != (p < SIGNIFICANT) for _, own in rest):
        return f"its significance at {SIGNIFICANT:g} changes"
    return ""


def _pearson(rows: Sequence[tuple[float, float, str]]) -> tuple[float, float]:
    """Pearson's r within groups, and its p with one degree of freedom less for each mean and one for the slope."""
    from scipy.special import stdtr

    sxx = syy = sxy = 0.0
    names = list(dict.fromkeys(group for *_, group in rows))
    for name in names:
        pairs = [(a, b) for a, b, group in rows if group == name]
        mx, my = (math.fsum(column) / len(pairs) for column in zip(*pairs, strict=True))
        sxx += math.fsum((a - mx) ** 2 for a, _ in pairs)
        syy += math.fsum((b - my) ** 2 for _, b in pairs)
        sxy += math.fsum((a - mx) * (b - my) for a, b in pairs)
    r = sxy / math.sqrt(sxx * syy) if sxx > 0 and syy > 0 else 0.0
    df = len(rows) - len(names) - 1
    if df < 1:
        return r, 1.0
    return r, 0.0 if abs(r) >= 1 else float(2 * stdtr(df, -abs(r) * math.sqrt(df / (1 - r * r))))


def check_censoring(evidence: Evidence, /) -> Answer:
    """L23: what was not seen is a limit, and censored."""
    if evidence.comparisons is None:
        return beside_the_point(NEEDS_ANALYSIS)
    findings = []
    for outcome in evidence.outcomes or ():
        for day, flux, below in zip(outcome.days, outcome.total_flux, outcome.below_limit, strict=True):
            if below and not flux.high > 0:
                seen = f"{outcome.animal}, day {day:g}: nothing was seen, and no limit stands for it."
                findings.append(fault("L23", Severity.ERROR, Place(f"sub-{outcome.animal}"), seen))
    for comparison in evidence.comparisons:
        findings += _censored_faults(comparison)
    limits = sum(sum(group.censored) for one in evidence.comparisons for group in one.groups)
    return answer(findings, f"{limits} compared values are limits; none is zero.")


def _censored_faults(comparison: Comparison) -> Iterator[Finding]:
    for group in comparison.groups:
        for value, censored in zip(group.values, group.censored, strict=True):
            if censored and (value == 0 or not math.isfinite(value)):
                seen = f"{comparison.endpoint}: a value of {group.group} below its limit stands as {value:g}."
                yield fault("L23", Severity.ERROR, Place(), seen)
        share = sum(group.censored) / max(group.n, 1)
        taking_part = math.isfinite(comparison.p) and not _left_out(comparison, group.group)
        if share > CENSORED_SHARE and taking_part and not _CENSORED.search(_answering(comparison)):
            seen = (
                f"{comparison.endpoint}: {sum(group.censored)} of {group.n} values of {group.group} are limits, and "
                f"{comparison.test} takes them as measured."
            )
            yield fault("L23", Severity.WARNING, Place(), seen)


def _left_out(comparison: Comparison, group: str) -> bool:
    """Whether an arm is described and not tested: in no pair, where there are pairs."""
    return bool(comparison.pairs) and not any(group in (pair.a, pair.b) for pair in comparison.pairs)
