"""Sizes from virtual light-scattering runs.

``matched``: speckles of a Gaussian field are simulated and correlated, photons drawn, lognormal sizes. ``mismatched``: the same with
sizes that are even in the logarithm between two ends, which no part of the analysis assumes. Runs too long to simulate, for the two
populations, draw speckles and photons together from the covariance that short simulations bear out.
"""

import math
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from accuracy.bench.scores import COVERAGE, cells_told_off, covered_or_flagged, scored, share
from accuracy.figures import Figure
from lampyris.bench.dls import (
    Distribution,
    covariance_correlogram,
    field_correlation,
    infer_distribution,
)
from lampyris.bench.dls.recording import prepared
from lampyris.bench.dls.scattering import scattered_intensity
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.dls import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.dls import (
    WATER_AT_25C,
    CorrelogramTruth,
    Population,
    multi_tau_lags,
    size_shares,
    write_virtual_alv,
    write_virtual_zmes,
)

TABLE = "bench-dls"
REPEATS, QUICK_REPEATS = 1260, 30
"""Of single runs: at the widest spread the mean by number scatters so much that the median of a third of them wanders by its goal."""
SIZES_NM, SPREADS, RATES_KCPS = (18.4, 60.0, 200.0), (0.02, 0.1, 0.2), (40.0, 300.0)
RUN_S = 2.0
ANGLES_DEG = (30.0, 60.0, 90.0, 120.0)
RATIOS = (1.5, 2.0, 2.5, 3.0, 4.0)
STATED_NOISE, MORE_NOISE = 2.5e-4, 3e-4
"""Relative noise of g2 - 1 at short lags at which two populations at 3:1 are to be told apart, and one at which not quite."""
_SCORED_FROM = 3.0
LONG_KCPS = 300.0
MEAN_NM = 30.0

SINGLES: dict[str, float | None] = {
    "z_average_nm": 0.01, "pdi": None, "intercept": 0.01, "intercept_g2": 0.01, "peaks_nm.1": 0.03, "peak_widths_nm.1": None,
    "peak_areas.1": 0.01, "volume_mean_nm": 0.1, "number_mean_nm": 0.1,
}  # fmt: skip
"""Numbers of a run, the first of a list by its place, and goals of their relative bias."""

TOGETHER = ("z_average_nm", "pdi", "intercept", "intercept_g2", "volume_mean_nm", "number_mean_nm")
"""Numbers of several runs together."""

_SERIES = "even laws"
_BY_SPREAD = ("volume_mean_nm", "number_mean_nm")
# the share of a lone peak is 1, where its interval ends
_UNJUDGED = frozenset({"peak_areas.1"})
Pairs = list[tuple[Estimate, float]]


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table: mean size, polydispersity and peak over the grid, then how far two populations are told apart."""
    count = QUICK_REPEATS if quick else REPEATS
    found: list[Figure] = []
    for arm in ("matched", "mismatched"):
        cells: dict[str, dict[str, Pairs]] = {quantity: {} for quantity in SINGLES if quantity not in _UNJUDGED}
        for spread in SPREADS:
            by_cell, single, flagged = _singles(arm, spread, count)
            name = f"pdi_{spread:g}"
            pairs = {quantity: [one for own in by_cell[quantity].values() for one in own] for quantity in SINGLES}
            for quantity, own in cells.items():
                own |= {f"{name} {cell}": within for cell, within in by_cell[quantity].items()}
            for quantity, most_bias in SINGLES.items():
                judged = quantity not in _UNJUDGED
                # where sizes are not lognormal the mean by number is of another law, as its flag says: its interval holds both
                goal = most_bias if judged and not (arm == "mismatched" and quantity == "number_mean_nm") else None
                found += scored(TABLE, arm, f"{quantity}_{name}", pairs[quantity], most_bias=goal, judged=judged)
            found += _by_law(arm, name, pairs["number_mean_nm"], flagged)
            found.append(share(TABLE, arm, f"one_population_{name}", single, count, at_least=0.9))
        found += [cells_told_off(TABLE, arm, quantity, own) for quantity, own in cells.items()]
    for runs, pairs in _together(2 * count // 3).items():
        for quantity, own in pairs.items():
            # Student's interval of two runs spans nearly every spread that there is
            judged = runs > 2 or quantity not in _BY_SPREAD
            found += scored(TABLE, "matched", f"{quantity}_of_{runs}_runs", own, judged=judged)
    found += scored(TABLE, "matched", "z_average_q0_nm", _extrapolated(count // 3), most_bias=0.02)
    return found + _told_apart(max(count // 6, 10))


def _even(size_nm: float, spread: float) -> tuple[Population, ...]:
    """Sharp populations that fill a span of sizes evenly in the logarithm, of the mean rate and spread that are asked for."""
    low, high = 0.0, 4.0
    for _ in range(60):
        half = 0.5 * (low + high)
        rates = np.exp(np.linspace(-half, half, 25))
        low, high = (half, high) if rates.var() / rates.mean() ** 2 < spread else (low, half)
    sizes = 1.0 / rates
    sizes *= size_nm * float(np.mean(1.0 / sizes))
    return tuple(Population(float(one), 0.0) for one in sizes)


def _by_law(arm: str, name: str, pairs: Pairs, flagged: list[bool]) -> list[Figure]:
    """How often a mean by number is called one that the law decides, and how often it is held or called so."""
    return [
        share(TABLE, arm, f"number_mean_nm_by_law_{name}", sum(flagged), len(flagged)),
        covered_or_flagged(TABLE, arm, f"number_mean_nm_{name}", pairs, flagged),
    ]


def _singles(arm: str, spread: float, count: int) -> tuple[dict[str, dict[str, Pairs]], int, list[bool]]:
    """What runs of single samples give, by size and rate, read from files; in how many one population is told; and whose number mean
    the law decides."""
    pairs: dict[str, dict[str, Pairs]] = {quantity: defaultdict(list) for quantity in SINGLES}
    single, flagged = 0, []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.asc"
        for number in range(count):
            rng = np.random.default_rng(seed_sequence("accuracy", TABLE, _SERIES, arm, f"{spread:g} {number}"))
            size, rate = SIZES_NM[number % len(SIZES_NM)], RATES_KCPS[number // 3 % 2]
            populations = (Population(size, spread),) if arm == "matched" else _even(size, spread)
            truth = CorrelogramTruth(populations, duration_s=RUN_S, count_rate_kcps=rate)
            write_virtual_alv(path, truth, rng=rng)
            record = measure("dls", [BenchSource(path, path.name)], settings=Settings()).pooled
            true = _true(truth)
            for quantity, own in true.items():
                name, _, place = quantity.partition(".")
                several = record.lists[name] if place else (record.values[name],)
                if several:
                    pairs[quantity][f"{size:g} nm, {rate:g} kcps"].append((several[0], own))
            single += len(record.lists["peaks_nm"]) == 1
            flagged.append("number-mean-by-law" in record.flags)
    return pairs, single, flagged


def _together(count: int) -> dict[int, dict[str, Pairs]]:
    """Means over repeated runs of a sample, read from one file; their number is 2 or 5 in turn."""
    found: dict[int, dict[str, Pairs]] = {runs: {quantity: [] for quantity in TOGETHER} for runs in (2, 5)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.zmes"
        for number in range(count):
            rng = np.random.default_rng(seed_sequence("accuracy", TABLE, _SERIES, "together", str(number)))
            runs = (2, 5)[number % 2]
            # every size with every spread for either number of runs
            one = Population(SIZES_NM[number // 2 % len(SIZES_NM)], SPREADS[number // 6 % len(SPREADS)])
            truth = CorrelogramTruth((one,), duration_s=RUN_S, count_rate_kcps=RATES_KCPS[1])
            write_virtual_zmes(path, [truth] * runs, rng=rng)
            values = measure("dls", [BenchSource(path, path.name)], settings=Settings()).pooled.values
            true = _true(truth)
            for quantity, pairs in found[runs].items():
                pairs.append((values[quantity], true[quantity]))
    return found


def _extrapolated(count: int) -> Pairs:
    """Sizes at angle zero from runs at `ANGLES_DEG` of a sample."""
    pairs: Pairs = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            rng = np.random.default_rng(seed_sequence("accuracy", TABLE, _SERIES, "angles", str(number)))
            one = Population(SIZES_NM[number % len(SIZES_NM)], SPREADS[number // 3 % len(SPREADS)])
            sources = []
            for angle in ANGLES_DEG:
                path = Path(folder) / f"{angle:g}.asc"
                optics = replace(WATER_AT_25C, angle_deg=angle)
                truth = CorrelogramTruth((one,), optics, duration_s=RUN_S, count_rate_kcps=RATES_KCPS[1])
                write_virtual_alv(path, truth, rng=rng)
                sources.append(BenchSource(path, path.name))
            pooled = measure("dls", sources, settings=Settings()).pooled
            pairs.append((pooled.values["z_average_q0_nm"], truth.z_average_nm))
    return pairs


def _true(truth: CorrelogramTruth) -> dict[str, float]:
    """Numbers of the drawn distribution itself; the peak's mean is that of the rate, as the Z-average is."""
    sizes, light = size_shares(truth.populations)
    light = light / light.sum()
    number = light / scattered_intensity(sizes, truth.optics)
    volume = number * sizes**3
    mean = float(light @ sizes)
    return {
        "z_average_nm": truth.z_average_nm,
        "pdi": truth.polydispersity,
        "intercept": math.sqrt(truth.intercept),
        "intercept_g2": truth.intercept,
        "peaks_nm.1": truth.z_average_nm,
        "peak_widths_nm.1": math.sqrt(float(light @ (sizes - mean) ** 2)),
        "peak_areas.1": 1.0,
        "volume_mean_nm": float(volume @ sizes / volume.sum()),
        "number_mean_nm": float(number @ sizes / number.sum()),
    }


def _told_at_more_noise(count: int) -> Figure:
    """Share of runs in which two populations at 3:1 are told at a noise at which they hardly are."""
    seconds = _seconds_for(MORE_NOISE)
    hits = 0
    for k in range(count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, _SERIES, "more noise", str(k)))
        hits += len(_distribution(_pair(3.0), seconds, rng).peaks) > 1
    return share(TABLE, "matched", f"two_told_at_3_noise_{MORE_NOISE:g}", hits, count)


def _told_apart(count: int) -> list[Figure]:
    """Share of runs in which two populations of equal light are told, by their ratio; and one broad one taken for two."""
    seconds = _seconds_for(STATED_NOISE)
    found = [_told_at_more_noise(count)]
    means: Pairs = []
    areas: Pairs = []
    widths: Pairs = []
    for ratio in RATIOS:
        two = _pair(ratio)
        broad = (Population(MEAN_NM, CorrelogramTruth(two).polydispersity),)
        for name, populations in ((f"two_told_at_{ratio:g}", two), (f"broad_taken_for_two_{ratio:g}", broad)):
            hits = 0
            for k in range(count):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, _SERIES, name, str(k)))
                peaks = sorted(_distribution(populations, seconds, rng).peaks, key=lambda one: one.mean_nm.value)
                hits += len(peaks) > 1
                if populations is two and ratio >= _SCORED_FROM and len(peaks) == 2:
                    means += [(one.mean_nm, own.diameter_nm) for one, own in zip(peaks, two, strict=True)]
                    areas += [(one.area, 0.5) for one in peaks]
                    widths += [(one.sd_nm, _width(own)) for one, own in zip(peaks, two, strict=True)]
            goals = {"at_least": 0.9} if name in ("two_told_at_3", "two_told_at_4") else {}
            goals = {"at_most": 0.1} if name.startswith("broad") else goals
            found.append(share(TABLE, "matched", name, hits, count, **goals))
    found += scored(TABLE, "matched", "peaks_nm_of_two", means, most_bias=0.03)
    found += scored(TABLE, "matched", "peak_areas_of_two", areas, most_bias=0.05)
    # upper limits: the true width may be none
    found += scored(TABLE, "matched", "peak_widths_of_two", widths, judged=False)
    held = sum(true <= one.high for one, true in widths)
    return [*found, share(TABLE, "matched", "peak_widths_of_two_below_limit", held, len(widths), at_least=COVERAGE[0])]


def _width(one: Population) -> float:
    """Standard deviation of a population's sizes."""
    return one.diameter_nm * (1.0 + one.polydispersity) * math.sqrt(one.polydispersity)


def _pair(ratio: float) -> tuple[Population, Population]:
    """Two narrow populations of equal light whose mean rate is that of `MEAN_NM`."""
    small = MEAN_NM * 0.5 * (1.0 + 1.0 / ratio)
    return Population(small, 0.02), Population(small * ratio, 0.02)


def _seconds_for(noise: float) -> float:
    """Length of a run in which g2 - 1 of the single size scatters by a share of its intercept."""
    lag = multi_tau_lags(1e-6, 0.1)
    field = field_correlation(lag, [MEAN_NM], [1.0], WATER_AT_25C)
    own = covariance_correlogram(lag, field, intercept=0.93, duration_s=1.0, count_rate_per_s=1e3 * LONG_KCPS)
    place = int(np.argmin(np.abs(lag - 1e-5)))
    return float(own[place, place]) / (0.93 * noise) ** 2


def _distribution(populations: tuple[Population, ...], seconds: float, rng: np.random.Generator) -> Distribution:
    lag = multi_tau_lags(2e-7, 0.5)
    sizes, shares = size_shares(populations)
    field = field_correlation(lag, sizes, shares, WATER_AT_25C)
    own = covariance_correlogram(lag, field, intercept=0.93, duration_s=seconds, count_rate_per_s=1e3 * LONG_KCPS)
    values, vectors = np.linalg.eigh(own)
    level = 0.93 * field**2 + vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(lag.size))
    recording = prepared(lag, level, duration_s=seconds, count_rate_per_s=1e3 * LONG_KCPS)
    return infer_distribution(recording, WATER_AT_25C, rng=rng, resamples=20)
