"""Figures of the study: files by name, and inline SVG for the page."""

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
