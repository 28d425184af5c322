"""Pictures of virtual trays of excised organs, outlined and measured, for the documentation.

Use: python docs/exvivo_picture.py
"""

import tempfile
from pathlib import Path

from lampyris.report.drawing.raster import png_bytes
from lampyris.report.plots.exvivo import organs_figure, tray_figure
from lampyris.report.plots.frame import group_colours
from lampyris.study.exvivo.join import exvivo_study
from lampyris.virtual.design import read_design
from lampyris.virtual.simulate import simulate_trays

HERE = Path(__file__).parent
SEED = 1
DOTS_PER_INCH = 110


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = simulate_trays(Path(folder) / "trays", seed=SEED, design=read_design(HERE / "designs" / "exvivo.toml"))
        found = exvivo_study(made.study)
    tray = next(one for one in found.trays if one.organs[0].probe)
    colours = group_colours(["targeted", "control"], control="control")
    figures = {
        "exvivo-tray": tray_figure(tray),
        "exvivo-organs": organs_figure(found.organs, colours, uncorrected=True, synthetic=True),
    }
    for name, scene in figures.items():
        (HERE / "images" / f"{name}.png").write_bytes(png_bytes(scene, dots_per_inch=DOTS_PER_INCH))


if __name__ == "__main__":
    main()
