"""Scenes as PNG, by matplotlib's rasteriser alone: no figure, no axes, no layout."""

import functools
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from lampyris.report.drawing.png import colour_png
from lampyris.report.drawing.scene import NONE, PNG_DPI, Disc, Label, Pen, Raster, Scene, Stroke

_MM = 1 / 25.4
# what a user's own settings must not change
_SETTINGS: Any = {"text.hinting": "force_autohint", "text.antialiased": True, "agg.path.chunksize": 0}


# share of a label's width that stands before its place
_BACK = {"start": 0.0, "middle": 0.5, "end": 1.0}


@functools.cache
def _font(size: float, bold: bool) -> FontProperties:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FontProperties(fname=Path(matplotlib.get_data_path(), "fonts", "ttf", name), size=size)


def _draw_path(renderer: RendererAgg, path: Outline, transform: Any, pen: Pen) -> None:
    context = renderer.new_gc()
    context.set_antialiased(True)
    context.set_capstyle("butt")
    context.set_joinstyle("round")
    stroked = pen.stroke != NONE
    context.set_linewidth(pen.width if stroked else 0.0)
    context.set_foreground(to_rgba(pen.stroke if stroked else "#000000", pen.opacity), isRGBA=True)
    if pen.dashes:
        context.set_dashes(0, list(pen.dashes))
    face = to_rgba(pen.fill, pen.opacity) if pen.fill != NONE else None
    renderer.draw_path(context, path, transform, face)
    context.restore()


def _draw_label(renderer: RendererAgg, mark: Label, scale: float) -> None:
    context = renderer.new_gc()
    context.set_foreground(mark.type.colour)
    font = _font(mark.type.size, mark.type.bold)
    back = _BACK[mark.type.anchor]
    if back:
        back *= renderer.get_text_width_height_descent(mark.text, font, False)[0]
    x, y = mark.x * scale, mark.y * scale
    if mark.type.upwards:
        renderer.draw_text(context, x, y + back, mark.text, font, 90)
    else:
        renderer.draw_text(context, x - back, y, mark.text, font, 0)
    context.restore()


def _stretched(mark: Raster, scale: float) -> tuple[NDArray[np.uint8], int, int]:
    """The picture's pixels, each repeated to the size on paper; its upper left corner."""
    top, left = round(mark.y * scale), round(mark.x * scale)
    height, width = round(mark.height * scale), round(mark.width * scale)
    rows = (np.arange(height) * mark.pixels.shape[0]) // max(height, 1)
    columns = (np.arange(width) * mark.pixels.shape[1]) // max(width, 1)
    return mark.pixels[rows[:, None], columns[None, :]], top, left


def png_bytes(scene: Scene, /, *, dots_per_inch: int = PNG_DPI) -> bytes:
    """The scene as PNG on white.

    Parameters
    ----------
    scene : Scene
        Pictures in it are laid below every other mark.
    dots_per_inch : int
        Resolution at the scene's size.

    Returns
    -------
    bytes
        A PNG file without date or maker.
    """
    scale = dots_per_inch * _MM
    width, height = round(scene.width * scale), round(scene.height * scale)
    sheet = np.full((height, width, 3), 255, np.uint8)
    for mark in scene.marks:
        if isinstance(mark, Raster):
            pixels, top, left = _stretched(mark, scale)
            sheet[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # a name in a script that the bundled font lacks is drawn as boxes here and right in the SVG
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        renderer = RendererAgg(width, height, dots_per_inch)
        upright = Affine2D().scale(scale, -scale).translate(0, height)
        for mark in scene.marks:
            if isinstance(mark, Label):
                _draw_label(renderer, mark, scale)
            elif isinstance(mark, Disc):
                place = Affine2D().scale(mark.radius).translate(mark.x, mark.y) + upright
                _draw_path(renderer, Outline.unit_circle(), place, mark.pen)
            elif isinstance(mark, Stroke):
                points = [*mark.points, mark.points[0]] if mark.closed else list(mark.points)
                _draw_path(renderer, Outline(points, closed=mark.closed), upright, mark.pen)
    drawn = np.asarray(renderer.buffer_rgba())
    _lay_over(sheet, drawn)
    return colour_png(sheet)


def _lay_over(sheet: NDArray[np.uint8], drawn: NDArray[np.uint8]) -> None:
    """Blend what was drawn into the sheet, touching only inked pixels (most of a figure is paper)."""
    inked = np.flatnonzero(drawn[..., 3])
    flat, over = sheet.reshape(-1, 3), drawn.reshape(-1, 4)[inked].astype(np.uint16)
    share = over[:, 3:]
    flat[inked] = ((flat[inked] * (255 - share) + over[:, :3] * share + 127) // 255).astype(np.uint8)
