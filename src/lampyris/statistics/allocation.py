"""Allocation of animals to groups: drawn at random among those in which weights and cages are balanced."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000
ACCEPTED_SHARE = 0.05
"""Share of all random allocations, the most balanced, among which one is drawn."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who was drawn into which group, and how balanced that is.

    Parameters
    ----------
    groups : tuple of str
        Per animal.
    weight_sd_between : float
        Standard deviation of the groups' mean weights over the weights' own; NaN without weights.
    weight_means_g : dict of str to float
        Mean weight per group; NaN without weights.
    cages_split : float
        Chi-squared of cage against group over its degrees of freedom: 0 for cages spread evenly; NaN without cages.
    draws, accepted : int
        Random allocations that were drawn, and those as balanced as asked for.
    method : str
        For the methods text.
    """

    groups: tuple[str, ...]
    weight_sd_between: float
    weight_means_g: dict[str, float]
    cages_split: float
    draws: int
    accepted: int
    method: str


def allocate(
    sizes: Mapping[str, int],
    /,
    *,
    weights_g: Sequence[float],
    cages: Sequence[str],
    rng: np.random.Generator,
) -> Allocation:
    """Draw animals into groups of given sizes by rerandomisation.

    Parameters
    ----------
    sizes : mapping of str to int
        Animals per group; together as many as there are animals.
    weights_g : sequence of float
        Per animal; NaN where not weighed: it then counts as the mean.
    cages : sequence of str
        Per animal; "" where not known.
    rng : numpy.random.Generator
        What is drawn from.

    Returns
    -------
    Allocation

    Raises
    ------
    ValueError
        If the sizes do not fit the number of animals, or a group is empty.

    Notes
    -----
    Balance is the sum of the squared standardised differences of the groups' mean weights from the common mean, each scaled by
    its variance under complete randomisation, and of chi-squared of cage against group, each over its degrees of freedom. A
    first half of the draws sets the threshold, the second is drawn from until one is below it, so that chance still decides
    among balanced allocations.

    References
    ----------
    Morgan KL, Rubin DB (2012) Ann Stat 40:1263. doi:10.1214/12-AOS1008.

    Examples
    --------
    >>> drawn = allocate({"A": 2, "B": 2}, weights_g=[20, 21, 24, 25], cages=[""] * 4, rng=np.random.default_rng(1))
    >>> sorted(drawn.groups), round(drawn.weight_sd_between, 2) < 0.3
    (['A', 'A', 'B', 'B'], True)
    """
    count = len(weights_g)
    if any(size < 1 for size in sizes.values()) or sum(sizes.values()) != count or len(cages) != count:
        listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise ValueError(f"the groups ({listed}) hold {sum(sizes.values())} animals, there are {count}")
    names = list(sizes)
    labels = np.repeat(np.arange(len(names)), [sizes[name] for name in names])
    weights = np.asarray(weights_g, float)
    known = np.isfinite(weights)
    filled = np.where(known, weights, weights[known].mean() if known.any() else 0.0)
    kinds = {cage: number for number, cage in enumerate(dict.fromkeys(cage for cage in cages if cage))}
    caged = np.array([kinds.get(cage, -1) for cage in cages])
    scored = _Balance(filled, caged, np.bincount(labels), len(kinds))
    firsts = sorted(scored.of(rng.permutation(labels)) for _ in range(DRAWS // 2))
    threshold = firsts[max(0, int(ACCEPTED_SHARE * len(firsts)) - 1)]
    seconds = [rng.permutation(labels) for _ in range(DRAWS // 2)]
    scores = [scored.of(one) for one in seconds]
    # equal sums of the same numbers differ by rounding
    good = [number for number, score in enumerate(scores) if score <= threshold * (1 + 1e-9) + 1e-12]
    chosen = seconds[good[0] if good else int(np.argmin(scores))]
    means = {name: float(filled[chosen == number].mean()) for number, name in enumerate(names)}
    spread = float(filled.std())
    between = float(np.std(list(means.values()))) / spread if spread > 0 else math.nan
    used = [word for word, there in (("body weight", spread > 0), ("cage", len(kinds) > 1)) if there]
    balanced = f", balanced by {' and '.join(used)}" if used else ""
    return Allocation(
        groups=tuple(names[int(label)] for label in chosen),
        weight_sd_between=between,
        weight_means_g=means if known.any() else dict.fromkeys(names, math.nan),
        cages_split=scored.cages(chosen) if len(kinds) > 1 else math.nan,
        draws=DRAWS,
        accepted=len(good),
        method=f"rerandomisation{balanced} (Morgan & Rubin 2012; the most balanced {100 * ACCEPTED_SHARE:g} % of random allocations)",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Balance:
    weights: NDArray[np.float64]
    caged: NDArray[np.intp]
    sizes: NDArray[np.intp]
    cage_count: int

    def of(self, labels: NDArray[np.intp]) -> float:
        """How unbalanced an allocation is: 2 on average, 0 at best."""
        total = 0.0
        variance = float(self.weights.var(ddof=1)) if len(self.weights) > 1 else 0.0
        if variance > 0 and len(self.sizes) > 1:
            means = np.bincount(labels, self.weights) / self.sizes
            total += float((self.sizes * (means - self.weights.mean()) ** 2).sum() / variance / (len(self.sizes) - 1))
        return total + (self.cages(labels) if self.cage_count > 1 else 0.0)

    def cages(self, labels: NDArray[np.intp]) -> float:
        """Chi-squared of cage against group over its degrees of freedom."""
        there = self.caged >= 0
        table = np.zeros((self.cage_count, len(self.sizes)))
        np.add.at(table, (self.caged[there], labels[there]), 1.0)
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(table.sum(), 1.0)
        free = max((self.cage_count - 1) * (len(self.sizes) - 1), 1)
        return float(((table - expected) ** 2 / np.maximum(expected, 1e-12)).sum() / free)
