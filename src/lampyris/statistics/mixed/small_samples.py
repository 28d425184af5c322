"""Kenward and Roger's small-sample inference on fixed effects.

The covariance of the fixed effects is enlarged for the variances being estimated, and F is scaled and given denominator
degrees of freedom that match its first two moments [1]_. Parameters are the entries of the covariance matrices and the
residual variance, in which the covariance of the values is linear, so that second derivatives vanish. A variance whose
estimate is zero is kept among the parameters: dropping it would count regions as replicates whenever animals happen to
agree. For one contrast the degrees of freedom are Satterthwaite's.

References
----------
.. [1] Kenward & Roger 1997, Biometrics 53:983, doi:10.2307/2533558, eqs 3-6 and section 5.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.statistics.mixed.likelihood import Problem, State, summed_product

Array = NDArray[np.float64]

# degrees of freedom beyond which F is a chi-square for any printed digit
MANY = 1e8


@dataclass(frozen=True, slots=True, eq=False)
class SmallSamples:
    """What tests of fixed effects need, in the user's columns.

    Parameters
    ----------
    coefficients : ndarray, dims (column,)
        Fixed effects.
    plain : ndarray, dims (column, column)
        Covariance as if the variances were known.
    adjusted : ndarray, dims (column, column)
        Kenward and Roger's covariance.
    slopes : ndarray, dims (parameter, column, column)
        Slope of the inverse of `plain` in each parameter.
    parameters : ndarray, dims (parameter, parameter)
        Covariance of the parameters of the random part: entries of covariance matrices (scaled as `Piece.columns`), residual
        variance last.
    exact : bool
        False where the information on the parameters was singular and a pseudo-inverse took its place.
    """

    coefficients: Array
    plain: Array
    adjusted: Array
    slopes: Array
    parameters: Array
    exact: bool


@dataclass(frozen=True, slots=True)
class JointTest:
    """F of several contrasts at once: statistic, degrees of freedom and p."""

    statistic: float
    df1: float
    df2: float
    p: float


def small_samples(given: Problem, at: State, /) -> SmallSamples:
    """Kenward and Roger's quantities at an optimum.

    Parameters
    ----------
    given : Problem
        The model; restricted for the theory to hold.
    at : State
        Its optimum.

    Returns
    -------
    SmallSamples
    """
    variance = at.rest / given.free
    plain = variance * np.linalg.inv(at.product[:-1, :-1])
    slopes, seconds, traces = _moments(given, at, variance)
    count = len(slopes)
    information = np.empty((count, count))
    for i in range(count):
        for j in range(count):
            information[i, j] = 0.5 * (
                traces[i, j] - 2 * np.trace(plain @ seconds[i, j]) + np.trace(plain @ slopes[i] @ plain @ slopes[j])
            )
    scales = np.sqrt(np.abs(np.diag(information)))
    scales[scales == 0] = 1.0
    standard = information / np.outer(scales, scales)
    exact = bool(np.linalg.eigvalsh(standard)[0] > 1e-10)
    inverse = np.linalg.inv(standard) if exact else np.linalg.pinv(standard, rcond=1e-10, hermitian=True)
    parameters = inverse / np.outer(scales, scales)
    excess = np.einsum("ij,ijab->ab", parameters, seconds - slopes[:, None] @ plain @ slopes[None, :])
    adjusted = plain + 2 * plain @ excess @ plain
    # back to the user's columns, and from the scaled residual to the values
    to = np.linalg.inv(given.triangle)
    size = given.scale**2
    return SmallSamples(
        coefficients=to @ (given.least_squares + given.scale * at.coefficients),
        plain=size * to @ plain @ to.T,
        adjusted=size * to @ (0.5 * (adjusted + adjusted.T)) @ to.T,
        slopes=given.triangle.T @ slopes @ given.triangle / size**2,
        parameters=size**2 * parameters,
        exact=exact,
    )


def _moments(given: Problem, at: State, variance: float) -> tuple[Array, Array, Array]:
    """P_i, Q_ij and tr(V^-1 G_i V^-1 G_j) for every pair of parameters, the residual variance last."""
    x = at.outer[..., :-1]
    through = np.eye(given.random.size) - at.weight @ given.own
    masks = _masks(given)
    squared_x = at.product[:-1, :-1] - summed_product(given.cross[..., :-1], at.weight @ x)
    cubed_x = squared_x - summed_product(x, at.weight @ x)
    twice_x = np.swapaxes(through, 1, 2) @ x
    twice_z = np.swapaxes(through, 1, 2) @ at.inner
    shared = at.weight @ given.own
    trace_squared = given.n - 2 * float(np.einsum("gii->", shared)) + float(np.einsum("gij,gji->", shared, shared))

    count = len(masks) + 1
    p = given.p
    slopes = np.empty((count, p, p))
    seconds = np.empty((count, count, p, p))
    traces = np.empty((count, count))
    masked_inner = [mask @ at.inner for mask in masks]
    masked_x = [mask @ x for mask in masks]
    for i, mask in enumerate(masks):
        slopes[i] = -summed_product(x, masked_x[i]) / variance**2
        for j in range(len(masks)):
            seconds[i, j] = summed_product(masked_x[i], at.inner @ masked_x[j]) / variance**3
            traces[i, j] = float(np.einsum("gij,gji->", masked_inner[i], masked_inner[j])) / variance**2
        seconds[i, -1] = summed_product(masked_x[i], twice_x) / variance**3
        seconds[-1, i] = seconds[i, -1].T
        traces[i, -1] = traces[-1, i] = float(np.einsum("ij,gji->", mask, twice_z)) / variance**2
    slopes[-1] = -squared_x / variance**2
    seconds[-1, -1] = cubed_x / variance**3
    traces[-1, -1] = trace_squared / variance**2
    return slopes, seconds, traces


def _masks(given: Problem) -> list[Array]:
    """Slope of a block's covariance of effects in each entry of the pieces' covariance matrices."""
    pieces = given.random.pieces
    zeros = [np.zeros((len(piece.names), len(piece.names))) for piece in pieces]
    masks = []
    for k, piece in enumerate(pieces):
        for a in range(len(piece.names)):
            for b in range(a + 1):
                one = [matrix.copy() for matrix in zeros]
                one[k][a, b] = one[k][b, a] = 1.0
                masks.append(given.random.spread(one))
    return masks


def joint_test(found: SmallSamples, rows: Array, /, *, null: Array | float = 0.0) -> JointTest:
    """Kenward and Roger's F test of contrasts.

    Parameters
    ----------
    found : SmallSamples
        Of the model.
    rows : ndarray, dims (contrast, column)
        Independent contrasts of the coefficients.
    null : ndarray or float
        Their values under the null hypothesis.

    Returns
    -------
    JointTest
        NaN where there is no contrast.
    """
    rows = np.atleast_2d(rows)
    rank = rows.shape[0]
    if rows.size == 0:
        return JointTest(math.nan, 0.0, math.nan, math.nan)
    distance = rows @ found.coefficients - null
    wald = float(distance @ np.linalg.solve(rows @ found.adjusted @ rows.T, distance)) / rank
    df2, scale = _denominator(found, rows)
    f = scale * wald
    return JointTest(f, float(rank), df2, upper_tail(f, rank, df2))


def upper_tail(f: float, df1: float, df2: float, /) -> float:
    """Probability of a larger F."""
    return float(special.fdtrc(df1, df2, f)) if df2 < MANY else float(special.chdtrc(df1, df1 * f))


def contrast_df(found: SmallSamples, row: Array, /) -> float:
    """Degrees of freedom of one contrast."""
    return _denominator(found, np.atleast_2d(row))[0]


def _denominator(found: SmallSamples, rows: Array) -> tuple[float, float]:
    """Denominator degrees of freedom and the factor of F."""
    rank = rows.shape[0]
    if rank == 1:
        variance = float(rows[0] @ found.plain @ rows[0])
        tilted = found.plain @ rows[0]
        slopes = np.einsum("a,iab,b->i", tilted, found.slopes, tilted)
        relative = float(slopes @ found.parameters @ slopes) / variance**2
        return (min(2 / relative, MANY) if relative > 0 else MANY), 1.0
    inside = rows.T @ np.linalg.solve(rows @ found.plain @ rows.T, rows)
    steps = inside @ found.plain @ found.slopes @ found.plain
    traces = np.einsum("iaa->i", steps)
    a1 = float(traces @ found.parameters @ traces)
    a2 = float(np.einsum("ij,iab,jba->", found.parameters, steps, steps))
    if a2 <= 2 * rank / MANY:
        return MANY, 1.0
    b = (a1 + 6 * a2) / (2 * rank)
    g = ((rank + 1) * a1 - (rank + 4) * a2) / ((rank + 2) * a2)
    below = 3 * rank + 2 * (1 - g)
    c1, c2, c3 = g / below, (rank - g) / below, (rank + 2 - g) / below
    mean = 1 / (1 - a2 / rank) if a2 < rank else math.nan
    spread = 2 / rank * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    ratio = spread / (2 * mean**2)
    df = 4 + (rank + 2) / (rank * ratio - 1)
    if math.isfinite(df) and df > 2 and ratio > 0:
        return min(df, MANY), df / (mean * (df - 2))
    # moments that no scaled F has, as with a single subject more than groups: the least of the contrasts' own
    _, turns = np.linalg.eigh(rows @ found.plain @ rows.T)
    return min(_denominator(found, row[None, :])[0] for row in turns.T @ rows), 1.0
