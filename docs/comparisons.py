"""Draw the figures of `compare.md` from its tables: `python docs/comparisons.py`. All values are synthetic."""

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
}  # fmt: skip


def draw(folder: Path = IMAGES, /) -> None:
    """Write both figures into a folder."""
    for name, (table, *options) in FIGURES.items():
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if main(["compare", str(DATA / table), *options, "--plot", str(folder / name)]) != 0:
                raise RuntimeError(f"{table} could not be compared")


if __name__ == "__main__":
    draw()
