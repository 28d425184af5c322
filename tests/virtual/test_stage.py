"""Several virtual animals on one stage: groups, lanes, nose cones, finer photographs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lampyris.core.errors import InputError
from lampyris.imaging.radiance.photographs import photograph_on_grid
from lampyris.virtual.design import default_design, read_design, with_animals_per_image
from lampyris.virtual.raw_files import finer
from lampyris.virtual.stage import lane_middle_mm, on_wide_stage, stage_groups, with_nose_cones


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (1, [1] * 18),
        (2, [2, 2, 1, 2, 2, 1, 2, 2, 1, 2, 1]),
        (5, [5, 5, 5, 3]),
        (10, [5, 5, 5, 3]),
    ],
)
def test_animals_of_an_arm_lie_together_and_lanes_at_the_end_stay_empty(count, sizes):
    groups = stage_groups(with_animals_per_image(default_design(), count))
    assert [len(group.animals) for group in groups] == sizes
    names = [animal for group in groups for animal in group.animals]
    assert names == [f"m{number:02d}" for number in range(1, 19)]
    assert len({group.name for group in groups}) == len(groups)
    assert all(group.shared == (count > 1) for group in groups)


def test_the_order_turns_with_the_tray():
    (group, *_) = stage_groups(with_animals_per_image(default_design(), 5))
    assert [group.lane(animal, "dorsal") for animal in group.animals] == [1, 2, 3, 4, 5]
    assert [group.lane(animal, "ventral") for animal in group.animals] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_the_camera_is_as_wide_as_its_lanes(count):
    plan = on_wide_stage(with_animals_per_image(default_design(), count))
    rows, columns = plan.camera.pixels
    assert rows == default_design().camera.pixels[0]
    if count == 1:
        assert columns == default_design().camera.pixels[1]
    else:
        middles = [lane_middle_mm(plan, lane) for lane in range(1, count + 1)]
        assert sum(middles) / count == pytest.approx(columns * plan.instrument.pixel_mm / 2, abs=0.5)


def test_more_animals_than_lanes_are_refused(tmp_path):
    path = tmp_path / "design.toml"
    path.write_text("[camera]\nanimals_per_image = 11\n")
    with pytest.raises(InputError):
        read_design(path)


def test_nose_cones_lie_ahead_of_the_noses():
    reflectance = np.full((60, 80), 0.03)
    reflectance[30:, 30:50] = 0.5
    shown = with_nose_cones(reflectance, [(30.0, 40.0)], pixel_mm=1.0)
    assert np.array_equal(shown[28:], reflectance[28:])
    assert shown[21, 40] == 0.8 and shown[21, 20] == 0.03


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint16, (5, 4), elements=st.integers(0, 65535)), st.sampled_from([2, 3, 4]))
def test_a_finer_photograph_has_the_coarser_one_s_means(picture, factor):
    fine = finer(picture, factor=factor)
    assert fine.shape == (5 * factor, 4 * factor)
    assert np.array_equal(photograph_on_grid(fine, (5, 4), pixel_mm=0.5), picture) or factor == 3
    assert photograph_on_grid(fine, (5, 4), pixel_mm=0.5) == pytest.approx(picture, abs=1e-6)
