"""One step, end to end on a small virtual animal: the primary is found where it is, controls show none, faults stop it."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionKind
from lampyris.core.images import RawImage
from lampyris.imaging.body.animal import stage_from_animal
from lampyris.imaging.body.register import landmark_points
from lampyris.imaging.light.nominal import nominal_animal
from lampyris.imaging.radiance.calibrate import radiance_from_counts
from lampyris.imaging.step import analyse_session, session_probe
from lampyris.study.check import check_study
from lampyris.study.opening.views import SessionRows, open_session
from lampyris.tissue.anatomy import organ_names
from lampyris.trial.score import half_maximum_centroid
from lampyris.virtual.design import default_design
from lampyris.virtual.simulate import simulate_study
from lampyris.virtual.truth import lesion_image, read_truth

PIXEL = 0.6


def tiny_design():
    plan = default_design()
    arms = {name: plan.arms[name].model_copy(update={"animals": 1}) for name in ("targeted", "control")}
    return plan.model_copy(
        update={
            "name": "tiny",
            "days": (0.0, 7.0),
            "arms": arms,
            "instrument": plan.instrument.model_copy(update={"pixel_mm": PIXEL}),
            "world": plan.world.model_copy(update={"voxel_mm": 1.0}),
            "camera": plan.camera.model_copy(update={"pixels": (192, 168)}),
        }
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return simulate_study(tmp_path_factory.mktemp("virtual") / "tiny", seed=3, design=tiny_design())


@pytest.fixture(scope="module")
def opened(study):
    """Settings, and every session's input by animal and session."""
    checked = check_study(study.study, images=False)
    assert not checked.errors
    settings = checked.settings.model_copy(
        update={"analysis": checked.settings.analysis.model_copy(update={"voxel_mm": 1.2})}
    )
    who = {row.animal: row for row in checked.animals}
    groups = {}
    for row in checked.samples:
        groups.setdefault((row.animal, row.session), []).append(row)
    return settings, {
        key: open_session(study.study, SessionRows(tuple(rows), who[key[0]]), settings) for key, rows in groups.items()
    }


@pytest.fixture(scope="module")
def results(opened):
    settings, inputs = opened
    return {key: analyse_session(one, settings) for key, one in inputs.items()}


def arrays_of(view):
    names = (
        "photo",
        "radiance",
        "probe",
        "probe_variance",
        "total_variance",
        "display",
        "autofluorescence",
        "flags",
        "body",
        "lesions",
    )
    return {name: getattr(view, name) for name in names}


def changed_view(inputs, **changes):
    return dataclasses.replace(inputs, views=(dataclasses.replace(inputs.views[0], **changes), *inputs.views[1:]))


def with_counts(view, counts):
    image = view.image
    return RawImage(
        counts, image.channels, image.pixel_mm, image.exposure_s, image.excitation_nm, image.emission_nm, synthetic=True
    )


def test_the_variance_of_the_bands_sum_is_kept(opened, results):
    settings, inputs = opened
    for given, view in zip(inputs["m01", "d07"].views, results["m01", "d07"].views, strict=True):
        expected = radiance_from_counts(given, settings.instrument).variance.sum(axis=0)
        np.testing.assert_array_equal(view.total_variance, expected.astype(np.float32))
        assert view.file_shape == given.image.counts.shape[1:]


@pytest.mark.parametrize("session", ["d00", "d07"])
def test_the_primary_is_found_where_it_is(study, results, session):
    truth = read_truth(study.truth)
    animal = next(one for one in truth.animals if one.animal == "m01")
    image = lesion_image(truth, animal, 0, session, "ventral")
    y_mm, x_mm = half_maximum_centroid(image, pixel_mm=truth.pixel_mm)
    ventral = results["m01", session].views[1]
    near = [one for one in ventral.detections if np.hypot(one.y_mm - y_mm, one.x_mm - x_mm) < 4.0]
    assert len(near) == 1
    (spot,) = near
    assert spot.kind == DetectionKind.LESION
    # a pixel is 0.6 mm; the spot is 3 mm wide and bright
    assert np.hypot(spot.y_mm - y_mm, spot.x_mm - x_mm) < 1.0
    assert spot.z > spot.z_threshold > 3.0
    # its light: what lies in its outline, within three of the stated standard deviations
    inside = ventral.lesions == spot.number
    flux = np.pi * image[inside].sum() * (PIXEL / 10.0) ** 2
    assert abs(spot.flux.value - flux) < 3.0 * spot.flux.sd
    assert spot.flux.sd < 0.25 * spot.flux.value


def test_the_pose_is_that_of_the_drawn_animal(study, results):
    truth = read_truth(study.truth)
    along, right = np.meshgrid(np.linspace(5.0, 87.0, 9), np.array([-6.0, 0.0, 6.0]))
    for animal in truth.animals:
        for session, views in animal.poses.items():
            for view in results[animal.animal, session].views:
                drawn = views[view.view]
                there = np.array(stage_from_animal(drawn, along * animal.scale[1], right * animal.scale[2]))
                found = np.array(stage_from_animal(view.pose, along, right))
                # places inside, two axes: a pixel is 0.6 mm, and the outline's grid 1 mm
                assert np.sqrt(((there - found) ** 2).sum(axis=0).mean()) < 0.8
                assert view.registration.overlap > 0.98
                assert view.pose.mirrored == drawn.mirrored == (view.view == "ventral")


def marks_of(view, *, turned=False):
    """Landmarks as a person would name them on this view's photograph."""
    height, width = view.body.shape
    marks = []
    for name in ("nose", "tail base", "left mammary fat pad", "right mammary fat pad"):
        along, right = landmark_points()[name]
        y, x = (float(one) for one in stage_from_animal(view.pose, np.array(along), np.array(right)))
        if turned:
            y, x = (height - 1) * view.pixel_mm - y, (width - 1) * view.pixel_mm - x
        marks.append((name, y, x))
    return tuple(marks)


def test_landmarks_override_the_outline(opened, results):
    settings, inputs = opened
    view = results["m01", "d00"].views[0]
    seen = analyse_session(changed_view(inputs["m01", "d00"], landmarks=marks_of(view)), settings).views[0]
    assert seen.registration.method == "landmarks"
    places = np.array(stage_from_animal(seen.pose, np.array([20.0, 60.0]), np.array([3.0, -3.0])))
    # four points say less of bend and girth than an outline
    assert places == pytest.approx(
        np.array(stage_from_animal(view.pose, np.array([20.0, 60.0]), np.array([3.0, -3.0]))), abs=1.5
    )


def test_landmarks_let_an_animal_lie_head_down(opened, results):
    settings, inputs = opened
    one, view = inputs["m01", "d00"], results["m01", "d00"].views[0]
    taken = one.views[0]
    turned = {name: np.ascontiguousarray(getattr(taken, name)[..., ::-1, ::-1]) for name in ("photo", "dark", "flat")}
    turned["image"] = with_counts(taken, np.ascontiguousarray(taken.image.counts[:, ::-1, ::-1]))
    upside_down = changed_view(one, **turned)
    with pytest.raises(ImageError, match="head up"):
        analyse_session(upside_down, settings)
    marked = changed_view(upside_down, landmarks=marks_of(view, turned=True))
    found = analyse_session(marked, settings).views[0]
    assert found.registration.method == "landmarks"
    assert [spot.region for spot in found.detections] == [spot.region for spot in view.detections]


def test_controls_show_no_lesion_and_state_limits(results):
    for session in ("d00", "d07"):
        result = results["m02", session]
        assert result.probe == ""
        for view in result.views:
            # expected 0.01 per view: four views
            assert view.detections == ()
            assert (view.lesions == 0).all()
            regions = [one.region for one in view.limits]
            assert regions[0] == "subcutis"
            assert set(regions) >= set(organ_names()) - {"skeleton"}
            for one in view.limits:
                assert 0 < one.flux.low <= one.flux.value <= one.flux.high < np.inf
                assert 0 < one.cells.low < one.cells.value < one.cells.high < np.inf
                assert (one.power, one.false_alarms) == (0.95, 0.02)


def test_limits_stand_above_the_photon_noise_by_a_sane_factor(opened, results):
    settings, _ = opened
    depths = settings.analysis.template_depths_mm
    nominal = nominal_animal(settings.instrument, session_probe("", settings), voxel_mm=1.2, template_depths_mm=depths)
    y, x = (np.indices((41, 41)) - 20.0) * PIXEL
    for view in results["m02", "d07"].views:
        limit = next(one for one in view.limits if one.region == "subcutis")
        shape = nominal.profiles.image(int(np.argmin(np.abs(np.array(depths) - limit.depth_mm))), np.hypot(y, x))
        # least squares of one amplitude in white noise, as photons per second: pi per 100 mm2 of a square centimetre
        noise = np.sqrt(np.median(view.probe_variance[view.body]) / np.sum(shape**2)) * np.pi / 100.0
        # about five standard deviations and a margin of 1.6; structure, a free level and the worst places cost up to ten
        whole = limit.flux.value / limit.outline_share
        assert 5.0 * noise < whole < 10.0 * 6.6 * noise
        assert 0.3 < limit.outline_share < 0.8


def test_limits_in_cells_rise_with_depth(results):
    # light of a cell falls by a factor of ten in a few mm: deeper organs need more cells
    view = results["m02", "d07"].views[1]
    cells = {one.region: one.cells.value for one in view.limits}
    depth = {one.region: one.depth_mm for one in view.limits}
    assert depth["kidneys"] > 8.0 > depth["left mammary fat pad"]
    assert cells["kidneys"] > 3.0 * cells["left mammary fat pad"]
    # published order of magnitude for deep organs: between ten thousand and ten million
    assert 1e2 < cells["left mammary fat pad"] < cells["kidneys"] < 1e8


def test_numbers_images_and_outlines_agree(results):
    for result in results.values():
        for view in result.views:
            assert [one.number for one in view.detections] == list(range(1, len(view.detections) + 1))
            fluxes = [one.flux.value for one in view.detections]
            assert fluxes == sorted(fluxes, reverse=True)
            assert set(np.unique(view.lesions)) == {0, *(one.number for one in view.detections)}
            for one in view.detections:
                mask = view.lesions == one.number
                assert one.area_mm2 == pytest.approx(mask.sum() * PIXEL**2)
                assert one.flux_vendor_4pi == pytest.approx(4 * one.flux.value)
                y, x = np.array(one.outline_mm).T
                area = 0.5 * abs(np.sum(y * np.roll(x, -1) - x * np.roll(y, -1)))
                assert area == pytest.approx(one.area_mm2, rel=0.1)
                rows, columns = np.nonzero(mask)
                assert y.min() == pytest.approx((rows.min() - 0.5) * PIXEL)
                assert x.max() == pytest.approx((columns.max() + 0.5) * PIXEL)
            assert not (view.lesions.astype(bool) & ~view.body).any()
            assert all(np.isfinite(values).all() for values in arrays_of(view).values())
            assert (view.display >= 0).all()
            assert 0 <= view.photo.min() < view.photo.max() <= 1


def test_the_labelled_animal_s_body_sends_more_than_the_control_s(results):
    for session in ("d00", "d07"):
        labelled, control = (results[animal, session].views[1].body_flux for animal in ("m01", "m02"))
        assert isinstance(labelled, Estimate)
        assert labelled.low > control.high
        assert control.low <= 0.0 <= control.high or abs(control.value) < 0.2 * labelled.value


def test_a_spot_at_the_tail_vein_is_the_injection_site(opened, study, results):
    settings, inputs = opened
    session = inputs["m01", "d00"]
    assert session.injection == "tail vein"
    kinds = {one.kind for view in results["m01", "d00"].views for one in view.detections}
    assert kinds <= {DetectionKind.LESION, DetectionKind.INJECTION_SITE}
    # the same image with cells given at the primary's own flank: then its spot is the injection site
    moved = dataclasses.replace(session, injection=session.inoculation)
    spots = [view.detections for view in analyse_session(moved, settings).views]
    assert any(one.kind == DetectionKind.INJECTION_SITE for one in spots[1])


def test_analysis_is_deterministic_to_the_byte(opened, results):
    settings, inputs = opened
    again = analyse_session(inputs["m01", "d07"], settings)
    for one, two in zip(again.views, results["m01", "d07"].views, strict=True):
        for name, values in arrays_of(one).items():
            assert values.tobytes() == arrays_of(two)[name].tobytes(), name
        for name in ("detections", "limits", "organ_signals", "body_flux", "pose", "quality"):
            assert repr(getattr(one, name)) == repr(getattr(two, name))


def test_views_do_not_depend_on_their_order(opened, results):
    settings, inputs = opened
    session = inputs["m01", "d07"]
    turned = analyse_session(dataclasses.replace(session, views=session.views[::-1]), settings)
    assert turned.views[0].view == "ventral"
    assert repr(turned.views[0].detections) == repr(results["m01", "d07"].views[1].detections)


# --- faults ------------------------------------------------------------------------------------------------------------


def test_a_saturated_image_is_refused_with_its_file_and_the_mend(opened):
    settings, inputs = opened
    session = inputs["m01", "d07"]
    view = session.views[0]
    # the animal covers a fifth of the image: about half of it is then full
    counts = view.image.counts.astype(float)
    counts = np.minimum(counts * 65535.0 / np.percentile(counts, 90), 65535.0)
    with pytest.raises(ImageError) as error:
        analyse_session(changed_view(session, image=with_counts(view, counts)), settings)
    (finding,) = error.value.findings
    assert finding.rule == "image.saturated"
    assert finding.place.file == view.file
    assert "exposure" in finding.mend
    # the stated mend helps: the same image is analysed once the allowed share is raised
    allowed = settings.model_copy(
        update={"analysis": settings.analysis.model_copy(update={"saturated_fraction_max": 0.9999})}
    )
    result = analyse_session(changed_view(session, image=with_counts(view, counts)), allowed)
    assert result.views[0].quality["saturated_fraction"] > 0.001


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda view: {"photo": np.zeros_like(view.photo)}, "image.no-animal"),
        (lambda view: {"image": with_counts(view, view.dark.astype(float))}, "image.empty"),
        (lambda view: {"dark": view.dark[:, :-1]}, "image.shape"),
    ],
    ids=["no animal", "no signal", "dark of another size"],
)
def test_faulty_images_stop_their_session_with_a_finding(opened, change, rule):
    settings, inputs = opened
    session = inputs["m02", "d00"]
    with pytest.raises(ImageError) as error:
        analyse_session(changed_view(session, **change(session.views[0])), settings)
    assert [finding.rule for finding in error.value.findings] == [rule]
    assert error.value.exit_code == 4


def test_an_animal_that_lies_head_down_is_refused(opened):
    settings, inputs = opened
    session = inputs["m02", "d00"]
    view = session.views[0]
    turned = changed_view(
        session,
        image=with_counts(view, view.image.counts[:, ::-1, ::-1]),
        photo=view.photo[::-1, ::-1],
        dark=view.dark[:, ::-1, ::-1],
        flat=view.flat[:, ::-1, ::-1],
    )
    with pytest.raises(ImageError) as caught:
        analyse_session(turned, settings)
    assert [finding.rule for finding in caught.value.findings] == ["image.head-up"]


def test_an_animal_is_found_without_a_photograph(opened, results):
    settings, inputs = opened
    for key, session in inputs.items():
        bare = replace(session, views=tuple(replace(view, photo=None) for view in session.views))
        for view, found in zip(results[key].views, analyse_session(bare, settings).views, strict=True):
            agreed = (view.body & found.body).sum() / (view.body | found.body).sum()
            # the glow's own edge is blurred by light in tissue: a pixel all around is 6 % of the area
            assert agreed > 0.85


def test_a_cropped_animal_is_remarked(opened):
    settings, inputs = opened
    session = inputs["m02", "d00"]
    view = session.views[0]
    rows = slice(60, None)
    cut = replace(
        view,
        image=replace(view.image, counts=view.image.counts[:, rows]),
        photo=view.photo[rows],
        dark=view.dark[:, rows],
        flat=view.flat[:, rows],
    )
    result = analyse_session(replace(session, views=(cut,)), settings)
    assert "image.cropped" in {finding.rule for finding in result.findings}


def test_two_animals_in_one_image_are_refused(opened):
    settings, inputs = opened
    session = inputs["m02", "d00"]
    view = session.views[0]
    twice = replace(
        view,
        image=replace(view.image, counts=np.concatenate([view.image.counts] * 2, axis=2)),
        photo=np.concatenate([view.photo] * 2, axis=1),
        dark=np.concatenate([view.dark] * 2, axis=2),
        flat=np.concatenate([view.flat] * 2, axis=2),
    )
    with pytest.raises(ImageError) as caught:
        analyse_session(replace(session, views=(twice,)), settings)
    assert [finding.rule for finding in caught.value.findings] == ["image.several-animals"]


def test_bad_pixels_are_taken_in_stride(opened, results):
    settings, inputs = opened
    session = inputs["m02", "d07"]
    view = session.views[0]
    counts = view.image.counts.astype(float)
    body = np.argwhere(results["m02", "d07"].views[0].body)
    rng = np.random.default_rng(1)
    for y, x in body[rng.integers(len(body), size=30)]:
        counts[rng.integers(3), y, x] = rng.choice([np.nan, 65535.0, np.inf])
    result = analyse_session(changed_view(session, image=with_counts(view, counts)), settings)
    assert result.views[0].detections == ()
    assert all(np.isfinite(values).all() for values in arrays_of(result.views[0]).values())
    before = {one.region: one.flux.value for one in results["m02", "d07"].views[0].limits}
    for one in result.views[0].limits:
        assert one.flux.value == pytest.approx(before[one.region], rel=0.15)


# --- the nominal animal ------------------------------------------------------------------------------------------------


def test_the_nominal_animal_is_computed_once(opened):
    settings, _ = opened
    probe = session_probe("", settings)
    assert probe.name == next(iter(settings.probes))
    depths = settings.analysis.template_depths_mm
    one, two = (nominal_animal(settings.instrument, probe, voxel_mm=1.2, template_depths_mm=depths) for _ in range(2))
    assert one is two


def test_organ_shapes_send_one_photon_per_second(opened):
    settings, _ = opened
    nominal = nominal_animal(
        settings.instrument,
        session_probe("", settings),
        voxel_mm=1.2,
        template_depths_mm=settings.analysis.template_depths_mm,
    )
    for view in nominal.views.values():
        for image in view.uptake.values():
            # pi times radiance times area in cm2
            assert np.pi * image.sum() * (nominal.grid.pitch_mm / 10.0) ** 2 == pytest.approx(1.0, rel=1e-9)
    # from below the liver is nearer to the skin than the kidneys, from above it is the other way round
    depth = {name: {one.name: one.depth_mm for one in view.regions} for name, view in nominal.views.items()}
    assert depth["ventral"]["liver"] < depth["ventral"]["kidneys"]
    assert depth["dorsal"]["kidneys"] < depth["dorsal"]["liver"]
