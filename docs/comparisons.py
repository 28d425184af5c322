"""Draw the figures of `compare.md` and `longitudinal.md`: `python docs/comparisons.py`. Values of the first are synthetic."""

import contextlib
import io
from pathlib import Path

from lampyris.cli import main

HERE = Path(__file__).parent
IMAGES, DATA = HERE / "images", HERE / "data"
FIGURES = {
    "compare-groups.svg": (
        "compare-organs.csv", "--value", "signal", "--group", "group", "--subject", "mouse", "--average",
        "--unit", "a.u.",
    ),
    "compare-days.svg": (
        "compare-days.csv", "--value", "flux", "--group", "group", "--subject", "mouse", "--within", "day", "--log",
        "--control", "PBS",
    ),
    "longitudinal.svg": (
        "zebrafish_xenografts.csv", "--value", "volume_um3", "--group", "line", "--subject", "fish", "--within", "day", "--log",
        "--where", "line!=LBT001", "--where", "line!=LBT070", "--width", "180",
    ),
}  # fmt: skip


def draw(folder: Path = IMAGES, /) -> None:
    """Write the figures into a folder."""
    for name, (table, *options) in FIGURES.items():
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if main(["compare", str(DATA / table), *options, "--plot", str(folder / name)]) != 0:
                raise RuntimeError(f"{table} could not be compared")


if __name__ == "__main__":
    draw()
