"""Non-negative least squares by sets: the compiled exchange, the trial of every set and Lawson and Hanson's agree."""

import numpy as np
import pytest
from scipy.optimize import nnls

from lampyris.imaging.radiance import unmix
from lampyris.imaging.radiance.active_sets import exchange_sets, set_responses, try_every_set


def mixing_of(bands, components, *, overlap=35.0):
    centres = np.linspace(730.0, 860.0, components)
    return np.exp(-0.5 * ((np.linspace(700.0, 890.0, bands)[:, None] - centres) / overlap) ** 2)


CASES = {
    "one component": mixing_of(5, 1),
    "as many bands": mixing_of(3, 3),
    "four in twenty bands": mixing_of(20, 4),
    "six, overlapping": mixing_of(12, 6, overlap=60.0),
    "no overlap": np.eye(5, 3),
    "one negative entry": np.array([[1.0, -0.3], [0.2, 1.0], [0.5, 0.5]]),
}


def pixels_of(mixing, rng, count=300):
    present = rng.random((count, mixing.shape[1])) < 0.5
    return rng.gamma(2.0, 1.0, present.shape) * present @ mixing.T + 0.05 * rng.standard_normal((count, len(mixing)))


def exchanged(data, mixing):
    responses = set_responses(mixing)
    found = np.empty((len(data), mixing.shape[1]))
    circling = exchange_sets(data @ responses.basis, responses.matrix, responses.floor, found)
    return found, circling


@pytest.mark.parametrize("name", CASES)
def test_all_three_agree(name):
    mixing = CASES[name]
    data = pixels_of(mixing, np.random.default_rng(1))
    responses = set_responses(mixing)
    tried = try_every_set(data @ responses.basis, responses)
    found, circling = exchanged(data, mixing)
    whole = ~np.isnan(found).any(axis=1)
    assert circling == np.count_nonzero(~whole)
    # rounding times the matrix' condition, at most 300 here
    assert found[whole] == pytest.approx(tried[whole], abs=1e-11)
    assert tried == pytest.approx(np.stack([nnls(mixing, row)[0] for row in data]), abs=1e-11)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_unit_does_not_matter(scale):
    mixing = CASES["four in twenty bands"]
    data = pixels_of(mixing, np.random.default_rng(2))
    assert exchanged(scale * data, mixing)[0] == pytest.approx(scale * exchanged(data, mixing)[0], rel=1e-9)


@pytest.mark.parametrize("solve", [lambda data, mixing: exchanged(data, mixing)[0], unmix.non_negative])
def test_dark_and_negative_pixels_hold_nothing(solve):
    mixing = CASES["four in twenty bands"]
    assert (solve(np.zeros((2, 20)), mixing) == 0).all()
    assert (solve(-np.ones((2, 20)), mixing) == 0).all()


def test_nan_holds_nothing_and_stays_where_it_is():
    mixing = CASES["four in twenty bands"]
    data = pixels_of(mixing, np.random.default_rng(3), count=5)
    spoilt = data.copy()
    spoilt[2, 7] = np.nan
    found, clean = unmix.non_negative(spoilt, mixing), unmix.non_negative(data, mixing)
    assert (found[2] == 0).all()
    assert np.delete(found, 2, axis=0).tolist() == np.delete(clean, 2, axis=0).tolist()


def test_blocks_and_pixels_that_circle_are_solved_all_the_same(monkeypatch):
    mixing = CASES["six, overlapping"]
    data = pixels_of(mixing, np.random.default_rng(4), count=1000)
    plain = unmix.non_negative(data, mixing)

    def some_circle(reduced, matrix, floor, found):
        circling = exchange_sets(reduced, matrix, floor, found)
        found[::3] = np.nan
        return circling + len(found[::3])

    monkeypatch.setattr(unmix, "_COMPILED_FROM", 0)
    monkeypatch.setattr(unmix, "_BLOCK", 300)
    compiled = unmix.non_negative(data, mixing)
    monkeypatch.setattr(unmix, "exchange_sets", some_circle)
    mended = unmix.non_negative(data, mixing)
    # rounding times the matrix' condition, 300
    assert compiled == pytest.approx(plain, abs=1e-11)
    assert mended == pytest.approx(plain, abs=1e-11)
