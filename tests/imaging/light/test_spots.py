"""Profiles of spots: unit integral, widths that grow with depth, the lens' share."""

import numpy as np
import pytest
from scipy.integrate import simpson
from scipy.ndimage import gaussian_filter

from lampyris.imaging.light.spots import spot_profiles
from lampyris.tissue.analytic import exitance_profile

TISSUE = {"absorption": 0.035, "reduced_scattering": 0.7, "refractive_index": 1.4}
DEPTHS = (0.5, 2.0, 4.0, 7.0, 11.0)


@pytest.fixture(scope="module")
def bank():
    return spot_profiles(DEPTHS, **TISSUE, blur_mm=0.35)


@pytest.mark.parametrize("index", range(len(DEPTHS)))
def test_profiles_integrate_to_one_over_the_plane(bank, index):
    # by an independent quadrature of the interpolated table; its steps of 0.1 mm leave 0.2 % at the narrowest spot
    radius = np.linspace(0.0, 44.9, 20001)
    total = simpson(2.0 * np.pi * radius * bank.image(index, radius), x=radius)
    assert total == pytest.approx(1.0, abs=5e-3)


@pytest.mark.parametrize("index", range(len(DEPTHS)))
def test_an_image_s_pixels_sum_to_one(bank, index):
    pixel = 0.45
    y, x = (np.indices((201, 201)) - 100.0) * pixel
    image = bank.image(index, np.hypot(y + 0.1, x - 0.2))
    # 45 mm around the centre; the sum over pixels of a smooth peak
    assert image.sum() * pixel**2 == pytest.approx(1.0, abs=0.01)


def test_deeper_spots_are_wider(bank):
    assert (np.diff(bank.fwhm_mm) > 0).all()
    assert (np.diff(bank.profile[:, 0]) < 0).all()
    # the full width of each is where the profile is half its peak
    for index, width in enumerate(bank.fwhm_mm):
        assert bank.image(index, np.array(width / 2)) == pytest.approx(bank.profile[index, 0] / 2, rel=1e-3)


def test_profiles_fall_with_distance_and_end(bank):
    assert (np.diff(bank.profile, axis=1) <= 0).all()
    assert (bank.profile >= 0).all()
    assert bank.image(0, np.array([44.8, 60.0, np.inf]))[1:].tolist() == [0.0, 0.0]


def test_widths_as_seen_before():
    # a feasibility study saw 1.3, 3.4, 7 and 12 mm at 0.4, 2, 5 and 8 mm in a heterogeneous mouse; homogeneous tissue of
    # mean optics agrees to a quarter
    bank = spot_profiles((0.4, 2.0, 5.0, 8.0), **TISSUE, blur_mm=0.3)
    assert bank.fwhm_mm == pytest.approx([1.3, 3.4, 7.0, 12.0], rel=0.25)


@pytest.mark.parametrize("depth", [0.5, 2.0])
def test_the_lens_blurs_in_the_plane(depth):
    sharp, blurred = (spot_profiles((depth,), **TISSUE, blur_mm=blur) for blur in (0.0, 0.6))
    # the same by a two-dimensional convolution on a fine grid
    step = 0.1
    y, x = (np.indices((401, 401)) - 200.0) * step
    image = gaussian_filter(sharp.image(0, np.hypot(y, x)), 0.6 / step, truncate=6.0)
    radius = np.arange(0, 80, 10) * step
    expected = image[200, 200 : 200 + 80 : 10]
    # steps of 0.1 mm through the narrow peak, of either way
    assert blurred.image(0, radius) == pytest.approx(expected, rel=0.02)


def test_without_blur_the_profile_is_the_closed_form():
    bank = spot_profiles((3.0,), **TISSUE, blur_mm=0.0)
    radius = np.array([0.0, 2.0, 6.0, 15.0])
    raw = exitance_profile(radius, 3.0, **TISSUE)
    assert bank.image(0, radius) / bank.image(0, np.array(0.0)) == pytest.approx(raw / raw[0], rel=1e-6)


def test_blur_leaves_no_step_where_it_ends():
    bank = spot_profiles((0.5, 11.0), **TISSUE, blur_mm=0.35)
    # beyond six sigma and 8 mm the profile is left alone; the ratio of neighbours must stay smooth there
    ratio = bank.profile[:, 1:] / bank.profile[:, :-1]
    around = slice(80, 130)
    # an exponential of 2 mm gains 1.5 % from a lens of 0.35 mm, which is left out beyond
    assert np.abs(np.diff(ratio[:, around], axis=1)).max() < 0.015
