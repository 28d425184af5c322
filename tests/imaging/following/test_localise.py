"""Windows against the light table: the inverse of what the table itself predicts, and the calibration of its width."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lampyris.core.results import WindowMoments
from lampyris.imaging.detection.windows import WINDOW_SIGMAS_MM
from lampyris.imaging.following.localise import PlacedWindows, gather_evidence, likelihood, window_kernels
from lampyris.imaging.light.light_table import VIEWS, light_table
from lampyris.probe.probe import probe_from_settings
from lampyris.virtual.design import default_design

BLUR_MM = 0.35
NOISE = 1e-3


@pytest.fixture(scope="module")
def table():
    design = default_design()
    return light_table(design.instrument, probe_from_settings("targeted-dot", design.probes["targeted-dot"]))


def predicted(table, voxel, centre, amount, log_change=(0.0, 0.0)):
    """Windows that a source of this amount in a voxel would give."""
    placed = []
    for view, change in zip(VIEWS, log_change, strict=True):
        light = table.flux[view][:, voxel].astype(float) * amount * np.exp(change)
        windows = []
        for sigma in WINDOW_SIGMAS_MM:
            kernels = window_kernels(table.columns_mm[view], np.array(centre), sigma, blur_mm=BLUR_MM)
            flux, along, left, spread = kernels[:4] @ light
            windows.append(WindowMoments(view, 0.0, 0.0, sigma, flux, along, left, spread, 0.0, True))
        placed.append((view, tuple(windows)))
    scale = NOISE * max(windows[-1].flux for _, windows in placed)
    size = np.concatenate([[1.0, s, s, 2 * s * s] for s in WINDOW_SIGMAS_MM]) * scale
    return [PlacedWindows(windows, *centre, np.diag(size**2)) for _, windows in placed]


PLACES = {
    "shallow, belly": (72.0, 8.0, -3.5),
    "deep": (46.0, 2.0, 0.0),
    "lung": (34.0, 4.0, 1.5),
    "back": (58.0, -4.0, 5.0),
}


def nearest(table, place):
    y, x, z = place
    return int(np.argmin(((table.points_mm - np.array([z, y, x])) ** 2).sum(axis=1)))


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_a_predicted_source_is_found_where_it_is(table, place):
    voxel = nearest(table, place)
    z, y, x = table.points_mm[voxel]
    evidence = gather_evidence([predicted(table, voxel, (y + 0.8, x - 0.8), 1e3)], registration_sd_mm=0.5)
    found = likelihood(table, evidence, blur_mm=BLUR_MM)
    weight = np.exp(found.log_likelihood - found.log_likelihood.max())
    weight /= weight.sum()
    mean = weight @ table.points_mm[found.voxel]
    sd = np.sqrt(weight @ (table.points_mm[found.voxel] - mean) ** 2 + table.pitch_mm**2 / 12)
    # noise is a thousandth: what is left is the model's own error, of which the posterior's width is the size
    assert np.abs(mean - [z, y, x]) == pytest.approx(0.0, abs=2.0 * sd.max())
    assert sd.max() < 2.0
    shift = np.mean(table.log_flux_shift[:, voxel])
    amount = weight @ found.log_amount
    assert amount == pytest.approx(np.log(1e3) - shift, abs=2.0 * np.sqrt(weight @ found.log_amount_sd**2))


def test_intervals_hold_the_truth_under_the_stated_error(table):
    """Amounts drawn from the ensemble's covariance, places from the registration's: standardised errors of unit size."""
    rng = np.random.default_rng(5)
    inner = np.flatnonzero((np.abs(table.points_mm[:, 2]) < 8) & (np.abs(table.points_mm[:, 1] - 50) < 25))
    errors, amounts = [], []
    for voxel in rng.choice(inner, 40, replace=False):
        change = table.log_flux_shift[:, voxel] + np.linalg.cholesky(
            table.log_flux_covariance[:, :, voxel] + 1e-9 * np.eye(2)
        ) @ rng.normal(size=2)
        centre = tuple(table.points_mm[voxel, 1:] + rng.normal(0.0, 0.8, 2))
        windows = predicted(table, voxel, centre, 1e3, change)
        away = rng.normal(0.0, 0.8, 2)
        moved = [replace(one, y_mm=one.y_mm + away[0], x_mm=one.x_mm + away[1]) for one in windows]
        found = likelihood(table, gather_evidence([moved], registration_sd_mm=0.8), blur_mm=BLUR_MM)
        weight = np.exp(found.log_likelihood - found.log_likelihood.max())
        weight /= weight.sum()
        points = table.points_mm[found.voxel]
        mean = weight @ points
        sd = np.sqrt(weight @ (points - mean) ** 2 + table.pitch_mm**2 / 12)
        errors.append((mean - table.points_mm[voxel]) / sd)
        log_mean = weight @ found.log_amount
        log_sd = np.sqrt(weight @ (found.log_amount_sd**2 + (found.log_amount - log_mean) ** 2))
        amounts.append((log_mean - np.log(1e3)) / log_sd)
    # 40 draws give the root mean square to an eighth; the shape error that stands in the model is not drawn, so it is smaller
    assert np.sqrt(np.mean(np.square(errors), axis=0)) == pytest.approx(0.85, abs=0.35)
    assert np.sqrt(np.mean(np.square(amounts))) == pytest.approx(0.9, abs=0.35)


def test_kernels_are_the_window_seen_through_the_lens():
    pitch = 0.25
    y, x = np.meshgrid(np.arange(-12, 12, pitch), np.arange(-12, 12, pitch), indexing="ij")
    columns = np.stack([y.ravel(), x.ravel()], axis=1)
    rng = np.random.default_rng(0)
    light = gaussian_filter(rng.random(y.shape), 6) * np.exp(-0.5 * (y**2 + x**2) / 9)
    kernels = window_kernels(columns, np.array([0.5, -0.25]), 1.5, blur_mm=0.5)
    blurred = gaussian_filter(light, 0.5 / pitch, truncate=8)
    window = np.exp(-0.5 * ((y - 0.5) ** 2 + (x + 0.25) ** 2) / 1.5**2)
    terms = [window, window * (y - 0.5), window * (x + 0.25), window * ((y - 0.5) ** 2 + (x + 0.25) ** 2)]
    # the grid is half a blur wide
    assert kernels[:4] @ light.ravel() == pytest.approx([np.sum(term * blurred) for term in terms], rel=2e-3, abs=1e-2)


def test_slopes_are_derivatives():
    columns = np.random.default_rng(1).normal(0, 3, (50, 2))
    centre, step = np.array([0.3, -0.4]), 1e-5
    kernels = window_kernels(columns, centre, 2.0, blur_mm=0.4)
    for axis in (0, 1):
        # the animal's place moves by a step: the same as all columns moving
        moved = np.zeros(2)
        moved[axis] = step
        more, less = (window_kernels(columns + sign * moved, centre, 2.0, blur_mm=0.4)[:4] for sign in (1, -1))
        assert kernels[4 + 4 * axis : 8 + 4 * axis] == pytest.approx((more - less) / (2 * step), rel=1e-6, abs=1e-8)


def test_sessions_with_other_views_are_refused(table):
    windows = predicted(table, nearest(table, (46.0, 2.0, 0.0)), (46.0, 2.0), 1e3)
    with pytest.raises(ValueError, match="same views and windows"):
        gather_evidence([windows, windows[:1]], registration_sd_mm=1.0)
    with pytest.raises(ValueError, match="same views and windows"):
        gather_evidence([], registration_sd_mm=1.0)


def test_sessions_add_up(table):
    windows = predicted(table, nearest(table, (46.0, 2.0, 0.0)), (46.0, 2.0), 1e3)
    one = gather_evidence([windows], registration_sd_mm=1.0)
    two = gather_evidence([windows, windows], registration_sd_mm=1.0)
    assert two.moments == pytest.approx(2.0 * one.moments)
    # structure of the same animal is the same on both days
    assert two.covariance == pytest.approx(4.0 * one.covariance)
