"""What the methods checks read, and how a check answers."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lampyris.core.checks import CorrelationRecord, Outcome, PercentRecord
from lampyris.core.comparison import Comparison
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.reporting import Reporting
from lampyris.core.settings import ProbeSettings, StudySettings
from lampyris.core.study import AnimalOutcome, SessionResult
from lampyris.study.checks.table import rule_of
from lampyris.study.draft.rules import ALLOCATION, BLINDING, UNBLINDING
from lampyris.study.rules.sheets import Sheets

if TYPE_CHECKING:
    from lampyris.core.regions import RegionResult
    from lampyris.study.opening.headers import Header

NO_SHEETS = Sheets(Path(), None, (), (), True)
"""Of a result that stands alone, without a study."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that a check may look at; what is None is not there yet.

    Parameters
    ----------
    sheets : Sheets
        Settings and sheets.
    headers : mapping of str to Header or None, optional
        What image files say of themselves, by path.
    findings : tuple of Finding
        Of the other rules: what they said is not said again.
    records : mapping of str to dict
        allocation.json, blinding.json and unblinding.json, where they are.
    sessions : tuple of SessionResult, optional
        Analysed, without images.
    outcomes : tuple of AnimalOutcome, optional
        Of every animal.
    comparisons : tuple of Comparison, optional
        Of groups.
    regions : tuple of RegionResult
        Drawn by hand, measured.
    correlations : tuple of CorrelationRecord
        Made from the study.
    percents : tuple of PercentRecord
        Means of shares beside those that the settings hold.
    """

    sheets: Sheets = NO_SHEETS
    headers: "Mapping[str, Header | None] | None" = None
    findings: tuple[Finding, ...] = ()
    records: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    sessions: tuple[SessionResult, ...] | None = None
    outcomes: tuple[AnimalOutcome, ...] | None = None
    comparisons: tuple[Comparison, ...] | None = None
    regions: "tuple[RegionResult, ...]" = ()
    correlations: tuple[CorrelationRecord, ...] = ()
    percents: tuple[PercentRecord, ...] = ()

    @property
    def settings(self) -> StudySettings | None:
        """Settings; None where they are not valid, or there is no study."""
        return self.sheets.settings

    @property
    def reporting(self) -> Reporting:
        """What the study states of itself."""
        return self.settings.reporting if self.settings is not None else Reporting()

    @property
    def probes(self) -> dict[str, ProbeSettings]:
        """Probes by key."""
        return dict(self.settings.probes) if self.settings is not None else {}

    @property
    def excluded(self) -> frozenset[str]:
        """Animals that animals.csv leaves out."""
        return frozenset(entry.animal for entry in self.sheets.animals if entry.excluded)

    @property
    def groups(self) -> dict[str, str]:
        """Arm of each animal that is not left out."""
        found = {row.animal: row.group for row in self.sheets.animals}
        found |= {row.animal: row.group for row in self.sheets.samples}
        return {animal: group for animal, group in found.items() if animal not in self.excluded}

    def earlier(self, *prefixes: str) -> tuple[Finding, ...]:
        """Findings of other rules whose names begin so."""
        return tuple(finding for finding in self.findings if finding.rule.startswith(prefixes))


def read_records(study: Path, /) -> dict[str, dict[str, Any]]:
    """Records of allocation and blinding that lie beside the sheets; what cannot be read is not there."""
    found = {}
    for name in (ALLOCATION, BLINDING, UNBLINDING):
        try:
            record = json.loads((study / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict):
            found[name] = record
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check says of its evidence.

    Parameters
    ----------
    outcome : Outcome
        Passed, fired or not applicable.
    seen : str
        What was looked at and found, in a sentence.
    findings : tuple of Finding
        Where it fired.
    """

    outcome: Outcome
    seen: str
    findings: tuple[Finding, ...] = ()


def passed(seen: str, /) -> Answer:
    """The check holds."""
    return Answer(Outcome.PASSED, seen)


def beside_the_point(reason: str, /) -> Answer:
    """The check does not apply."""
    return Answer(Outcome.NOT_APPLICABLE, reason)


def answer(findings: Iterable[Finding], otherwise: str, /) -> Answer:
    """Fired where there is a finding, else passed with a sentence."""
    found = tuple(dict.fromkeys(findings))
    if not found:
        return passed(otherwise)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    worst = min(found, key=lambda one: _RANK[one.severity])
    return Answer(Outcome.FIRED, f"{worst.seen}{more}", found)


def fault(key: str, severity: Severity, place: Place, seen: str, mend: str = "", /) -> Finding:
    """A finding of a check; the table's mend where it has none of its own."""
    return Finding(key, severity, place, seen, mend or rule_of(key).mend)


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def worst_severity(findings: Sequence[Finding], /) -> str:
    """The worst of them; empty where there are none."""
    return str(min(findings, key=lambda one: _RANK[one.severity]).severity) if findings else ""


NEEDS_IMAGES = "image files were not opened."
NEEDS_ANALYSIS = "known after the analysis: the report says it."
NEEDS_SHEETS = "settings or sheets have faults: mend them first."
NO_STUDY = "no study, only a table of values."
