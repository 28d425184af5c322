"""Lifetimes of virtual counters. ``matched``: photons alone scatter; ``mismatched``: afterpulses and uneven channels as well.

Afterpulses that come evenly over the window are background to any decay: ``background`` is scored against dark counts alone, which
no decay tells, ``level`` against all counts that come at any time.
"""

import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure, figure
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.lifetime import Settings
from lampyris.statistics.intervals import wilson_interval
from lampyris.study.bench import measure
from lampyris.virtual.instruments.lifetime import Counter, LifetimeTruth, write_virtual_decay

TABLE = "bench-lifetime"
REPEATS, QUICK_REPEATS = 400, 20
COUNTER = Counter(channels=1024, channel_ns=0.1, fwhm_ns=0.7, repetition_mhz=9.0)
FAULTS = replace(COUNTER, afterpulse_share=0.02, unevenness=0.01)
Pairs = list[tuple[Estimate, float]]


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    count = QUICK_REPEATS if quick else REPEATS
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for arm, counter in (("matched", COUNTER), ("mismatched", FAULTS)):
            for law in ("one", "two", "stretched"):
                pairs, named = _scores(Path(folder), arm, law, counter, count)
                for measured, own in pairs.items():
                    if own:
                        bias = None if measured in ("background", "level", "shift") else 0.02
                        found += scored(TABLE, arm, f"{law}_{measured}", own, most_bias=bias, judged=arm == "matched")
                within = wilson_interval(named, count)
                found.append(figure(TABLE, arm, f"{law}_law_found", named / count, (within.low, within.high), count))
    return found


def _truth(law: str, rng: np.random.Generator) -> LifetimeTruth:
    photons, background = float(rng.choice([3e4, 3e5, 3e6])), float(rng.choice([0.3, 3.0]))
    if law == "one":
        return LifetimeTruth((float(rng.uniform(2.0, 25.0)),), (1.0,), photons=photons, background=background)
    if law == "two":
        short, share = float(rng.uniform(1.0, 4.0)), float(rng.uniform(0.3, 0.7))
        lifetimes = (short, short * float(rng.uniform(3.5, 6.0)))
        return LifetimeTruth(lifetimes, (share, 1.0 - share), photons=max(photons, 3e5), background=background)
    stretch = float(rng.choice([0.6, 0.8]))
    return LifetimeTruth((float(rng.uniform(3.0, 8.0)),), (1.0,), stretch, max(photons, 3e5), background)


def _scores(folder: Path, arm: str, law: str, counter: Counter, count: int) -> tuple[dict[str, Pairs], int]:
    names = ("amplitude_mean", "intensity_mean", "shortest", "longest", "amplitude", "photon_share", "stretch")
    pairs: dict[str, Pairs] = {name: [] for name in (*names, "background", "level", "shift")}
    named = 0
    for number in range(count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, f"{law} {number}"))
        truth = _truth(law, rng)
        own = replace(counter, response_photons=float(rng.choice([3e4, 1e6])))
        decay, response = write_virtual_decay(folder, truth, own, rng=rng)
        sources = [BenchSource(decay, decay.name), BenchSource(response, response.name, role="response")]
        record = measure("lifetime", sources, settings=Settings()).pooled
        known = truth.law
        pairs["amplitude_mean"].append((record.values["amplitude_mean_ns"], known.amplitude_mean_ns))
        pairs["intensity_mean"].append((record.values["intensity_mean_ns"], known.intensity_mean_ns))
        pairs["background"].append((record.values["background_counts"], truth.background))
        if own.afterpulse_share:
            level = truth.background + own.afterpulse_share * truth.photons / own.channels
            pairs["level"].append((record.values["background_counts"], level))
        pairs["shift"].append((record.values["response_shift_ns"], own.colour_shift_ns))
        lifetimes = record.lists["lifetimes_ns"]
        same = len(lifetimes) == len(known.lifetimes_ns) and ("stretch" in record.values) == (known.stretch < 1.0)
        named += same
        missing = Estimate(math.nan, math.nan, math.nan, math.nan, 0.95, "ns", "another law")
        pairs["shortest"].append((lifetimes[0] if same else missing, known.lifetimes_ns[0]))
        if law == "stretched":
            pairs["stretch"].append((record.values["stretch"] if same else missing, known.stretch))
        if law == "two":
            share = known.photons[0] / sum(known.photons)
            pairs["photon_share"].append((record.lists["photon_shares"][0] if same else missing, share))
            pairs["longest"].append((lifetimes[-1] if same else missing, known.lifetimes_ns[-1]))
            pairs["amplitude"].append((record.lists["amplitudes"][0] if same else missing, known.amplitudes[0]))
    return pairs, named
