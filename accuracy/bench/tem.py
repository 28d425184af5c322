"""Particle sizes of virtual micrographs.

``matched``: spheres and discs; ``mismatched``: faceted particles on a rough support. Over sizes, widths, crowding and noise.

Round particles come in sets of four pictures: each picture gives its own numbers, with particles as units, and each set its own, with
pictures as units (``by_picture``). A cell of the grid has too few pictures to tell 0.92 from 0.95: what is judged are coverages of all
cells together (``all``), and of each cell whether it is told to be outside the goal: its interval, at 0.95 over all cells of a number
together, lies beyond (``told_off``). Each cell's own coverage stands beside.
"""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ellipe, ndtri

from accuracy.bench.scores import cells_told_off, scored, share
from accuracy.figures import Figure
from lampyris.bench.micrographs.measure import measure_particles
from lampyris.bench.micrographs.sizes import particles_needed, shell_nm
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.tem import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.micrographs import (
    MicrographTruth,
    TrueParticles,
    virtual_picture,
    write_virtual_micrograph,
)

TABLE = "bench-tem"
Pairs = list[tuple[Estimate, float]]
_MOST_BIAS = {"diameter": 0.02, "sd": 0.1, "diameter_of_particles": 0.02, "sd_of_particles": 0.1}
OF_SETS = ("diameter_of_particles", "sd_of_particles", "particles_needed")
"""Numbers of several pictures whose units are particles."""
_TOGETHER = 4
REPEATS, QUICK_REPEATS = 200, 4
"""Pictures of a cell, a multiple of `_TOGETHER`; few sets of them do not tell 0.95 from 0.92."""
FIRST = 2000
"""Number of the first set: earlier ones were looked at while the uncertainties were made."""
CORES = MicrographTruth(mean_nm=4.8, sd_nm=0.6)
SHELL_NM = 1.0
CASES: dict[str, tuple[str, MicrographTruth]] = {
    "paper": ("matched", MicrographTruth()),
    "narrow": ("matched", MicrographTruth(sd_nm=0.3)),
    "wide": ("matched", MicrographTruth(sd_nm=1.6, law="lognormal", pixel_nm=0.25, count=40)),
    "disc": ("matched", MicrographTruth(shape="disc")),
    "small": ("matched", MicrographTruth(pixel_nm=0.8, blur_px=0.9, count=120)),
    "noisy": ("matched", MicrographTruth(electrons=60.0)),
    "touching": ("matched", MicrographTruth(touching=0.5)),
    "faceted": ("mismatched", MicrographTruth(shape="faceted", texture=0.02)),
}


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table: each cell, then all round ones together, shells, faceted particles, and what was found at all."""
    repeats = QUICK_REPEATS if quick else REPEATS
    found: list[Figure] = []
    one: dict[str, dict[str, Pairs]] = {}
    several: dict[str, Pairs] = {}
    flagged: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        round_ones = {case: truth for case, (arm, truth) in CASES.items() if arm == "matched"}
        for case, truth in round_ones.items():
            own = _pictures(folder, case, truth, repeats // _TOGETHER, _TOGETHER)
            one[case], flagged[case] = own.alone, own.faceted
            for key, pairs in own.together.items():
                several.setdefault(key, []).extend(pairs)
        cores = _pictures(folder, "core", CORES, repeats, 1)
        flat = _pictures(folder, "faceted", CASES["faceted"][1], repeats, 1)
        sets = _pictures(folder, "faceted", CASES["faceted"][1], max(repeats // (2 * _TOGETHER), 1), _TOGETHER)
    for case, numbers in one.items():
        for key, pairs in numbers.items():
            found += scored(TABLE, "matched", f"{key}_{case}", pairs, most_bias=_MOST_BIAS.get(key), judged=False)
    for key in OF_SETS:
        found += scored(TABLE, "matched", f"{key}_all", several[key], most_bias=_MOST_BIAS.get(key))
    for key in one["paper"]:
        every = [pair for numbers in one.values() for pair in numbers[key]]
        found += scored(TABLE, "matched", f"{key}_all", every)
        found.append(cells_told_off(TABLE, "matched", key, {case: numbers[key] for case, numbers in one.items()}))
        most = _MOST_BIAS.get(key)
        found += scored(TABLE, "matched", f"{key}_by_picture_all", several[key], most_bias=most)
    both = zip(one["paper"]["diameter"], cores.alone["diameter"], strict=True)
    shells = [(shell_nm(whole, core), SHELL_NM) for (whole, _), (core, _) in both]
    found += scored(TABLE, "matched", "shell", shells, most_bias=0.05)
    for key, pairs in flat.alone.items():
        # what a facet does to the edge is no noise: shown, not judged
        found += scored(TABLE, "mismatched", f"{key}_faceted", pairs, most_bias=_MOST_BIAS.get(key), judged=False)
        most = _MOST_BIAS.get(key)
        by_picture = sets.together[key]
        found += scored(TABLE, "mismatched", f"{key}_by_picture_faceted", by_picture, most_bias=most, judged=False)
    found.append(share(TABLE, "mismatched", "flagged_faceted", sum(flat.faceted), len(flat.faceted), at_least=0.9))
    every_flag = [was for own in flagged.values() for was in own]
    found.append(share(TABLE, "matched", "flagged_faceted_all", sum(every_flag), len(every_flag), at_most=0.05))
    for case, (arm, truth) in CASES.items():
        found += _recall(case, arm, truth, max(2, repeats // 10))
    return found


def set_truths(truth: MicrographTruth, /) -> dict[str, tuple[str, float]]:
    """What a set of pictures tells besides, its particles taken for independent, as those of virtual pictures are."""
    needed = particles_needed(truth.mean_nm, truth.sd_nm, Settings().precision_percent)
    told = (
        ("diameter_of_particles_nm", truth.mean_nm),
        ("sd_of_particles_nm", truth.sd_nm),
        ("particles_needed", needed),
    )
    return dict(zip(OF_SETS, told, strict=True))


def truths(truth: MicrographTruth, /) -> dict[str, tuple[str, float]]:
    """What a picture's numbers should be: the key of each, and its truth."""
    share = (np.arange(20_000) + 0.5) / 20_000
    spread = math.log1p((truth.sd_nm / truth.mean_nm) ** 2)
    logs = math.log(truth.mean_nm) - spread / 2 + math.sqrt(spread) * ndtri(share)
    if truth.law == "normal":
        logs = np.log(np.maximum(truth.mean_nm + truth.sd_nm * ndtri(share), 0.1 * truth.mean_nm))
    found = {
        "diameter": ("diameter_nm", truth.mean_nm),
        "sd": ("sd_nm", truth.sd_nm),
        "geometric_mean": ("geometric_mean_nm", math.exp(logs.mean())),
        "geometric_sd": ("geometric_sd", math.exp(logs.std())),
    }
    if truth.shape != "faceted":
        aspects = np.exp(truth.aspect_sd * ndtri(0.5 + 0.5 * share))
        found["aspect"] = ("aspect", float(aspects.mean()))
        found["circularity"] = ("circularity", float(_circularities(aspects).mean()))
    return found


def _circularities(aspects: NDArray[np.float64]) -> NDArray[np.float64]:
    """4 pi area / perimeter squared of ellipses, their perimeter by the complete elliptic integral."""
    perimeter = 4.0 * aspects * ellipe(1.0 - 1.0 / aspects**2)
    return np.asarray(4.0 * np.pi**2 * aspects / perimeter**2)


@dataclass(frozen=True, slots=True)
class Measured:
    """Numbers of pictures, each with its truth: of each picture alone, of sets of them, and which were flagged as faceted."""

    alone: dict[str, Pairs]
    together: dict[str, Pairs]
    faceted: list[bool]


def _pictures(folder: Path, case: str, truth: MicrographTruth, sets: int, count: int) -> Measured:
    """Sets of so many pictures, measured."""
    found = Measured({}, {}, [])
    wanted, of_sets = truths(truth), set_truths(truth)
    for number in range(FIRST, FIRST + sets):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, case, f"set of {count}, {number}"))
        sources = []
        for k in range(count):
            path = folder / f"{k}.tif"
            write_virtual_micrograph(path, truth, rng=rng)
            sources.append(BenchSource(path, path.name))
        result = measure("tem", sources, settings=Settings())
        for name, (key, value) in wanted.items():
            # a set has no geometric numbers with pictures as units
            for records, pairs in ((result.records, found.alone), ((result.pooled,), found.together)):
                told = [(one.values[key], value) for one in records if key in one.values]
                pairs.setdefault(name, []).extend(told)
        for name, (key, value) in of_sets.items():
            if key in result.pooled.values and count > 1:
                found.together.setdefault(name, []).append((result.pooled.values[key], value))
        found.faceted.extend("faceted" in one.flags for one in result.records)
    return found


def _recall(case: str, arm: str, truth: MicrographTruth, repeats: int) -> list[Figure]:
    """Share of particles that lie whole in the picture and were measured, and of what was measured that is one."""
    hits = whole = counted = 0
    for number in range(FIRST, FIRST + repeats):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, case, f"found in {number}"))
        pixels, particles = virtual_picture(truth, rng=rng)
        found = measure_particles(pixels, brighter=False)
        used = found.used()
        own = matched(particles, found.parameters[used][:, :2], truth)
        hits += own[0]
        whole += own[1]
        counted += int(used.sum())
    return [
        share(TABLE, arm, f"{name}_{case}", min(hits, of), of, at_least=0.9)
        for name, of in (("recall", whole), ("precision", counted))
    ]


def matched(particles: TrueParticles, places: NDArray[np.float64], truth: MicrographTruth, /) -> tuple[int, int]:
    """How many true particles were found, each by one measured within half its radius, and how many lie whole in the picture."""
    radius = 0.5 * particles.diameter_nm / truth.pixel_nm
    x, y, side = particles.x_px + 0.5, particles.y_px + 0.5, truth.size_px
    whole = (x - radius > 0) & (x + radius < side) & (y - radius > 0) & (y + radius < side)
    free = np.ones(len(places), bool)
    hits = 0
    for k in np.flatnonzero(whole):
        away = np.where(free, np.hypot(*(places - (particles.x_px[k], particles.y_px[k])).T), np.inf)
        if away.size and away.min() < 0.5 * radius[k]:
            free[int(np.argmin(away))] = False
            hits += 1
    return hits, int(whole.sum())
