"""Organ optics: published values, range, sources."""

from importlib import resources

import pytest

from lampyris.tissue.optics import WAVELENGTH_RANGE_NM, read_tissue_rows, tissue_names, tissue_optics, tissue_row

HEADER = "tissue,S_B,x_SO2,S_W,a,b,refractive_index,relative_sd_absorption,relative_sd_scattering,status,proxy_for,citation\n"
GOOD = "liver,0.3,0.75,0.7,629,1.05,1.4,0.3,0.2,secondary,,Someone (2005)\n"


def packaged():
    return (resources.files("lampyris.tissue") / "data" / "organ_optics.csv").read_text(encoding="utf-8")


# values at 800 nm computed from the same tables by hand, to the digits printed there
@pytest.mark.parametrize(
    ("tissue", "absorption", "scattering", "half_digit"),
    [
        ("liver", 0.130, 0.56, 5e-4),
        ("muscle", 0.031, 0.26, 5e-4),
        ("kidneys", 0.026, 1.72, 5e-4),
        ("lung", 0.067, 1.98, 5e-4),
        ("adipose", 0.0024, 1.10, 5e-5),
    ],
)
def test_values_at_800_nm(tissue, absorption, scattering, half_digit):
    optics = tissue_optics(tissue, 800.0)
    assert optics.absorption_per_mm == pytest.approx(absorption, abs=half_digit)
    assert optics.reduced_scattering_per_mm == pytest.approx(scattering, abs=5e-3)


def test_deoxygenated_blood_rules_the_red():
    # below the isosbestic point near 800 nm deoxygenated haemoglobin absorbs more, above it less: swapped labels would
    # turn muscle (80 % oxygenated) the other way round
    liver, muscle = (
        tissue_optics(name, 660.0).absorption_per_mm / tissue_row(name).blood for name in ("liver", "muscle")
    )
    assert liver > muscle


def test_water_rules_the_far_end():
    # water at 970-1000 nm is 0.04 per mm; adipose is half water and hardly blood
    assert tissue_optics("adipose", 980.0).absorption_per_mm > 5.0 * tissue_optics("adipose", 800.0).absorption_per_mm


def test_every_tissue_is_served_over_the_whole_range():
    for tissue in tissue_names():
        for wavelength in (*WAVELENGTH_RANGE_NM, 745.0, 840.5):
            optics = tissue_optics(tissue, wavelength)
            assert 0.0 < optics.absorption_per_mm < 1.0
            assert 0.1 < optics.reduced_scattering_per_mm < 5.0
            assert 0.0 < optics.relative_sd_scattering < optics.relative_sd_absorption < 1.0


@pytest.mark.parametrize("wavelength", [599.9, 1000.1, -800.0, float("nan"), float("inf")])
def test_nothing_is_extrapolated(wavelength):
    with pytest.raises(ValueError, match="between 600 and 1000"):
        tissue_optics("liver", wavelength)


def test_unknown_tissue_names_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown tissue 'livre'; known are .*liver"):
        tissue_optics("livre", 800.0)


def test_every_row_has_a_source_and_a_status():
    rows = read_tissue_rows(packaged())
    assert {row.tissue for row in rows} == set(tissue_names())
    assert all(row.citation and row.status in ("secondary", "assumed") for row in rows)


def test_spectra_state_source_status_unit_and_range():
    for name in ("haemoglobin_absorption.csv", "water_absorption.csv"):
        remarks = [
            line
            for line in (resources.files("lampyris.tissue") / "data" / name).read_text(encoding="utf-8").splitlines()
            if line.startswith("#")
        ]
        for record in ("citation", "status", "unit", "range"):
            assert any(line.startswith(f"# {record}: ") and len(line) > len(record) + 6 for line in remarks)


def test_proxies_have_their_tissue_s_values_and_a_wider_spread():
    proxies = [tissue_row(name) for name in tissue_names() if tissue_row(name).proxy_for]
    assert {row.tissue for row in proxies} == {"skin", "brain", "gut", "bladder", "lymph_node", "tumour"}
    for row in proxies:
        own = tissue_row(row.proxy_for)
        assert row.status == "assumed"
        assert own.proxy_for == ""
        names = ("blood", "saturation", "water", "scattering_scale", "scattering_power", "refractive_index")
        assert [getattr(row, name) for name in names] == [getattr(own, name) for name in names]
        assert row.relative_sd_absorption > own.relative_sd_absorption
        assert row.relative_sd_scattering > own.relative_sd_scattering


def test_a_good_row_is_read():
    (row,) = read_tissue_rows("# remark\n" + HEADER + GOOD)
    assert (row.tissue, row.blood, row.scattering_power, row.citation) == ("liver", 0.3, 1.05, "Someone (2005)")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Someone (2005)", "", "liver: citation is empty"),
        ("secondary", "", "liver: status must be one of"),
        ("secondary", "sure", "status must be one of .* it is 'sure'"),
        ("secondary", "assumed", "an assumed row must name its proxy"),
        ("629", "-629", "a must be a positive number, it is '-629'"),
        ("629", "nan", "a must be a positive number"),
        ("0.75", "much", "x_SO2 must be a positive number, it is 'much'"),
    ],
)
def test_a_bad_row_is_refused(old, new, message):
    with pytest.raises(ValueError, match=message):
        read_tissue_rows(HEADER + GOOD.replace(old, new))


def test_all_bad_rows_are_named_at_once():
    bad = GOOD.replace("Someone (2005)", "")
    with pytest.raises(ValueError, match="liver: citation is empty; lung: citation is empty"):
        read_tissue_rows(HEADER + bad + bad.replace("liver", "lung"))
