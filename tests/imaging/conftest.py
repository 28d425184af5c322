"""One instrument for the room's tests: three bands, a lens of 0.35 mm on pixels of 0.45 mm."""

import pytest

from lampyris.core.settings import Band, Instrument


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
