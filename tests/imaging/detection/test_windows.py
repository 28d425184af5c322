"""Moments of spots under windows: closed forms on an oval animal that lies straight."""

import numpy as np
import pytest

from lampyris.core.images import Pose
from lampyris.imaging.detection.detect import find_spots
from lampyris.imaging.detection.regions import ViewFrame
from lampyris.imaging.detection.windows import WINDOW_SIGMAS_MM, measured_view, session_windows
from lampyris.imaging.radiance.calibrate import lambertian_flux
from tests.imaging.conftest import PIXEL, Field

PLACE = (48.0, 30.0)
BRIGHT = 3e4


def view_of(field, data, *, mirrored=False, offset=(0.0, 0.0)):
    """A view whose nominal frame is the image's own, moved by an offset in mm; ventral views are mirrored."""
    pose = Pose(offset[0], 16.0 + offset[1], 0.0, 1.0, 1.0, mirrored)
    frame = ViewFrame(None, None, pose, field.shape, (slice(0, field.shape[0]), slice(0, field.shape[1])))
    search = field.search(data, variance=1.0)
    return measured_view(search, find_spots(search), frame)


def windows_of(views, view, spot):
    return session_windows(views)[view][spot]


@pytest.fixture(scope="module")
def bright():
    field = Field()
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(field.shape)
    return field, field.spot(PLACE, 1, BRIGHT) + noise, noise


def test_moments_are_sums_under_the_window(bright):
    field, data, _ = bright
    view = view_of(field, data)
    strongest = int(np.argmax([image.sum() for image in view.field.images]))
    windows = windows_of({"dorsal": view}, "dorsal", strongest)
    assert [window.sigma_mm for window in windows] == list(WINDOW_SIGMAS_MM)
    clean = field.spot(PLACE, 1, BRIGHT)
    for window in windows:
        squared = (field.y * PIXEL - window.y_mm) ** 2 + (field.x * PIXEL - window.x_mm) ** 2
        light = clean * np.exp(-0.5 * squared / window.sigma_mm**2)
        flux = lambertian_flux(light.sum(), PIXEL)
        # the background fit takes a little of the spot's skirt, the more the wider the window
        assert window.flux == pytest.approx(flux, rel=0.05)
        assert window.spread == pytest.approx(lambertian_flux((light * squared).sum(), PIXEL), rel=0.15)
        assert abs(window.along) < 0.15 * flux and abs(window.left) < 0.15 * flux
        assert window.fitted and window.view == "dorsal"


def test_left_is_the_animals_left(bright):
    field, data, _ = bright
    views = {"dorsal": view_of(field, data), "ventral": view_of(field, data[:, ::-1].copy(), mirrored=True)}
    strongest = int(np.argmax([image.sum() for image in views["dorsal"].field.images]))
    own, *_ = windows_of(views, "dorsal", strongest)
    other = next(w for w in windows_of(views, "dorsal", strongest) if w.view == "ventral")
    # the mirrored animal's middle lies one column beside the image's middle
    assert abs(own.y_mm - other.y_mm) < 1e-9
    assert other.flux == pytest.approx(own.flux, rel=0.2)
    shifted = {**views, "ventral": view_of(field, data[:, ::-1].copy(), mirrored=True, offset=(0.0, 1.0))}
    moved = next(w for w in windows_of(shifted, "dorsal", strongest) if w.view == "ventral")
    # the animal moved towards +x while its light stayed; on its belly the camera has the animal's left at +x
    assert moved.left / moved.flux - other.left / other.flux < -0.3


def test_dark_side_is_measured_as_well(bright):
    field, data, noise = bright
    views = {"dorsal": view_of(field, data), "ventral": view_of(field, noise)}
    strongest = int(np.argmax([image.sum() for image in views["dorsal"].field.images]))
    dark = [w for w in windows_of(views, "dorsal", strongest) if w.view == "ventral"]
    assert len(dark) == len(WINDOW_SIGMAS_MM)
    sd = np.sqrt(views["ventral"].noise[0, 0])
    assert not dark[0].fitted
    assert abs(dark[0].flux) < 5.0 * sd


def test_noise_of_white_frames_is_the_closed_form():
    field = Field((140, 120))
    view = view_of(field, np.random.default_rng(7).standard_normal(field.shape))
    for number, sigma in enumerate(WINDOW_SIGMAS_MM[:2]):
        # sum of w2 over pixels, for windows that are many pixels wide
        white = np.sqrt(np.pi) * sigma / PIXEL
        expected = lambertian_flux(white, PIXEL), lambertian_flux(white * sigma / np.sqrt(2.0), PIXEL)
        found = np.sqrt(np.diag(view.noise))[4 * number : 4 * number + 2]
        # scatter of a few hundred independent places, less the background's smooth terms
        assert found == pytest.approx(expected, rel=0.3)
    assert np.linalg.eigvalsh(view.noise).min() > 0.0


def test_neighbours_are_removed_and_doubted(bright):
    field, data, _ = bright
    far = field.spot((48.0, 46.0), 1, BRIGHT)
    alone = view_of(field, data)
    both = view_of(field, data + far)
    place = lambda view: int(np.argmin([np.hypot(s.y - PLACE[0], s.x - PLACE[1]) for s in view.field.spots]))  # noqa: E731
    one = windows_of({"dorsal": alone}, "dorsal", place(alone))[0]
    two = windows_of({"dorsal": both}, "dorsal", place(both))[0]
    assert two.own_sd > one.own_sd
    assert two.flux == pytest.approx(one.flux, rel=0.1)
