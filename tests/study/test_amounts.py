"""Standards and doses from the sheets to tables and report: what is measured, what is refused, and what a slip looks like."""

import dataclasses
import math

import numpy as np
import pytest
from cheap_step import cheap_follow, cheap_step
from small_study import SHAPE, image
from stored_results import table

from lampyris.core.flags import PixelFlag
from lampyris.core.schemas import SAMPLESHEET, STANDARDS, SampleRow, StandardRow
from lampyris.core.settings import Band
from lampyris.imaging.radiance.calibrate import radiance_from_counts
from lampyris.imaging.standards import flux_in_circle
from lampyris.io.durable import sha256_file
from lampyris.io.images.ivis.writer import click_files
from lampyris.io.images.ome.tiff import write_ome_tiff
from lampyris.io.settings import read_settings
from lampyris.io.sheets import read_sheet
from lampyris.probe.probe import probe_from_settings
from lampyris.study.assemble import load_results
from lampyris.study.check import check_study
from lampyris.study.opening.views import SessionRows, open_session
from lampyris.study.run import Analysis, run_study
from lampyris.study.standards import all_bands_over, flux_per_unit, measure_standards

HEADER = "standard,kind,amount,unit,value,value_unit,replicate,date,stock_relative_sd"
DOSES = "dose_syringe_full_g,dose_syringe_empty_g,dose_concentration_pmol_per_ml,dose_tail_percent,labelled_cells,dose_tail_sd_percent"


def plate_lines(*, slope=1e4, unit="pmol", seed=3, date="2026-03-01"):
    rng = np.random.default_rng(seed)
    return [
        f"w{x},well plate,{x},{unit},{1e4 + slope * x * (1 + rng.normal(0, 0.02)) + rng.normal(0, 1e3):.1f},ph s-1,{k},{date},0.02"
        for x in (0, 1, 2, 5, 10, 20)
        for k in (1, 2, 3)
    ]


def write_standards(study, lines, header=HEADER):
    (study / "standards.csv").write_text("\n".join([header, *lines]) + "\n")


def write_doses(study, cells="1.35,1.15,1000,5,1e6", **by_animal):
    lines = (study / "animals.csv").read_text().splitlines()
    rows = [f"{line},{by_animal.get(line.split(',')[0], cells)}" for line in lines[1:]]
    columns = DOSES.split(",")[: 1 + cells.count(",")]
    (study / "animals.csv").write_text("\n".join([",".join([lines[0], *columns]), *rows]) + "\n")


def rules(study):
    return [(finding.severity, finding.rule) for finding in check_study(study, images=False).findings]


def run(study):
    return run_study(study, workers=1, analysis=Analysis(cheap_step, cheap_follow))


def test_a_study_without_standards_and_doses_has_no_such_tables(small_study):
    run(small_study)
    assert load_results(small_study / "results").amounts is None
    assert not (small_study / "results/tables/calibration.csv").exists()
    assert 'id="amounts"' not in (small_study / "results/report.html").read_text()


def test_from_the_sheets_to_the_report(small_study):
    write_standards(small_study, plate_lines())
    write_doses(small_study)
    assert [rule for rule in rules(small_study) if rule[1].startswith(("standards", "animals.dose"))] == []
    assert run(small_study).exit_code == 0
    (line,) = table(small_study, "calibration")
    assert float(line["slope_low"]) < 1e4 < float(line["slope_high"])
    doses = table(small_study, "doses")
    assert [dose["animal"] for dose in doses] == ["a1", "a2", "b1", "b2"]
    assert float(doses[0]["amount"]) == pytest.approx(0.2 * 1000 * 0.95)
    results = load_results(small_study / "results")
    lesions = {(outcome.animal, one.number): one for outcome in results.outcomes for one in outcome.lesions}
    rows = [row for row in table(small_study, "amounts") if row["lesion"]]
    assert rows
    for row in rows:
        sighting = next(
            one for one in lesions[row["animal"], int(row["lesion"])].sightings if one.session == row["session"]
        )
        assert float(row["surface_amount"]) == pytest.approx(sighting.flux.value / float(line["slope"]), rel=1e-9)
        # 1e5 probes per cell, as study.toml says
        assert float(row["transport_amount"]) == pytest.approx(sighting.cells.value * 1e5 / 6.02214076e11, rel=1e-9)
        assert float(row["percent_dose"]) == pytest.approx(100 * float(row["transport_amount"]) / 190, rel=1e-9)
        assert "surface geometry" in row["flags"]
    page = (small_study / "results/report.html").read_text()
    assert 'id="amounts"' in page
    assert "Injected doses" in page
    assert (small_study / "results/figures/calibration-1.svg").exists()


def test_cells_counted_in_wells_and_given(small_study):
    write_standards(small_study, [line.replace("pmol", "labelled cells") for line in plate_lines()])
    write_doses(small_study, cells=",,,,1e6")
    run(small_study)
    rows = [row for row in table(small_study, "amounts") if row["lesion"]]
    assert {row["unit"] for row in rows} == {"labelled cells"}
    for row in rows:
        assert float(row["percent_dose"]) == pytest.approx(100 * float(row["transport_amount"]) / 1e6, rel=1e-9)
        # cells of the study's probe and lamp, corrected by how they shine in wells
        assert math.isfinite(float(row["calibrated_amount"]))
    assert any(finding.rule == "amounts.brightness" for finding in load_results(small_study / "results").findings)


def test_concentration_from_a_dose_standard(small_study):
    """A thousandfold dilution, 0.5 g of which shine as 5 pmol do."""
    header = f"{HEADER},weight_g,dilution"
    lines = [f"{line},," for line in plate_lines()]
    write_standards(small_study, [*lines, "d1,dose standard,,pmol,60000,ph s-1,1,2026-03-01,,0.5,1000"], header)
    write_doses(small_study, cells="1.35,1.15,,0,")
    run(small_study)
    (line,), dose = table(small_study, "calibration"), table(small_study, "doses")[0]
    amount = (60000 - float(line["intercept"])) / float(line["slope"])
    assert float(dose["amount"]) == pytest.approx(amount * 1000 / 0.5 * 0.2, rel=1e-9)
    assert "dose standard" in dose["method"]


def test_the_stock_cancels_in_shares_of_a_dose_on_its_line(small_study):
    """A stock known to 20 %: amounts are no better known than that, the share of a dose from the same line is."""
    header = f"{HEADER},weight_g,dilution"
    lines = [f"{line.removesuffix('0.02')}0.2,," for line in plate_lines()]
    write_standards(small_study, [*lines, "d1,dose standard,,pmol,60000,ph s-1,1,2026-03-01,,0.5,100"], header)
    write_doses(small_study, cells="1.35,1.15,,0,")
    run(small_study)
    (line,), dose = table(small_study, "calibration"), table(small_study, "doses")[0]
    assert float(dose["amount_sd"]) > 0.2 * float(dose["amount"])
    rows = [row for row in table(small_study, "amounts") if row["lesion"] and row["surface_amount"]]
    assert rows
    for row in rows:
        flux = float(row["surface_amount"]) * float(line["slope"])
        whole = (60000 - float(line["intercept"])) * 100 / 0.5 * 0.2
        assert float(row["surface_percent_dose"]) == pytest.approx(100 * flux / whole, rel=1e-9)
        # 10 % of the lesion's flux, and a few of a single dose standard
        assert 0.1 < float(row["surface_percent_dose_sd"]) / float(row["surface_percent_dose"]) < 0.15
        assert float(row["surface_percent_dose_high"]) / float(row["surface_percent_dose_low"]) < 1.8
        assert float(row["surface_amount_high"]) / float(row["surface_amount_low"]) > 2.2


def test_the_stock_stays_where_the_concentration_is_written(small_study):
    write_standards(small_study, [f"{line.removesuffix('0.02')}0.2" for line in plate_lines()])
    write_doses(small_study)
    run(small_study)
    rows = [row for row in table(small_study, "amounts") if row["lesion"] and row["surface_amount"]]
    assert rows
    for row in rows:
        assert float(row["surface_percent_dose_sd"]) > 0.2 * float(row["surface_percent_dose"])


def test_the_light_of_a_syringe_less_what_stayed_in_the_tail(small_study):
    lines = [*(f"{line},," for line in plate_lines()), "s1,dose syringe,,pmol,150000,ph s-1,1,2026-03-01,,30000,a1"]
    write_standards(small_study, lines, f"{HEADER},background_value,animal")
    write_doses(small_study, cells=",,,10,,5")
    run(small_study)
    (line,), (dose,) = table(small_study, "calibration"), table(small_study, "doses")
    assert float(dose["amount"]) == pytest.approx(0.9 * 120000 / float(line["slope"]), rel=1e-9)
    # 5 of 90 per cent, 2 of the stock, and the slope's
    relative = math.hypot(5 / 90, 0.02, float(line["slope_sd"]) / float(line["slope"]))
    assert float(dose["amount_sd"]) / float(dose["amount"]) == pytest.approx(relative, rel=1e-3)


@pytest.mark.parametrize("cells", [",,,100,,", "1.35,1.15,1000,100,,"], ids=["light", "weights"])
def test_all_of_a_dose_in_the_tail_is_no_dose(small_study, cells):
    lines = [*(f"{line},," for line in plate_lines()), "s1,dose syringe,,pmol,150000,ph s-1,1,2026-03-01,,30000,a1"]
    write_standards(small_study, lines, f"{HEADER},background_value,animal")
    write_doses(small_study, cells=cells)
    assert run(small_study).exit_code == 0
    assert load_results(small_study / "results").amounts.doses == ()


def test_wells_measured_in_images(small_study):
    """Discs of light on a plate's image, a row each; the line through them is that of the same radiance sums."""
    lines = []
    for amount in (0, 1, 2, 5, 10):
        y, x = np.mgrid[:12, :10] * 0.5
        counts = np.where(np.hypot(y - 2.5, x - 2.0) <= 0.8, 200 + 300 * amount, 200) + (x * 2 % 2).astype(int)
        path = f"raw/plate{amount}.ome.tif"
        write_ome_tiff(small_study / path, image(counts))
        lines.append(f"w{amount},well plate,{amount},pmol,{path},raw/dark.ome.tif,2,2.5,2.0,1.0,b2")
    header = "standard,kind,amount,unit,image,background,exposure_s,y_mm,x_mm,radius_mm,channel"
    write_standards(small_study, lines, header)
    run(small_study)
    (line,) = table(small_study, "calibration")
    disc = np.count_nonzero(np.hypot(y - 2.5, x - 2.0) <= 0.8)
    settings = read_settings(small_study / "study.toml")
    whole = all_bands_over("b2", probe_from_settings("qd", settings.probes["qd"]), settings.instrument.bands)
    # 300 counts per pmol in 2 s through a filter of 0.9, pixels of 0.05 cm; the probe shines in the other band too
    assert float(line["slope"]) == pytest.approx(whole * math.pi * disc * 150 / 0.9 * 0.05**2, rel=0.02)


def test_a_well_off_its_image_leaves_the_line_without_it(small_study):
    header = f"{HEADER},image,background,exposure_s,y_mm,x_mm,radius_mm"
    lines = [f"{line},,,,,," for line in plate_lines()]
    write_standards(
        small_study, [*lines, "w9,well plate,9,pmol,,,1,,,raw/dark.ome.tif,raw/dark.ome.tif,2,90,1,1"], header
    )
    assert run(small_study).exit_code == 0
    results = load_results(small_study / "results")
    assert results.amounts.lines[0].n == 18
    assert [finding.rule for finding in results.findings if finding.rule.startswith("standards")] == [
        "standards.unmeasured"
    ]


def test_doses_make_no_animal_anew(small_study):
    run(small_study)
    record = small_study / "results/sub-a1/record.json"
    before = record.read_bytes()
    write_doses(small_study, cells="1.35,1.15,1000,5,")
    run(small_study)
    assert record.read_bytes() == before


SLIPS = {
    "no signal": (["w1,well plate,1,pmol,,,1,,"], ("error", "standards.signal")),
    "no unit of value": (["w1,well plate,1,pmol,5,,1,,"], ("error", "standards.unit")),
    "no unit of amount": (["w1,well plate,1,,5,ph s-1,1,,"], ("error", "standards.unit")),
    "no amount": (["w1,well plate,,pmol,5,ph s-1,1,,"], ("error", "standards.amount")),
    "counts without a band": (["w1,well plate,1,pmol,5,counts s-1,1,,"], ("error", "standards.channel")),
    "one standard": (["w1,well plate,1,pmol,5,ph s-1,1,,"], ("warning", "standards.too-few")),
    "twice the same": (["w1,well plate,1,pmol,5,ph s-1,1,,"] * 2, ("error", "standards.duplicate")),
    "all equal": ([f"w{x},well plate,{x},pmol,5,ph s-1,1,," for x in range(4)], ("error", "standards.all-equal")),
    "no blank": (
        [f"w{x},well plate,{x},pmol,{5 * x},ph s-1,1,," for x in range(1, 5)],
        ("warning", "standards.no-blank"),
    ),
    "nmol for pmol": (
        [f"w{x},well plate,{x if x != 3 else 0.003},pmol,{5 * x},ph s-1,1,," for x in range(5)],
        ("warning", "standards.prefix"),
    ),
    "dose standard without weight": (["d1,dose standard,,pmol,5,ph s-1,1,,"], ("error", "standards.weight")),
    "syringe of nobody": (["s1,dose syringe,,,5,ph s-1,1,,"], ("error", "standards.animal")),
}


@pytest.mark.parametrize("name", SLIPS)
def test_slips_of_standards(small_study, name):
    lines, expected = SLIPS[name]
    write_standards(small_study, lines)
    assert expected in rules(small_study)


DOSE_SLIPS = {
    "exchanged": ({"a1": "1.15,1.35,1000,5,1e6"}, ("error", "animals.dose-weight")),
    "equal": ({"a1": "1.15,1.15,1000,5,1e6"}, ("error", "animals.dose-weight")),
    "weighed once": ({"a1": "1.15,,1000,5,1e6"}, ("error", "animals.dose-weight")),
    "milligrams": ({"a1": "1350,1150,1000,5,1e6"}, ("error", "sheet.out-of-bounds")),
    "nothing": ({"a1": "0,1.15,1000,5,1e6"}, ("error", "sheet.out-of-bounds")),
    "ten times the volume": ({"a1": "3.35,1.15,1000,5,1e6"}, ("warning", "animals.dose-volume")),
    "micromolar": ({"a1": "1.35,1.15,1,5,1e6"}, ("error", "animals.dose-prefix")),
    "molar": ({"a1": "1.35,1.15,1e12,5,1e6"}, ("error", "sheet.out-of-bounds")),
    "no concentration": ({"a1": "1.35,1.15,,5,1e6"}, ("warning", "animals.dose-concentration")),
}


@pytest.mark.parametrize("name", DOSE_SLIPS)
def test_slips_of_doses(small_study, name):
    by_animal, expected = DOSE_SLIPS[name]
    write_doses(small_study, **by_animal)
    assert expected in rules(small_study)


def test_a_slip_of_milligrams_is_named(small_study):
    write_doses(small_study, a1="1350,1150,1000,5,1e6")
    (found,) = [f for f in check_study(small_study, images=False).errors if f.place.column == "dose_syringe_full_g"]
    assert found.mend == "1350 looks like milligrams: write 1.35."


def test_units_of_a_signal(small_study):
    instrument = read_settings(small_study / "study.toml").instrument
    assert flux_per_unit("ph s-1", instrument) == 1.0
    assert flux_per_unit("vendor ph s-1", instrument) == 0.25
    # pi times a pixel of 0.05 cm
    assert flux_per_unit("radiance sum", instrument) == pytest.approx(math.pi * 0.0025)
    band = Band(channel="b1", centre_nm=780, width_nm=20, transmission=0.5)
    half = instrument.model_copy(update={"bands": (band,), "gain_e_per_count": 3.0, "radiance_per_rate": 7.0})
    assert flux_per_unit("counts s-1", half, channel="b1") == pytest.approx(math.pi * 0.0025 * 3 * 7 / 0.5)


def test_one_band_stands_for_all(small_study):
    """Bands at 780 and 820 nm about a probe of 800 nm see the same: all is twice one."""
    settings = read_settings(small_study / "study.toml")
    probe = probe_from_settings("qd", settings.probes["qd"])
    assert all_bands_over("b1", probe, settings.instrument.bands) == pytest.approx(2.0)
    assert all_bands_over("", probe, settings.instrument.bands) == 1.0
    assert all_bands_over("b1", probe, settings.instrument.bands[:1]) == 1.0


HEADER_IMAGE = "standard,kind,amount,unit,image,background,exposure_s,y_mm,x_mm,radius_mm,channel"


def measured(study, line):
    write_standards(study, [line], HEADER_IMAGE)
    rows, _ = read_sheet(study / "standards.csv", STANDARDS, StandardRow)
    return measure_standards(study, rows, read_settings(study / "study.toml"))


Y, X = np.mgrid[:12, :10] * 0.5
# a field that falls off to its edges: the median of its middle half is another than that of its middle fifth
VIGNETTE = np.rint(4000 * (1 - 0.6 * (np.hypot(Y - 2.75, X - 2.25) / 3.6) ** 2))


def disc(light, *, dark=20.0, radius=0.8):
    return np.where(np.hypot(Y - 2.5, X - 2.0) <= radius, dark + light, dark + 100 + X * 2 % 2)


def click(study, name, counts, **changes):
    """A click folder of one band with a dark of 20 counts."""
    fields = {"channels": ("780",), "emission_nm": (780.0,), "dark": np.full((1, *SHAPE), 20, np.uint16)}
    made = dataclasses.replace(image(counts, channels=("b1",)), **{**fields, **changes})
    for path, data in click_files(made, name=name).items():
        (study / "raw" / path).parent.mkdir(exist_ok=True)
        (study / "raw" / path).write_bytes(data)


def test_folders_of_standards_run_to_the_report(small_study):
    """Wells, dark frame and flat field as vendor folders: every file in them is an input of the results."""
    lines = []
    for amount in (0, 1, 2, 5, 10):
        click(small_study, f"plate{amount}", disc(200 + 300 * amount), radiance_per_count_rate=(7.0,))
        lines.append(f"w{amount},well plate,{amount},pmol,raw/plate{amount},raw/dark_click,2,2.5,2.0,1.0,b1")
    click(small_study, "dark_click", 20 + X * 2 % 3, dark=None)
    click(small_study, "flat_click", VIGNETTE, dark=None)
    settings = small_study / "study.toml"
    settings.write_text(settings.read_text().replace("raw/flat.ome.tif", "raw/flat_click"))
    write_standards(small_study, lines, HEADER_IMAGE)
    outcome = run(small_study)
    assert outcome.exit_code == 0
    results = load_results(small_study / "results")
    assert [one for one in results.findings if one.rule.startswith("standards")] == []
    assert results.amounts.lines[0].n == 5
    for folder in ("plate0", "plate10", "dark_click", "flat_click"):
        for path in (small_study / "raw" / folder).iterdir():
            name = path.relative_to(small_study).as_posix()
            assert results.record.inputs[name] == sha256_file(path)
        assert f"raw/{folder}" not in results.record.inputs
    # a changed file in a folder makes the line anew
    click(small_study, "plate10", disc(6000), radiance_per_count_rate=(7.0,))
    run(small_study)
    changed = load_results(small_study / "results").amounts.lines[0].slope.value
    assert changed > 1.2 * results.amounts.lines[0].slope.value


def test_an_image_with_its_own_dark_and_coefficients(small_study):
    """As vendor folders bring them: radiance per count and second in place of gain and filter; the flat is divided out."""
    write_ome_tiff(small_study / "raw/flat.ome.tif", image(VIGNETTE, channels=("b1",)))
    counts = disc(800.0)
    click(small_study, "plate", counts, radiance_per_count_rate=(7.0,))
    (one,), findings = measured(small_study, "w,well plate,1,pmol,raw/plate,,4,2.5,2.0,1.0,b1")
    radiance = (counts - 20) / 4 * 7 / (VIGNETTE / np.median(VIGNETTE[4:8, 4:7]))
    flux, _ = flux_in_circle(radiance, (2.5, 2.0), 1.0, pixel_mm=0.5)
    # over both bands twice what is in one
    assert one.standard.flux == pytest.approx(2 * flux, rel=1e-9)
    assert findings == ()


def test_standards_and_lesions_are_calibrated_alike(small_study):
    """The same image as a standard and as a session's view: one radiance, hot pixel and cosmic ray mended in both."""
    write_ome_tiff(small_study / "raw/flat.ome.tif", image(VIGNETTE, channels=("b1",)))
    dark = np.broadcast_to(np.arange(10) % 3 + 20, (2, *SHAPE)).copy()
    dark[:, 5, 4] = 900
    write_ome_tiff(small_study / "raw/dark.ome.tif", image(dark))
    counts = np.stack([disc(800.0), disc(600.0)])
    counts[:, 5, 4] += 880
    counts[0, 6, 5] = 40000
    write_ome_tiff(small_study / "raw/a1_d00.ome.tif", image(counts))
    (one,), _ = measured(small_study, "w,well plate,1,pmol,raw/a1_d00.ome.tif,raw/dark.ome.tif,2,2.5,2.0,1.0,")
    settings = read_settings(small_study / "study.toml")
    rows, _ = read_sheet(small_study / "samplesheet.csv", SAMPLESHEET, SampleRow)
    session = SessionRows(tuple(row for row in rows if (row.animal, row.session) == ("a1", "d00")), None)
    (view,) = open_session(small_study, session, settings).views
    radiance = radiance_from_counts(view, settings.instrument)
    assert radiance.flags[0, 5, 4] & PixelFlag.HOT
    assert radiance.flags[0, 6, 5] & PixelFlag.COSMIC
    flux, sd = flux_in_circle(radiance.values.sum(axis=0), (2.5, 2.0), 1.0, pixel_mm=0.5)
    assert (one.standard.flux, one.standard.flux_sd) == (pytest.approx(flux, rel=1e-12), pytest.approx(sd, rel=1e-12))


def test_a_standard_in_frames_is_their_mean(small_study):
    for number, light in enumerate((700, 800, 900)):
        path = small_study / f"raw/wells/w_{number}.ome.tif"
        path.parent.mkdir(exist_ok=True)
        write_ome_tiff(path, image(disc(light)))
    write_ome_tiff(small_study / "raw/mean.ome.tif", image(disc(800)))
    cells = "raw/dark.ome.tif,2,2.5,2.0,1.0,"
    (frames,), findings = measured(small_study, f"w,well plate,1,pmol,raw/wells,{cells}")
    (mean,), _ = measured(small_study, f"w,well plate,1,pmol,raw/mean.ome.tif,{cells}")
    assert findings == ()
    assert frames.standard.flux == pytest.approx(mean.standard.flux, rel=1e-12)
    # one full frame of three is not averaged away
    write_ome_tiff(small_study / "raw/wells/w_1.ome.tif", image(disc(65535 - 20)))
    found, (finding,) = measured(small_study, f"w,well plate,1,pmol,raw/wells,{cells}")
    assert found == ()
    assert "saturated" in finding.seen


def test_a_blank_well_may_be_dark(small_study):
    dark = np.random.default_rng(5).poisson(100, (2, *SHAPE))
    write_ome_tiff(small_study / "raw/blank.ome.tif", image(dark))
    write_ome_tiff(small_study / "raw/dark.ome.tif", image(np.full((2, *SHAPE), 100)))
    (one,), findings = measured(small_study, "w,well plate,0,pmol,raw/blank.ome.tif,raw/dark.ome.tif,2,2.5,2.0,1.0,")
    assert findings == ()
    assert abs(one.standard.flux) < 4 * one.standard.flux_sd


BROKEN = {
    "no dark frame": ("raw/a1_d00.ome.tif,,2,2,2,1,", "brings no dark frame"),
    "another band": ("raw/flat.ome.tif,raw/dark.ome.tif,2,2,2,1,", "and not b2; name its band"),
    "no image": ("samplesheet.csv,raw/dark.ome.tif,2,2,2,1,", "cannot be measured"),
    "saturated": ("raw/full.ome.tif,raw/dark.ome.tif,2,2.5,2,1,", "are saturated: shorten the exposure"),
    "a dark of another size": (
        "raw/a1_d00.ome.tif,raw/large.ome.tif,2,2,2,1,",
        "has shape (24, 20), the image (12, 10)",
    ),
    "off the image": ("raw/a1_d00.ome.tif,raw/dark.ome.tif,2,90,2,1,", "leaves the image"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_standard_that_cannot_be_measured_is_named(small_study, name):
    cells, said = BROKEN[name]
    write_ome_tiff(small_study / "raw/full.ome.tif", image(disc(65535 - 20)))
    large = dataclasses.replace(image(1), counts=np.full((2, 24, 20), 20, np.uint16))
    write_ome_tiff(small_study / "raw/large.ome.tif", large)
    found, (finding,) = measured(small_study, f"w,well plate,1,pmol,{cells}")
    assert found == ()
    assert said in finding.seen
    assert (finding.rule, finding.place.row) == ("standards.unmeasured", 2)
