"""Times of an event from a table: what is taken, and what is refused with its row."""

import math

import pytest

from lampyris.core.errors import InputError
from lampyris.io.data_tables import read_table
from lampyris.io.onset_columns import OnsetChoice, onset_columns

INF = math.inf
DAYS = OnsetChoice(time="day", event="dead", group="group")
LOOKS = OnsetChoice(low="low", high="high", group="group")


def read(tmp_path, text, choice):
    path = tmp_path / "onsets.csv"
    path.write_text(text, "utf-8")
    return onset_columns(read_table(path), choice)


def test_days_and_events(tmp_path):
    found = read(tmp_path, "animal,group,day,dead\nm1,a,3,1\nm2,b,5.5,0\nm3,b,7,true\nm4,a,8,no\n", DAYS)
    assert found.low.tolist() == [3, 8, 5.5, 7] and found.high.tolist() == [3, INF, INF, 7]
    assert found.groups == ("a", "a", "b", "b") and found.subjects == ("m1", "m4", "m2", "m3")
    assert found.unit == "animal" and any("taken for the experimental unit" in note for note in found.notes)


def test_looks_as_the_study_writes_them(tmp_path):
    found = read(tmp_path, "animal,group,low,high\nm1,a,-inf,3\nm2,a,7,inf\nm3,a,3,\nm4,b,,7\nm5,b,-inf,inf\n", LOOKS)
    assert found.low.tolist() == [0, 7, 3, 0] and found.high.tolist() == [3, INF, INF, 7]
    assert found.exclusions[0].unit == "m5" and "never looked at" in found.exclusions[0].reason
    assert any("any time since day 0" in note for note in found.notes)


def test_decimal_commas(tmp_path):
    found = read(tmp_path, "animal;group;low;high\nm1;a;0,5;3,5\n", LOOKS)
    assert (found.low[0], found.high[0]) == (0.5, 3.5)


def test_missing_days_and_covariates_are_left_out_and_named(tmp_path):
    text = "animal,group,day,dead,w,cage\nm1,a,3,1,20,x\nm2,a,,1,20,x\nm3,a,4,,20,x\nm4,a,5,1,,y\nm5,b,5,0,21,\n"
    choice = OnsetChoice(time="day", event="dead", group="group", covariates=("w", "cage"))
    found = read(tmp_path, text, choice)
    assert found.subjects == ("m1",) and found.covariates == {"w": (20.0,), "cage": ("x",)}
    assert [one.reason for one in found.exclusions] == [
        "no day or no event is given",
        "no day or no event is given",
        "w is not given",
        "cage is not given",
    ]


def test_rows_are_chosen_and_the_control_comes_first(tmp_path):
    text = "animal,group,organ,low,high\nm1,a,liver,0,3\nm1,a,lung,3,7\nm2,b,liver,3,7\nm2,b,lung,7,\n"
    choice = OnsetChoice(low="low", high="high", group="group", where=(("organ", "lung"),), control="b")
    found = read(tmp_path, text, choice)
    assert found.groups == ("b", "a") and found.low.tolist() == [7, 3] and found.rows == 2


def test_first_of_several_events(tmp_path):
    text = "animal,group,low,high\nm1,a,7,14\nm1,a,3,10\nm1,a,14,\nm2,a,7,\nm2,a,3,\n"
    found = read(tmp_path, text, OnsetChoice(low="low", high="high", group="group", first=True))
    # a site that was followed up to day 3 alone may have been first from then on
    assert found.low.tolist() == [3, 3] and found.high.tolist() == [10, INF]
    assert any("first of its events" in note for note in found.notes)


def test_without_group_and_subject(tmp_path):
    found = read(tmp_path, "day,dead\n3,1\n5,0\n", OnsetChoice(time="day", event="dead"))
    assert found.groups == ("all", "all") and found.unit == "row"
    assert any("Each row is taken" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "choice", "rule", "row", "column"),
    [
        ("animal,group,day,dead\nm1,a,-3,1\n", DAYS, "onset.negative-day", 2, "day"),
        ("animal,group,day,dead\nm1,a,3,1\nm2,a,3,2\n", DAYS, "onset.no-event", 3, "dead"),
        ("animal,group,day,dead\nm1,a,three,1\n", DAYS, "table.no-number", 2, "day"),
        ("animal,group,day,dead\nm1,a,0,1\n", DAYS, "onset.day-zero", 2, "day"),
        ("animal,group,day,dead\nm1,,3,1\n", DAYS, "onset.no-group", 2, "group"),
        ("animal,group,day,dead\n,a,3,1\n", DAYS, "onset.no-subject", 2, "animal"),
        ("animal,group,day,dead\nm1,a,3,1\nm1,b,5,1\n", DAYS, "onset.subject-in-two-groups", 3, "group"),
        ("animal,group,day,dead\nm1,a,3,1\nm1,a,5,1\n", DAYS, "onset.subject-twice", 3, "animal"),
        ("animal,group,low,high\nm1,a,7,3\n", LOOKS, "onset.low-above-high", 2, "low"),
        ("animal,group,low,high\nm1,a,-2,3\n", LOOKS, "onset.negative-day", 2, "low"),
        ("animal,group,low,high\nm1,a,x,3\n", LOOKS, "table.no-number", 2, "low"),
        ("animal,group,low,high\n", LOOKS, "table.empty", 1, ""),
        ("animal,group,day,dead\nm1,a,,1\n", DAYS, "onset.no-row", None, ""),
        ("animal,group,day,died\nm1,a,3,1\n", DAYS, "table.no-column", None, "dead"),
    ],
)
def test_faults_name_the_row_and_column(tmp_path, text, choice, rule, row, column):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, choice)
    finding = caught.value.findings[0]
    assert (finding.rule, finding.place.row, finding.place.column) == (rule, row, column)
    assert finding.mend


def test_all_faults_at_once_and_the_mend_of_pseudo_replication(tmp_path):
    text = "animal,group,low,high\nm1,a,7,3\nm2,a,-1,3\nm3,a,0,3\nm3,a,3,7\nm4,a,0,3\nm4,a,3,7\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, LOOKS)
    assert [finding.rule for finding in caught.value.findings] == [
        "onset.low-above-high",
        "onset.negative-day",
        "onset.subject-twice",
    ]
    assert "m3 has 2 rows (4, 5); so have 1 others" in str(caught.value) and "--first" in str(caught.value)


def test_unknown_rows_and_controls_are_offered_what_there_is(tmp_path):
    text = "animal,group,organ,low,high\nm1,a,liver,0,3\nm2,b,lung,3,7\n"
    with pytest.raises(InputError, match="Values are: liver, lung"):
        read(tmp_path, text, OnsetChoice(low="low", high="high", where=(("organ", "bone"),)))
    with pytest.raises(InputError, match="no row is left"):
        read(tmp_path, text, OnsetChoice(low="low", high="high", where=(("organ", "lung"), ("group", "a"))))
    with pytest.raises(InputError, match="Groups are: a, b"):
        read(tmp_path, text, OnsetChoice(low="low", high="high", group="group", control="c"))


def test_a_covariate_of_words_and_numbers_is_refused(tmp_path):
    text = "animal,group,day,dead,w\nm1,a,3,1,20\nm2,a,4,1,heavy\n"
    with pytest.raises(InputError, match="holds text in 1 of 2 rows"):
        read(tmp_path, text, OnsetChoice(time="day", event="dead", covariates=("w",)))
