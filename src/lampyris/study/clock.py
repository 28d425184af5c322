"""Compares when files say that they were recorded with the order of days in the sheet.

A clock may be wrong, so these are warnings. Files without a time, and files that all bear one time, say nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import SampleRow
from lampyris.study.rules.sheets import SHEET

# the views of one session are recorded within an hour or two
SESSION_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class _Session:
    """One session of one animal, by the sheet and by the clock."""

    name: str
    day: float
    lines: tuple[int, ...]
    begun: datetime
    ended: datetime

    def told(self) -> str:
        first, last = min(self.lines), max(self.lines)
        rows = f"row {first}" if first == last else f"rows {first}-{last}"
        return f"{self.name} ({rows}, {self.begun.isoformat()})"


def check_clock(samples: Sequence[SampleRow], stamps: Mapping[str, str], /) -> Iterator[Finding]:
    """Warn of an animal whose sessions were recorded in another order than the sheet's days, or not within a day.

    Parameters
    ----------
    samples : sequence of SampleRow
        Rows of the sample sheet.
    stamps : mapping of str to str
        ISO 8601 time of acquisition by image path; "" where a file does not say.

    Yields
    ------
    Finding
        Rule ``header.clock-order`` or ``header.clock-session``.
    """
    for animal, sessions in _sessions(samples, stamps).items():
        for session in sessions:
            hours = (session.ended - session.begun).total_seconds() / 3600
            if hours > SESSION_HOURS:
                seen = (
                    f"{animal}, {session.name}: the clock of its files runs from {session.begun.isoformat()} to "
                    f"{session.ended.isoformat()}."
                )
                mend = "Look whether a file belongs to another session; leave it if the camera's clock was wrong."
                yield _warning("header.clock-session", min(session.lines), "image", seen, mend)
        yield from _check_order(animal, sessions)


def _sessions(samples: Sequence[SampleRow], stamps: Mapping[str, str]) -> dict[str, list[_Session]]:
    rows: dict[tuple[str, str], list[SampleRow]] = defaultdict(list)
    for row in samples:
        rows[row.animal, row.session].append(row)
    found: dict[str, list[_Session]] = defaultdict(list)
    for (animal, session), own in rows.items():
        times = [time for row in own if (time := _time(stamps.get(row.image, ""))) is not None]
        if times:
            lines = tuple(row.row for row in own)
            found[animal].append(_Session(session, own[0].day, lines, min(times), max(times)))
    return found


def _time(stamp: str) -> datetime | None:
    """Time on the camera's wall; zones of one camera change with the season, days do not."""
    try:
        return datetime.fromisoformat(stamp).replace(tzinfo=None)
    except ValueError:
        return None


def _check_order(animal: str, sessions: Sequence[_Session]) -> Iterator[Finding]:
    by_day = sorted(sessions, key=lambda one: (one.day, one.begun))
    # sorting keeps the order of those that the clock does not tell apart
    by_clock = sorted(by_day, key=lambda one: one.begun)
    moved = [one for one, other in zip(by_day, by_clock, strict=True) if one is not other]
    if not moved:
        return
    if len(moved) == 2:
        after, before = moved
        seen = f"{animal}: the clock of the files says {before.told()} before {after.told()}; by the sheet it is after."
        mend = (
            f"If the two were exchanged, exchange day and date of {after.name} and {before.name}, or their images; leave it if "
            "the camera's clock was wrong."
        )
    else:
        order = ", ".join(one.told() for one in sorted(moved, key=lambda one: one.begun))
        days = ", ".join(one.name for one in moved)
        seen = f"{animal}: the clock of the files says {order}; by the days of the sheet it is {days}."
        mend = "Give each session the day of its images, or its own images; leave it if the camera's clock was wrong."
    yield _warning("header.clock-order", min(moved[0].lines), "day", seen, mend)


def _warning(rule: str, line: int, column: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.WARNING, Place(SHEET, line, column), seen, mend)
