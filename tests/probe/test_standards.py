"""Standards of light: quantum yields of dyes and refractive indices."""

import math

import pytest

from lampyris.core.errors import InputError
from lampyris.probe.standards import quantum_yield_standard, quantum_yield_standards, refractive_index, solvents


def test_standards_of_rurack_and_spieles():
    # Anal. Chem. 83, 1232 (2011), abstract
    printed = {
        "rhodamine 101": 0.913, "cresyl violet": 0.578, "oxazine 170": 0.579, "oxazine 1": 0.141, "cryptocyanine": 0.012,
        "HITCI": 0.283, "IR-125": 0.132, "IR-140": 0.167, "coumarin 102": 0.764, "coumarin 153": 0.544, "DCM": 0.435,
    }  # fmt: skip
    assert {dye: quantum_yield_standard(dye, "ethanol").value for dye in printed} == printed


def test_what_no_source_was_read_for_is_marked():
    unseen = {(dye, solvent) for dye, solvent, one in quantum_yield_standards() if one.mark == "unseen"}
    assert unseen == {("rhodamine 6G", "ethanol"), ("ICG", "DMSO"), ("IR-26", "dichloroethane")}
    assert all(0 < one.value <= 1 and one.sd > 0 for _, _, one in quantum_yield_standards())


@pytest.mark.parametrize(
    ("dye", "solvent", "words"),
    [("fluorol", "ethanol", "Known are: coumarin 102"), ("IR-140", "water", "Known are: ethanol")],
)
def test_unknown_standards_are_refused(dye, solvent, words):
    with pytest.raises(InputError, match=words):
        quantum_yield_standard(dye, solvent)


# sodium D line, as two third-party tables of solvents have it; temperatures of 20-25 C differ by 0.0005 per degree
SODIUM = {
    "water": 1.3330, "ethanol": 1.3611, "toluene": 1.4961, "chloroform": 1.4459, "hexane": 1.3749, "THF": 1.4050, "DMSO": 1.4793,
}  # fmt: skip


@pytest.mark.parametrize("solvent", SODIUM)
def test_indices_at_the_sodium_line(solvent):
    found = refractive_index(solvent)
    assert found.value == pytest.approx(SODIUM[solvent], abs=0.0035)
    assert found.unit == "1"


@pytest.mark.parametrize("solvent", solvents())
def test_indices_fall_with_wavelength_and_end_with_the_range(solvent):
    values = [refractive_index(solvent, wavelength_nm=nm).value for nm in (550.0, 650.0, 810.0, 1000.0)]
    assert values == sorted(values, reverse=True)
    for wavelength in (50.0, 5000.0, math.nan, -1.0):
        with pytest.raises(InputError, match="wavelength_nm must be from"):
            refractive_index(solvent, wavelength_nm=wavelength)


def test_water_in_the_near_infrared():
    # Hale and Querry 1973: 1.329 at 800 nm and 25 C; the table here is at 20 C
    assert refractive_index("water", wavelength_nm=800.0).value == pytest.approx(1.329, abs=0.001)


def test_unknown_solvents_are_refused():
    with pytest.raises(InputError, match="Known are:"):
        refractive_index("mercury")
