"""Pictures of virtual tissue sections, outlined and counted, for the documentation.

Use: python docs/histology_picture.py
"""

import tempfile
from pathlib import Path

from lampyris.report.drawing.raster import png_bytes
from lampyris.report.plots.frame import group_colours
from lampyris.report.plots.histology import density_figure, section_figure
from lampyris.study.histology import CountingOptions, histology_study
from lampyris.virtual.design import read_design
from lampyris.virtual.simulate import simulate_sections

HERE = Path(__file__).parent
SEED = 3
DOTS_PER_INCH = 110


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        design = read_design(HERE / "designs" / "histology.toml")
        made = simulate_sections(Path(folder) / "sections", seed=SEED, design=design)
        found = histology_study(made.study, options=CountingOptions(views=True))
    view = max(found.views, key=lambda one: one.result.labelled)
    colours = group_colours(["targeted", "control"], control="control")
    figures = {
        "histology-section": section_figure(view),
        "histology-density": density_figure(found.organs, found.groups, colours, synthetic=True),
    }
    for name, scene in figures.items():
        (HERE / "images" / f"{name}.png").write_bytes(png_bytes(scene, dots_per_inch=DOTS_PER_INCH))


if __name__ == "__main__":
    main()
