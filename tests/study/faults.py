"""Ways to spoil the small study: each is a change of its folder."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from small_study import image

from lampyris.io.images.ome.tiff import write_ome_tiff

A1_D00 = "raw/a1_d00.ome.tif"


def edit(name: str, old: str, new: str, count: int = 1) -> Callable[[Path], None]:
    """Replace text in a sheet; count 0 replaces all."""

    def change(study: Path) -> None:
        text = (study / name).read_text()
        assert old in text, f"{old!r} is not in {name}"
        (study / name).write_text(text.replace(old, new, count or -1))

    return change


def sheet(old: str, new: str, count: int = 1) -> Callable[[Path], None]:
    return edit("samplesheet.csv", old, new, count)


def settings(old: str, new: str) -> Callable[[Path], None]:
    return edit("study.toml", old, new)


def animals(old: str, new: str) -> Callable[[Path], None]:
    return edit("animals.csv", old, new)


SLOPE = np.arange(10) + 30


def rewrite(path: str, values=SLOPE, **changes) -> Callable[[Path], None]:
    return lambda study: write_ome_tiff(study / path, image(values, **changes))


def every(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(study: Path) -> None:
        for one in changes:
            one(study)

    return change


def truncate(path: str) -> Callable[[Path], None]:
    def change(study: Path) -> None:
        (study / path).write_bytes((study / path).read_bytes()[:300])

    return change


def drop_row(pattern: str) -> Callable[[Path], None]:
    def change(study: Path) -> None:
        lines = (study / "samplesheet.csv").read_text().splitlines()
        kept = [line for line in lines if not re.match(pattern, line)]
        assert len(kept) == len(lines) - 1
        (study / "samplesheet.csv").write_text("\n".join(kept) + "\n")

    return change


def rename_day(study: Path) -> None:
    """The sheet calls a1's second session d00b, on day 0 as well."""
    text = (study / "samplesheet.csv").read_text()
    (study / "samplesheet.csv").write_text(text.replace("a1,d07,7,2026-03-09", "a1,d00b,0,2026-03-02"))


def third_animal(study: Path) -> None:
    """a3 in the arm of a1 and a2, imaged on day 0 only."""
    write_ome_tiff(study / "raw/a3_d00.ome.tif", image(SLOPE))
    lines = (study / "samplesheet.csv").read_text().splitlines()
    lines += [line.replace("a1", "a3") for line in lines if line.startswith("a1,d00")]
    (study / "samplesheet.csv").write_text("\n".join(lines) + "\n")


def landmarks(*rows: str) -> Callable[[Path], None]:
    header = "animal,session,view,landmark,y_mm,x_mm"
    return lambda study: (study / "landmarks.csv").write_text("\n".join([header, *rows]) + "\n") and None


def stamped(**stamps: str) -> Callable[[Path], None]:
    """Times of acquisition of a1's files by session."""
    return every(*(rewrite(f"raw/a1_{name}.ome.tif", acquired=stamp) for name, stamp in stamps.items()))


NOSE, TAIL = "a1,d00,dorsal,nose,1,2.5", "a1,d00,dorsal,tail base,5,2.5"


def repeat_row(study: Path) -> None:
    lines = (study / "samplesheet.csv").read_text().splitlines()
    (study / "samplesheet.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
