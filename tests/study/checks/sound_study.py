"""A study that every methods check finds sound, as evidence in memory; each case of the tests changes one thing of it."""

import math
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
from cheap_step import detection, flux_of, view_result

from lampyris.core.checks import CorrelationRecord
from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.regions import DrawnRegion, RegionResult, TiedRegion
from lampyris.core.schemas import AnimalRow, RegionRow, SampleRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome, SessionResult
from lampyris.study.checks.evidence import Evidence
from lampyris.study.opening.headers import Header
from lampyris.study.rules.sheets import Sheets

NAN = math.nan
SETTINGS = """
[study]
name = "sound"
diet = "purified"
[instrument]
name = "imager"
pixel_mm = 0.5
gain_e_per_count = 1.0
read_noise_e = 3.0
radiance_per_rate = 1.0
excitation_nm = 745
excitation_mw_per_cm2 = 10
[[instrument.bands]]
channel = "b1"
centre_nm = 780
width_nm = 20
[[instrument.bands]]
channel = "b2"
centre_nm = 820
width_nm = 20
[groups.dots]
probe = "qd"
[groups.bare]
probe = "qd"
[groups.control]
role = "control"
[probes.qd]
emission_nm = 810
fwhm_nm = 60
molar_extinction_per_m_cm = 1e6
quantum_yield = 0.43
quantum_yield_sd = 0.05
per_cell = 1e5
[probes.qd.characterisation]
composition = "CdTe/CdSe, polymer coat"
core_nm = 6.8
core_sd_nm = 0.9
core_count = 210
hydrodynamic_nm = 18.4
dispersity = 0.12
shape = "round"
zeta_mv = -12.0
zeta_medium = "10 mM NaCl, pH 7"
ligand = "none"
concentration_nmol_per_l = 1000
metal = "Cd"
metal_ug_per_ml = 55
stability = "7 days in serum"
endotoxin = "below 0.1 EU/ml"
dose = "1e5 per cell"
alive_percent = 97.0
alive_sd_percent = 1.5
alive_count = 4
[probes.qd.yield_measurement]
method = "relative"
excitation_nm = 640
absorbance = 0.04
standard = "a dye"
standard_yield = 0.3
refractive_index = 1.33
standard_refractive_index = 1.36
[probes.qd.photostability]
retained_percent = 91.8
minutes = 60
baseline_frames = 5
dark_subtracted = true
dose_j_per_cm2 = 36
[probes.qd.spectrum]
axis = "eV"
jacobian = true
peak_per_nm = 810
peak_per_ev = 818
[reporting]
sample_size = "power 0.8 for a tenfold difference"
randomisation = "drawn by weight and cage"
blinding = "who analysed did not know the arms"
cell_line = "4T1"
mycoplasma = "negative"
"""
ARMS = {"dots": 5, "bare": 5, "control": 3}
DAYS = (0.0, 7.0)


def settings(*changes):
    """Settings with texts replaced."""
    text = SETTINGS
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return StudySettings.model_validate(tomllib.loads(text))


def animal(number, group, **changes):
    row = AnimalRow(
        number + 2, f"m{number:02d}", group, "BALB/c", "female", 20.0 + 0.1 * number, f"c{number % 4}", "tail vein", "", 1e6,
        False, "", "", "", dose_syringe_full_g=1.3, dose_syringe_empty_g=1.2, dose_tail_percent=5.0, dose_tail_sd_percent=2.0,
    )  # fmt: skip
    return replace(row, **changes)


def animals():
    groups = [arm for arm, count in ARMS.items() for _ in range(count)]
    return tuple(animal(number, group) for number, group in enumerate(groups))


def samples(listed):
    rows = []
    for entry in listed:
        probe = "" if entry.group == "control" else "qd"
        lot = "" if not probe else f"L{entry.row % 2}"
        for day in DAYS:
            for channel, nm in (("b1", 780.0), ("b2", 820.0)):
                rows.append(
                    SampleRow(
                        len(rows) + 2,
                        entry.animal,
                        f"d{day:02.0f}",
                        day,
                        f"2026-03-{2 + int(day):02d}",
                        entry.group,
                        "dorsal",
                        channel,
                        745.0,
                        nm,
                        2.0,
                        f"raw/{entry.animal}_d{day:02.0f}.tif",
                        "",
                        "raw/dark.tif",
                        probe,
                        lot,
                    )
                )
    return tuple(rows)


def header(**changes):
    channels = ("b1", "b2")
    fields = {
        "channels": channels, "shape": (12, 10), "pixel_mm": 0.5, "exposure_s": (2.0, 2.0), "excitation_nm": (745.0,) * 2,
        "emission_nm": (780.0, 820.0), "acquired": "2026-03-02T10:00:00", "synthetic": False, "constant": (False,) * 2,
        "saturated": (0.0, 0.0), "highest": (900.0,) * 2, "at_highest": (1, 1), "floor": (101.0, 101.0), "level": (160.0,) * 2,
        "spread": (11.0,) * 2,
    }  # fmt: skip
    return Header(**{**fields, **changes})


def headers(rows, **changes):
    found = {row.image: header() for row in rows}
    dark = header(channels=("dark",), floor=(95.0,), level=(100.0,), spread=(3.0,), saturated=(0.0,))
    return {**found, "raw/dark.tif": dark, **changes}


def session(entry, day, *, saturated=0.0, **spot):
    found = replace(detection(1, 500.0), **spot)
    view = view_result(
        "dorsal", np.ones((2, 12, 10), np.float32), channels=("b1", "b2"), detections=(found,), file="raw/a.tif"
    )
    view.quality["saturated_fraction"] = saturated
    return SessionResult(entry.animal, f"d{day:02.0f}", day, "2026-03-02", entry.group, "qd", (view,))


def outcome(entry, *, status="done", reason="", limit=300.0, below=False):
    flux = Estimate(limit, NAN, 0.0, limit, 0.95, "ph s-1", "limit") if below else flux_of(5e3)
    done = status == "done"
    return AnimalOutcome(
        entry.animal, entry.group, status, reason, DAYS if done else (), (flux,) * 2 if done else (),
        (below,) * 2 if done else (), (0 if below else 1,) * 2 if done else (),
    )  # fmt: skip


def mean_of(values):
    middle = sum(values) / len(values)
    return Estimate(middle, 0.1, middle - 0.2, middle + 0.2, 0.95, "1", "t interval of the mean")


def comparison(
    *, values=((1.0, 1.2, 1.1, 0.9, 1.3), (2.0, 2.1, 1.8, 2.2, 1.9)), test="Welch's analysis of variance", p=0.003,
    post_hoc="Games-Howell", notes=("Holm-adjusted over 2 endpoints: p = 0.006.",), design="own", effect="own", tests=(),
    censored=None, endpoint="log10 flux on day 7", unit="animal", pairs=1,
):  # fmt: skip
    names = ("dots", "bare")
    flags = censored or tuple((False,) * len(own) for own in values)
    groups = tuple(
        GroupSummary(name, len(own), own, cut, mean_of(own))
        for name, own, cut in zip(names, values, flags, strict=True)
    )
    if design == "own":
        design = Design("animal", names, (5, 5), rows=10)
    if effect == "own":
        effect = Estimate(0.6, 0.1, 0.3, 0.8, 0.95, "1", "omega squared")
    difference = Estimate(1.0, 0.1, 0.7, 1.3, 0.95, "1", "difference")
    return Comparison(
        endpoint, "1", unit, test, 9.0, 1.0, 8.0, p, groups, (PairDifference("dots", "bare", difference, p),) * pairs, post_hoc,
        notes, effect, design, tests,
    )  # fmt: skip


def made_by(name, *, role="primary", p=0.01, note=""):
    return TestResult(name, "F", 5.0, (1.0, 8.0), p, role=role, note=note)


X = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
Y = (1.1, 2.0, 2.9, 4.2, 5.1, 5.8)


def correlation(**changes):
    return replace(CorrelationRecord("flux and counted cells", 0.99, 0.95, 0.999, 6, 6, X, Y), **changes)


def region(entry, area=10.0, saturated=0.0):
    drawn = DrawnRegion("R", "liver", "raw/a.tif", ((0.0, 0.0), (0.0, 4.0), (3.0, 4.0)), "polygon")
    tied = TiedRegion(drawn, "regions/a.geojson", entry.animal, "d07", "dorsal", "liver")
    value = flux_of(1.0)
    return RegionResult(
        tied, ((0.5, 0.5), (0.5, 2.0), (1.5, 2.0)), 40, area, saturated, 1.0, value, value, value, value, value, value, (), 0.0, value
    )  # fmt: skip


REGION_ROW = RegionRow(2, "m00", "d07", "dorsal", "regions/a.geojson", "", "liver")


def sound(*, text=(), listed=None, rows=None, regions=(), region_rows=(), analysed=True, sheets=None, **changes):
    """Evidence of the sound study; each option changes one part."""
    listed = animals() if listed is None else listed
    rows = samples(listed) if rows is None else rows
    own = Sheets(Path("study"), settings(*text), rows, listed, True, regions=region_rows, **(sheets or {}))
    fields = {"sheets": own, "headers": headers(rows), "regions": regions, "correlations": (correlation(),)}
    if analysed:
        fields |= {
            "sessions": tuple(session(entry, day) for entry in listed for day in DAYS),
            "outcomes": tuple(outcome(entry) for entry in listed),
            "comparisons": (comparison(), comparison(endpoint="log10 ratio, day 7 to day 0")),
        }
    return Evidence(**{**fields, **changes})


def _whole():
    """What makes the sound study state every item."""
    from lampyris.core.reporting import Characterisation, Reporting

    parts = (("reporting", Reporting, "[reporting]\n"), ("", Characterisation, "[probes.qd.characterisation]\n"))
    out = []
    for _, model, header in parts:
        body = SETTINGS.split(header)[1].split("\n[")[0]
        missing = [
            name
            for name, field in model.model_fields.items()
            if f"{name} =" not in body and "str" in str(field.annotation) and "Literal" not in str(field.annotation)
        ]
        lines = [f'{name} = "said"\n' for name in missing if name not in ("no_difference_claims", "equivalence_margin")]
        out.append((header, header + "".join(lines)))
    return (*out, ('ligand = "none"\n', 'ligand = "none"\n'))


WHOLE = _whole()
