"""Runs the methods checks: every one gives exactly one verdict."""

from collections.abc import Callable, Iterable, Sequence

from lampyris.core.checks import CheckVerdict, CorrelationRecord, Outcome
from lampyris.core.comparison import Comparison
from lampyris.core.finding import Finding
from lampyris.study.checks.design import (
    check_blinding_stated,
    check_circularity,
    check_confounding,
    check_exclusions,
    check_region_bias,
    check_small_n,
)
from lampyris.study.checks.evidence import Answer, Evidence, worst_severity
from lampyris.study.checks.images import check_dark, check_exposure, check_saturation
from lampyris.study.checks.numbers import check_numbers
from lampyris.study.checks.probe import (
    check_autofluorescence,
    check_bleaching,
    check_inner_filter,
    check_jacobian,
    check_miribel,
    check_yield_standard,
)
from lampyris.study.checks.table import CheckRule, check_rules
from lampyris.study.checks.tests_made import (
    check_assumptions,
    check_censoring,
    check_correlations,
    check_multiplicity,
    check_nesting,
    check_no_difference,
    check_pseudo_replication,
    check_repeated,
    check_reported,
)

CHECKS: dict[str, Callable[[Evidence], Answer]] = {
    "L01": check_saturation,
    "L02": check_dark,
    "L03": check_exposure,
    "L04": check_pseudo_replication,
    "L05": check_nesting,
    "L06": check_repeated,
    "L07": check_reported,
    "L08": check_small_n,
    "L09": check_multiplicity,
    "L10": check_assumptions,
    "L11": check_no_difference,
    "L12": check_correlations,
    "L13": check_region_bias,
    "L14": check_circularity,
    "L15": check_blinding_stated,
    "L16": check_exclusions,
    "L17": check_confounding,
    "L18": check_inner_filter,
    "L19": check_yield_standard,
    "L20": check_jacobian,
    "L21": check_bleaching,
    "L22": check_autofluorescence,
    "L23": check_censoring,
    "L24": check_miribel,
    "L25": check_numbers,
}
"""Every check by its key."""

OF_COMPARISONS = ("L04", "L05", "L06", "L07", "L08", "L09", "L10", "L11", "L12")
"""Checks that a comparison or a correlation can be given without a study."""


def methods_checks(evidence: Evidence, /, *, only: Iterable[str] = tuple(CHECKS)) -> tuple[CheckVerdict, ...]:
    """Verdicts on a study.

    Parameters
    ----------
    evidence : Evidence
        What there is to look at.
    only : iterable of str
        Keys; all by default.

    Returns
    -------
    tuple of CheckVerdict
        One per key, in the order of the keys.
    """
    wanted = set(only)
    return tuple(_verdict(rule, CHECKS[rule.id](evidence)) for rule in check_rules() if rule.id in wanted)


def comparison_checks(
    comparisons: Sequence[Comparison], /, *, correlations: Sequence[CorrelationRecord] = ()
) -> tuple[CheckVerdict, ...]:
    """Verdicts on comparisons that stand alone.

    Parameters
    ----------
    comparisons : sequence of Comparison
        As they would be published, with their designs.
    correlations : sequence of CorrelationRecord
        Beside them.

    Returns
    -------
    tuple of CheckVerdict
        Of `OF_COMPARISONS`.
    """
    return methods_checks(
        Evidence(comparisons=tuple(comparisons), correlations=tuple(correlations)), only=OF_COMPARISONS
    )


def _verdict(rule: CheckRule, said: Answer) -> CheckVerdict:
    first = min(said.findings, key=lambda one: ("error", "warning", "note").index(one.severity), default=None)
    return CheckVerdict(
        check=rule.id,
        title=rule.title,
        outcome=said.outcome,
        severity=worst_severity(said.findings),
        seen=said.seen,
        mend=(first.mend or rule.mend) if first is not None else "",
        where=str(first.place) if first is not None else "",
        what=rule.what,
        threshold=rule.threshold,
        basis=rule.basis,
        why=rule.why,
        source="; ".join(rule.sources),
        findings=said.findings,
    )


def after_analysis(before: Sequence[CheckVerdict], evidence: Evidence, /) -> tuple[CheckVerdict, ...]:
    """Verdicts on a study once it was analysed: of checks that read results anew, of the others as they were.

    Parameters
    ----------
    before : sequence of CheckVerdict
        On sheets and images.
    evidence : Evidence
        With sheets and results; images are not opened again.

    Returns
    -------
    tuple of CheckVerdict
        As many, in the same order.
    """
    keys = [rule.id for rule in check_rules() if {"results", "statistics"} & set(rule.when)]
    later = {verdict.check: verdict for verdict in methods_checks(evidence, only=keys)}
    return tuple(_latest(verdict, later.get(verdict.check, verdict)) for verdict in before)


def _latest(before: CheckVerdict, after: CheckVerdict) -> CheckVerdict:
    """What was judged stands where the later look finds nothing to judge."""
    judged = after.outcome is not Outcome.NOT_APPLICABLE or before.outcome is Outcome.NOT_APPLICABLE
    return after if judged else before


def check_findings(verdicts: Sequence[CheckVerdict], /) -> tuple[Finding, ...]:
    """All findings of the verdicts that fired, each once."""
    return tuple(dict.fromkeys(finding for verdict in verdicts for finding in verdict.findings))


def is_check(rule: str, /) -> bool:
    """Whether a finding's rule is one of the methods checks, none of which stops an analysis."""
    return rule in CHECKS
