"""A person's corrections of a session: what is touched is measured again on the stored images, the rest keeps every bit."""

from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.core.flags import DetectionFlag
from lampyris.imaging.corrected import PlacedSpot, ViewCorrection, correct_session
from lampyris.imaging.step import analyse_session
from lampyris.study.check import check_study
from lampyris.study.opening.views import SessionRows, open_session
from lampyris.virtual.design import default_design
from lampyris.virtual.simulate import simulate_study

PIXEL = 0.6


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Settings, and one analysed session with stored (single) precision, in which the primary was found."""
    plan = default_design()
    arms = {"targeted": plan.arms["targeted"].model_copy(update={"animals": 1})}
    plan = plan.model_copy(
        update={
            "name": "tiny",
            "days": (7.0,),
            "arms": arms,
            "instrument": plan.instrument.model_copy(update={"pixel_mm": PIXEL}),
            "world": plan.world.model_copy(update={"voxel_mm": 1.0}),
            "camera": plan.camera.model_copy(update={"pixels": (192, 168)}),
        }
    )
    study = simulate_study(tmp_path_factory.mktemp("virtual") / "tiny", seed=3, design=plan)
    checked = check_study(study.study, images=False)
    options = checked.settings.analysis.model_copy(update={"voxel_mm": 1.2})
    settings = checked.settings.model_copy(update={"analysis": options})
    opened = open_session(study.study, SessionRows(tuple(checked.samples), checked.animals[0]), settings)
    return settings, analyse_session(opened, settings)


def shown(result):
    """View with most detections and its brightest one."""
    view = max(result.views, key=lambda one: len(one.detections))
    return view, view.detections[0]


def view_of(result, name):
    return next(one for one in result.views if one.view == name)


def test_nothing_asked_changes_nothing(session):
    settings, result = session
    again = correct_session(result, (), settings)
    assert again.views == result.views


def test_rejected_is_left_out_and_kept_apart(session):
    settings, result = session
    view, first = shown(result)
    again = correct_session(result, (ViewCorrection(view.view, rejected=(first.number,)),), settings)
    after = view_of(again, view.view)
    assert after.detections == view.detections[1:]
    assert after.rejected == (first,)
    assert not (after.lesions == first.number).any()
    others = view.lesions != first.number
    np.testing.assert_array_equal(after.lesions[others], view.lesions[others])


def test_moving_to_its_own_place_gives_its_own_numbers(session):
    """The stored images and the local fit say the same as the search did."""
    settings, result = session
    view, first = shown(result)
    here = PlacedSpot(first.number, first.y_mm, first.x_mm, first.kind)
    after = view_of(correct_session(result, (ViewCorrection(view.view, moved=(here,)),), settings), view.view)
    moved = next(one for one in after.detections if one.number == first.number)
    assert (moved.y_mm, moved.x_mm) == pytest.approx((first.y_mm, first.x_mm))
    # the same light, fitted by the same shapes, from images of single precision
    assert moved.flux.value == pytest.approx(first.flux.value, rel=1e-5)
    assert moved.flux.low < first.flux.value < moved.flux.high
    assert moved.flags & DetectionFlag.PLACED_BY_HAND
    assert [one for one in after.detections if one.number != first.number][:1] == list(view.detections[1:2])
    assert len(moved.windows) == len(first.windows)
    assert moved.windows[1].flux == pytest.approx(first.windows[1].flux, rel=0.15)


def test_contrast_has_the_noise_of_the_bands_sum(session):
    """As where it was found: its place moved by nothing, the interval of its contrast stays."""
    settings, result = session
    view, first = shown(result)
    here = ViewCorrection(view.view, moved=(PlacedSpot(first.number, first.y_mm, first.x_mm, first.kind),))

    def contrast(**planes):
        loud = tuple(replace(one, **planes) if one.view == view.view else one for one in result.views)
        after = view_of(correct_session(replace(result, views=loud), (here,), settings), view.view)
        return next(one for one in after.detections if one.number == first.number).tumour_to_background

    # the outline may differ by some pixels of the edge, whose ring says most of the interval
    assert contrast().sd == pytest.approx(first.tumour_to_background.sd, rel=0.1)
    noisy = 1e8 * view.total_variance
    inside = view.lesions == first.number
    expected = np.sqrt(noisy[inside].sum()) / view.radiance.sum(axis=0)[inside].sum() * first.tumour_to_background.value
    assert contrast(total_variance=noisy).sd == pytest.approx(expected, rel=0.1)


def test_moving_away_measures_what_is_there(session):
    settings, result = session
    view, first = shown(result)
    inside = np.argwhere(view.body)
    far = inside[np.argmax(np.hypot(*(inside * PIXEL - (first.y_mm, first.x_mm)).T) * (inside[:, 0] > 40))]
    far = 0.7 * far + 0.3 * inside.mean(axis=0)
    there = PlacedSpot(first.number, float(far[0] * PIXEL), float(far[1] * PIXEL), first.kind)
    after = view_of(correct_session(result, (ViewCorrection(view.view, moved=(there,)),), settings), view.view)
    moved = next(one for one in after.detections if one.number == first.number)
    assert (moved.y_mm, moved.x_mm) == pytest.approx((there.y_mm, there.x_mm))
    assert moved.flux.value < 0.3 * first.flux.value
    # the outline's pixels are around the new place, as far as the width of a faint spot's shape leaves it open
    rows, columns = np.nonzero(after.lesions == first.number)
    apart = np.hypot(rows.mean() * PIXEL - there.y_mm, columns.mean() * PIXEL - there.x_mm)
    assert apart < 0.5 * moved.width_mm
    assert len(rows) * PIXEL**2 == pytest.approx(moved.area_mm2)


@pytest.mark.parametrize("apart_mm", [-2.5, -1.2])
@pytest.mark.parametrize("name", ["dorsal", "ventral"])
def test_added_and_split_are_new_numbers_and_share_the_light(session, name, apart_mm):
    settings, result = session
    view = view_of(result, name)
    first = view.detections[0]
    number = max(one.number for one in view.detections) + 1
    beside = PlacedSpot(number, first.y_mm + apart_mm, first.x_mm, "lesion")
    todo = ViewCorrection(name, parted=(first.number,), added=(beside,))
    after = view_of(correct_session(result, (todo,), settings), name)
    parts = {one.number: one for one in after.detections}
    assert set(parts) == {one.number for one in view.detections} | {number}
    assert (after.lesions == number).any() and (after.lesions == first.number).any()
    both = parts[number].flux.value + parts[first.number].flux.value
    # the light of the same pixels, less what the fit leaves over there, and of a rim that one spot more adds or leaves out
    assert both == pytest.approx(first.flux.value, rel=0.05)
    joined = ViewCorrection(name, joined=((number, first.number),))
    views = tuple(after if one.view == name else one for one in result.views)
    whole = view_of(correct_session(replace(result, views=views), (joined,), settings), name)
    assert [one.number for one in whole.detections] == [one.number for one in view.detections]
    # the outline ends at a share of the peak, which the second spot's own peak raises: a rim of a seventh of the pixels is left out
    assert whole.detections[0].flux.value == pytest.approx(first.flux.value, rel=0.1)
    assert not (whole.lesions == number).any()


def test_joined_spots_that_do_not_touch_keep_the_light_of_both(session):
    settings, result = session
    view, first = shown(result)
    number = max(one.number for one in view.detections) + 1
    rows, columns = np.nonzero(view.body)
    up = first.y_mm > rows.mean() * PIXEL
    # as far along the animal as it reaches: the two outlines have no pixel in common
    far = PlacedSpot(number, float((rows.min() * 3 + rows.mean()) / 4 if up else (rows.max() * 3 + rows.mean()) / 4) * PIXEL,
                     float(columns.mean()) * PIXEL, "lesion")  # fmt: skip
    two = correct_session(result, (ViewCorrection(view.view, added=(far,)),), settings)
    parts = {one.number: one for one in view_of(two, view.view).detections}
    joined = ViewCorrection(view.view, joined=((number, first.number),))
    whole = view_of(correct_session(two, (joined,), settings), view.view)
    (one,) = [one for one in whole.detections if one.number == first.number]
    # fits of the same spots at the same places: only rounding of stored images differs
    assert one.area_mm2 == pytest.approx(parts[number].area_mm2 + parts[first.number].area_mm2, rel=0.1)
    assert one.flux.value == pytest.approx(parts[number].flux.value + parts[first.number].flux.value, rel=0.05)


def test_off_the_animal_is_refused_with_place_and_mend(session):
    settings, result = session
    view, first = shown(result)
    todo = ViewCorrection(view.view, moved=(PlacedSpot(first.number, 0.0, 0.0, first.kind),))
    with pytest.raises(ImageError) as caught:
        correct_session(result, (todo,), settings)
    (finding,) = caught.value.findings
    assert finding.rule == "curation.off-body" and "y 0.0, x 0.0 mm" in finding.seen


def test_excluded_view_leaves_the_session(session):
    settings, result = session
    gone = result.views[0].view
    again = correct_session(result, (ViewCorrection(gone, excluded=True),), settings)
    assert again.views == result.views[1:]
