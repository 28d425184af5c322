"""The section of methods checks: each verdict with what it saw, why it matters, its source and what to do; and completeness."""

from typing import Any

from lampyris.core.checks import CheckVerdict, Outcome, ReportingItem, Stated
from lampyris.core.study import StudyResults
from lampyris.report.tables import Column, Row, Table, text_cell

# places of a check that the page lists; all of them are in the output of `lampyris check`
_SHOWN = 5
_RANK = {"error": 0, "warning": 1, "note": 2, "": 3}
_OUTCOMES = {Outcome.FIRED: 0, Outcome.PASSED: 1, Outcome.NOT_APPLICABLE: 2}
_STATES = {Stated.NO: 0, Stated.PARTLY: 1, Stated.YES: 2, Stated.NOT_APPLICABLE: 3, Stated.MANUSCRIPT: 4}


def checks_section(results: StudyResults, /) -> dict[str, Any] | None:
    """What the section on methods checks prints; None where results hold none.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    dict or None
        ``sentence``, the tables ``fired`` (None where nothing fired) and ``verdicts``, and ``guidelines``: per guideline
        ``sentence`` and ``table``.
    """
    if not results.checks:
        return None
    fired = [verdict for verdict in results.checks if verdict.outcome is Outcome.FIRED]
    return {
        "sentence": _sentence(results.checks),
        "fired": _fired_table(sorted(fired, key=lambda one: (_RANK[one.severity], one.check))) if fired else None,
        "verdicts": _verdict_table(results.checks),
        "guidelines": _guidelines(results.reporting),
    }


def _sentence(verdicts: tuple[CheckVerdict, ...]) -> str:
    counts = {outcome: sum(one.outcome is outcome for one in verdicts) for outcome in Outcome}
    return (
        f"Of {len(verdicts)} methods checks {counts[Outcome.PASSED]} passed, {counts[Outcome.NOT_APPLICABLE]} did not apply and "
        f"{counts[Outcome.FIRED]} fired. A check informs: none stops an analysis or changes a test."
    )


def _everything_seen(verdict: CheckVerdict) -> str:
    """Each place where a check fired, up to a few."""
    found = [": ".join(filter(None, (str(one.place), one.seen))) for one in verdict.findings[:_SHOWN]]
    more = len(verdict.findings) - len(found)
    text = " ".join(found) or ": ".join(filter(None, (verdict.where, verdict.seen)))
    return f"{text} And {more} more." if more > 0 else text


def _fired_table(verdicts: list[CheckVerdict]) -> Table:
    rows = tuple(
        Row(
            tuple(
                map(
                    text_cell,
                    (
                        f"{one.check} {one.title}",
                        one.severity,
                        _everything_seen(one),
                        one.mend,
                        one.why,
                        one.source,
                    ),
                )
            )
        )
        for one in verdicts
    )
    heads = ("Check", "Severity", "What it saw", "What to do", "Why it matters", "Source")
    return Table("checks-fired", "Methods checks that fired", tuple(map(Column, heads)), rows)


def _verdict_table(verdicts: tuple[CheckVerdict, ...]) -> Table:
    ordered = sorted(verdicts, key=lambda one: (_OUTCOMES[one.outcome], _RANK[one.severity], one.check))
    rows = tuple(
        Row(
            tuple(
                map(
                    text_cell,
                    (
                        f"{one.check} {one.title}",
                        str(one.outcome),
                        one.seen,
                        one.what,
                        f"{one.threshold} ({one.basis})",
                        one.source,
                    ),
                )
            ),
            muted=one.outcome is Outcome.NOT_APPLICABLE,
        )
        for one in ordered
    )
    heads = ("Check", "Verdict", "What it saw", "Rule", "Fires at (basis)", "Source")
    return Table("checks-all", "All methods checks", tuple(map(Column, heads)), rows)


def _guidelines(items: tuple[ReportingItem, ...]) -> list[dict[str, Any]]:
    parts = []
    for k, name in enumerate(dict.fromkeys(item.guideline for item in items), start=1):
        own = [item for item in items if item.guideline == name]
        states = {state: sum(item.state is state for item in own) for state in Stated}
        asked = len(own) - states[Stated.MANUSCRIPT] - states[Stated.NOT_APPLICABLE]
        missing = states[Stated.NO] + states[Stated.PARTLY]
        sources = dict.fromkeys(one.source for one in own)
        shared = f", {next(iter(sources))}" if len(sources) == 1 else ""
        heads = (
            "Item",
            "State",
            "Asks for",
            "The study says",
            "Write what is missing as",
            *([] if shared else ["Source"]),
        )
        rows = tuple(
            Row(
                tuple(
                    map(
                        text_cell,
                        (
                            f"{one.item} {one.title}",
                            str(one.state),
                            one.asks,
                            one.said,
                            one.missing,
                            *([] if shared else [one.source]),
                        ),
                    )
                ),
                muted=one.state in (Stated.MANUSCRIPT, Stated.NOT_APPLICABLE),
            )
            for one in sorted(own, key=lambda one: _STATES[one.state])
        )
        parts.append(
            {
                "sentence": f"{name}: {states[Stated.YES]} of {asked} stated, {missing} missing",
                "table": Table(f"reporting-{k}", f"Completeness by {name}{shared}", tuple(map(Column, heads)), rows),
            }
        )
    return parts
