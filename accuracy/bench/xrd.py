"""Size, strain and lattice of virtual powders of dots, atom by atom. ``matched``: spheres, ellipsoids, rounded cubes and
truncated octahedra; ``lines``: the same dots by pseudo-Voigts alone; ``mismatched``: with lines whose strengths are not the crystal's,
a hump of glass and an instrument another than assumed."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accuracy.bench.scores import cells_told_off, covered_or_flagged, scored, share
from accuracy.figures import Figure
from lampyris.bench.xrd.crystals import phases
from lampyris.bench.xrd.infer import SPHERE
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.xrd import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.xrd import SHAPES, XrdTruth, write_virtual_xrd

TABLE = "bench-xrd"
REPEATS, QUICK_REPEATS = 400, 10
MISMATCHED = 200
"""Sets of the arm of which it is judged whether what misses is flagged."""
_PHASES = ("CdSe zinc blende", "CdSe wurtzite", "PbS rock salt", "InP zinc blende", "CdTe zinc blende")
FIRST = 21_000
"""Number of the first set: nothing was developed on it or on those after it."""
MISFIT = frozenset({"amorphous-hump", "shape-misfit", "preferred-orientation"})
"""Flags that say that a pattern is not the model's."""
MOST_SHIFT_DEG = 0.005
"""Goal of the shift's bias: a tenth of a narrow line's width."""
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
    misfits: list[bool] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xrdml"
        for number in range(FIRST, FIRST + repeats):
            truth = written(path, "matched", number)
            drawn_as.append(truth)
            flags = _measured(path, truth, pairs["matched"], "auto")
            alarms.append(bool({"fit-doubtful", "shape-misfit"} & set(flags)))
            misfits.append(bool(MISFIT & set(flags)))
            _measured(path, truth, pairs["lines"], "lines")
            if number % _EVERY == 0:
                whole = measure("xrd", [BenchSource(path, path.name)], settings=Settings()).pooled
                right.append(truth.phase in whole.words["possible_phases"].split(", "))
        for number in range(FIRST, FIRST + min(repeats, MISMATCHED)):
            truth = written(path, "mismatched", number)
            flags = _measured(path, truth, pairs["mismatched"], "auto")
            flagged.append(bool(MISFIT & set(flags)))
    for arm, own in pairs.items():
        judged = arm != "mismatched"
        for name, most in (("size_nm", 0.03 if arm == "matched" else None), ("strain", None), ("lattice_A", 0.002)):
            found += scored(TABLE, arm, name, own[name], most_bias=most, judged=judged)
            if judged:
                found += _by_cell(arm, name, own[name], drawn_as)
    for name, most in (("column_nm", 0.03), ("shift_deg", MOST_SHIFT_DEG)):
        # by lines in either arm
        own = pairs["lines"]
        found += scored(TABLE, "lines", name, own[name], most_bias=most, relative=name != "shift_deg")
        found += _by_cell("lines", name, own[name], drawn_as)
    # as many as are of wurtzite: so few that only a cell that is far off can be told
    axes = pairs["matched"].get("lattice_c_A", [])
    found += scored(TABLE, "matched", "lattice_c_A", axes, judged=False)
    found.append(cells_told_off(TABLE, "matched", "lattice_c_A", {"wurtzite": axes} if axes else {}))
    # noise may be taken for a misfit in one pattern of a hundred, and any fit be doubtful as seldom
    found.append(share(TABLE, "matched", "phase_among_possible", sum(right), len(right), at_least=0.9))
    found.append(share(TABLE, "matched", "false_alarms", sum(alarms), len(alarms), at_most=0.02))
    found.append(share(TABLE, "matched", "misfit_alarms", sum(misfits), len(misfits), at_most=0.05))
    found.append(share(TABLE, "mismatched", "misfit_flagged", sum(flagged), len(flagged)))
    # no interval holds what no model of the pattern has: it must be said
    for name in ("size_nm", "strain", "lattice_A"):
        found.append(covered_or_flagged(TABLE, "mismatched", name, pairs["mismatched"][name], flagged))
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
            found += scored(TABLE, arm, f"{name}_{key}", own, judged=False, relative=name != "shift_deg")
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
    for name, true in (
        ("size_nm", truth.size_nm),
        ("strain", truth.strain),
        ("lattice_A", lattice),
        ("column_nm", truth.size_nm / SPHERE),
        ("shift_deg", truth.shift_deg),
    ):
        pairs.setdefault(name, []).append((found.values[name], true))
    if "lattice_c_A" in found.values:
        long = truth.lattice_scale * phases()[truth.phase].lengths_a[2]
        pairs.setdefault("lattice_c_A", []).append((found.values["lattice_c_A"], long))
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
