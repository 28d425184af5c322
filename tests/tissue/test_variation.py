"""Deviates in, individuals out."""

import numpy as np
import pytest

from lampyris.tissue.anatomy import AnatomyParameters, build_anatomy, organ_parts
from lampyris.tissue.optics import tissue_optics
from lampyris.tissue.variation import WIDEST_LOG_SD, anatomy_deviates, varied_anatomy, varied_optics


def test_no_deviation_is_the_nominal_animal():
    same = varied_anatomy(np.zeros(anatomy_deviates()))
    assert np.array_equal(build_anatomy(same, voxel_mm=1.5).labels, build_anatomy(voxel_mm=1.5).labels)
    assert varied_optics(("liver", "muscle"), np.zeros((2, 2))) == {"liver": (1.0, 1.0), "muscle": (1.0, 1.0)}


def test_one_deviation_is_one_tabulated_sd():
    number = next(index for index, part in enumerate(organ_parts()) if part.organ == "brain")
    part = organ_parts()[number]
    deviates = np.zeros(anatomy_deviates())
    deviates[4 * number + 1] = 1.0
    deviates[4 * number + 3] = -1.0
    who = varied_anatomy(deviates, spread=2.0)
    assert who.shift_mm["brain", part.part] == (0.0, 2.0 * part.shift_sd_mm, 0.0)
    assert who.volume_scale["brain"] == pytest.approx(np.exp(-2.0 * part.volume_relative_sd))
    assert set(who.volume_scale.values()) == {1.0, who.volume_scale["brain"]}


def test_sizes_are_handed_on():
    who = varied_anatomy(np.zeros(anatomy_deviates()), weight_g=20.0, size=(1.1, 0.9, 1.05))
    plain = AnatomyParameters(weight_g=20.0, length_scale=1.1, width_scale=0.9, height_scale=1.05)
    assert who.scale == plain.scale


def test_optics_are_log_normal_and_capped():
    table = varied_optics(("liver",), np.array([[1.0, -1.0]]), spread=0.5)
    optics = tissue_optics("liver", 800.0)
    sds = [min(0.5 * sd, WIDEST_LOG_SD) for sd in (optics.relative_sd_absorption, optics.relative_sd_scattering)]
    assert table["liver"] == pytest.approx((np.exp(sds[0]), np.exp(-sds[1])))
    wide = varied_optics(("liver",), np.array([[2.0, 2.0]]), spread=100.0)
    assert wide["liver"] == pytest.approx((np.exp(2 * WIDEST_LOG_SD),) * 2)


@pytest.mark.parametrize("count", [0, 1, anatomy_deviates() + 1])
def test_another_number_of_deviates_is_refused(count):
    with pytest.raises(ValueError, match="deviates are needed"):
        varied_anatomy(np.zeros(count))
