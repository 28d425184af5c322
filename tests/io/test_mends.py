"""Proposals: the nearest word, and the unit a number was probably written in."""

import pytest

from lampyris.io.mends import did_you_mean, unit_hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [("animl", "animal"), ("EXPOSURE_S", "exposure_s"), ("exposure s", "exposure_s"), ("zzz", ""), ("", "")],
)
def test_nearest_word(word: str, meant: str) -> None:
    assert did_you_mean(word, ["animal", "exposure_s"]) == meant


@pytest.mark.parametrize(
    ("name", "value", "bounds", "meant"),
    [
        ("emission_nm", 0.81, (200, 2000), "micrometres: write 810"),
        ("emission_nm", 8100.0, (200, 2000), "ångström: write 810"),
        ("emission_nm", 8.1e-7, (200, 2000), "metres: write 810"),
        ("weight_g", 0.025, (5, 80), "kilograms: write 25"),
        ("weight_g", 25000.0, (5, 80), "milligrams: write 25"),
        ("exposure_s", 5e5, (1e-6, 1e5), "milliseconds: write 500"),
        ("pixel_mm", 200.0, (None, 5), "micrometres: write 0.2"),
    ],
)
def test_unit_is_recognised(name: str, value: float, bounds: tuple[float, float], meant: str) -> None:
    assert meant in unit_hint(name, value, low=bounds[0], high=bounds[1])


@pytest.mark.parametrize(
    ("name", "value"), [("emission_nm", -810.0), ("emission_nm", 0.0), ("emission_nm", 1e9), ("day", 5e5), ("nm", 0.81)]
)
def test_nothing_is_proposed_where_nothing_fits(name: str, value: float) -> None:
    assert unit_hint(name, value, low=200, high=2000) == ""
