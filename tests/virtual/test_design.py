"""The design of a virtual study: the default, and every fault of a file at once."""

import tomllib
from importlib import resources

import pytest
from pydantic import ValidationError

from lampyris.core.errors import InputError
from lampyris.metastasis.label import LabelLoss
from lampyris.virtual.design import Design, default_design, read_design
from lampyris.virtual.individual import arm_of


def default_text():
    return (resources.files("lampyris.virtual") / "data" / "default.toml").read_text(encoding="utf-8")


def written(tmp_path, text):
    path = tmp_path / "design.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_study():
    design = default_design()
    assert {name: arm.animals for name, arm in design.arms.items()} == {
        "targeted": 5,
        "untargeted": 5,
        "dye": 5,
        "control": 3,
    }
    assert len(design.days) == 5
    assert design.views == ("dorsal", "ventral")
    assert len(design.instrument.bands) == 3
    assert design.diet == "purified"
    # every labelled arm has its probe, and every probe its loss
    for arm in design.arms.values():
        assert (arm.probe in design.probes and arm.probe in design.losses) == (arm.role == "labelled")
    for loss in design.losses.values():
        LabelLoss(**loss.model_dump())


def test_animals_are_numbered_through_the_arms():
    animals = arm_of(default_design())
    assert [name for name, _, _ in animals] == [f"m{number:02d}" for number in range(1, 19)]
    assert [arm for _, arm, _ in animals].count("control") == 3


def test_a_written_design_is_read_back(tmp_path):
    assert read_design(written(tmp_path, default_text())) == default_design()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('diet = "purified"', 'diet = "cheese"', "diet"),
        ("animals = 3", "animals = 0", "arms.control.animals"),
        ("autofluorescence_radiance = 4.0e8", "autofluorescence_radiance = -1", "world.autofluorescence_radiance"),
        ("pixel_mm = 0.45", "pixel_mm = 0", "instrument.pixel_mm"),
        ("quantum_yield = 0.12", "quantum_yield = 1.2", "probes.dye.quantum_yield"),
        ("excitation_nm = 710", "excitation_nm = 71", "instrument.excitation_nm"),
        ('views = ["dorsal", "ventral"]', 'views = ["dorsal", "lateral"]', "views.1"),
        ("[world]", "[world]\nvoxel_m = 0.7", "world.voxel_m"),
        ("days = [0, 3, 7, 14, 21]", "days = [0, -3]", "days.1"),
    ],
)
def test_a_fault_is_named_with_its_key_and_value(tmp_path, old, new, key):
    text = default_text()
    assert old in text
    with pytest.raises(InputError) as error:
        read_design(written(tmp_path, text.replace(old, new, 1)))
    (finding,) = error.value.findings
    assert finding.rule == "design.value"
    assert (finding.place.file, finding.place.column) == ("design.toml", key)
    assert "got" in finding.seen
    assert finding.mend
    assert error.value.exit_code == 3


def test_all_faults_come_at_once(tmp_path):
    text = default_text().replace("pixel_mm = 0.45", "pixel_mm = 0").replace("animals = 3", "animals = -1")
    with pytest.raises(InputError) as error:
        read_design(written(tmp_path, text + "\n[camera]\nleek_od = 6\n"))
    assert {finding.place.column for finding in error.value.findings} == {
        "instrument.pixel_mm",
        "arms.control.animals",
        "camera.leek_od",
    }


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00", b"[a]\n[a]\n"], ids=["cut", "no text", "twice"])
def test_what_is_no_toml_is_refused(tmp_path, content):
    path = tmp_path / "design.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_design(path)
    (finding,) = error.value.findings
    assert finding.rule == "design.unreadable"
    assert finding.place.file == "design.toml"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_design(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('probe = "dye"', 'probe = "dya"', ("dya", "[probes]")),
        ('title = "Organic dye"', 'title = "Organic dye"\nlabel = "injected"', ("dye", "[injections]")),
    ],
    ids=["no such probe", "no such injection"],
)
def test_an_arm_must_name_a_probe_that_exists(tmp_path, old, new, words):
    with pytest.raises(InputError) as error:
        read_design(written(tmp_path, default_text().replace(old, new, 1)))
    (finding,) = error.value.findings
    assert all(word in finding.seen for word in words)
    # and does not print the whole file
    assert len(finding.seen) < 300


def test_an_arm_s_probe_must_have_its_loss():
    table = tomllib.loads(default_text())
    del table["losses"]["dye"]
    with pytest.raises(ValidationError, match="losses"):
        Design.model_validate(table)


def test_a_design_file_changes_the_default_key_by_key(tmp_path):
    design = read_design(written(tmp_path, "days = [0, 5]\n[world]\nvoxel_mm = 1.0\n[camera]\nhot_share = 0.0\n"))
    default = default_design()
    assert design.days == (0.0, 5.0)
    assert design.world == default.world.model_copy(update={"voxel_mm": 1.0})
    assert design.camera == default.camera.model_copy(update={"hot_share": 0.0})
    assert (design.arms, design.probes, design.instrument) == (default.arms, default.probes, default.instrument)


def test_a_design_file_that_names_arms_names_all_of_them(tmp_path):
    text = '[arms.only]\ntitle = "One"\nprobe = "dye"\nanimals = 2\n'
    design = read_design(written(tmp_path, text))
    assert list(design.arms) == ["only"]
    assert len(arm_of(design)) == 2
