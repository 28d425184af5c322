"""Every rule of the check, one named case each: what is changed in a sound study, and what must be said."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from faults import (
    A1_D00,
    NOSE,
    TAIL,
    animals,
    drop_row,
    edit,
    every,
    landmarks,
    rename_day,
    repeat_row,
    rewrite,
    settings,
    sheet,
    stamped,
    third_animal,
    truncate,
)
from small_study import write_small_study

from lampyris.core.errors import InputError
from lampyris.core.finding import Severity
from lampyris.study.check import check_study
from lampyris.study.checks.design import cramers_v
from lampyris.study.run import run_study

PROBE_FAR_OFF = """\
[probes.far]
emission_nm = 1500
fwhm_nm = 45
molar_extinction_per_m_cm = 1e6
quantum_yield = 0.4
per_cell = 1e5

"""
BAND_2 = """\
[[instrument.bands]]
channel = "b2"
centre_nm = 820
width_nm = 20
autofluorescence = 1.0
leakage = 0.0
"""
FULL = np.r_[np.full(5, 65535), np.arange(5)]


@dataclass(frozen=True)
class Case:
    name: str
    change: Callable[[Path], None]
    rule: str
    severity: str
    place: str
    says: str


CASES = (
    Case(
        "group not in settings",
        every(sheet(",targeted,", ",targetted,", 0), animals("a1,targeted", "a1,targetted")),
        "sheet.unknown-group",
        "error",
        "samplesheet.csv, row 2, column group",
        "Write targeted",
    ),
    Case(
        "group changes within the sheet",
        sheet("a1,d07,7,2026-03-09,targeted", "a1,d07,7,2026-03-09,untargeted"),
        "sheet.group-changes",
        "error",
        "samplesheet.csv, row 4, column group",
        "targeted",
    ),
    Case(
        "group differs between the sheets",
        animals("b1,untargeted", "b1,targeted"),
        "sheet.group-changes",
        "error",
        "samplesheet.csv, row 10, column group",
        "row 4 of animals.csv",
    ),
    Case(
        "probe not in settings",
        sheet("qd,L1", "dq,L1"),
        "sheet.unknown-probe",
        "error",
        "samplesheet.csv, row 2, column probe",
        "no probe 'dq'",
    ),
    Case(
        "arm's probe not in settings",
        settings('probe = "qd"', 'probe = "qdd"'),
        "settings.unknown-probe",
        "error",
        "study.toml, groups.targeted.probe",
        "Write qd",
    ),
    Case(
        "labelled arm without probe",
        settings('title = "Targeted dot"\nprobe = "qd"', 'title = "Targeted dot"'),
        "settings.labelled-without-probe",
        "error",
        "study.toml, groups.targeted.probe",
        "targeted has no probe",
    ),
    Case(
        "control arm with probe",
        settings('title = "Untargeted dot"', 'title = "Untargeted dot"\nrole = "control"'),
        "settings.control-with-probe",
        "error",
        "study.toml, groups.untargeted.probe",
        "has the probe qd",
    ),
    Case(
        "no probe at all",
        lambda study: (study / "study.toml").write_text((study / "study.toml").read_text().split("[probes.qd]")[0]),
        "settings.no-probe",
        "error",
        "study.toml, probes",
        "no probe is described",
    ),
    Case(
        "row of a control carries a probe",
        settings('title = "Untargeted dot"\nprobe = "qd"', 'role = "control"'),
        "sheet.control-with-probe",
        "error",
        "samplesheet.csv, row 10, column probe",
        "Leave the cell empty",
    ),
    Case(
        "labelled row without probe",
        sheet("raw/dark.ome.tif,qd", "raw/dark.ome.tif,"),
        "sheet.probe-differs",
        "error",
        "samplesheet.csv, row 2, column probe",
        "this row none",
    ),
    Case(
        "lot not among the probe's",
        settings("per_cell = 1e5", 'per_cell = 1e5\nlots = ["L2"]'),
        "sheet.unknown-lot",
        "warning",
        "samplesheet.csv, row 2, column lot",
        "'L1' is not among",
    ),
    Case(
        "channel not in settings",
        sheet(",b1,745", ",b3,745"),
        "sheet.unknown-channel",
        "error",
        "samplesheet.csv, row 2, column channel",
        "no band 'b3'",
    ),
    Case(
        "two bands of one name",
        settings('channel = "b2"', 'channel = "b1"'),
        "settings.doubled-band",
        "error",
        "study.toml, instrument.bands",
        "two bands are called b1",
    ),
    Case(
        "bands that cannot unmix",
        settings("autofluorescence = 1.6", "autofluorescence = 1.0"),
        "settings.bands-cannot-unmix",
        "error",
        "study.toml, instrument.bands",
        "with the probe qd: the bands cannot tell the components apart",
    ),
    Case(
        "probe outside every band",
        settings("emission_nm = 800", "emission_nm = 1500"),
        "settings.bands-cannot-unmix",
        "error",
        "study.toml, instrument.bands",
        "no band records any light of the probe 'qd'",
    ),
    Case(
        "first probe, which controls are unmixed with, outside every band",
        every(
            settings("[probes.qd]", PROBE_FAR_OFF + "[probes.qd]"),
            settings('title = "Untargeted dot"\nprobe = "qd"', 'role = "control"'),
        ),
        "settings.bands-cannot-unmix",
        "error",
        "study.toml, instrument.bands",
        "with the probe far",
    ),
    Case(
        "leakage with two bands",
        settings("leakage = 0.0", "leakage = 1.0"),
        "settings.few-bands",
        "warning",
        "study.toml, instrument.bands",
        "leaked excitation cannot be removed with 2 bands",
    ),
    Case(
        "one band",
        settings(BAND_2, ""),
        "settings.few-bands",
        "warning",
        "study.toml, instrument.bands",
        "tissue autofluorescence cannot be removed with 1 band:",
    ),
    Case(
        "one band, with leakage",
        every(settings(BAND_2, ""), settings("leakage = 0.0", "leakage = 1.0")),
        "settings.few-bands",
        "warning",
        "study.toml, instrument.bands",
        "tissue autofluorescence and leaked excitation cannot be removed with 1 band:",
    ),
    Case(
        "camera of twelve bits",
        rewrite(A1_D00, np.r_[4095, np.arange(9) + 30]),
        "header.full-scale",
        "warning",
        "study.toml, instrument.full_scale_counts",
        "12 pixels of b1 in raw/a1_d00.ome.tif share its largest count, 4095",
    ),
    Case(
        "emission differs from the band",
        sheet("b1,745,780", "b1,745,790"),
        "sheet.wavelength",
        "error",
        "samplesheet.csv, row 2, column emission_nm",
        "790 nm, but study.toml gives 780 nm",
    ),
    Case(
        "excitation differs from the instrument",
        sheet("b1,745,780", "b1,640,780"),
        "sheet.wavelength",
        "error",
        "samplesheet.csv, row 2, column excitation_nm",
        "640 nm, but study.toml gives 745 nm",
    ),
    Case(
        "a row twice",
        repeat_row,
        "sheet.duplicate-row",
        "error",
        "samplesheet.csv, row 18",
        "stands on row 2 already",
    ),
    Case(
        "one image for two animals",
        sheet("raw/a2_d00.ome.tif", A1_D00, 0),
        "sheet.image-reused",
        "error",
        "samplesheet.csv, row 6, column image",
        "is the image of a1, d00, dorsal on row 2",
    ),
    Case(
        "an animal twice",
        animals("a2,targeted,c1", "a1,targeted,c1"),
        "animals.duplicate",
        "error",
        "animals.csv, row 3, column animal",
        "stands on row 2 already",
    ),
    Case(
        "names that differ in case",
        every(sheet("a2,", "A1,", 0), animals("a2,", "A1,")),
        "sheet.names-collide",
        "error",
        "samplesheet.csv, row 6, column animal",
        "'A1' and 'a1'",
    ),
    Case(
        "band missing",
        drop_row("a1,d07,.*,b2,"),
        "sheet.missing-band",
        "error",
        "samplesheet.csv, row 4, column channel",
        "a1, d07, dorsal has no row for b2",
    ),
    Case(
        "two days in a session",
        sheet("a1,d07,7,", "a1,d07,8,"),
        "sheet.two-days",
        "error",
        "samplesheet.csv, row 5, column day",
        "day 7 here and day 8 on row 4",
    ),
    Case(
        "later day, earlier date",
        sheet("a1,d07,7,2026-03-09", "a1,d07,7,2026-02-09", 0),
        "sheet.date-order",
        "warning",
        "samplesheet.csv, row 4, column date",
        "the later day has the earlier date",
    ),
    Case(
        "days and dates disagree",
        sheet("a1,d07,7,2026-03-09", "a1,d07,7,2026-03-19", 0),
        "sheet.date-gap",
        "warning",
        "samplesheet.csv, row 4, column date",
        "7 days by one, 17 by the other",
    ),
    Case(
        "image missing",
        lambda study: (study / A1_D00).rename(study / "raw/a1_day00.ome.tif"),
        "sheet.file-missing",
        "error",
        "samplesheet.csv, row 2, column image",
        "there is a1_day00.ome.tif",
    ),
    Case(
        "flat missing",
        settings("raw/flat.ome.tif", "raw/flot.ome.tif"),
        "settings.file-missing",
        "error",
        "study.toml, instrument.bands[0].flat",
        "there is flat.ome.tif",
    ),
    Case(
        "flat outside the study",
        settings("raw/flat.ome.tif", "../flat.ome.tif"),
        "settings.path-refused",
        "error",
        "study.toml, instrument.bands[0].flat",
        "climbs out",
    ),
    Case(
        "path outside the study",
        sheet(A1_D00, "../a1.ome.tif"),
        "path.refused",
        "error",
        "samplesheet.csv, row 2, column image",
        "climbs out",
    ),
    Case(
        "excluded without reason",
        animals("a2,targeted,c1,tail vein,,,", "a2,targeted,c1,tail vein,yes,,"),
        "animals.exclusion-reason",
        "error",
        "animals.csv, row 3, column exclusion_reason",
        "a2 is excluded without a reason",
    ),
    Case(
        "reason without exclusion",
        animals("a2,targeted,c1,tail vein,,,", "a2,targeted,c1,tail vein,,died,"),
        "animals.not-excluded",
        "warning",
        "animals.csv, row 3, column excluded",
        "is not excluded",
    ),
    Case(
        "animal not listed",
        animals("b2,untargeted,c1,tail vein,,,\n", ""),
        "animals.not-listed",
        "warning",
        "samplesheet.csv, row 14, column animal",
        "b2 is not in animals.csv",
    ),
    Case(
        "animal without image",
        animals("b2,untargeted", "b3,untargeted,c1,tail vein,,,\nb2,untargeted"),
        "animals.no-image",
        "note",
        "animals.csv, row 5, column animal",
        "b3 has no image",
    ),
    Case(
        "mixed exposures",
        every(
            sheet("780,2,raw/a1_d07", "780,3,raw/a1_d07"),
            rewrite("raw/a1_d07.ome.tif", exposure_s=(3.0, 2.0)),
        ),
        "sheet.mixed-exposure",
        "note",
        "samplesheet.csv, row 4, column exposure_s",
        "a1 was imaged in b1 with differing exposures: 2, 3 s",
    ),
    Case(
        "too few animals for a test",
        lambda study: None,
        "L08",
        "warning",
        "study.toml, groups.targeted",
        "has 2 animals: no test",
    ),
    Case(
        "a cage per arm",
        every(animals("a2,targeted,c1", "a2,targeted,c0"), animals("b1,untargeted,c0", "b1,untargeted,c1")),
        "L17",
        "error",
        "animals.csv, column cage",
        "group and cage are the same",
    ),
    Case(
        "a lot per arm of one probe",
        lambda study: (study / "samplesheet.csv").write_text(
            re.sub(r"(?m)^(b.*)L1$", r"\1L2", (study / "samplesheet.csv").read_text())
        ),
        "L17",
        "error",
        "samplesheet.csv, column lot",
        "Cramér's V 1.00",
    ),
    Case(
        "exposure in milliseconds",
        sheet("780,2,raw/a1_d00", "780,2000,raw/a1_d00"),
        "header.exposure",
        "error",
        "samplesheet.csv, row 2, column exposure_s",
        "milliseconds: write 2.",
    ),
    Case(
        "exposure differs from the file",
        sheet("780,2,raw/a1_d00", "780,3,raw/a1_d00"),
        "header.exposure",
        "error",
        "samplesheet.csv, row 2, column exposure_s",
        "the sheet says 3 s, raw/a1_d00.ome.tif says 2 s",
    ),
    Case(
        "wavelength differs from the file",
        rewrite(A1_D00, emission_nm=(780.0, 840.0)),
        "header.emission",
        "error",
        "samplesheet.csv, row 3, column emission_nm",
        "the sheet says 820 nm, raw/a1_d00.ome.tif says 840 nm",
    ),
    Case(
        "pixel differs from the file",
        rewrite(A1_D00, pixel_mm=0.25),
        "header.pixel",
        "error",
        "samplesheet.csv, row 2, column image",
        "says 0.25 mm a pixel, study.toml says 0.5 mm",
    ),
    Case(
        "channel not in the file",
        rewrite(A1_D00, channels=("b1", "b9")),
        "header.channel",
        "error",
        "samplesheet.csv, row 3, column channel",
        "has the channels b1, b9, not b2",
    ),
    Case(
        "dark frame of another shape",
        rewrite("raw/dark.ome.tif", counts=np.arange(2 * 6 * 5, dtype=np.uint16).reshape(2, 6, 5)),
        "header.shape",
        "error",
        "samplesheet.csv, row 2, column background",
        "raw/dark.ome.tif has 6 x 5 pixels, raw/a1_d00.ome.tif has 12 x 10 pixels",
    ),
    Case(
        "flat field of another shape",
        rewrite("raw/flat.ome.tif", channels=("b1",), counts=np.arange(30, dtype=np.uint16).reshape(1, 6, 5)),
        "header.shape",
        "error",
        "samplesheet.csv, row 2, column image",
        "raw/flat.ome.tif has 6 x 5 pixels",
    ),
    Case(
        "photograph of another shape",
        every(
            sheet(f"{A1_D00},,", f"{A1_D00},raw/photo.ome.tif,"),
            rewrite("raw/photo.ome.tif", channels=("photo",), counts=np.arange(30, dtype=np.uint16).reshape(1, 6, 5)),
        ),
        "header.shape",
        "error",
        "samplesheet.csv, row 2, column photo",
        "raw/photo.ome.tif has 6 x 5 pixels",
    ),
    Case(
        "dark frame of another exposure",
        rewrite("raw/dark.ome.tif", exposure=5.0),
        "header.dark-exposure",
        "error",
        "samplesheet.csv, row 2, column background",
        "was exposed 5 s, the image 2 s",
    ),
    Case(
        "simulated image in a real study",
        rewrite(A1_D00, synthetic=True),
        "header.synthetic",
        "error",
        "samplesheet.csv, row 2, column image",
        "synthetic = true",
    ),
    Case(
        "image cut short",
        truncate(A1_D00),
        "image.",
        "error",
        A1_D00,
        "row 2 of samplesheet.csv",
    ),
    Case(
        "image empty",
        rewrite(A1_D00, 7),
        "image.constant",
        "error",
        f"{A1_D00}, b1",
        "every pixel is the same",
    ),
    Case(
        "image saturated",
        rewrite(A1_D00, FULL),
        "image.saturated",
        "warning",
        f"{A1_D00}, b1",
        "50 % of all pixels of b1 are saturated",
    ),
    Case(
        "two sessions on one day",
        rename_day,
        "sheet.day-twice",
        "warning",
        "samplesheet.csv, row 4, column day",
        "a1 has d00b here and d00 on row 2, both on day 0",
    ),
    Case(
        "session missing that the arm has",
        third_animal,
        "sheet.session-missing",
        "note",
        "samplesheet.csv, row 18, column session",
        "a3 has no session on day 7",
    ),
    Case(
        "view missing that other sessions have",
        sheet("a1,d07,7,2026-03-09,targeted,dorsal", "a1,d07,7,2026-03-09,targeted,ventral", 0),
        "sheet.view-missing",
        "note",
        "samplesheet.csv, row 4, column view",
        "a1, d07 has no dorsal view",
    ),
    Case(
        "files recorded in another order than the days",
        stamped(d00="2026-03-09T10:00:00", d07="2026-03-02T10:00:00"),
        "header.clock-order",
        "warning",
        "samplesheet.csv, row 2, column day",
        "says d07 (rows 4-5, 2026-03-02T10:00:00) before d00 (rows 2-3, 2026-03-09T10:00:00)",
    ),
    Case(
        "landmark not known",
        landmarks(NOSE, "a1,d00,dorsal,tail bse,5,2.5"),
        "landmarks.unknown",
        "error",
        "landmarks.csv, row 3, column landmark",
        "Write tail base",
    ),
    Case(
        "landmark of no view",
        landmarks(NOSE, TAIL, "a1,d07,ventral,nose,1,2.5", "a1,d07,ventral,tail base,5,2.5"),
        "landmarks.no-view",
        "error",
        "landmarks.csv, row 4",
        "a1, d07, ventral is not in samplesheet.csv",
    ),
    Case(
        "landmark twice",
        landmarks(NOSE, TAIL, NOSE),
        "landmarks.duplicate",
        "error",
        "landmarks.csv, row 4, column landmark",
        "stands on row 2 already",
    ),
    Case(
        "one landmark alone",
        landmarks(NOSE),
        "landmarks.few",
        "error",
        "landmarks.csv, row 2",
        "Name 2 or more",
    ),
    Case(
        "landmarks on one spot",
        landmarks(NOSE, "a1,d00,dorsal,tail base,1,2.5"),
        "landmarks.few",
        "error",
        "landmarks.csv, row 2",
        "in one place only",
    ),
    Case(
        "landmark off the image",
        # pixels where millimetres are expected
        landmarks(NOSE, "a1,d00,dorsal,tail base,11,5"),
        "header.landmark",
        "error",
        "landmarks.csv, row 3, column y_mm",
        "11 mm is off the image, which ends at 5.5 mm",
    ),
    Case(
        "landmark above the image",
        landmarks(NOSE, "a1,d00,dorsal,tail base,-1,5"),
        "sheet.out-of-bounds",
        "error",
        "landmarks.csv, row 3, column y_mm",
        "-1 is outside 0 to 1000",
    ),
    Case(
        "settings not valid",
        settings("pixel_mm = 0.5", "pixel_um = 500"),
        "settings.",
        "error",
        "study.toml",
        "pixel_um",
    ),
    Case(
        "unknown column",
        sheet("exposure_s", "exposure_ms"),
        "sheet.unknown-column",
        "error",
        "samplesheet.csv, row 1, column exposure_ms",
        "exposure_s",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
def test_rule(small_study, case):
    case.change(small_study)
    found = [
        finding
        for finding in check_study(small_study).findings
        if finding.rule.startswith(case.rule) and str(finding.place).startswith(case.place)
    ]
    assert found, [f"{finding.rule}: {finding}" for finding in check_study(small_study).findings]
    assert {str(finding.severity) for finding in found} == {case.severity}
    assert any(case.says in str(finding) for finding in found), [str(finding) for finding in found]


def test_a_sound_study_has_no_error(small_study):
    result = check_study(small_study)
    assert result.errors == ()
    # two animals an arm, and nothing stated of allocation and blinding
    assert {finding.rule for finding in result.warnings} == {"L08", "L15"}
    assert (len(result.samples), len(result.animals)) == (16, 4)


def test_landmarks_that_fit_are_read_and_said_nothing_of(small_study):
    landmarks(NOSE, TAIL)(small_study)
    result = check_study(small_study)
    assert result.errors == ()
    assert [(mark.landmark, mark.y_mm, mark.x_mm) for mark in result.landmarks] == [
        ("nose", 1.0, 2.5),
        ("tail base", 5.0, 2.5),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        ("2026-03-02T10:00:00", ""),
        ("2026-03-02T10:00:00", "2026-03-02T10:00:00"),
        ("2026-03-02T10:00:00", "2026-03-09T09:00:00+02:00"),
        # a year off, in the right order
        ("2001-01-01T00:00:00Z", "2001-01-08T00:00:00Z"),
    ],
)
def test_a_clock_that_says_nothing_against_the_sheet_is_not_mentioned(small_study, first, second):
    stamped(d00=first, d07=second)(small_study)
    assert not [f for f in check_study(small_study).findings if f.rule.startswith("header.clock")]


def test_a_probe_that_no_image_is_unmixed_with_is_no_fault(small_study):
    edit("study.toml", "per_cell = 1e5\n", "per_cell = 1e5\n\n" + PROBE_FAR_OFF)(small_study)
    assert check_study(small_study).errors == ()


def test_bands_that_cannot_unmix_stop_before_analysis(small_study):
    settings("autofluorescence = 1.6", "autofluorescence = 1.0")(small_study)
    assert [finding.rule for finding in check_study(small_study).sheet_errors] == ["settings.bands-cannot-unmix"]
    with pytest.raises(InputError) as caught:
        run_study(small_study)
    assert caught.value.exit_code == 3
    assert not (small_study / "results").exists()


@pytest.mark.parametrize(("pixels", "full", "warned"), [(5, 65535, True), (4, 65535, False), (5, 4095, False)])
def test_counts_pile_up_only_where_several_share_the_largest(small_study, pixels, full, warned):
    counts = np.random.default_rng(5).integers(100, 4000, (2, 12, 10)).astype(np.uint16)
    counts[0, 0, :pixels] = 4095
    counts[1, 5, 5] = 4001
    rewrite(A1_D00, counts=counts)(small_study)
    settings("read_noise_e = 2.0", f"read_noise_e = 2.0\nfull_scale_counts = {full}")(small_study)
    rules = {finding.rule for finding in check_study(small_study).warnings}
    assert ("header.full-scale" in rules) == warned


def test_without_images_nothing_is_said_of_counts(small_study):
    rewrite(A1_D00, np.r_[4095, np.arange(9) + 30])(small_study)
    rules = {finding.rule for finding in check_study(small_study, images=False).warnings}
    assert "header.full-scale" not in rules


def test_animals_sheet_is_optional(small_study):
    (small_study / "animals.csv").unlink()
    assert check_study(small_study).errors == ()


def test_all_faults_at_once(small_study):
    """Faults of settings, both sheets and a file, in one go."""
    for change in (
        settings("gain_e_per_count = 1.0", "gain_e_per_count = -1.0"),
        sheet("b1,745,780,2,", "b1,745,780,two,"),
        animals("a2,targeted", "a2,untargeted"),
        animals("tail vein", "tail"),
    ):
        change(small_study)
    result = check_study(small_study)
    assert result.settings is None
    assert {finding.place.file for finding in result.errors} == {"study.toml", "samplesheet.csv", "animals.csv"}
    assert len(result.errors) >= 4


def test_faulty_rows_do_not_make_false_remarks(small_study):
    """A row that cannot be read is not reported as a missing band as well."""
    sheet("b1,745,780,2,", "b1,745,780,two,")(small_study)
    rules = [finding.rule for finding in check_study(small_study).errors]
    assert rules == ["sheet.number"]


def test_image_faults_are_kept_apart(small_study):
    truncate(A1_D00)(small_study)
    result = check_study(small_study)
    assert result.sheet_errors == ()
    assert len(result.image_errors) == 1


def test_findings_are_sorted_and_mendable(small_study):
    sheet(",b1,745", ",b3,745", 0)(small_study)
    findings = check_study(small_study).findings
    rank = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    assert [rank[finding.severity] for finding in findings] == sorted(rank[f.severity] for f in findings)
    assert all(finding.mend for finding in findings if finding.severity == Severity.ERROR)


def test_check_writes_nothing(small_study):
    def state():
        return {path: path.stat().st_mtime_ns for path in sorted(small_study.rglob("*"))}

    before = state()
    check_study(small_study)
    assert state() == before


def test_cramers_v_of_a_partial_overlap():
    pairs = [("a", "1")] * 3 + [("a", "2")] + [("b", "1")] + [("b", "2")] * 3
    # a 2 x 2 table of 3, 1, 1, 3: phi = (9 - 1) / 16
    assert cramers_v(pairs) == pytest.approx(0.5)


def test_missing_study(tmp_path):
    result = check_study(tmp_path / "nowhere")
    assert {finding.place.file for finding in result.errors} == {"study.toml", "samplesheet.csv"}


def test_small_study_is_the_same_each_time(tmp_path):
    one, two = (write_small_study(tmp_path / name) for name in ("one", "two"))
    for path in sorted(one.rglob("*.*")):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()
