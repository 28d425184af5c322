"""The section on excised organs: what it shows of arms compared, bounds, faults, and names that mean harm."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.assays import ExVivo, OrganAgreement, OrganFlag, OrganPair, OrganResult, TrayView
from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, Exclusion
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.histology import CallAccuracy, GroupDensity, Histology, OrganDensity
from lampyris.report.arms import arms_of
from lampyris.report.drawing.gallery import Gallery
from lampyris.report.drawing.scene import Raster, Stroke
from lampyris.report.plots.exvivo import tray_panels
from lampyris.report.render import render_report
from lampyris.report.sections.exvivo import exvivo_section, exvivo_sentences
from lampyris.report.sections.histology import histology_sentences

HARM = "<script>alert(1)</script>"


def estimate(value, unit="%ID/g", low=0.8, high=1.25):
    return Estimate(value, 0.1 * value, low * value, high * value, 0.95, unit, "made up")


def organ(animal, group, name, value, *, flags=(), corner=10.0):
    outline = tuple((corner + y, corner + x) for y, x in ((0, 0), (0, 8), (6, 8), (6, 0)))
    share = estimate(value)
    return OrganResult(
        animal=animal, organ=name, group=group, probe="dot", file="tray.ome.tiff", place=1, tissue=name, outline_mm=outline,
        area_mm2=48.0, y_mm=corner + 3, x_mm=corner + 4, weight_g=estimate(1.0, "g"), thickness_mm=3.0,
        flux=estimate(1e8, "ph s-1"), tray_flux=0.0, escape=estimate(0.5, "1"), amount=estimate(1.0, "pmol"), unit="pmol",
        percent_dose=share, percent_dose_per_gram=share, surface_percent_dose_per_gram=share, flags=flags,
    )  # fmt: skip


def tray(*organs):
    rng = np.random.default_rng(1)
    photo, probe = rng.random((2, 80, 100)).astype(np.float32)
    return TrayView(f"exvivo/{HARM}.ome.tiff", 0.5, photo, probe, True, organs)


def comparison(name, p, adjusted):
    nan = math.nan
    groups = tuple(
        GroupSummary(arm, 3, (0.1, 0.2, 0.3), (arm == "untargeted", False, False), estimate(0.2, "log10(%ID/g)"))
        for arm in ("targeted", "untargeted")
    )
    difference = Estimate(0.5, 0.1, 0.3, 0.7, 0.95, "log10(%ID/g)", "made up")
    pairs = (PairDifference("targeted", "untargeted", difference, p),)
    return Comparison(
        f"log10 %ID/g of {name}", "log10(%ID/g)", "animal", "Welch's t test", 4.0, 4.0, nan, p, groups, pairs, "", ("Below: m1",),
        p_adjusted=adjusted, adjustment="Holm over 2 organs",
    )  # fmt: skip


@pytest.fixture(scope="module")
def study(small_study):
    organs = (
        organ("m000", "targeted", "liver", 20.0),
        organ("m001", "targeted", HARM, 2.0, corner=20.0),
        organ("m100", "untargeted", "liver", 0.5, flags=(str(OrganFlag.FAINT),), corner=30.0),
    )
    nan = Estimate.unknown(0.95, "1", "not known")
    pairs = (
        OrganPair("m000", "liver", "targeted", estimate(20.0), estimate(18.0)),
        OrganPair("m100", "liver", "untargeted", replace(estimate(0.5), value=math.nan, low=0.0), estimate(0.4)),
    )
    one = estimate(1.1, "1")
    agreement = OrganAgreement(
        "exvivo", "icp-ms", "", 2, 1, 1, one, one, one, nan, one, nan, ("1 of 2 pairs are bounds",)
    )
    failed = Finding(
        "exvivo.failed", Severity.ERROR, Place("exvivo/bad.tiff"), f"ends early {HARM}.", "Mend it and run again."
    )
    exvivo = ExVivo(
        trays=(tray(*organs),), pairs={"icp-ms": pairs}, agreements=(agreement,), findings=(failed,),
        comparisons=(comparison("liver", 0.004, 0.008), comparison("spleen", 0.3, 0.3)),
        exclusions=(Exclusion("m001", "targeted", HARM),),
    )  # fmt: skip
    return replace(small_study, exvivo=exvivo)


def test_the_page_shows_it_and_no_name_can_harm(study):
    files = render_report(study)
    page = files["report.html"].decode()
    section = page.partition('<section id="exvivo"')[2].partition("</section>")[0]
    assert "Needs action" in section and "exvivo/bad.tiff" in section
    assert "&lt;script&gt;" in section and HARM not in page
    assert 'href="#exvivo"' in page and {"figures/organs.svg", "figures/tray-1.png"} <= files.keys()
    # the tray's pictures count within the page's budget, and nothing is loaded from elsewhere
    assert not re.search(r'(?:src|href)="(?!data:|#)', section)


def test_bounds_are_shown_as_bounds_and_excluded_animals_apart(study):
    parts = exvivo_section(study, arms_of(study), Gallery())
    assert "m100 liver (below 0.6" in parts["below"] and parts["aside"] == [f"m001 ({HARM})"]
    rows = {row.cells[0].text: row for row in parts["table"].rows}
    assert rows["m100"].cells[5].text == "< 0.62" and rows["m001"].muted and not rows["m000"].muted
    assert rows["m001"].cells[-1].text.startswith("left out")
    liver = parts["comparisons"].rows[0].cells
    assert liver[0].text == "liver" and "Untargeted dot 3 (1 below)" in liver[1].text
    # a difference of 0.5 in log10 is a ratio of 3.2; p without its equal sign
    assert liver[3].text.startswith("3.2") and liver[7].text == "0.0080"
    assert parts["comparison_notes"] == ["Below: m1."]


def test_the_headline_names_the_organ_that_differs_most(study):
    (sentence,) = exvivo_sentences(study)
    assert sentence.text.startswith(
        "Excised organs: the arms differ most clearly in the liver, Targeted dot over Untargeted dot 3.2"
    )
    assert "Holm over 2 organs" in sentence.text and "1 organ of 2 animals" in sentence.text
    assert exvivo_sentences(replace(study, exvivo=None)) == []
    assert exvivo_section(replace(study, exvivo=None), arms_of(study), Gallery()) is None


def test_outlines_stay_on_their_organs_when_a_tray_is_cut(study):
    """An organ's outline lies on the same pixels of the photograph before and after."""
    whole = study.exvivo.trays[0]
    marked = whole.photo * 0
    one = whole.organs[0]
    (top, left), (bottom, right) = one.outline_mm[0], one.outline_mm[2]
    marked[round(top / 0.5) : round(bottom / 0.5) + 1, round(left / 0.5) : round(right / 0.5) + 1] = 1.0
    scene, _ = tray_panels(replace(whole, photo=marked), {}, 1.0)
    picture = next(mark for mark in scene.marks if isinstance(mark, Raster))
    per_px = picture.width / picture.pixels.shape[1]
    bright = np.argwhere(picture.pixels[..., 0] > 128)
    ends = [(bright[:, axis].min() * per_px, (bright[:, axis].max() + 1) * per_px) for axis in (0, 1)]
    outline = next(mark for mark in scene.marks if isinstance(mark, Stroke) and mark.closed)
    drawn = [(y - picture.y, x - picture.x) for x, y in outline.points]
    for axis in (0, 1):
        places = [place[axis] for place in drawn]
        # an outline runs through the middles of the pixels at its edge
        assert min(places) == pytest.approx(ends[axis][0] + 0.5 * per_px)
        assert max(places) == pytest.approx(ends[axis][1] - 0.5 * per_px)


def test_sections_alone_make_a_section_and_a_sentence(small_study):
    share = Estimate(0.8, math.nan, 0.4, 0.97, 0.95, "1", "made up")
    density = estimate(400.0, "mm-2")
    organs = (OrganDensity("m000", "liver", "targeted", 2, 300, 20, 0.1, density, estimate(0.1, "1"), 1e-4, True, ()),)
    groups = (GroupDensity("targeted", "liver", density, density, Design("animal", ("targeted",), (1,))),)
    accuracy = CallAccuracy(share, share, 5, 6, None, (), Design("animal", (), (4,)), {"never imaged": 2})
    study = replace(small_study, histology=Histology((), organs, groups, (), accuracy))
    (sentence,) = histology_sentences(study)
    assert "sensitivity 0.80 (95 % 0.40–0.97; 5 organs)" in sentence.text.replace("\u00a0", " ")
    page = render_report(study)["report.html"].decode()
    section = page.partition('<section id="exvivo"')[2].partition("</section>")[0]
    assert "<h3>Sections</h3>" in section and "Not judged, 2: never imaged." in section and "The trays" not in section
