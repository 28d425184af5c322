"""The section of amounts: there where there are amounts, with every name escaped, bounds as bounds, and no number of its own."""

import math
import re
from dataclasses import replace

import pytest

from lampyris.core.amounts import (
    AmountFlag,
    Amounts,
    Brightness,
    InjectedDose,
    InstrumentRatio,
    SignalAmount,
    Standard,
)
from lampyris.core.estimate import Estimate
from lampyris.imaging.standards import calibration_lines
from lampyris.report.render import render_report

EVIL = "<script>alert(1)</script>"
NAN = math.nan


def number(value, sd=0.1, unit="pmol"):
    return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, unit, "given")


UNKNOWN = Estimate(NAN, NAN, NAN, NAN, 0.95, "pmol", "not known")


def standards(probe="qd", instrument="box"):
    amounts = [(x, k) for x in (0, 1, 2, 5, 10, 20) for k in "123"]
    return [
        Standard(
            f"w{x}", "well plate", probe, instrument, NAN, x, 0.0, "pmol", 0.02,
            1e5 * x * (1 + 0.01 * (k == "1") - 0.01 * (k == "3")) + 1e3 * int(k), 0.0, day, k,
        )
        for day in (0.0, 7.0)
        for x, k in amounts
    ]  # fmt: skip


def signal(animal, group, **changes):
    fields = {
        "animal": animal, "group": group, "session": "d0", "day": 0.0, "view": "", "lesion": 1, "organ": "liver",
        "unit": "pmol", "calibration": "c", "surface_amount": number(2.0), "transport_amount": number(40.0),
        "calibrated_amount": UNKNOWN, "percent_dose": number(20.0, unit="%ID"), "surface_percent_dose": number(1.0, unit="%ID"),
        "flags": (str(AmountFlag.SURFACE_GEOMETRY),),
    }  # fmt: skip
    return SignalAmount(**{**fields, **changes})


def amounts_of(study, name=str):
    who, group = study.outcomes[0].animal, study.outcomes[0].group
    high = Estimate(NAN, NAN, 50.0, math.inf, 0.95, "pmol", "above")
    low = Estimate(NAN, NAN, 0.0, 0.7, 0.95, "pmol", "below")
    lines = calibration_lines([*standards(name("qd")), *standards(name("qd"), name("other")), standards("few")[0]])
    return Amounts(
        lines=lines,
        instruments=(InstrumentRatio(name("box"), name("other"), "well plate", "qd", "pmol", number(0.8), 12, number(0.81), (0.7, 0.9)),),
        doses=(InjectedDose(name(who), number(0.2, unit="ml"), number(190.0), 5.0, name("weights")),),
        brightness=(Brightness(name("qd"), "labelled cells", "c", number(1e5), 1.2e5, number(0.8)),),
        signals=(
            signal(name(who), group),
            signal(name(who), group, surface_amount=high, flags=(str(AmountFlag.ABOVE_RANGE),)),
            signal(name(who), group, surface_amount=low, transport_amount=UNKNOWN),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(small_study):
    files = render_report(replace(small_study, amounts=amounts_of(small_study)))
    assert {"figures/calibration-1.svg", "figures/calibration-2.png"} <= set(files)
    return files["report.html"].decode()


def test_a_study_without_has_no_section(small_study):
    assert 'id="amounts"' not in render_report(small_study)["report.html"].decode()


def test_lines_doses_and_amounts_are_shown(page):
    section = page.split('<section id="amounts"')[1].split("</section>")[0]
    for part in (
        "Calibration lines",
        "Injected doses",
        "What each lesion amounts to",
        "times the flux of",
        "In wells, one labelled cell",
    ):
        assert part in section
    # bounds read as bounds, and what flags mean stands below
    assert "&lt; 0.70" in section
    assert "&gt; 50" in section
    assert "too few standards" in section
    assert '<a href="#amounts">' in page


def test_hostile_names_stay_text(small_study):
    files = render_report(replace(small_study, amounts=amounts_of(small_study, lambda text: EVIL + text)))
    assert EVIL not in files["report.html"].decode()
    for name, data in files.items():
        if name.endswith(".svg"):
            assert b"<script" not in data


def test_figures_hold_every_standard(page):
    figure = re.findall(r"<svg[^>]*aria-label=\"well plate, pmol of qd, box[^>]*>.*?</svg>", page, re.DOTALL)[0]
    # each in the line's panel, and those above zero again among the residuals
    assert figure.count("<circle") == 36 + 30
