"""Distributions of the largest of several differences: studentised range (all pairs) and many-to-one t (against a control).

Both are double integrals over the error's standard deviation and one normal variable. They are summed by the trapezoidal
rule, which for such integrands converges faster than any power of the step, in the upper tail itself, so that small p values
keep their digits. There is no random number in it: the same input gives the same digits.

References
----------
.. [1] Copenhaver & Holland 1988, J Stat Comput Simul 30:1, doi:10.1080/00949658808811082 (studentised range).
.. [2] Dunnett 1955, J Am Stat Assoc 50:1096, doi:10.1080/01621459.1955.10501294; Dunnett & Sobel 1954, Biometrika 41:258
   (many-to-one t with product correlations).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.statistics.groups.samples import Floats

# what is left out beyond the ends, as a natural logarithm relative to the largest value of the integrand
_DEPTH = 36.0
# widest step in the logarithm of the standard deviation; the error falls as exp(-pi^2 / (2 step))
_STEP = 0.14
_NORMAL_STEP = 0.25
_NORMAL_REACH = 9.0
# doubles per block: bounds the memory
_BLOCK = 4_000_000


def studentised_range_sf(q: ArrayLike, groups: int, df: ArrayLike, /) -> Floats:
    """Probability that the studentised range of `groups` means exceeds `q`.

    Parameters
    ----------
    q : array_like
        Range over the standard error of one mean.
    groups : int
        Number of means, at least 2.
    df : array_like
        Degrees of freedom of the standard error, above 0; broadcast against `q`.

    Returns
    -------
    ndarray
        Shape of `q` and `df` broadcast.

    References
    ----------
    [1]_; with two means it is Student's t of ``q / sqrt(2)``, two-sided.

    Examples
    --------
    >>> print(studentised_range_sf(3.506, 3, 27).round(4))
    0.05
    """
    _check_groups(groups)

    def tail(w: Floats) -> Floats:
        # the integrand peaks at 0 for a small range and at w / 2 for a large one
        z = 0.5 * w[..., None] + np.arange(-_NORMAL_REACH, _NORMAL_REACH + 0.1, _NORMAL_STEP)
        above, below = special.ndtr(z), special.ndtr(z - w[..., None])
        # Phi(z)^(k-1) - (Phi(z) - Phi(z - w))^(k-1), without cancellation
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(above > 0, below / above, 0.0)
            lost = -np.expm1((groups - 1) * np.log1p(-np.minimum(share, 1.0)))
        return groups * _NORMAL_STEP * (_normal(z) * above ** (groups - 1) * lost).sum(axis=-1)

    q, df = np.broadcast_arrays(np.asarray(q, dtype=np.float64), np.asarray(df, dtype=np.float64))
    return _over_errors(tail, q, df, fall=0.5, nodes=int(2 * _NORMAL_REACH / _NORMAL_STEP) + 1)


def studentised_range_quantile(level: float, groups: int, df: ArrayLike, /) -> Floats:
    """Range that is not exceeded with probability `level`.

    Parameters
    ----------
    level : float
        Between 0 and 1.
    groups : int
        Number of means, at least 2.
    df : array_like
        Degrees of freedom, above 0.

    Returns
    -------
    ndarray
        Shape of `df`.

    Examples
    --------
    >>> print(studentised_range_quantile(0.95, 3, 27).round(4))
    3.5064
    """
    df, place = _unique(df)
    # ends of the bracket: the range of two means, and Bonferroni's bound over all pairs
    tail = 0.5 * (1 - level)
    low = np.sqrt(2) * special.stdtrit(df, 1 - tail)
    high = np.sqrt(2) * special.stdtrit(df, 1 - tail / (0.5 * groups * (groups - 1)))
    return _root(lambda q: studentised_range_sf(q, groups, df), 1 - level, low, high)[place]


def many_to_one_sf(t: ArrayLike, loadings: ArrayLike, df: ArrayLike, /) -> Floats:
    """Probability that the largest absolute t of several differences to one control exceeds `t`.

    Parameters
    ----------
    t : array_like
        Absolute value of a t statistic.
    loadings : array_like, dims (comparison,)
        Square root of the control's share of the variance of each difference: two differences correlate as the product of
        theirs. From 0 to below 1.
    df : array_like
        Degrees of freedom of the standard error, above 0; broadcast against `t`.

    Returns
    -------
    ndarray
        Shape of `t` and `df` broadcast.

    Raises
    ------
    ValueError
        If a loading is below 0, or 1 and above.

    References
    ----------
    [2]_; with one comparison it is Student's t, two-sided.

    Examples
    --------
    >>> print(many_to_one_sf(2.33, [0.5 ** 0.5, 0.5 ** 0.5], 27).round(3))
    0.05
    """
    load = np.asarray(loadings, dtype=np.float64)
    if load.ndim != 1 or load.size == 0 or (load < 0).any() or (load >= 1).any():
        raise ValueError(f"loadings need one dimension and values from 0 to below 1, got {load}")
    rest = np.sqrt(1 - load * load)
    # a dominating comparison makes a steep edge, as wide as this
    step = min(_NORMAL_STEP, 0.4 * float((rest / np.maximum(load, 1e-3)).min()))
    z = np.arange(0.0, _NORMAL_REACH + 3.0, step)
    # the integrand is even
    weight = 2 * step * _normal(z)
    weight[0] *= 0.5

    def tail(w: Floats) -> Floats:
        inside = np.zeros((*w.shape, z.size))
        for own, left in zip(load, rest, strict=True):
            high, low = (w[..., None] + own * z) / left, (w[..., None] - own * z) / left
            inside += np.log1p(-np.minimum(special.ndtr(-high) + special.ndtr(-low), 1 - 1e-16))
        return -(np.expm1(inside) @ weight)

    t, df = np.broadcast_arrays(np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64))
    return _over_errors(tail, t, df, fall=1.0, nodes=z.size)


def many_to_one_quantile(level: float, loadings: ArrayLike, df: ArrayLike, /) -> Floats:
    """Absolute t that the largest of several differences to one control does not exceed with probability `level`.

    Parameters
    ----------
    level : float
        Between 0 and 1.
    loadings : array_like, dims (comparison,)
        As in `many_to_one_sf`.
    df : array_like
        Degrees of freedom, above 0.

    Returns
    -------
    ndarray
        Shape of `df`.

    Examples
    --------
    >>> print(many_to_one_quantile(0.95, [0.5 ** 0.5, 0.5 ** 0.5], 27).round(2))
    2.33
    """
    df, place = _unique(df)
    tail = 0.5 * (1 - level)
    low = special.stdtrit(df, 1 - tail)
    high = special.stdtrit(df, 1 - tail / np.size(loadings))
    return _root(lambda t: many_to_one_sf(t, loadings, df), 1 - level, low, high)[place]


def _over_errors(tail: Callable[[Floats], Floats], x: Floats, df: Floats, *, fall: float, nodes: int) -> Floats:
    """Mean of ``tail(x s)`` over the relative error s of the standard deviation, chi with `df` over its root.

    `tail` falls as ``exp(-fall w^2 / 2)``, which moves the largest part of the integrand to smaller s.
    """
    if not (df > 0).all():
        raise ValueError(f"degrees of freedom need to be above 0, got {df}")
    x, freedom = np.abs(x.ravel()), np.minimum(df.ravel(), 1e7)
    found = np.empty(x.size)
    # in the logarithm of s the integrand is as wide as 1 / sqrt(2 df), wherever its peak
    near = 1.75 * np.sqrt(_DEPTH / freedom)
    left = np.where(near <= 1, near, _DEPTH / freedom + 0.5)
    low = -0.5 * np.log1p(fall * np.minimum(x, 1e8) ** 2 / freedom) - left
    high = np.sqrt(_DEPTH / freedom)
    counts = np.ceil((high - low) / np.minimum(_STEP, 0.5 / np.sqrt(freedom))).astype(int) + 1
    # blocks of like size, so that one small df does not refine all
    order = np.argsort(counts, kind="stable")
    start = 0
    while start < order.size:
        stop = start + 1
        while stop < order.size and (stop + 1 - start) * counts[order[stop]] * nodes <= _BLOCK:
            stop += 1
        those = order[start:stop]
        found[those] = _block(tail, x[those], freedom[those], low[those], high[those], int(counts[those].max()))
        start = stop
    return np.minimum(found, 1.0).reshape(df.shape)


def _block(tail: Callable[[Floats], Floats], x: Floats, df: Floats, low: Floats, high: Floats, count: int) -> Floats:
    step = (high - low) / (count - 1)
    u = low[:, None] + step[:, None] * np.arange(count)
    nu = df[:, None]
    # density of log s; its own constant, as one from the same sum would hide a range that is too short
    log_density = nu * u - 0.5 * nu * np.expm1(2 * u) - 0.5 * nu
    constant = np.log(2.0) + 0.5 * nu * np.log(0.5 * nu) - special.gammaln(0.5 * nu)
    return step * (np.exp(log_density + constant) * tail(x[:, None] * np.exp(u))).sum(axis=1)


def _unique(df: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    """Different degrees of freedom, and which of them each element has."""
    given = np.asarray(df, dtype=np.float64)
    found, place = np.unique(given, return_inverse=True)
    return found, place.reshape(given.shape)


def _root(sf: Callable[[Floats], Floats], p: float, low: Floats, high: Floats) -> Floats:
    """Where `sf` is `p`, between `low` and `high`: regula falsi on the logarithm, all elements at once."""
    low, high = low * (1 - 1e-9), high * (1 + 1e-9)
    f_low, f_high = np.log(sf(low) / p), np.log(sf(high) / p)
    for _ in range(60):
        width = f_low - f_high
        middle = np.where(width > 0, low + (high - low) * f_low / np.where(width > 0, width, 1.0), 0.5 * (low + high))
        f_middle = np.log(sf(middle) / p)
        below = f_middle > 0
        # Illinois: halve the value at an end that stays, so that both ends come in
        f_low, f_high = np.where(below, f_middle, 0.5 * f_low), np.where(below, 0.5 * f_high, f_middle)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
        if (np.abs(f_middle) < 1e-12).all():
            break
    return middle


def _normal(z: Floats) -> Floats:
    return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def _check_groups(groups: int) -> None:
    if groups < 2:
        raise ValueError(f"a range needs at least 2 means, got {groups}")
