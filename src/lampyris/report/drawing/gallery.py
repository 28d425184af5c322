"""Figures of the study: files by name, and inline SVG for the page."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from lampyris.report.drawing.raster import png_bytes
from lampyris.report.drawing.scene import PNG_DPI, Scene, file_svg, page_svg


class Gallery:
    """Collects the figures' files while the page is put together."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def keep(self, name: str, scene: Scene, /, *, dots_per_inch: int = PNG_DPI) -> None:
        """Save a figure as ``figures/NAME.svg`` and ``figures/NAME.png``."""
        self.files[f"figures/{name}.svg"] = file_svg(scene)
        self.files[f"figures/{name}.png"] = png_bytes(scene, dots_per_inch=dots_per_inch)

    def show(self, scene: Scene, label: str, /, *, style: str = "figure") -> Markup:
        """A figure for the page."""
        # the one place where markup is trusted: our own SVG, whose writer escapes every text
        return Markup(page_svg(scene, label, style=style))


def side_by_side(scenes: Sequence[Scene], /, *, columns: int, gap_mm: float = 3.0) -> Scene:
    """Panels of one size as one figure."""
    width, height = max(scene.width for scene in scenes), max(scene.height for scene in scenes)
    rows = math.ceil(len(scenes) / columns)
    columns = min(columns, len(scenes))
    sheet = Scene(columns * (width + gap_mm) - gap_mm, rows * (height + gap_mm) - gap_mm)
    for k, scene in enumerate(scenes):
        sheet.paste(scene, ((k % columns) * (width + gap_mm), (k // columns) * (height + gap_mm)))
    return sheet
