"""Lifetimes of virtual counters. ``matched``: photons alone scatter; ``mismatched``: afterpulses and uneven channels as well.

Afterpulses that come evenly over the window are background to any decay: ``background`` is scored against dark counts alone, which
no decay tells, ``level`` against all counts that come at any time; ``background_missed_untold`` are sets whose interval misses the
dark counts and that say nothing of afterpulses. Without a response nothing can tell them, which the flag of every such fit says.
``scatter`` is one lifetime beside light of the pulse, ``tail`` one lifetime without a response.

Of the mismatched arm it is judged that a number is covered or the set flagged as one whose law or channels do not fit, and of the
matched arm how often the same flags are raised where the law was found (``false_alarms``).
"""

import math
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from accuracy.bench.scores import covered_or_flagged, scored, share
from accuracy.figures import Figure
from lampyris.bench.lifetime import DecayLaw
from lampyris.core.bench import BenchRecord, BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.lifetime import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.lifetime import Counter, LifetimeTruth, write_virtual_decay

TABLE = "bench-lifetime"
REPEATS, QUICK_REPEATS = {"matched": 400, "mismatched": 150}, 20
FIRST = 13_000
"""Number of the first set: earlier ones were looked at while the fits were made."""
UNBIASED = ("background", "level", "shift", "response_shift", "scatter_photons", "phasor_g", "phasor_s", "reduced_chi2")
"""Without a goal of the bias, which their intervals hold."""
_OTHER = Estimate.unknown(0.95, "ns", "another law")
COUNTER = Counter(channels=1024, channel_ns=0.1, fwhm_ns=0.7, repetition_mhz=9.0)
FAULTS = replace(COUNTER, afterpulse_share=0.02, unevenness=0.01)
FLAGS = frozenset(("misfit", "uneven-channels", "range-dependent", "fit-not-converged"))
"""Of a law or channels that do not fit."""
Pairs = list[tuple[Estimate, float]]


@dataclass(slots=True)
class Scores:
    """What sets of one arm and law gave: pairs of estimate and truth by number, and whether each pair's set was flagged; how often the
    law was found, dark counts were missed with nothing said of afterpulses, a set was flagged, and was so though its law was found.
    """

    pairs: dict[str, Pairs] = field(default_factory=lambda: defaultdict(list))
    warned: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    named: int = 0
    untold: int = 0
    flagged: int = 0
    alarms: int = 0


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for arm, counter in (("matched", COUNTER), ("mismatched", FAULTS)):
            count = QUICK_REPEATS if quick else REPEATS[arm]
            for law in ("one", "two", "stretched", "scatter", "tail"):
                found += law_lines(Path(folder), arm, law, counter, range(FIRST, FIRST + count))
    return found


def law_lines(folder: Path, arm: str, law: str, counter: Counter, numbers: range) -> list[Figure]:
    """Lines of one arm and law; `numbers` name the sets."""
    scores = _scores(folder, arm, law, counter, numbers)
    matched = arm == "matched"
    found: list[Figure] = []
    for measured, own in scores.pairs.items():
        bias = None if measured in UNBIASED else 0.02
        found += scored(TABLE, arm, f"{law}_{measured}", own, most_bias=bias, judged=matched)
        if not matched and measured != "background":
            found.append(covered_or_flagged(TABLE, arm, f"{law}_{measured}", own, scores.warned[measured]))
    count = len(numbers)
    shares = [("law_found", scores.named, None), ("flagged", scores.flagged, None)]
    if matched:
        shares.append(("false_alarms", scores.alarms, 0.05))
    if counter.afterpulse_share and law != "tail":
        shares.append(("background_missed_untold", scores.untold, 0.05))
    return found + [share(TABLE, arm, f"{law}_{name}", number, count, at_most=most) for name, number, most in shares]


def _truth(law: str, rng: np.random.Generator) -> LifetimeTruth:
    photons, background = float(rng.choice([3e4, 3e5, 3e6])), float(rng.choice([0.3, 3.0]))
    if law in ("one", "scatter", "tail"):
        share = 0.0 if law != "scatter" else float(rng.uniform(0.02, 0.1))
        lifetime = float(rng.uniform(2.0, 25.0))
        return LifetimeTruth((lifetime,), (1.0,), photons=photons, background=background, scatter_share=share)
    if law == "two":
        short, share = float(rng.uniform(1.0, 4.0)), float(rng.uniform(0.3, 0.7))
        lifetimes = (short, short * float(rng.uniform(3.5, 6.0)))
        return LifetimeTruth(lifetimes, (share, 1.0 - share), photons=max(photons, 3e5), background=background)
    stretch = float(rng.choice([0.6, 0.8]))
    return LifetimeTruth((float(rng.uniform(3.0, 8.0)),), (1.0,), stretch, max(photons, 3e5), background)


def _scores(folder: Path, arm: str, law: str, counter: Counter, numbers: range) -> Scores:
    found = Scores()
    for number in numbers:
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, f"{law} {number}"))
        truth = _truth(law, rng)
        own = replace(counter, response_photons=float(rng.choice([3e4, 1e6])))
        decay, response = write_virtual_decay(folder, truth, own, rng=rng)
        sources = [BenchSource(decay, decay.name)]
        if law != "tail":
            sources.append(BenchSource(response, response.name, role="response"))
        record = measure("lifetime", sources, settings=Settings(scatter=law == "scatter")).pooled
        known = truth.law
        dark = record.values["background_counts"]
        pairs: dict[str, tuple[Estimate, float]] = {}
        for key, value in _values(truth, own).items():
            # without a response there is none of its shift
            # of uneven channels the chi-squared that is expected is not 1
            if key in record.values and not (key == "reduced_chi2" and own.unevenness):
                pairs[key.removesuffix("_ns").removesuffix("_counts")] = (record.values[key], value)
        if own.afterpulse_share:
            pairs["level"] = (dark, truth.background + own.afterpulse_share * truth.photons / own.channels)
            missed = not dark.low <= truth.background <= dark.high
            found.untold += missed and "afterpulses-possible" not in record.flags
        same = len(record.lists["lifetimes_ns"]) == len(known.lifetimes_ns)
        same &= ("stretch" in record.values) == (known.stretch < 1.0)
        found.named += same
        flagged = bool(FLAGS & set(record.flags))
        found.flagged += flagged
        found.alarms += flagged and same
        told = _shape(record) if same else {}
        pairs |= {name: (told.get(name, _OTHER), value) for name, value in _known_shape(known, law).items()}
        for name, pair in pairs.items():
            found.pairs[name].append(pair)
            found.warned[name].append(flagged)
    return found


def _values(truth: LifetimeTruth, counter: Counter) -> dict[str, float]:
    """What the numbers that a record prints by name should be."""
    known = truth.law
    point = _phasor(known, 2.0 * math.pi * counter.repetition_mhz * 1e-3)
    omega = 2.0 * math.pi * counter.repetition_mhz * 1e-3
    return {
        "amplitude_mean_ns": known.amplitude_mean_ns,
        "intensity_mean_ns": known.intensity_mean_ns,
        "background_counts": truth.background,
        "response_shift_ns": counter.colour_shift_ns,
        "scatter_photons": known.scatter,
        "reduced_chi2": 1.0,
        "phasor_g": point.real,
        "phasor_s": point.imag,
        "phase_lifetime_ns": point.imag / point.real / omega,
        "modulation_lifetime_ns": math.sqrt(1.0 / abs(point) ** 2 - 1.0) / omega,
    }


def _phasor(law: DecayLaw, omega: float) -> complex:
    """Mean of exp(i omega t) over the light after the pulse, the pulse's own included."""
    if law.stretch < 1.0:
        time = np.geomspace(1e-7, 1e4, 200_001) * law.lifetimes_ns[0]
        density = np.exp(-((time / law.lifetimes_ns[0]) ** law.stretch))
        weighed = np.trapezoid(density * np.exp(1j * omega * time), time) / np.trapezoid(density, time)
        return complex(weighed)
    each = [n / (1.0 - 1j * omega * tau) for tau, n in zip(law.lifetimes_ns, law.photons, strict=True)]
    return (sum(each) + law.scatter) / (sum(law.photons) + law.scatter)


def _known_shape(law: DecayLaw, name: str) -> dict[str, float]:
    if name == "two":
        share = law.photons[0] / sum(law.photons)
        return {
            "shortest": law.lifetimes_ns[0], "longest": law.lifetimes_ns[-1], "amplitude": law.amplitudes[0], "photon_share": share,
        }  # fmt: skip
    stretch = {"stretch": law.stretch} if name == "stretched" else {}
    return {"shortest": law.lifetimes_ns[0], **stretch}


def _shape(record: BenchRecord) -> dict[str, Estimate]:
    """What a record lists of its law; of two shares that make one the first."""
    stretch = {"stretch": record.values["stretch"]} if "stretch" in record.values else {}
    lists = record.lists
    return {
        "shortest": lists["lifetimes_ns"][0], "longest": lists["lifetimes_ns"][-1], "amplitude": lists["amplitudes"][0],
        "photon_share": lists["photon_shares"][0], **stretch,
    }  # fmt: skip
