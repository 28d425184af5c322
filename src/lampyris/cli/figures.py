"""How verbs write a figure."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lampyris.report.drawing.scene import Scene


def save_scene(scene: "Scene", path: Path, /) -> Path:
    """Write a figure as SVG or PNG, as its name ends."""
    from lampyris.io.durable import write_bytes

    if path.suffix.lower() == ".svg":
        from lampyris.report.drawing.scene import file_svg

        write_bytes(path, file_svg(scene))
    else:
        from lampyris.report.drawing.raster import png_bytes

        write_bytes(path, png_bytes(scene))
    return path
