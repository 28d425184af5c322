"""The clock of the files against the days of the sheet."""

from dataclasses import dataclass

import pytest

from lampyris.core.schemas import SampleRow
from lampyris.study.clock import check_clock


def row(line, session, day, image, animal="m01"):
    return SampleRow(
        line, animal, session, day, "", "arm", "dorsal", "b1", 745.0, 780.0, 1.0, image, "", "dark.tif", "qd", ""
    )


@dataclass(frozen=True)
class Case:
    name: str
    days: dict[str, float]
    stamps: dict[str, str]
    says: tuple[str, ...]


WEEK = {"d00": 0.0, "d07": 7.0, "d14": 14.0, "d21": 21.0}
RIGHT = {"d00": "2026-03-02", "d07": "2026-03-09", "d14": "2026-03-16", "d21": "2026-03-23"}
CASES = (
    Case("in order", WEEK, RIGHT, ()),
    Case(
        "neighbours swapped",
        WEEK,
        {**RIGHT, "d07": RIGHT["d14"], "d14": RIGHT["d07"]},
        (
            "d14 (row 4, 2026-03-09T00:00:00) before d07 (row 3, 2026-03-16T00:00:00)",
            "exchange day and date of d07 and d14",
        ),
    ),
    Case(
        "first and last swapped",
        WEEK,
        {**RIGHT, "d00": RIGHT["d21"], "d21": RIGHT["d00"]},
        ("d21 (row 5, 2026-03-02T00:00:00) before d00 (row 2, 2026-03-23T00:00:00)",),
    ),
    Case(
        "three in a ring",
        WEEK,
        {**RIGHT, "d00": RIGHT["d07"], "d07": RIGHT["d14"], "d14": RIGHT["d00"]},
        ("d14 (row 4", "by the days of the sheet it is d00, d07, d14"),
    ),
    Case("one without a stamp", WEEK, {**RIGHT, "d07": ""}, ()),
    Case("a stamp that is none", WEEK, {**RIGHT, "d07": "yesterday"}, ()),
    Case("two sessions on one day", {"a": 0.0, "b": 0.0}, {"a": "2026-03-02T12:00", "b": "2026-03-02T09:00"}, ()),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_order(case):
    rows = [row(line, session, day, f"{session}.tif") for line, (session, day) in enumerate(case.days.items(), 2)]
    # the order of the rows says nothing
    for shuffled in (rows, rows[::-1]):
        found = [
            str(one) for one in check_clock(shuffled, {f"{name}.tif": stamp for name, stamp in case.stamps.items()})
        ]
        assert len(found) == bool(case.says)
        for text in case.says:
            assert text in found[0]


def test_a_session_whose_files_are_a_week_apart():
    rows = [row(2, "d00", 0.0, "one.tif"), row(3, "d00", 0.0, "two.tif")]
    (found,) = check_clock(rows, {"one.tif": "2026-03-02T10:00", "two.tif": "2026-03-09T10:00"})
    assert found.rule == "header.clock-session"
    assert "m01, d00: the clock of its files runs from 2026-03-02T10:00:00 to 2026-03-09T10:00:00" in found.seen


def test_animals_are_told_apart():
    rows = [row(2, "d00", 0.0, "one.tif"), row(3, "d07", 7.0, "two.tif", animal="m02")]
    assert not list(check_clock(rows, {"one.tif": "2026-03-09", "two.tif": "2026-03-02"}))
