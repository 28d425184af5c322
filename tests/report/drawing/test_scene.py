"""Our own drawings: well-formed, escaped, free of styles, and the same on paper as on the page."""

import io
import math
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest

from lampyris.report.drawing.axes import Scale, day_ticks, even_ticks, log_ends, log_ticks
from lampyris.report.drawing.png import colour_png
from lampyris.report.drawing.raster import png_bytes
from lampyris.report.drawing.scene import INK, PAPER, Note, Pen, Raster, Scene, Type, figure_text, file_svg, page_svg

HOSTILE = "<script>x</script>\"'& \x00\u202e$\\frac{1}{0}$"


def drawn() -> Scene:
    scene = Scene(25.4, 12.7)
    scene.box((0, 0), (12.7, 12.7), Pen(fill="#0072b2"), Note(HOSTILE, (("organ", HOSTILE),), "tint", True))
    scene.disc((19.05, 6.35), 3.0, Pen(INK, 0.6, PAPER, 0.5, (1.0, 2.0)))
    scene.text((1, 10), HOSTILE, Type(7, "middle", True, upwards=True))
    return scene


def test_every_text_is_escaped_and_the_page_gets_no_style() -> None:
    text = page_svg(drawn(), HOSTILE)
    root = ElementTree.fromstring(text)
    assert [child.tag for child in root] == ["path", "circle", "text"]
    assert "style=" not in text and " id=" not in text and "\x00" not in text and "\u202e" not in text
    title = root[0].find("title")
    assert title is not None and title.text is not None and title.text.startswith("<script>")
    assert root.get("role") == "group" and root[0].get("tabindex") == "0"


def test_a_file_has_its_own_colours_and_no_words_for_the_script() -> None:
    text = file_svg(drawn()).decode()
    assert ElementTree.fromstring(text).get("width") == "25.4mm"
    assert 'fill="#fefefe"' in text and "class=" not in text and "data-" not in text and "<title>" not in text


def test_a_picture_of_one_inch_has_the_asked_pixels_and_colours_in_their_places() -> None:
    image = matplotlib.image.imread(io.BytesIO(png_bytes(drawn(), dots_per_inch=100)), format="png")
    assert image.shape[:2] == (50, 100)
    # far from the edges and from the label
    assert np.round(image[25, 40, :3] * 255).astype(int).tolist() == [0x00, 0x72, 0xB2]
    assert image[2, 98, :3].tolist() == [1.0, 1.0, 1.0]


def test_a_raster_lies_below_the_lines_and_keeps_its_pixels() -> None:
    scene = Scene(25.4, 25.4)
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    scene.line([(0, 12.7), (25.4, 12.7)], Pen("#ffffff", 4.0))
    scene.marks.append(Raster(0, 0, 25.4, 25.4, pixels))
    image = np.round(
        matplotlib.image.imread(io.BytesIO(png_bytes(scene, dots_per_inch=40)), format="png")[..., :3] * 255
    )
    assert image[5, 5].tolist() == [255, 0, 0] and image[5, 35].tolist() == [0, 255, 0]
    assert image[35, 5].tolist() == [0, 0, 255] and image[20, 5].tolist() == [255, 255, 255]


@pytest.mark.parametrize("colours", [1, 256, 257, 5000])
def test_colours_are_kept_whether_they_fit_a_palette_or_not(colours: int) -> None:
    rng = np.random.default_rng(3)
    palette = np.stack([np.arange(colours) % 256, np.arange(colours) // 256, rng.integers(0, 256, colours)], axis=1)
    pixels = palette[rng.integers(0, colours, (40, 60))].astype(np.uint8)
    read = matplotlib.image.imread(io.BytesIO(colour_png(pixels)), format="png")
    assert np.array_equal(np.round(read[..., :3] * 255).astype(np.uint8), pixels)


def test_text_is_cleaned_and_shortened() -> None:
    assert figure_text("a\nb\x00\u202e") == "a b\ufffd\ufffd" and len(figure_text("x" * 99)) == 60


def test_scales_run_from_end_to_end_and_hold_what_lies_beyond() -> None:
    up = Scale(1.0, 100.0, 10.0, 0.0, logarithmic=True)
    assert up(1.0) == 10.0 and up(10.0) == pytest.approx(5.0, abs=1e-12) and up.clipped(1e9) == 0.0
    assert Scale(0.0, 2.0, 5.0, 7.0)(1.0) == 6.0


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (2e4, 5e7, ["10⁵", "10⁶", "10⁷"]),
        (1.5e6, 7e6, ["2×10⁶", "5×10⁶"]),
        (3.0, 30.0, ["5", "10", "20"]),
        (1.0, 10.0, ["1", "10"]),
    ],
)
def test_ticks_of_a_logarithmic_axis(low: float, high: float, labels: list[str]) -> None:
    ticks, minor = log_ticks(low, high)
    assert [label for _, label in ticks] == labels
    assert all(low <= value <= high for value in [*minor, *(value for value, _ in ticks)])


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-3.0, 7.0), (6.4, 7.7), (0.0, 1e-9), (1e9, 4e9)])
def test_even_ticks_are_few_and_inside(ends: tuple[float, float]) -> None:
    ticks = even_ticks(*ends)
    assert 2 <= len(ticks) <= 7
    # rounding of the step may put a tick a hair outside
    span = ends[1] - ends[0]
    assert all(ends[0] - 1e-6 * span <= value <= ends[1] + 1e-6 * span for value, _ in ticks)


def test_an_axis_without_values_or_span_is_still_an_axis() -> None:
    assert log_ends([math.nan, 0.0, -1.0]) == (1.0, 10.0) and even_ticks(2.0, 2.0) == [(2.0, "2")]


def test_days_whose_labels_would_touch_are_left_out() -> None:
    across = Scale(0.0, 60.0, 0.0, 30.0)
    assert [label for _, label in day_ticks([0, 1, 2, 30, 60], across)] == ["0", "30", "60"]
