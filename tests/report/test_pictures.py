"""Pictures: framed on the animal, quantised below their noise, coloured on one scale, held to the budget."""

import base64
import dataclasses
import io
import zlib
from collections.abc import Callable

import matplotlib.image
import numpy as np
import pytest

from lampyris.core.study import StudyResults
from lampyris.report.drawing.png import indexed_png
from lampyris.report.pictures.packing import Frame, binned, packed_within, quantised
from lampyris.report.pictures.scale import Window, picture_indices, picture_palette
from lampyris.report.pictures.survey import looks, survey


def test_frame_beyond_the_image_is_filled_with_zero() -> None:
    image = np.arange(12.0).reshape(3, 4) + 1
    assert Frame(-1, 2, 3, 4).cut(image).tolist() == [[0, 0, 0, 0], [3, 4, 0, 0], [7, 8, 0, 0]]


def test_frames_hold_every_body_and_have_one_size(small_study: StudyResults) -> None:
    frames = survey(looks(small_study.sessions)).frames
    assert len({(frame.height, frame.width) for frame in frames.values()}) == 1
    for (s, v), frame in frames.items():
        body = small_study.sessions[s].views[v].body
        assert frame.cut(body).sum() == body.sum()


def test_binning_keeps_the_mean_of_part_blocks_and_ignores_what_is_not_finite() -> None:
    image = np.array([[1.0, 3.0, 8.0], [1.0, 3.0, np.nan]])
    assert binned(image, 2).tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize("noise", [0.0, 3.0, np.nan])
def test_quantised_is_off_by_at_most_half_a_step(noise: float) -> None:
    image = np.random.default_rng(5).normal(50, 30, (40, 30))
    levels, offset, step = quantised(image, noise, 32)
    assert np.abs(offset + step * levels - image).max() <= step / 2 * (1 + 1e-9)
    if noise > 0:
        assert step == noise / 32


def test_quantised_constant_image() -> None:
    levels, offset, step = quantised(np.zeros((2, 2)), 0.0, 32)
    assert (levels == 0).all() and offset == 0 and step > 0


def test_png_is_read_back_by_another_reader() -> None:
    indices = np.random.default_rng(1).integers(0, 256, (7, 5)).astype(np.uint8)
    palette = picture_palette()
    read = matplotlib.image.imread(io.BytesIO(indexed_png(indices, palette)), format="png")
    assert np.array_equal(np.round(read[..., :3] * 255).astype(np.uint8), palette[indices])


def test_png_refuses_an_index_without_colour() -> None:
    with pytest.raises(ValueError, match="palette"):
        indexed_png(np.full((2, 2), 9, np.uint8), np.zeros((3, 3), np.uint8))


def test_photograph_shows_below_the_scale_and_colour_above() -> None:
    photo = np.array([[0.0, 1.0, 0.5, 0.5, np.nan]], np.float32)
    display = np.array([[0.0, 99.0, 101.0, 1e9, np.nan]], np.float32)
    indices = picture_indices(photo, display, Window(100.0, 1e4))[0]
    assert indices.tolist() == [0, 63, 64, 255, 0]


def test_scale_spans_the_study_and_survives_one_without_light(small_study: StudyResults) -> None:
    window = survey(looks(small_study.sessions)).window
    top = max(float(view.display.max()) for session in small_study.sessions for view in session.views)
    assert window.high / 2.5 < top <= window.high and window.low < window.high / 99
    dark = dataclasses.replace(small_study, sessions=())
    assert survey(looks(dark.sessions)).window == Window(1.0, 100.0)


def test_script_finds_the_probe_map_in_the_pack(small_study: StudyResults) -> None:
    frames = survey(looks(small_study.sessions)).frames
    packs, plan = packed_within(small_study.sessions, [one.animal for one in small_study.sessions], frames, 9e6)
    session = small_study.sessions[0]
    place = packs[session.animal].places[0, 1]["probe"]
    data = np.frombuffer(zlib.decompress(base64.b64decode(packs[session.animal].core)), np.uint8)
    size = place["h"] * place["w"]
    high, low = (data[place["at"] + k * size :][:size].astype(np.uint16) for k in (0, 1))
    values = (place["o"] + place["s"] * (high << 8 | low)).reshape(place["h"], place["w"])
    view = session.views[1]
    noise = np.sqrt(np.median(view.probe_variance[view.body]))
    assert plan.bin == 1
    # half a step, plus the six digits in which the step is written
    assert np.abs(values - frames[0, 1].cut(view.display)).max() < noise / 64 + 1e-5 * view.display.max()


@pytest.mark.parametrize("budget", [2e6, 4e5, 1.5e5, 3e4])
def test_pictures_keep_to_their_budget(make_study: Callable[..., StudyResults], budget: float) -> None:
    study = make_study(days=(0.0, 7.0))
    packs, plan = packed_within(
        study.sessions, [one.animal for one in study.sessions], survey(looks(study.sessions)).frames, budget
    )
    assert sum(pack.size for pack in packs.values()) <= budget
    assert "full images" in plan.sentence()


def test_a_study_without_sessions_has_no_pack(small_study: StudyResults) -> None:
    empty = dataclasses.replace(small_study, sessions=())
    assert (
        packed_within(
            empty.sessions, [one.animal for one in empty.sessions], survey(looks(empty.sessions)).frames, 1e6
        )[0]
        == {}
    )


def test_each_layer_has_one_scale_over_all_pictures(small_study: StudyResults) -> None:
    layers = survey(looks(small_study.sessions)).layers
    views = [view for session in small_study.sessions for view in session.views]
    assert list(layers) == ["autofluorescence", *views[0].channels]
    for k, name in enumerate(views[0].channels):
        top = max(float(view.radiance[k].max()) for view in views)
        assert top <= layers[name].high < 2.6 * top and 0 < layers[name].low <= layers[name].high / 10


def test_layers_carry_their_pixel_noise(small_study: StudyResults) -> None:
    frames = survey(looks(small_study.sessions)).frames
    packs, plan = packed_within(small_study.sessions, [one.animal for one in small_study.sessions], frames, 9e6)
    assert plan.layer_bin == 1
    session = small_study.sessions[0]
    band = packs[session.animal].places[0, 0]["layers"][1]
    # made of the probe's own noise, 0.4 times, and 300 more; the difference of neighbours is robust to the few bright spots
    expected = np.hypot(0.4 * np.sqrt(np.median(session.views[0].probe_variance)), 300)
    assert band["n"] == pytest.approx(expected, rel=0.1)
