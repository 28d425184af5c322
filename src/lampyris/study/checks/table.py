"""The table of the methods checks, as it stands beside this module."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from lampyris.core.checks import Basis
from lampyris.core.finding import Severity

WHEN = ("sheets", "images", "results", "statistics", "bench")


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A rule as the table has it.

    Parameters
    ----------
    id, title : str
        Key and name.
    what : str
        What must hold.
    threshold : str
        When it fires.
    basis : Basis
        Where the threshold comes from.
    why : str
        Why it matters.
    severity : Severity
        The worst that it can say.
    when : tuple of str
        What it reads: some of `WHEN`.
    sources : tuple of str
        Where it is written, with DOI where there is one.
    mend : str
        What to do.
    """

    id: str
    title: str
    what: str
    threshold: str
    basis: Basis
    why: str
    severity: Severity
    when: tuple[str, ...]
    sources: tuple[str, ...]
    mend: str


@cache
def check_rules() -> tuple[CheckRule, ...]:
    """All rules, in the order of their keys.

    Examples
    --------
    >>> len(check_rules()), check_rules()[0].title
    (25, 'Saturation')
    """
    text = resources.files("lampyris.study.checks").joinpath("methods_checks.toml").read_text("utf-8")
    return tuple(
        CheckRule(
            id=row["id"],
            title=row["title"],
            what=row["what"],
            threshold=row["threshold"],
            basis=Basis(row["basis"]),
            why=row["why"],
            severity=Severity(row["severity"]),
            when=tuple(row["when"]),
            sources=tuple(row["sources"]),
            mend=row["mend"],
        )
        for row in tomllib.loads(text)["check"]
    )


def rule_of(key: str, /) -> CheckRule:
    """The rule of that key.

    Raises
    ------
    KeyError
        If there is none.
    """
    return {rule.id: rule for rule in check_rules()}[key]
