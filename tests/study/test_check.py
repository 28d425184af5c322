"""Every rule of the check, one named case each: what is changed in a sound study, and what must be said."""

import numpy as np
import pytest
from faults import A1_D00, NOSE, TAIL, animals, edit, landmarks, rewrite, settings, sheet, stamped, truncate
from rule_cases import CASES, PROBE_FAR_OFF
from small_study import write_small_study

from lampyris.core.errors import InputError
from lampyris.core.finding import Severity
from lampyris.study.check import check_study
from lampyris.study.checks.design import cramers_v
from lampyris.study.run import run_study


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
