"""Size, strain and lattice of virtual powders of dots, atom by atom. ``matched``: spheres, ellipsoids, rounded cubes and
truncated octahedra; ``lines``: the same dots by pseudo-Voigts alone; ``mismatched``: with lines whose strengths are not the crystal's,
a hump of glass and an instrument another than assumed."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accuracy.bench.scores import cells_told_off, scored
from accuracy.figures import Figure, figure
from lampyris.bench.xrd.crystals import phases
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.xrd import Settings
from lampyris.statistics.intervals import wilson_interval
from lampyris.study.bench import measure
from lampyris.virtual.instruments.xrd import SHAPES, XrdTruth, write_virtual_xrd

TABLE = "bench-xrd"
REPEATS, QUICK_REPEATS = 400, 10
MISMATCHED = 200
"""Sets of the arm that is not judged."""
_PHASES = ("CdSe zinc blende", "CdSe wurtzite", "PbS rock salt", "InP zinc blende", "CdTe zinc blende")
_EVERY = 8
"""Of the matched sets one in so many is matched against the whole table of phases."""

Pairs = dict[str, list[tuple[Estimate, float]]]


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    repeats = QUICK_REPEATS if quick else REPEATS
    found: list[Figure] = []
    pairs: dict[str, Pairs] = {arm: {} for arm in ("matched", "lines", "mismatched")}
    drawn_as: list[XrdTruth] = []
    right: list[bool] = []
    flagged: list[bool] = []
    alarms: list[bool] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xrdml"
        for number in range(repeats):
            truth = written(path, "matched", number)
            drawn_as.append(truth)
            flags = _measured(path, truth, pairs["matched"], "auto")
            alarms.append(bool({"fit-doubtful", "shape-misfit"} & set(flags)))
            _measured(path, truth, pairs["lines"], "lines")
            if number % _EVERY == 0:
                whole = measure("xrd", [BenchSource(path, path.name)], settings=Settings()).pooled
                right.append(truth.phase in whole.words["possible_phases"].split(", "))
        for number in range(min(repeats, MISMATCHED)):
            truth = written(path, "mismatched", number)
            flags = _measured(path, truth, pairs["mismatched"], "auto")
            flagged.append(bool({"amorphous-hump", "shape-misfit", "preferred-orientation"} & set(flags)))
    for arm, own in pairs.items():
        judged = arm != "mismatched"
        for name, most in (("size_nm", 0.03 if arm == "matched" else None), ("strain", None), ("lattice_A", 0.002)):
            found += scored(TABLE, arm, name, own[name], most_bias=most, judged=judged)
            if judged:
                found += _by_cell(arm, name, own[name], drawn_as)
    # noise may be taken for a misfit in one pattern of a hundred, and any fit be doubtful as seldom
    shares: list[tuple[str, str, list[bool], dict[str, float]]] = [
        ("matched", "phase_among_possible", right, {"at_least": 0.9}),
        ("matched", "false_alarms", alarms, {"at_most": 0.02}),
        ("mismatched", "misfit_flagged", flagged, {}),
    ]
    for arm, name, hits, goals in shares:
        ends = wilson_interval(sum(hits), len(hits))
        share = sum(hits) / len(hits)
        found.append(figure(TABLE, arm, name, share, (ends.low, ends.high), len(hits), **goals))
    return found


def _by_cell(arm: str, name: str, pairs: Sequence[tuple[Estimate, float]], truths: Sequence[XrdTruth]) -> list[Figure]:
    """Coverage at each number of counts and of each shape beside that of all."""
    found: list[Figure] = []
    for kind, keys in (
        ("counts", [f"{one.peak_counts:.0f}_counts" for one in truths]),
        ("shapes", [one.shape.replace(" ", "_") for one in truths]),
    ):
        cells = {
            key: [pair for pair, own in zip(pairs, keys, strict=True) if own == key] for key in dict.fromkeys(keys)
        }
        for key, own in cells.items():
            found += scored(TABLE, arm, f"{name}_{key}", own, judged=False)
        found.append(cells_told_off(TABLE, arm, f"{name}_{kind}", cells))
    return found


def written(path: Path, arm: str, number: int, /) -> XrdTruth:
    """Write the pattern of a set and give what it is of."""
    rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
    truth = drawn(rng, arm)
    write_virtual_xrd(path, truth, rng=rng)
    return truth


def _measured(path: Path, truth: XrdTruth, pairs: Pairs, method: str) -> tuple[str, ...]:
    """Add what is found of a pattern to the pairs, and give its flags."""
    settings = Settings(phase=(truth.phase,), method=method)
    found = measure("xrd", [BenchSource(path, path.name)], settings=settings).pooled
    lattice = truth.lattice_scale * phases()[truth.phase].lengths_a[0]
    for name, true in (("size_nm", truth.size_nm), ("strain", truth.strain), ("lattice_A", lattice)):
        pairs.setdefault(name, []).append((found.values[name], true))
    return found.flags


def drawn(rng: np.random.Generator, arm: str, /) -> XrdTruth:
    """A powder and how it is measured."""
    odd = arm == "mismatched"
    return XrdTruth(
        phase=str(rng.choice(_PHASES)),
        size_nm=float(rng.uniform(2.0, 6.0)),
        spread=float(np.clip(rng.normal(0.12, 0.05), 0.04, 0.25)),
        lattice_scale=float(rng.normal(1.0, 0.002)),
        strain=float(rng.uniform(0.001, 0.01)),
        width_deg=float(np.clip(rng.normal(0.1, 0.03), 0.05, 0.2)) if not odd else 0.2,
        shift_deg=float(rng.normal(0.0, 0.04)),
        peak_counts=float(rng.choice([800.0, 3000.0, 10000.0])),
        hump_counts=400.0 if odd else 0.0,
        texture=0.12 if odd else 0.0,
        shape=str(rng.choice(list(SHAPES))),
    )
