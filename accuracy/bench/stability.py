"""Slopes over storage from virtual tables of readings.

``matched``: sizes and peaks change along a line, and each day's preparation scatters; ``mismatched``: they level off, as no line does.
"""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored, share
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.stability import Settings
from lampyris.study.bench import measure

TABLE = "bench-stability"
REPEATS, QUICK_REPEATS = 600, 60
READINGS = 3
# value at the start, change over the storage, scatter of a day and of a reading, all in nm
KINDS = {"size": (18.4, 4.0, 0.4, 0.3), "emission": (810.0, 6.0, 0.5, 0.3)}


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table; a start is that of the line at the first day."""
    found: list[Figure] = []
    count = QUICK_REPEATS if quick else REPEATS
    for arm in ("matched", "mismatched"):
        pairs: dict[str, list[tuple[Estimate, float]]] = {}
        bent = 0
        with tempfile.TemporaryDirectory() as folder:
            for number in range(count):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
                true, flags = _one(Path(folder) / "s.csv", arm == "mismatched", rng)
                for name, own in true.items():
                    pairs.setdefault(name, []).append(own)
                bent += any(flag.endswith("-bends") for flag in flags)
        # where a line is wrong its slope is that of the mean only, as the flag says
        for name, several in pairs.items():
            found += scored(TABLE, arm, name, several, judged=arm == "matched")
        found.append(share(TABLE, arm, "bends_told", bent, count))
    return found


def _one(
    path: Path, levels: bool, rng: np.random.Generator
) -> tuple[dict[str, tuple[Estimate, float]], tuple[str, ...]]:
    """Numbers of a drawn table of readings beside their truths, and flags."""
    days = np.array([0.0, 3.0, 7.0, 14.0, 21.0, 28.0])[: int(rng.integers(3, 7))]
    rows = [days.repeat(READINGS)]
    true: dict[str, float] = {}
    for kind, (start, change, day_sd, sd) in KINDS.items():
        start, moved = start * float(rng.uniform(0.95, 1.05)), float(rng.uniform(0.1, 1.0)) * change
        course = -np.expm1(-4.0 * days / days[-1]) if levels else days / days[-1]
        mean = start + moved * course + rng.normal(0.0, day_sd, days.size)
        rows.append(mean.repeat(READINGS) + rng.normal(0.0, sd, READINGS * days.size))
        true |= {f"{kind}_start_nm": start, f"{kind}_change_nm": moved * float(course[-1])}
        true[f"{kind}_slope_nm_per_day"] = true[f"{kind}_change_nm"] / float(days[-1])
    lines = [",".join(f"{value:.6g}" for value in row) for row in zip(*(one.tolist() for one in rows), strict=True)]
    path.write_text("day,size (nm),emission peak (nm)\n" + "\n".join(lines) + "\n", encoding="utf-8")
    record = measure("stability", [BenchSource(path, path.name)], settings=Settings()).pooled
    return {name: (record.values[name], own) for name, own in true.items()}, record.flags
