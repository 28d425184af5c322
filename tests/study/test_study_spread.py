"""What later work reads from a study's own tables: the spread of an endpoint, and the onsets of an organ."""

import math
from dataclasses import replace

import pytest

from lampyris import cli
from lampyris.core.comparison import Comparison, GroupSummary
from lampyris.core.errors import InputError
from lampyris.core.lesions import OrganOnset
from lampyris.core.study import RunRecord, StudyResults
from lampyris.io.data_tables import read_table
from lampyris.io.onset_columns import OnsetChoice, onset_columns
from lampyris.io.pilot_columns import study_summary
from lampyris.io.tables import write_table
from lampyris.statistics.intervals import t_interval
from lampyris.study.tables.columns import columns
from lampyris.study.tables.spread import _onset, _who
from lampyris.study.tables.study import study_tables

INF = math.inf
NOTHING = StudyResults("", "", False, {}, (), (), (), (), (), RunRecord("", "", {}, {}, {}, ""))


def row(animal, group, organ, after, by):
    return [*_who(animal, group), *_onset(OrganOnset(organ, 0.9, after, by, 1e4))]


@pytest.fixture
def study(tmp_path):
    values = {"dots": (5.0, 6.0, 8.0), "dye": (4.0, 4.5, 5.5, 6.0)}
    arms = tuple(
        GroupSummary(g, len(v), v, (False,) * len(v), t_interval(v, unit="log10 ph s-1")) for g, v in values.items()
    )
    limited = (replace(arms[0], censored=(True, False, False)), arms[1])
    rows = [Comparison(name, "log10 ph s-1", "animal", "", math.nan, math.nan, math.nan, math.nan, own, (), "")
            for name, own in (("total lesion flux", arms), ("burden on the last day", limited))]  # fmt: skip
    onsets = (
        row("m1", "dots", "liver", 0.0, 7.0), row("m1", "dots", "lung", -INF, INF),
        row("m2", "dots", "liver", -INF, 7.0), row("m2", "dots", "lung", 7.0, 14.0),
        row("m3", "dye", "liver", 14.0, INF), row("m3", "dye", "lung", 14.0, INF),
        row("m4", "dye", "liver", 7.0, 14.0), row("m4", "dye", "lung", 14.0, INF),
    )  # fmt: skip
    tables = {
        "comparisons": study_tables(replace(NOTHING, comparisons=tuple(rows)))["comparisons"],
        "onsets": columns(iter(onsets), onsets[0]),
    }
    for name, (cells, units, types) in tables.items():
        write_table(tmp_path / "results" / "tables", name, cells, units=units, types=types)
    return tmp_path


def test_spread_of_an_endpoint(study):
    found = study_summary(study, endpoint="total")
    assert found.groups == ("dots", "dye") and found.n == (3, 4) and found.notes == ()
    assert found.sd == pytest.approx((1.5275252316519468, 0.9128709291752769))
    assert study_summary(study / "results", endpoint="total lesion flux") == found
    assert "1 values were below" in study_summary(study, endpoint="burden").notes[0]


def test_faults_offer_what_there_is(study, tmp_path):
    with pytest.raises(InputError, match="total lesion flux; burden on the last day"):
        study_summary(study)
    with pytest.raises(InputError, match="lampyris run"):
        study_summary(tmp_path / "results" / "tables" / "none")


def test_power_from_a_study(study, capsys):
    assert cli.main(["power", "two-sample", "--from-study", str(study), "--endpoint", "total", "--effect", "2"]) == 0
    assert "from this study's total lesion flux (5 degrees of freedom" in capsys.readouterr().out


def test_onsets_of_an_organ(study, capsys):
    path = study / "results" / "tables" / "onsets.csv"
    where = OnsetChoice(low="after_day", high="by_day", group="group", where=(("organ", "lung"),))
    found = onset_columns(read_table(path), where)
    assert found.subjects == ("m2", "m3", "m4") and [one.unit for one in found.exclusions] == ["m1"]
    words = [
        "survival",
        str(path),
        "--low",
        "after_day",
        "--high",
        "by_day",
        "--group",
        "group",
        "--where",
        "organ=liver",
    ]
    assert cli.main(words) == 0
    assert "animal; dots n = 2, dye n = 2" in capsys.readouterr().out
