"""Light of drawn organs: sums kept through lens and tray light, neighbours told apart, escape against closed cases."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lampyris.assays.exvivo.escape import FLATNESS, Escape, mean_height_mm, organ_escape, tissue_of, unevenness
from lampyris.assays.exvivo.light import measure_light
from lampyris.core.flags import PixelFlag
from lampyris.core.images import AbundanceMap
from lampyris.core.settings import Instrument
from lampyris.probe.probe import Probe

PIXEL, BLUR = 0.45, 0.35
SHAPE = (80, 120)
INSTRUMENT = Instrument(
    pixel_mm=PIXEL, gain_e_per_count=1.0, read_noise_e=2.0, radiance_per_rate=1.0, excitation_nm=710,
    excitation_mw_per_cm2=1.0, bands=[{"channel": "810", "centre_nm": 810, "width_nm": 20}],
)  # fmt: skip
DOT = Probe("dot", 810.0, 75.0, 1e-13, 0.4, 1e5, 0.1)


def disc(y, x, radius):
    rows, columns = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])[None, :]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def seen(masks, levels, *, tray=0.0, noise=0.0, saturated=None):
    """An unmixed image of organs that hide a glowing, tilted tray, through the lens."""
    every = np.logical_or.reduce(masks)
    field = tray * (1.0 + 0.3 * (np.arange(SHAPE[1]) / SHAPE[1] - 0.5))[None, :] * ~every
    for mask, level in zip(masks, levels, strict=True):
        field = field + level * mask
    values = gaussian_filter(field, BLUR / PIXEL, mode="nearest") + np.random.default_rng(3).normal(
        0, noise + 1e-12, SHAPE
    )
    flags = np.zeros(SHAPE, np.uint16)
    if saturated is not None:
        flags[saturated] = PixelFlag.SATURATED
    return AbundanceMap(values[None], np.full((1, *SHAPE), noise**2 + 1e-12), values[None], flags, ("probe",), PIXEL)


def measured(*arguments, **options):
    masks = arguments[0]
    return measure_light(seen(*arguments, **options), masks, blur_mm=BLUR, colour_gain=1.0, spectral_error=0.0).organs


def true_flux(mask, level):
    return np.pi * level * mask.sum() * (PIXEL / 10.0) ** 2


def test_tray_light_is_taken_off_and_none_of_the_organs_is_lost():
    masks = [disc(25, 30, 12), disc(50, 80, 8)]
    for one, mask, level in zip(measured(masks, (50.0, 5.0), tray=20.0, noise=0.2), masks, (50.0, 5.0), strict=True):
        # the lens spreads a tenth of the light beyond so small an outline; what is left of it is a hundredth
        assert one.flux == pytest.approx(true_flux(mask, level), rel=0.02)
        assert abs(one.flux - true_flux(mask, level)) < 2.0 * one.sd
        assert one.tray_flux > 0


def test_a_bright_neighbour_gives_its_light_back():
    bright, dim = disc(40, 40, 12), disc(40, 58, 9) & ~disc(40, 40, 12)
    first, second = measured([bright, dim], (100.0, 8.0))
    assert first.flux == pytest.approx(true_flux(bright, 100.0), rel=0.02)
    # what lies in its pixels is a tenth more
    plain = np.pi * float(seen([bright, dim], (100.0, 8.0)).values[0][dim].sum()) * (PIXEL / 10.0) ** 2
    assert plain > 1.1 * true_flux(dim, 8.0)
    assert second.flux == pytest.approx(true_flux(dim, 8.0), rel=0.1)
    assert abs(second.flux - true_flux(dim, 8.0)) < 2.0 * second.sd


def test_an_empty_organ_is_not_told_from_nothing():
    (one,) = measured([disc(40, 40, 12)], (0.0,), tray=5.0, noise=1.0)
    assert abs(one.flux) < 2.5 * one.sd


def test_saturation_and_edges_are_flagged():
    masks = [disc(4, 30, 10), disc(50, 80, 8)]
    first, second = measured(masks, (5.0, 5.0), saturated=(50, 80))
    assert (first.edge, first.saturated, second.edge, second.saturated) == (True, False, False, True)


def test_escape_falls_with_thickness_and_absorption():
    mask = disc(40, 40, 14)
    values = [organ_escape(mask, "liver", DOT, INSTRUMENT, weight_g=weight).value for weight in (0.3, 0.6, 0.9)]
    assert values[0] > values[1] > values[2] > 0
    kidney, liver = (organ_escape(mask, tissue, DOT, INSTRUMENT, weight_g=0.5) for tissue in ("kidneys", "liver"))
    assert kidney.value > liver.value and kidney.relative_sd < liver.relative_sd


def test_escape_is_that_of_the_body_solved_finer(monkeypatch):
    """Coarse voxels stand within what is stated of the model."""
    mask = disc(40, 40, 12)
    coarse = organ_escape(mask, "kidneys", DOT, INSTRUMENT, weight_g=0.4).value
    monkeypatch.setattr("lampyris.assays.exvivo.escape.VOXELS_HIGH", 24)
    assert coarse == pytest.approx(organ_escape(mask, "kidneys", DOT, INSTRUMENT, weight_g=0.4).value, rel=0.06)


def test_heights_and_tissues_from_what_is_known():
    mask = np.ones((10, 10), bool)
    assert mean_height_mm(mask, "lung", 1.0, weight_g=0.4, thickness_mm=math.nan) == pytest.approx(5.0)
    assert mean_height_mm(mask, "liver", 1.0, weight_g=0.4, thickness_mm=3.0) == 3.0
    assert mean_height_mm(mask, "liver", 1.0, weight_g=math.nan, thickness_mm=math.nan) == pytest.approx(10 * FLATNESS)
    assert (tissue_of("Left-Kidney"), tissue_of("x", "spleen"), tissue_of("liver", "granite")) == (
        "kidneys",
        "spleen",
        "",
    )


def test_a_spot_makes_an_organ_uneven_and_noise_does_not():
    mask = disc(40, 40, 12)
    even = Escape(0.5, 0.1, mask.astype(float), 1.0)
    noise = np.random.default_rng(1).normal(0, 1, SHAPE)
    plain = unevenness(10.0 * mask + noise, np.ones(SHAPE), even, mask)
    spotted = unevenness(10.0 * mask + noise + 400.0 * disc(40, 44, 3), np.ones(SHAPE), even, mask)
    assert plain < 0.1 and spotted > 0.5
    assert unevenness(0.1 * mask + noise, np.ones(SHAPE), even, mask) == 0.0
