"""The sheet of a dot: read with placed faults, and written so that it reads back the same."""

import pytest

from lampyris.core.dots import CoatSettings, DotSettings, LayerSettings, MeasuredDot
from lampyris.core.errors import InputError
from lampyris.io.dots import dot_toml, read_dot

DOT = DotSettings(
    name='a "dot"',
    supplier="us",
    layers=(
        LayerSettings(material="CdSeTe", diameter_nm=4.4, composition=0.6),
        LayerSettings(material="CdSe", thickness_nm=1.2),
    ),
    core_sd_nm=0.3,
    coat=CoatSettings(kind="PEG5000", ligand="RGD", ligands_per_particle=3.0),
    measured=MeasuredDot(emission_nm=810.0, emission_sd_nm=5.0),
)
GOOD = '[[layers]]\nmaterial = "CdTe"\ndiameter_nm = 4.4\n[[layers]]\nmaterial = "CdSe"\nthickness_nm = 1.2\n'


@pytest.mark.parametrize("dot", [DOT, DOT.model_copy(update={"coat": None, "measured": MeasuredDot()})])
def test_round_trip(tmp_path, dot):
    path = tmp_path / "dot.toml"
    text = dot_toml(dot, header="made\nhere")
    path.write_text(text, "utf-8")
    assert read_dot(path) == dot
    assert text.startswith("# made\n# here\n") and dot_toml(dot, header="made\nhere") == text


@pytest.mark.parametrize(
    ("text", "row", "column", "mend"),
    [
        (GOOD, None, "name", "Add name (name of the dot) above the first table."),
        ('name = "x"\n', None, "layers", "Add a table [[layers]] (from the core outwards)."),
        (f'name = "x"\ncolour = 1\n{GOOD}', 2, "colour", "Remove it"),
        (f'name = "x"\n{GOOD}'.replace("1.2", "-1"), 7, "layers[1].thickness_nm", "its thickness in nm"),
        (f'name = "x"\n{GOOD}'.replace("thickness_nm", "diameter_nm"), None, "", "Correct the file."),
        (f'name = "x"\n{GOOD}[measured]\nemission_nm = 0.81\n', 9, "measured.emission_nm", "write 810"),
        (f'name = "x"\n{GOOD}'.replace("4.4", '"4.4 nm"'), 4, "layers[0].diameter_nm", "without its unit"),
        (f'name = "x"\n{GOOD}'.replace("4.4", "4,4"), 4, "", "decimal point"),
    ],
)
def test_each_fault_with_its_place_and_mend(tmp_path, text, row, column, mend):
    path = tmp_path / "dot.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        read_dot(path)
    (finding,) = refused.value.findings
    assert (finding.place.file, finding.place.row, finding.place.column) == ("dot.toml", row, column)
    assert mend in finding.mend


def test_what_contradicts_itself_is_said_in_its_own_words(tmp_path):
    path = tmp_path / "dot.toml"
    path.write_text(f'name = "x"\n{GOOD}'.replace("thickness_nm", "diameter_nm"), "utf-8")
    with pytest.raises(InputError) as refused:
        read_dot(path)
    assert refused.value.findings[0].seen == "layer 2 is a shell: say its thickness_nm, and no diameter_nm."


def test_a_missing_sheet_names_what_writes_one(tmp_path):
    with pytest.raises(InputError) as refused:
        read_dot(tmp_path / "none.toml")
    assert "probe design --sheet" in refused.value.findings[0].mend
