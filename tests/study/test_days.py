"""Shuffled, missing, repeated and exchanged days of one virtual animal: the same lesions, or a word about it."""

import json
import random
import shutil
from pathlib import Path

import pytest

from lampyris.core.errors import InputError
from lampyris.core.study import AnimalOutcome
from lampyris.io.durable import sha256_file
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.run import run_study
from lampyris.virtual.design import default_design
from lampyris.virtual.simulate import simulate_study

SHEET = "samplesheet.csv"
# day and date of each session; the images bear the date as the time of acquisition
DAYS = {"d00": "0,2026-03-02", "d07": "7,2026-03-09", "d14": "14,2026-03-16"}


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One labelled virtual animal on three days, analysed."""
    design = default_design()
    arm = design.arms["targeted"].model_copy(update={"animals": 1})
    design = design.model_copy(update={"arms": {"targeted": arm}, "days": (0.0, 7.0, 14.0)})
    study = simulate_study(tmp_path_factory.mktemp("days") / "study", seed=3, design=design).study
    assert all(day in (study / SHEET).read_text() for day in DAYS.values())
    assert run_study(study, workers=1).exit_code == 0
    return study


@pytest.fixture
def study(analysed: Path, tmp_path: Path) -> Path:
    """A copy whose animal is to be followed anew; what is known of its sessions stays as far as it holds."""
    copy = Path(shutil.copytree(analysed, tmp_path / "study"))
    (copy / "results/sub-m01/record.json").unlink()
    return copy


def rows_of(study: Path) -> list[str]:
    return (study / SHEET).read_text().splitlines()


def write_rows(study: Path, rows: list[str]) -> None:
    (study / SHEET).write_text("\r\n".join(rows) + "\r\n")


def exchanged(row: str, one: str, other: str) -> str:
    """The row with one text for the other, and the other way round."""
    return row.replace(one, "\0").replace(other, one).replace("\0", other)


def outcome_of(study: Path) -> AnimalOutcome:
    (outcome,) = load_results(study / "results").outcomes
    return outcome


def identities(outcome: AnimalOutcome, *sessions: str) -> set[frozenset[tuple[str, str, int]]]:
    """Which detections of these sessions are one lesion's, whatever its number."""
    found = {
        frozenset(
            (sighting.session, view, number)
            for sighting in lesion.sightings
            if sighting.session in sessions
            for view, number in sighting.detections
        )
        for lesion in outcome.lesions
    }
    return found - {frozenset()}


def test_there_is_something_to_follow(analysed: Path) -> None:
    outcome = outcome_of(analysed)
    seen = [sum(sighting.seen for sighting in lesion.sightings) for lesion in outcome.lesions]
    assert len(seen) >= 3
    assert max(seen) == 3
    assert all(one.method != "" and one.sd_mm > 0 for session in outcome.registrations for one in session)


def test_shuffled_rows(analysed: Path, study: Path) -> None:
    header, *rows = rows_of(study)
    random.Random(5).shuffle(rows)
    write_rows(study, [header, *rows])
    assert run_study(study, workers=1).exit_code == 0
    for name in ("animal.json", "record.json"):
        assert sha256_file(study / "results/sub-m01" / name) == sha256_file(analysed / "results/sub-m01" / name)


def test_a_missing_session(analysed: Path, study: Path) -> None:
    write_rows(study, [row for row in rows_of(study) if ",d07," not in row])
    assert run_study(study, workers=1).exit_code == 0
    found = outcome_of(study)
    assert found.days == (0.0, 14.0)
    assert identities(found, "d00", "d14") == identities(outcome_of(analysed), "d00", "d14")


def test_a_repeated_row_is_refused(study: Path) -> None:
    rows = rows_of(study)
    write_rows(study, [*rows, rows[-1]])
    with pytest.raises(InputError) as caught:
        run_study(study)
    assert [finding.rule for finding in caught.value.findings] == ["sheet.duplicate-row"]


def test_a_session_repeated_under_another_name_is_refused(study: Path) -> None:
    rows = rows_of(study)
    write_rows(study, [*rows, *(row.replace(",d07,", ",d07b,") for row in rows if ",d07," in row)])
    with pytest.raises(InputError) as caught:
        run_study(study)
    assert {finding.rule for finding in caught.value.findings} == {"sheet.image-reused"}


def test_a_day_twice_is_said_and_each_spot_keeps_its_lesion(analysed: Path, study: Path) -> None:
    rows = rows_of(study)
    again = [row.replace(",d07,", ",d07b,").replace("/d07_", "/d07b_") for row in rows if ",d07," in row]
    for path in sorted((study / "raw/m01").glob("d07_*")):
        shutil.copyfile(path, path.with_name(path.name.replace("d07_", "d07b_")))
    write_rows(study, [*rows, *again])
    assert "sheet.day-twice" in {finding.rule for finding in check_study(study).warnings}
    assert run_study(study, workers=1).exit_code == 0
    found = outcome_of(study)
    assert found.days == (0.0, 7.0, 7.0, 14.0)
    assert identities(found, *DAYS) == identities(outcome_of(analysed), *DAYS)
    # the same images twice: a lesion that one shows, the other shows as well
    for lesion in found.lesions:
        one, other = (sighting for sighting in lesion.sightings if sighting.day == 7.0)
        assert one.detections == other.detections


def test_exchanged_dates_are_said_and_move_no_lesion(analysed: Path, study: Path) -> None:
    """The sheet's dates of two sessions, their days left as they are."""
    write_rows(study, [exchanged(row, ",2026-03-09,", ",2026-03-16,") for row in rows_of(study)])
    (finding,) = [one for one in check_study(study).warnings if one.rule == "sheet.date-order"]
    assert "day 7 on 2026-03-16, day 14 on 2026-03-09" in finding.seen
    assert run_study(study, workers=1).exit_code == 0
    before, after = (
        json.loads((one / "results/sub-m01/animal.json").read_text())["outcome"] for one in (analysed, study)
    )
    assert after["lesions"] == before["lesions"]


def test_exchanged_sessions_are_said_by_the_clock_of_the_files(analysed: Path, study: Path) -> None:
    """Session, day and date of two sessions: only the files know better."""
    header, *rows = rows_of(study)
    rows = [exchanged(exchanged(row, ",d07,", ",d14,"), f",{DAYS['d07']},", f",{DAYS['d14']},") for row in rows]
    write_rows(study, [header, *rows])
    assert run_study(study, workers=1).exit_code == 0
    results = load_results(study / "results")
    (finding,) = [one for one in results.findings if one.rule == "header.clock-order"]
    assert "m01: the clock of the files says d14 (rows " in finding.seen
    assert "before d07 (rows " in finding.seen
    assert "exchange day and date of d07 and d14" in finding.mend
    # all days of a lesion are fitted together, in any order; which spots are one lesion does not ask for their days' order
    swapped = {"d07": "d14", "d14": "d07"}
    expected = {
        frozenset((swapped.get(session, session), view, number) for session, view, number in lesion)
        for lesion in identities(outcome_of(analysed), *DAYS)
    }
    assert identities(results.outcomes[0], *DAYS) == expected


def test_exchanged_views_are_said_by_the_photographs(study: Path) -> None:
    header, *rows = rows_of(study)
    rows = [exchanged(row, ",dorsal,", ",ventral,") if ",d07," in row else row for row in rows]
    write_rows(study, [header, *rows])
    assert run_study(study, workers=1).exit_code == 0
    told = [one for one in load_results(study / "results").findings if one.rule == "animal.views-exchanged"]
    assert [one.seen.split(":")[0] for one in told] == ["m01, d07"]
    assert "exchange dorsal and ventral in the rows of d07" in told[0].mend
