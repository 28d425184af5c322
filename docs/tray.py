"""Picture of a virtual tray of five mice and the lanes found in it, for the documentation.

Use: python docs/tray.py
"""

import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from lampyris.core.settings import Limits, Stage
from lampyris.imaging.body.lanes import find_lanes
from lampyris.imaging.radiance.photographs import photograph_on_grid
from lampyris.io.images.readers import read_image
from lampyris.virtual.design import read_design
from lampyris.virtual.simulate import simulate_study

DESIGN = """
days = [14]
views = ["dorsal"]
[arms.targeted]
title = "Targeted dot"
probe = "targeted-dot"
animals = 5
[camera]
animals_per_image = 5
"""
COUNT = 5
COLOURS = ("#E69F00", "#56B4E9")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        design = Path(folder) / "tray.toml"
        design.write_text(DESIGN, "utf-8")
        made = simulate_study(Path(folder) / "tray", seed=3, design=read_design(design), raw_format="ivis")
        (sequence,) = [path for path in (made.study / "raw").rglob("*_SEQ") if path.is_dir()]
        image = read_image(sequence, Limits())
    shape = image.counts.shape[1:]
    photo = photograph_on_grid(
        image.photo, shape, pixel_mm=image.pixel_mm, photo_pixel_mm=image.photo_pixel_mm, file=sequence.name
    )
    lanes = find_lanes(photo, Stage(), pixel_mm=image.pixel_mm, lanes=range(1, COUNT + 1))
    size = (shape[1] * image.pixel_mm, shape[0] * image.pixel_mm)
    figure, axes = plt.subplots(figsize=(7.5, 7.5 * size[1] / size[0]), layout="constrained")
    axes.imshow(photo, cmap="gray", extent=(0, size[0], size[1], 0))
    for number, lane in sorted(lanes.items()):
        rows, columns = lane.place
        top, left = rows.start * image.pixel_mm, columns.start * image.pixel_mm
        y, x = (np.arange(count) * image.pixel_mm for count in lane.own.shape)
        own = np.pad(lane.own[1:-1, 1:-1], 1).astype(float)
        axes.contour(x + left, y + top, own, levels=[0.5], colors=COLOURS[number % 2], linewidths=1.2)
        middle = left + float(x[lane.own.any(axis=0)].mean())
        axes.text(middle, size[1] - 3, f"lane {number}", color=COLOURS[number % 2], ha="center", fontsize=9)
    axes.set(xlabel="mm", ylabel="mm", xlim=(0, size[0]), ylim=(size[1], 0))
    axes.text(2, 2, "SYNTHETIC", color="#F0E442", va="top", fontsize=8)
    figure.savefig(Path(__file__).parent / "images" / "several-mice.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
