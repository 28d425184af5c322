"""Drug release: how often the right model is chosen, and how often intervals hold the truth.

Synthetic curves of six vessels and nine times, a point's scatter 2 % of the dose. ``matched``: vessels are equal. ``mismatched``: the
rate of each vessel is its own, drawn with a standard deviation of 10 %, and points of one vessel are no replicates.
"""

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Figure, figure
from lampyris.probe.release import (
    ReleaseFits,
    ReleaseProfile,
    compare_conditions,
    compare_profiles,
    fit_release,
    model_named,
    similarity_factor,
)
from lampyris.statistics.intervals import wilson_interval

TABLE = "release"
DRAWS, QUICK_DRAWS = 100, 12
PAIRS, QUICK_PAIRS = 1000, 300
HOURS = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 24.0])
VESSELS, SCATTER, SPREAD = 6, 2.0, 0.10
TRUTHS: dict[str, tuple[float, ...]] = {
    "zero-order": (3.5, 100.0),
    "first-order": (0.15, 100.0),
    "higuchi": (18.0, 100.0),
    "weibull": (6.0, 1.6, 100.0),
    "hixson-crowell": (0.035, 100.0),
    "burst-sustained": (0.35, 2.0, 0.06, 100.0),
}
"""Models with their parameters; Hopfenberg's between its two special cases is told apart from neither by such data."""

# place of the parameter that differs between vessels; the first elsewhere
_RATE = {"weibull": 0, "burst-sustained": 2}


def drawn(name: str, parameters: tuple[float, ...], spread: float, rng: np.random.Generator, /) -> ReleaseProfile:
    """A curve of one truth."""
    model = model_named(name)
    rows: list[NDArray[np.float64]] = []
    for _ in range(VESSELS):
        own = np.array(parameters)
        own[_RATE.get(name, 0)] *= 1.0 + spread * rng.standard_normal()
        rows.append(model.curve(HOURS, own) + SCATTER * rng.standard_normal(HOURS.size))
    vessel = tuple(str(k) for k in range(VESSELS) for _ in HOURS)
    return ReleaseProfile(name, np.tile(HOURS, VESSELS), np.concatenate(rows), vessel)


def fitted(name: str, arm: str, rng: np.random.Generator, /) -> ReleaseFits:
    """One draw, fitted."""
    return fit_release(drawn(name, TRUTHS[name], SPREAD if arm == "mismatched" else 0.0, rng))


def tables(*, quick: bool) -> list[Figure]:
    """Choice of the model and its parameters, then f2 and what a condition changes."""
    lines: list[Figure] = []
    for arm in ("matched", "mismatched"):
        lines += _choices(arm, QUICK_DRAWS if quick else DRAWS)
        lines += _comparisons(arm, QUICK_PAIRS if quick else PAIRS)
    return lines


def _choices(arm: str, draws: int) -> list[Figure]:
    rng = np.random.default_rng(61)
    lines: list[Figure] = []
    right = held = asked = 0
    for name, truth in TRUTHS.items():
        own = 0
        for _ in range(draws):
            best = fitted(name, arm, rng).best
            if best.model.name != name:
                continue
            own += 1
            for value, (_, estimate) in zip(truth, best.parameters, strict=True):
                if estimate.sd != 0:
                    asked += 1
                    held += estimate.low <= value <= estimate.high
        right += own
        lines.append(_share(arm, f"right_model_{name.replace('-', '_')}", own, draws))
    return [
        _share(arm, "right_model", right, draws * len(TRUTHS), at_least=0.8),
        *lines,
        _share(arm, "parameter_coverage", held, asked, at_least=0.92, at_most=0.985),
    ]


def _comparisons(arm: str, pairs: int) -> list[Figure]:
    """Two first-order curves with 12 vessels each, as f2's rules ask; intervals of f2 (90 %) and of the difference (95 %)."""
    rng = np.random.default_rng(62)
    spread = SPREAD if arm == "mismatched" else 0.0
    held = {"f2": 0, "difference": 0}
    for _ in range(pairs):
        curves = [_twelve(rate, spread, rng) for rate in (0.15, 0.21)]
        found = compare_profiles(*curves, rng=rng, draws=400)
        times = np.array(found.times_h)
        # the mean over vessels whose rates differ is not the curve of the mean rate
        means = [_mean_curve(rate, spread, times) for rate in (0.15, 0.21)]
        held["f2"] += found.f2.low <= similarity_factor(*means) <= found.f2.high
        changed = compare_conditions(*curves, at_h=4.0)
        at = [_mean_curve(rate, spread, np.array([4.0]))[0] for rate in (0.15, 0.21)]
        held["difference"] += changed.difference.low <= at[1] - at[0] <= changed.difference.high
    return [
        _share(arm, "f2_coverage_90", held["f2"], pairs, at_least=0.85, at_most=0.95),
        _share(arm, "difference_coverage", held["difference"], pairs, at_least=0.92, at_most=0.975),
    ]


def _twelve(rate: float, spread: float, rng: np.random.Generator) -> ReleaseProfile:
    first, second = (drawn("first-order", (rate, 100.0), spread, rng) for _ in range(2))
    vessel = (*first.vessel, *(f"b{one}" for one in second.vessel))
    hours = np.concatenate([first.time_h, second.time_h])
    return ReleaseProfile(f"{rate:g}", hours, np.concatenate([first.released, second.released]), vessel)


def _mean_curve(rate: float, spread: float, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over normally distributed rates: 100 (1 - exp(-k t + (s k t)^2 / 2))."""
    return 100.0 * (1.0 - np.exp(-rate * times + (spread * rate * times) ** 2 / 2))


def _share(arm: str, measure: str, count: int, of: int, **goal: float) -> Figure:
    if not of:
        return figure(TABLE, arm, measure, None, None, 0, **goal)
    found = wilson_interval(count, of)
    return figure(TABLE, arm, measure, found.value, (found.low, found.high), of, **goal)
