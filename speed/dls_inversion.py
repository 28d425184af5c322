"""Size distribution from a correlogram: our inversion with its choice of regularisation, beside scipy's nnls on the stacked problem."""

import math
import statistics

import numpy as np
from scipy.optimize import nnls

from lampyris.bench.dls import infer_distribution
from lampyris.bench.dls.inversion import Problem, bending, candidates, posed
from lampyris.bench.dls.recording import prepared
from lampyris.virtual.instruments.dls import CorrelogramTruth, Population, multi_tau_lags, virtual_correlogram
from speed.measurement import Measurement, alternate, compared, core_seconds, one_core

ROW = "dls-inversion"
PEER = "scipy nnls per regularisation"
ROUNDS = 7
GOAL_S, GOAL = 0.1, 1.0
# both end at the minimum: shares of light agree to this part of the highest
SAME = 1e-5


def measure() -> list[Measurement]:
    """The whole inversion with 60 resamples; and its solutions over all regularisations, against the peer on the same problem."""
    truth = CorrelogramTruth((Population(18.4, 0.1),), duration_s=3.0)
    lag = multi_tau_lags(2e-7, 0.3)
    level, _, rates = virtual_correlogram(truth, lag, rng=np.random.default_rng(3))
    rate = 1e3 * float(rates.mean())

    def whole() -> object:
        recording = prepared(lag, level, duration_s=truth.duration_s, count_rate_per_s=rate)
        return infer_distribution(recording, truth.optics, rng=np.random.default_rng(1))

    problem = posed(prepared(lag, level, duration_s=truth.duration_s, count_rate_per_s=rate), truth.optics)
    alphas = [one.alpha for one in candidates(problem)[0]]

    def ours() -> list[np.ndarray]:
        return [one.values for one in candidates(problem)[0]]

    def peer() -> list[np.ndarray]:
        return [_stacked(problem, alpha) for alpha in alphas]

    # the weakest regularisations are left to rounding: they are compared by their squares
    agree = all(_same(problem, a, b, alpha) for a, b, alpha in zip(ours(), peer(), alphas, strict=True))
    times, peer_times = alternate(ours, peer, rounds=ROUNDS)
    whole()
    with one_core():
        took = statistics.median(core_seconds(whole) for _ in range(ROUNDS))
    part = f"{lag.size} lags, {problem.diameters_nm.size} sizes"
    return [
        Measurement(ROW, f"{part}, 60 resamples", "", f"{GOAL_S:g} s", ours_s=took, held=took <= GOAL_S),
        compared(
            ROW, f"{part}, {len(alphas)} regularisations", PEER, (times, peer_times), goal_ratio=GOAL, agree=agree
        ),
    ]


def _stacked(problem: Problem, alpha: float) -> np.ndarray:
    size = problem.diameters_nm.size
    rows = np.vstack([problem.triangle, math.sqrt(alpha) * bending(size)])
    return nnls(rows, np.concatenate([problem.target, np.zeros(size + 2)]), maxiter=50 * size)[0]


def _cost(problem: Problem, values: np.ndarray, alpha: float) -> float:
    left = problem.triangle @ values - problem.target
    return float(left @ left + alpha * np.sum((bending(values.size) @ values) ** 2))


def _same(problem: Problem, own: np.ndarray, theirs: np.ndarray, alpha: float) -> bool:
    if np.abs(own - theirs).max() <= SAME * theirs.max():
        return True
    mine, other = _cost(problem, own, alpha), _cost(problem, theirs, alpha)
    return mine <= other * (1.0 + 1e-6)
