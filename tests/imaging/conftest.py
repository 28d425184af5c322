"""What the room's tests share: an instrument of three bands, and small oval animals with smooth background terms."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lampyris.core.settings import AnalysisOptions, Band, Instrument
from lampyris.imaging.detection.background import BackgroundTerms
from lampyris.imaging.detection.detect import SpotSearch
from lampyris.imaging.light.spots import spot_profiles

PIXEL = 0.5
OPTIONS = AnalysisOptions()


def profiles():
    return spot_profiles(
        OPTIONS.template_depths_mm, absorption=0.035, reduced_scattering=0.7, refractive_index=1.4, blur_mm=0.35
    )


class Field:
    """An oval of the given size in pixels; `search` poses a search in an image of it."""

    pixel_mm = PIXEL
    options = OPTIONS

    def __init__(self, shape=(100, 64)):
        self.shape = shape
        self.y, self.x = np.indices(shape, dtype=float)
        middle_y, middle_x = shape[0] / 2, shape[1] / 2
        self.along, self.across = (self.y - middle_y) / (middle_y - 3), (self.x - middle_x) / (middle_x - 3)
        self.body = self.along**2 + self.across**2 <= 1
        free = np.stack([np.ones(shape), self.along, self.across, self.along**2]) * self.body
        self.terms = BackgroundTerms(free, np.zeros((0, *shape)), ())
        self.profiles = profiles()

    def spot(self, place, template, flux=1.0):
        return flux * self.profiles.image(template, np.hypot(self.y - place[0], self.x - place[1]) * PIXEL)

    def smooth(self, rng, sigma_px, sd=1.0):
        field = gaussian_filter(rng.standard_normal(self.shape), sigma_px, mode="wrap")
        return field * sd / field.std()

    def search(self, data, *, variance=1.0, false_alarms=0.02, options=OPTIONS, terms=None):
        return SpotSearch(
            data=data,
            variance=np.full(self.shape, variance),
            body=self.body,
            terms=self.terms if terms is None else terms,
            profiles=self.profiles,
            pixel_mm=PIXEL,
            options=options,
            false_alarms=false_alarms,
        )


@pytest.fixture(scope="session")
def instrument():
    return Instrument(
        pixel_mm=0.45,
        gain_e_per_count=1.2,
        read_noise_e=5.0,
        radiance_per_rate=1.2e5,
        blur_mm=0.35,
        excitation_nm=710,
        excitation_mw_per_cm2=0.5,
        bands=(
            Band(channel="780", centre_nm=780, width_nm=20, transmission=0.9, autofluorescence=1.0, leakage=1.0),
            Band(channel="810", centre_nm=810, width_nm=20, transmission=0.9, autofluorescence=0.72, leakage=0.85),
            Band(channel="840", centre_nm=840, width_nm=20, transmission=0.6, autofluorescence=0.5, leakage=0.8),
        ),
    )


@pytest.fixture(scope="session")
def field():
    """An oval of 47 by 29 mm: small enough for hundreds of searches."""
    return Field()


@pytest.fixture(scope="session")
def mouse():
    """An oval of a mouse's size, 92 by 29 mm."""
    return Field((190, 64))
