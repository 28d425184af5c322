"""Regions drawn by hand: pixels inside, light with and without background, agreement with what was detected."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.flags import PixelFlag
from lampyris.core.images import FLUX_UNIT, Pose, Registration
from lampyris.core.regions import DrawnRegion, TiedRegion
from lampyris.core.settings import AnalysisOptions
from lampyris.core.study import ViewResult
from lampyris.imaging.drawn import crosses_itself, measure_region, polygon_mask
from lampyris.imaging.radiance.calibrate import lambertian_flux

SHAPE, PIXEL = (80, 60), 0.5
BOX = ((29.5, 19.5), (29.5, 29.5), (39.5, 29.5), (39.5, 19.5))
SETTINGS = SimpleNamespace(
    analysis=AnalysisOptions(), instrument=SimpleNamespace(radiance_relative_sd=0.03)
)  # fmt: skip


def circle(y, x, radius, count=400):
    turns = np.linspace(0, 2 * math.pi, count, endpoint=False)
    return tuple((y + radius * math.sin(t), x + radius * math.cos(t)) for t in turns)


def view(rng, *, signal=0.0, noise=10.0):
    """An animal over most of the image with a level of 500, noise, and a square of more light in BOX."""
    body = np.zeros(SHAPE, bool)
    body[4:-4, 4:-4] = True
    probe = np.where(body, 500.0, 0.0) + noise * rng.standard_normal(SHAPE)
    probe[30:40, 20:30] += signal
    labels = np.zeros(SHAPE, np.uint16)
    labels[30:40, 20:25] = 1
    flux = Estimate(7.0, 1.0, 5.0, 9.0, 0.95, FLUX_UNIT, "made")
    found = (SimpleNamespace(number=1, flux=flux),) if signal else ()
    return ViewResult(
        "dorsal", PIXEL, probe, np.stack([0.6 * probe + 100, 0.4 * probe + 100]), probe, np.full(SHAPE, noise**2),
        np.full(SHAPE, 0.52 * noise**2), probe, probe, np.zeros(SHAPE, np.uint16), body, labels if signal else 0 * labels, ("a", "b"),
        Registration(Pose(1.0, 1.0), 1.0, 0.9, "silhouette"), found, (), (), flux, {},
    )  # fmt: skip


def tied(outline=BOX):
    return TiedRegion(DrawnRegion("ROI 1", "", "a.tif", outline, "polygon"), "regions/a.roi", "m01", "d07", "dorsal")


def measured(shown, outline=BOX):
    return measure_region(tied(outline), outline, shown, SETTINGS)


def test_pixels_are_those_whose_centres_lie_inside():
    assert polygon_mask(BOX, SHAPE).sum() == 100
    assert polygon_mask(BOX, SHAPE)[30:40, 20:30].all()
    # moved by less than half a pixel the same centres lie inside
    moved = tuple((y + 0.3, x - 0.2) for y, x in BOX)
    np.testing.assert_array_equal(polygon_mask(moved, SHAPE), polygon_mask(BOX, SHAPE))


def test_area_of_a_circle_and_direction():
    outline = circle(40.0, 30.0, 20.0)
    inside = polygon_mask(outline, SHAPE)
    # the edge's pixels are in or out: their number errs by about the square root of the circumference
    assert inside.sum() == pytest.approx(math.pi * 400, abs=12)
    np.testing.assert_array_equal(polygon_mask(outline[::-1], SHAPE), inside)
    y, x = np.indices(SHAPE)
    deep = np.hypot(y - 40, x - 30)
    assert inside[deep < 19.9].all() and not inside[deep > 20.1].any()


def test_two_halves_hold_every_pixel_once():
    left = ((-0.5, -0.5), (-0.5, 20.3), (79.5, 33.7), (79.5, -0.5))
    right = ((-0.5, 20.3), (-0.5, 59.5), (79.5, 59.5), (79.5, 33.7))
    assert (polygon_mask(left, SHAPE).astype(int) + polygon_mask(right, SHAPE) == 1).all()


def test_light_with_and_without_background():
    shown = view(np.random.default_rng(1), signal=2000.0)
    one = measured(shown)
    assert (one.pixels, one.area_mm2, one.saturated_share, one.on_body_share) == (100, 25.0, 0.0, 1.0)
    light = shown.radiance[:, 30:40, 20:30].astype(float).sum()
    assert one.radiance.value == pytest.approx(light / 100)
    assert one.flux.value == pytest.approx(lambertian_flux(light, PIXEL))
    assert one.flux_vendor_4pi.value == pytest.approx(4 * one.flux.value)
    assert one.probe_flux_vendor_4pi.value == pytest.approx(4 * one.probe_flux.value)
    truth = lambertian_flux(100 * 2000.0, PIXEL)
    # 100 pixels of noise 10 and the ring's median: 0.1 %
    assert one.probe_flux.value == pytest.approx(truth, rel=2e-3)
    assert one.probe_flux.low < truth < one.probe_flux.high
    assert one.detections == (1,)
    # the detection's outline is half of the region
    assert one.overlap == pytest.approx(0.5)
    assert one.detected_flux.value == 7.0


def test_all_light_has_the_noise_of_the_bands_sum():
    """Not that of the unmixed probe, which is larger."""
    shown = view(np.random.default_rng(1), signal=2000.0)
    shown = replace(shown, total_variance=np.full(SHAPE, 9.0), probe_variance=np.full(SHAPE, 2500.0))
    one = measured(shown).radiance
    assert one.sd == pytest.approx(math.hypot(math.sqrt(9.0 / 100), 0.03 * one.value))
    assert measured(replace(shown, total_variance=np.full(SHAPE, 9e8))).radiance.sd > 0.9 * math.sqrt(9e8 / 100)


def test_interval_of_nothing_holds_nothing():
    """A region where nothing is: its flux above the surroundings is 0 within the stated interval, 19 times in 20."""
    held = 0
    for seed in range(60):
        one = measured(view(np.random.default_rng(seed)))
        held += one.probe_flux.low <= 0.0 <= one.probe_flux.high
        assert (one.detections, one.overlap, one.detected_flux) == ((), 0.0, None)
    # the structure holds the noise too, so the interval is wide rather than narrow
    assert held >= 55


def test_saturated_pixels_and_off_the_animal():
    shown = view(np.random.default_rng(2), signal=100.0)
    flags = np.array(shown.flags)
    flags[30:35, 20:30] = PixelFlag.SATURATED
    assert measured(replace(shown, flags=flags)).saturated_share == 0.5
    nothing = replace(shown, body=np.zeros(SHAPE, bool) | (np.indices(SHAPE)[0] > 70))
    one = measured(nothing)
    assert one.on_body_share == 0.0 and math.isnan(one.probe_flux.value) and math.isfinite(one.flux.value)


BAD = {
    "off the image": (((-5.0, 1.0), (-5.0, 9.0), (9.0, 9.0)), "regions.off-image"),
    "crosses itself": (((10.0, 10.0), (20.0, 20.0), (10.0, 20.0), (20.0, 10.0)), "regions.crosses-itself"),
    "smaller than a pixel": (((10.1, 10.1), (10.1, 10.4), (10.4, 10.4)), "regions.no-pixel"),
}


@pytest.mark.parametrize(("outline", "rule"), BAD.values(), ids=BAD)
def test_what_cannot_be_measured_is_told(outline, rule):
    with pytest.raises(ImageError) as caught:
        measured(view(np.random.default_rng(0)), outline)
    (finding,) = caught.value.findings
    assert (finding.rule, finding.place.file) == (rule, "regions/a.roi") and "ROI 1" in finding.seen and finding.mend


def test_long_outlines_are_searched_for_crossings():
    outline = circle(500.0, 500.0, 400.0, 9_000)
    assert not crosses_itself(outline)
    swapped = (*outline[:100], *outline[130:99:-1], *outline[131:])
    assert crosses_itself(swapped)
