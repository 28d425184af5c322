"""The methods checks and the completeness of reporting as tables."""

from lampyris.core.checks import Basis, CheckVerdict, Outcome, ReportingItem, Stated
from lampyris.core.study import StudyResults
from lampyris.study.tables.columns import Cell, Table, columns


def check_tables(results: StudyResults, /) -> dict[str, Table]:
    """A row per methods check, and per item of a reporting guideline.

    Parameters
    ----------
    results : StudyResults
        A finished study.
    """
    return {
        "methods_checks": columns(map(_verdict, results.checks), _verdict(_NO_VERDICT)),
        "reporting_items": columns(map(_item, results.reporting), _item(_NO_ITEM)),
    }


def _verdict(verdict: CheckVerdict) -> list[Cell]:
    return [
        ("check", "", verdict.check),
        ("title", "", verdict.title),
        ("outcome", "", str(verdict.outcome)),
        ("severity", "", verdict.severity),
        ("seen", "", verdict.seen),
        ("mend", "", verdict.mend),
        ("where", "", verdict.where),
        ("what", "", verdict.what),
        ("threshold", "", verdict.threshold),
        ("basis", "", str(verdict.basis)),
        ("why", "", verdict.why),
        ("source", "", verdict.source),
    ]


def _item(item: ReportingItem) -> list[Cell]:
    return [
        ("guideline", "", item.guideline),
        ("item", "", item.item),
        ("title", "", item.title),
        ("asks", "", item.asks),
        ("state", "", str(item.state)),
        ("said", "", item.said),
        ("missing", "", item.missing),
        ("source", "", item.source),
    ]


_NO_VERDICT = CheckVerdict("", "", Outcome.PASSED, "", "", "", "", "", "", Basis.STANDARD, "", "")
_NO_ITEM = ReportingItem("", "", "", "", Stated.NO, "", "", "")
