"""Unmixing: exact, unbiased with covariance, non-negative by the optimality conditions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from lampyris.core.images import Radiance
from lampyris.imaging.radiance.unmix import COMPONENTS, mixing_matrix, non_negative, unmix
from lampyris.probe.probe import Probe, band_fractions

DOT = Probe("dot", 810.0, 75.0, 1e-13, 0.4, 1e5, 0.2)
SQUARE = np.array([[0.2, 0.5, 0.4], [0.5, 0.3, 0.3], [0.3, 0.2, 0.3]])
TALL = np.array([[0.1, 0.4, 0.3], [0.3, 0.3, 0.2], [0.4, 0.2, 0.2], [0.15, 0.08, 0.1], [0.05, 0.02, 0.2]])
MATRICES = {"as many bands": SQUARE, "two more bands": TALL, "one component": TALL[:, :1], "two of four": TALL[:4, :2]}


def radiance_of(values, variance=None, flags=None):
    values = np.asarray(values, float)
    return Radiance(
        values,
        np.ones_like(values) if variance is None else variance,
        np.zeros(values.shape, np.uint16) if flags is None else flags,
        tuple(str(band) for band in range(len(values))),
        0.5,
    )


@pytest.mark.parametrize("name", MATRICES)
def test_noise_free_pixels_come_back_exactly(name):
    mixing = MATRICES[name]
    rng = np.random.default_rng(1)
    truth = rng.uniform(-2.0, 5.0, (mixing.shape[1], 7, 5))
    data = np.einsum("bi,iyx->byx", mixing, truth)
    found = unmix(radiance_of(data, rng.uniform(0.5, 2.0, data.shape)), mixing)
    # rounding times the matrix' condition, below 100
    assert found.values == pytest.approx(truth, rel=1e-9, abs=1e-10)
    assert found.components == COMPONENTS[: mixing.shape[1]]


@pytest.mark.parametrize("name", MATRICES)
def test_values_are_unbiased_and_the_variance_is_right(name):
    mixing = MATRICES[name]
    rng = np.random.default_rng(2)
    draws = 40_000
    truth = np.array([1.0, 5.0, 2.0])[: mixing.shape[1]]
    # bands of unequal noise, so that weights matter
    sd = np.array([0.3, 0.1, 0.5, 0.2, 0.4])[: mixing.shape[0]]
    data = (mixing @ truth)[:, None] + rng.normal(0, 1, (len(sd), draws)) * sd[:, None]
    variance = np.broadcast_to((sd**2)[:, None, None], (len(sd), draws, 1))
    found = unmix(radiance_of(data[..., None], variance), mixing)
    pulls = (found.values[..., 0] - truth[:, None]) / np.sqrt(found.variance[..., 0])
    # mean and sd of 40000 pulls are known to 1/200 and 1/280: five of each
    assert np.abs(pulls.mean(axis=1)).max() < 0.025
    assert pulls.std(axis=1) == pytest.approx(1.0, abs=0.018)
    # closed form of the covariance
    expected = np.diag(np.linalg.inv(mixing.T @ np.diag(sd**-2.0) @ mixing))
    assert found.variance[:, 0, 0] == pytest.approx(expected, rel=1e-9)


def test_a_noisy_band_is_hardly_listened_to():
    mixing = TALL
    truth = np.array([1.0, 2.0, 3.0])
    data = (mixing @ truth)[:, None, None].copy()
    data[3] += 10.0
    variance = np.full((5, 1, 1), 1e-6)
    variance[3] = 1e6
    found = unmix(radiance_of(data, variance), mixing)
    assert found.values[:, 0, 0] == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("name", MATRICES)
def test_non_negative_is_that_of_lawson_and_hanson(name):
    mixing = MATRICES[name]
    rng = np.random.default_rng(3)
    data = rng.normal(0.3, 1.0, (400, mixing.shape[0]))
    found = non_negative(data, mixing)
    expected = np.stack([nnls(mixing, row)[0] for row in data])
    assert found == pytest.approx(expected, abs=1e-9)
    assert (found == 0).any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=5))
def test_non_negative_meets_the_optimality_conditions(row):
    data = np.array([row])
    (found,) = non_negative(data, TALL)
    gradient = TALL.T @ (TALL @ found - data[0])
    scale = max(np.abs(data).max(), 1e-6)
    # Karush, Kuhn and Tucker: feasible, no gain from adding a component, no slope along those present; rounding
    assert (found >= 0).all()
    assert (gradient >= -1e-9 * scale).all()
    assert np.abs(gradient[found > 1e-9 * scale]).max(initial=0.0) < 1e-7 * scale


def test_non_negative_handles_zero_and_refuses_many_components():
    assert (non_negative(np.zeros((3, 5)), TALL) == 0).all()
    assert non_negative(np.zeros((0, 5)), TALL).shape == (0, 3)
    with pytest.raises(ValueError, match="six"):
        non_negative(np.zeros((1, 8)), np.eye(8)[:, :7])


def test_the_shown_image_is_never_negative_and_equals_the_measured_where_that_is_positive():
    rng = np.random.default_rng(4)
    data = rng.normal(0.5, 1.0, (3, 20, 20))
    found = unmix(radiance_of(data), SQUARE)
    positive = (found.values >= 0).all(axis=0)
    assert positive.any()
    assert not positive.all()
    assert (found.display >= 0).all()
    assert found.display[:, positive] == pytest.approx(found.values[:, positive])
    expected = np.stack([nnls(SQUARE, row)[0] for row in data.reshape(3, -1).T])
    shown = found.display.reshape(3, -1).T
    assert shown == pytest.approx(expected, abs=1e-9)


def test_flags_of_all_bands_are_kept():
    flags = np.zeros((3, 2, 2), np.uint16)
    flags[0, 0, 0], flags[2, 0, 0] = 1, 4
    assert unmix(radiance_of(np.ones((3, 2, 2)), flags=flags), SQUARE).flags.tolist() == [[5, 0], [0, 0]]


@pytest.mark.parametrize(
    "shape", [(2, 3), (4, 3), (3, 4), (3,)], ids=["few rows", "many rows", "too many columns", "a vector"]
)
def test_a_matrix_that_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match="mixing matrix"):
        unmix(radiance_of(np.ones((3, 2, 2))), np.ones(shape))


# --- the matrix --------------------------------------------------------------------------------------------------------


def test_columns_are_shares_of_the_recorded_light(instrument):
    mixing = mixing_matrix(instrument, DOT)
    assert mixing.sum(axis=0) == pytest.approx(1.0)
    fractions = band_fractions(DOT, instrument.bands)
    assert mixing[:, 0] == pytest.approx(fractions / fractions.sum())
    assert mixing[:, 1] == pytest.approx(np.array([1.0, 0.72, 0.5]) / 2.22)


@pytest.mark.parametrize("bands", [1, 2, 3])
def test_fewer_bands_leave_the_last_components_out(instrument, bands):
    fewer = instrument.model_copy(update={"bands": instrument.bands[:bands]})
    mixing = mixing_matrix(fewer, DOT)
    assert mixing.shape == (bands, bands)
    found = unmix(radiance_of(np.ones((bands, 2, 2))), mixing)
    assert found.components == COMPONENTS[:bands]


def test_more_bands_than_components(instrument):
    from lampyris.core.settings import Band

    more = (*instrument.bands, Band(channel="870", centre_nm=870, width_nm=20, autofluorescence=0.3, leakage=0.9))
    assert mixing_matrix(instrument.model_copy(update={"bands": more}), DOT).shape == (4, 3)


def test_components_of_one_colour_are_refused(instrument):
    grey = tuple(band.model_copy(update={"autofluorescence": band.leakage}) for band in instrument.bands)
    with pytest.raises(ValueError, match="cannot tell"):
        mixing_matrix(instrument.model_copy(update={"bands": grey}), DOT)


def test_a_probe_that_no_band_sees_is_refused(instrument):
    far = Probe("far", 1600.0, 30.0, 1e-13, 0.4, 1e5, 0.2)
    with pytest.raises(ValueError, match="far"):
        mixing_matrix(instrument, far)


def test_leakage_keeps_its_name_where_nothing_glows_by_itself(instrument):
    # without a colour for autofluorescence there are two components, and the second is not called by the absent one's name
    dark = tuple(band.model_copy(update={"autofluorescence": 0.0}) for band in instrument.bands)
    with pytest.raises(ValueError, match="autofluorescence"):
        mixing_matrix(instrument.model_copy(update={"bands": dark}), DOT)
