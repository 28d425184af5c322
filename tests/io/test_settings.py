"""study.toml: each fault with its line, key and mend; written settings read back the same."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding
from lampyris.core.settings import (
    AnalysisOptions,
    Band,
    Group,
    Instrument,
    Limits,
    ProbeSettings,
    StudyInfo,
    StudySettings,
)
from lampyris.io.settings import UNFILLED, read_settings, settings_toml, write_settings

GOOD = """\
# a study
[study]
name = "demo"
diet = "chow"

[instrument]
pixel_mm = 0.2
gain_e_per_count = 1
read_noise_e = 3.0
radiance_per_rate = 1e3
excitation_nm = 660
excitation_mw_per_cm2 = 5.0

[[instrument.bands]]
channel = "800"
centre_nm = 800
width_nm = 40

[[instrument.bands]]
channel = "850"
centre_nm = 850
width_nm = 40

[groups.targeted]
role = "labelled"
probe = "dot"

[groups."no label"]
role = "control"

[probes.dot]
emission_nm = 820
fwhm_nm = 60
molar_extinction_per_m_cm = 1e6
quantum_yield = 0.4
per_cell = 1e6
lots = [
  "L1",
  "L2",
]

[analysis]
template_depths_mm = [1.0, 2.0]
"""


def findings_of(tmp_path: Path, text: str | bytes) -> tuple[Finding, ...]:
    path = tmp_path / "study.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_settings(path)
    assert caught.value.findings
    assert all(finding.place.file == "study.toml" for finding in caught.value.findings)
    return caught.value.findings


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_good_file_reads_with_defaults(tmp_path: Path, mark: bytes) -> None:
    (tmp_path / "study.toml").write_bytes(mark + GOOD.encode())
    found = read_settings(tmp_path / "study.toml")
    assert found.instrument.bands[1].channel == "850"
    assert found.probes["dot"].lots == ("L1", "L2")
    assert found.groups["no label"].role == "control"
    assert found.analysis.detection_power == AnalysisOptions().detection_power


# old line, new line, dotted key, words of the message
FAULTS = {
    "unknown key": ('diet = "chow"', 'dite = "chow"', "study.dite", "Did you mean diet?"),
    "unknown table": ("[analysis]", "[analysys]", "analysys", "Did you mean analysis?"),
    "unknown far": ("read_noise_e = 3.0", "read_noise_e = 3.0\nzzz = 1", "instrument.zzz", "known here: bands"),
    "text for number": ("read_noise_e = 3.0", 'read_noise_e = "3.0"', "instrument.read_noise_e", "without quotes"),
    "flag for number": ("read_noise_e = 3.0", "read_noise_e = true", "instrument.read_noise_e", "got true"),
    "micrometres": ("excitation_nm = 660", "excitation_nm = 0.66", "instrument.excitation_nm", "micrometres: write 660"),
    "choice": ('diet = "chow"', 'diet = "Chow"', "study.diet", "Did you mean 'chow'?"),
    "out of bounds": ("quantum_yield = 0.4", "quantum_yield = 40", "probes.dot.quantum_yield", "at most 1"),
    "not finite": ("pixel_mm = 0.2", "pixel_mm = inf", "instrument.pixel_mm", "finite"),
    "second band": ("centre_nm = 850", "centre_nm = 8500.0", "instrument.bands[1].centre_nm", "ångström: write 850"),
    "quoted key": ('role = "control"', 'role = "contrl"', 'groups."no label".role', "Did you mean 'control'?"),
    "list entry": ("template_depths_mm =", "template_depths_mm = [1, -2] #", "analysis.template_depths_mm[1]", "above 0"),
    "date": ('diet = "chow"', "diet = 2024-01-01", "study.diet", "the date or time 2024-01-01"),
    "empty": ('channel = "850"', 'channel = ""', "instrument.bands[1].channel", "must not be empty"),
    "table for text": ('name = "demo"', "name = {a = 1}", "study.name", "a table with 1 entries"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_fault_has_line_key_and_mend(tmp_path: Path, old: str, new: str, key: str, words: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    (finding,) = findings_of(tmp_path, text)
    assert finding.place.column == key
    assert finding.place.row == line_of(text, new.splitlines()[-1])
    assert words in str(finding)
    assert finding.mend


def test_missing_key_points_to_its_table(tmp_path: Path) -> None:
    text = GOOD.replace("width_nm = 40\n\n[groups", "\n[groups")
    (finding,) = findings_of(tmp_path, text)
    assert (finding.place.column, finding.place.row) == ("instrument.bands[1].width_nm", 19)
    assert "under [[instrument.bands]]" in finding.mend


def test_all_faults_come_at_once_in_order(tmp_path: Path) -> None:
    text = GOOD
    for old, new in (("pixel_mm = 0.2", "pixel_mm = -1"), ("per_cell", "percell"), ('name = "demo"', "")):
        text = text.replace(old, new, 1)
    found = findings_of(tmp_path, text)
    assert [finding.place.column for finding in found] == [
        "study.name",
        "instrument.pixel_mm",
        "probes.dot.per_cell",
        "probes.dot.percell",
    ]


def test_faulty_bands_do_not_count_as_no_bands(tmp_path: Path) -> None:
    found = findings_of(tmp_path, GOOD.replace("width_nm = 40", "width_nm = 0"))
    assert [finding.place.row for finding in found] == [17, 22]


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("a = 1\n[study\n", 2, "no valid TOML"),
        ("a = 1\nx = 1,5\n", 2, "decimal point"),
        ("a = 1\na = 2\n", 2, "stands once"),
        ('a = "open', 1, "no valid TOML"),
        (b"a = 1\nb = '\xe4'\n", 2, "UTF-8"),
        ("a = " + "[" * 5000 + "]" * 5000, None, "nested"),
        ("a = " + "1" * 5000, None, "no valid TOML"),
    ],
)
def test_broken_toml_is_placed(tmp_path: Path, text: str | bytes, row: int | None, words: str) -> None:
    (finding,) = findings_of(tmp_path, text)
    assert finding.place.row == row
    assert words in str(finding)


def test_missing_empty_and_huge_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs study\.toml"):
        read_settings(tmp_path / "study.toml")
    assert {finding.place.column for finding in findings_of(tmp_path, "")} == {"study", "instrument", "groups"}
    (finding,) = findings_of(tmp_path, "#" * 1_000_001)
    assert finding.rule == "settings.size"


positive = st.floats(min_value=1e-300, max_value=1e300)
fraction = st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True)
wavelength = st.floats(min_value=200, max_value=2000)
name = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs",)), min_size=1, max_size=12).filter(str.strip)
bands = st.builds(
    Band, channel=name, centre_nm=wavelength, width_nm=positive, transmission=fraction, flat=st.text(max_size=12)
)
instruments = st.builds(
    Instrument,
    name=st.text(max_size=12),
    pixel_mm=positive,
    gain_e_per_count=positive,
    read_noise_e=st.just(0.0) | positive,
    radiance_per_rate=positive,
    excitation_nm=wavelength,
    excitation_mw_per_cm2=positive,
    bands=st.lists(bands, min_size=1, max_size=3).map(tuple),
)
probes = st.builds(
    ProbeSettings,
    title=st.text(max_size=12),
    emission_nm=wavelength,
    fwhm_nm=positive,
    molar_extinction_per_m_cm=positive,
    quantum_yield=fraction,
    per_cell=positive,
    lots=st.lists(st.text(max_size=6), max_size=3).map(tuple),
)
studies = st.builds(
    StudySettings,
    study=st.builds(StudyInfo, name=name, title=st.text(max_size=20), synthetic=st.booleans()),
    instrument=instruments,
    groups=st.dictionaries(st.text(max_size=6), st.builds(Group, title=st.text(max_size=6)), min_size=1, max_size=3),
    probes=st.dictionaries(st.text(max_size=6), probes, max_size=2),
    analysis=st.builds(AnalysisOptions, detection_power=fraction, template_depths_mm=st.lists(positive, max_size=4).map(tuple)),
    limits=st.builds(Limits, max_pixels=st.integers(1, 10**12)),
)  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(studies, st.text(max_size=40))
def test_written_settings_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, study: StudySettings, header: str
) -> None:
    path = tmp_path_factory.mktemp("settings") / "study.toml"
    write_settings(path, study, header_comment=header)
    assert read_settings(path) == study


def test_written_file_is_readable(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(GOOD)
    study = read_settings(tmp_path / "study.toml")
    text = settings_toml(study, header_comment="drawn for a test\nsecond line")
    lines = text.splitlines()
    assert lines[:4] == ["# drawn for a test", "# second line", "", "[study]"]
    assert '[groups."no label"]' in lines
    assert lines.count("[[instrument.bands]]") == 2
    assert any(line.startswith("pixel_mm = 0.2  # ") for line in lines)
    assert tomllib.loads(text)["probes"]["dot"]["lots"] == ["L1", "L2"]


def test_what_a_draft_left_open_is_asked_for(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(GOOD.replace("pixel_mm = 0.2", f'pixel_mm = "{UNFILLED}"'))
    with pytest.raises(InputError) as caught:
        read_settings(path)
    (fault,) = caught.value.findings
    assert fault.mend.startswith("Fill in pixel_mm (pixel pitch at the stage")
