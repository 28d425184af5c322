"""Particle sizes of virtual micrographs.

``matched``: spheres and discs; ``mismatched``: faceted particles on a rough support. Over sizes, widths, crowding and noise.
"""

import math
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ellipe, ndtri

from accuracy.bench.scores import scored
from accuracy.figures import Figure, figure
from lampyris.bench.micrographs.measure import measure_particles
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.tem import Settings
from lampyris.statistics.intervals import wilson_interval
from lampyris.study.bench import measure
from lampyris.virtual.instruments.micrographs import (
    MicrographTruth,
    TrueParticles,
    virtual_picture,
    write_virtual_micrograph,
)

TABLE = "bench-tem"
Pairs = list[tuple[Estimate, float]]
_MOST_BIAS = {"diameter": 0.02, "sd": 0.1}
REPEATS, QUICK_REPEATS, SETS, QUICK_SETS = 200, 4, 100, 2
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
    """Lines of the table: single pictures with particles as units, then sets of four pictures, then what was found at all."""
    found: list[Figure] = []
    repeats, sets = (QUICK_REPEATS, QUICK_SETS) if quick else (REPEATS, SETS)
    every: dict[str, Pairs] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case, (arm, truth) in CASES.items():
            # what a facet does to the edge is no noise: shown, not judged
            judged = arm == "matched"
            for name, pairs in _pictures(Path(folder), case, truth, repeats, 1).items():
                most = _MOST_BIAS.get(name)
                found += scored(TABLE, arm, f"{name}_{case}", pairs, most_bias=most, judged=judged)
                if judged:
                    every.setdefault(name, []).extend(pairs)
            found += _recall(case, arm, truth, max(2, repeats // 10))
        for case in ("paper", "faceted"):
            arm, truth = CASES[case]
            several = _pictures(Path(folder), case, truth, sets, 4)
            for name in ("diameter", "sd"):
                most = _MOST_BIAS[name]
                found += scored(
                    TABLE, arm, f"{name}_by_picture_{case}", several[name], most_bias=most, judged=arm == "matched"
                )
        found += scored(TABLE, "matched", "shell", _shells(Path(folder), sets), most_bias=0.05)
    for name, pairs in every.items():
        found += scored(TABLE, "matched", f"{name}_all", pairs)
    return found


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


def _pictures(folder: Path, case: str, truth: MicrographTruth, repeats: int, count: int) -> dict[str, Pairs]:
    """Each number of sets of pictures, and its truth."""
    pairs: dict[str, Pairs] = {}
    for number in range(repeats):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, case, f"{count} {number}"))
        sources = []
        for k in range(count):
            path = folder / f"{k}.tif"
            write_virtual_micrograph(path, truth, rng=rng)
            sources.append(BenchSource(path, path.name))
        values = measure("tem", sources, settings=Settings()).pooled.values
        for name, (key, value) in truths(truth).items():
            if key in values:
                pairs.setdefault(name, []).append((values[key], value))
    return pairs


def _shells(folder: Path, repeats: int) -> Pairs:
    """Thickness of a shell of 1 nm from a picture of whole particles and one of their cores."""
    pairs: Pairs = []
    for number in range(repeats):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, "shell", str(number)))
        for role, truth in (("", MicrographTruth()), ("core", MicrographTruth(mean_nm=4.8, sd_nm=0.6))):
            write_virtual_micrograph(folder / f"shell{role}.tif", truth, rng=rng)
        sources = [BenchSource(folder / f"shell{role}.tif", f"shell{role}.tif", role=role) for role in ("", "core")]
        pairs.append((measure("tem", sources, settings=Settings()).pooled.values["shell_nm"], 1.0))
    return pairs


def _recall(case: str, arm: str, truth: MicrographTruth, repeats: int) -> list[Figure]:
    """Share of particles that lie whole in the picture and were measured, and of what was measured that is one."""
    hits = whole = counted = 0
    for number in range(repeats):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, case, f"recall {number}"))
        pixels, particles = virtual_picture(truth, rng=rng)
        found = measure_particles(pixels, brighter=False)
        used = found.used()
        own = matched(particles, found.parameters[used][:, :2], truth)
        hits += own[0]
        whole += own[1]
        counted += int(used.sum())
    lines = []
    for name, share, of in (("recall", hits, whole), ("precision", hits, counted)):
        within = wilson_interval(min(share, of), of)
        lines.append(figure(TABLE, arm, f"{name}_{case}", share / of, (within.low, within.high), of, at_least=0.9))
    return lines


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
