"""Compiled steps of the population balance: the same law as `lampyris.probe.growth.population`, over one stretch of a batch.

A stretch is the time between two events (an injection, a time that is asked for). Cubes of radii move by Heun's rule with a bound
on the error of each; nuclei of a step join as one class, with the mean of the rates at its ends and the growth of its half.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
SPHERE = 4.0 * math.pi / 3.0
STEP_TOLERANCE = 2e-4
"""Relative error of a radius that one step may make."""
EXCESS_SHARE = 0.02
"""Share of the excess over the solubility that the error of a step may reach: it is what drives ripening."""
NUCLEATION_PARTS = 100.0
"""While dots form, a step may change free monomer by one of so many parts, so that classes stay fine."""
CLASS_NM = 0.01
"""And nuclei of one step and of the next lie no further apart in radius."""
FEWEST = 200
"""Classes below which each of a continuous population is split in two, so that ripening does not come down to a handful."""
LEAST_NM = 0.25
"""Radius of about a formula unit: below it there is no dot."""
# places of the constants in the array that the kernels take
VOLUME, DIFFUSION, REACTION, SOLUBILITY, CAPILLARY_K, PREFACTOR = 0, 1, 2, 3, 4, 5
DIFFUSION_K, REACTION_K, SOLUTION_K, REFERENCE_K, DISSOLVES, LINEAR, SUPPLY_S = 6, 7, 8, 9, 10, 11, 12
TOLERANCE, PARTS, SPLIT_BELOW = 13, 14, 15
CONSTANTS = 16
# rows of the working array
_OWN, _NUMBER, _FIRST, _SECOND, _AHEAD = 0, 1, 2, 3, 4


@njit(cache=True, nogil=True)
def _temperature(time_s: float, knots: Array) -> float:
    """Temperature in K between knots, dims (time or temperature, knot)."""
    if time_s <= knots[0, 0]:
        return knots[1, 0]
    for k in range(1, knots.shape[1]):
        if time_s <= knots[0, k]:
            share = (time_s - knots[0, k - 1]) / (knots[0, k] - knots[0, k - 1])
            return knots[1, k - 1] + share * (knots[1, k] - knots[1, k - 1])
    return knots[1, -1]


@njit(cache=True, nogil=True)
def _at(constants: Array, temperature_k: float) -> tuple[float, float, float, float]:
    """Diffusion, surface rate, solubility and capillary length at a temperature."""
    step = 1.0 / constants[REFERENCE_K] - 1.0 / temperature_k
    return (
        constants[DIFFUSION] * math.exp(constants[DIFFUSION_K] * step),
        constants[REACTION] * math.exp(constants[REACTION_K] * step),
        constants[SOLUBILITY] * math.exp(constants[SOLUTION_K] * step),
        constants[CAPILLARY_K] / temperature_k,
    )


@njit(cache=True, nogil=True)
def speeds(cubes: Array, monomer: float, constants: Array, temperature_k: float, out: Array) -> None:
    """Rates of cubes of radii, dims (class,), which stay finite where a dot vanishes."""
    diffusion, reaction, solubility, capillary = _at(constants, temperature_k)
    linear = constants[LINEAR] > 0.0
    floor = 0.125 * constants[DISSOLVES]
    for k in range(cubes.size):
        radius = np.cbrt(max(cubes[k], floor))
        reach = capillary / radius
        own = solubility * (1.0 + reach if linear else math.exp(min(reach, 60.0)))
        rate = constants[VOLUME] * (monomer - own) / (radius / diffusion + 1.0 / reaction)
        out[k] = 3.0 * radius * radius * rate


@njit(cache=True, nogil=True)
def _free(cubes: Array, numbers: Array, total: float, volume: float) -> float:
    """Free monomer: what the crystals leave of what has been supplied."""
    crystal = 0.0
    for k in range(cubes.size):
        crystal += numbers[k] * cubes[k]
    return total - SPHERE * crystal / volume


@njit(cache=True, nogil=True)
def supplied(supply: Array, after_s: float, constants: Array) -> float:
    """Monomer that is there, free or in crystals, some time after the start of a stretch."""
    tau = constants[SUPPLY_S]
    return supply[0] + (supply[1] * (1.0 - math.exp(-after_s / tau)) if tau > 0.0 else supply[1])


@njit(cache=True, nogil=True)
def nuclei(monomer: float, constants: Array, temperature_k: float) -> tuple[float, float]:
    """Nuclei per nm3 and second, and their radius."""
    _, _, solubility, capillary = _at(constants, temperature_k)
    above = monomer / solubility
    if above <= 1.0:
        return 0.0, math.inf
    critical = capillary / math.log(above)
    barrier = SPHERE * critical**2 * capillary / (2.0 * constants[VOLUME])
    return constants[PREFACTOR] * math.exp(-min(barrier, 700.0)), max(1.1 * critical, 1.01 * LEAST_NM)


@njit(cache=True, nogil=True)
def _mean_cube(cubes: Array, numbers: Array) -> float:
    total, weighted = 0.0, 0.0
    for k in range(cubes.size):
        total += numbers[k]
        weighted += numbers[k] * cubes[k]
    return weighted / total if total > 0.0 else 1.0


@njit(cache=True, nogil=True)
def _without_dissolved(work: Array, count: int, least: float) -> int:
    """Close the gaps that vanished classes leave; their monomer is free by the balance."""
    kept = 0
    for k in range(count):
        if work[_OWN, k] > least:
            work[_OWN, kept], work[_NUMBER, kept] = work[_OWN, k], work[_NUMBER, k]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _nucleating_s(
    work: Array, count: int, monomer: float, born: tuple[float, float], coming: float, constants: Array, hot: float
) -> float:
    """Longest step while dots form: by what free monomer changes (`coming` is its supply), and by how far nuclei grow meanwhile."""
    rate, radius = born
    present, taken = 0.0, 0.0
    for k in range(count):
        present += work[_NUMBER, k]
        taken += work[_NUMBER, k] * work[_FIRST, k]
    if rate < 1e-30 or rate * 1e3 < 1e-6 * present:
        return math.inf
    change = abs(SPHERE * (taken + rate * radius**3) / constants[VOLUME] - coming)
    longest = monomer / (constants[PARTS] * change) if change > 0.0 else math.inf
    # a little above the size of a nucleus, which itself hardly grows
    one, speed = np.empty(1), np.empty(1)
    one[0] = (1.2 * radius) ** 3
    speeds(one, monomer, constants, hot, speed)
    if speed[0] > 0.0:
        longest = min(longest, CLASS_NM * 3.0 * (1.2 * radius) ** 2 / speed[0])
    return longest


@njit(cache=True, nogil=True)
def _attempt(
    work: Array, count: int, length: float, given: float, excess: float, constants: Array, temperature_k: float
) -> tuple[float, float]:
    """One step of Heun's rule into the row ahead: its error over what is allowed, and the monomer after it."""
    own, number, first = work[_OWN, :count], work[_NUMBER, :count], work[_FIRST, :count]
    second, ahead = work[_SECOND, :count], work[_AHEAD, :count]
    for k in range(count):
        ahead[k] = own[k] + length * first[k]
    guessed = _free(ahead, number, given, constants[VOLUME])
    for k in range(count):
        ahead[k] = max(ahead[k], 0.0)
    speeds(ahead, _free(ahead, number, given, constants[VOLUME]), constants, temperature_k, second)
    # a class that is about to vanish may be as wrong as it is small
    scale = 0.3 * max(_mean_cube(own, number), LEAST_NM**3)
    worst = 0.0
    for k in range(count):
        worst = max(worst, abs(second[k] - first[k]) * length / (6.0 * max(own[k], scale)))
        ahead[k] = own[k] + 0.5 * length * (first[k] + second[k])
    after = _free(ahead, number, given, constants[VOLUME])
    return max(worst / constants[TOLERANCE], abs(guessed - after) / (EXCESS_SHARE * excess)), after


@njit(cache=True, nogil=True)
def _with_nuclei(
    work: Array, count: int, length: float, born: tuple[float, float], now: tuple[float, float], constants: Array
) -> int:
    """Add the nuclei of a step as a class, if there are any.

    `born` is their rate and radius at the step's start, `now` monomer and temperature at its end. The class has the mean rate and
    has grown for half of the step; it may take a fifth of the free monomer at most.
    """
    rate, radius = nuclei(now[0], constants, now[1])
    present = 0.0
    for k in range(count):
        present += work[_NUMBER, k]
    number = 0.5 * length * (rate + born[0])
    if number <= 1e-9 * max(present, 1e-15):
        return count
    if born[0] > 0.0:
        radius = 0.5 * (radius + born[1]) if rate > 0.0 else born[1]
    one = work[_OWN, count : count + 1]
    one[0] = radius**3
    speeds(one, now[0], constants, now[1], work[_FIRST, count : count + 1])
    one[0] = max(one[0] + 0.5 * length * work[_FIRST, count], 1.001 * constants[DISSOLVES])
    work[_NUMBER, count] = min(number, 0.2 * now[0] * constants[VOLUME] / (SPHERE * one[0]))
    return count + 1


@njit(cache=True, nogil=True)
def _heun(
    work: Array, count: int, longest: float, span: Array, supply: Array, constants: Array, knots: Array
) -> tuple[float, float, float]:
    """The longest step from `span` that is within bounds: its length, its error over what is allowed, and the monomer after it."""
    hot = _temperature(span[1], knots)
    given = supplied(supply, span[1] - span[0], constants)
    monomer = _free(work[_OWN, :count], work[_NUMBER, :count], given, constants[VOLUME])
    excess = abs(monomer - _at(constants, hot)[2]) + 1e-12
    length = longest
    while True:
        warm = _temperature(span[1] + length, knots)
        given = supplied(supply, span[1] + length - span[0], constants)
        worst, after = _attempt(work, count, length, given, excess, constants, warm)
        if (worst <= 1.0 and after >= 0.0) or length < 1e-12:
            return length, worst, after
        length *= max(0.2, 0.85 / math.sqrt(worst)) if worst > 1.0 else 0.3


@njit(cache=True, nogil=True)
def _wider(work: Array, count: int, needed: int) -> Array:
    """The working array with room for as many classes as are needed and one more."""
    if needed < work.shape[1]:
        return work
    wide = np.empty((5, 2 * needed + 1))
    # one by one: a slice that is given a value compiles for as long as all else
    for row in range(5):
        for k in range(count):
            wide[row, k] = work[row, k]
    return wide


@njit(cache=True, nogil=True)
def _split(work: Array, count: int) -> int:
    """Split every class into the halves of its cell in cubes of radii, which keeps number and volume as they are."""
    # small counts, and compiled faster than a general sort
    for k in range(1, count):
        at = k
        while at > 0 and work[_OWN, at - 1] > work[_OWN, at]:
            for row in (_OWN, _NUMBER):
                work[row, at - 1], work[row, at] = work[row, at], work[row, at - 1]
            at -= 1
    for k in range(count):
        below, above = max(k - 1, 0), min(k + 1, count - 1)
        work[_FIRST, k] = 0.25 * (work[_OWN, above] - work[_OWN, below]) / (above - below)
    for k in range(count - 1, -1, -1):
        cube, number, quarter = work[_OWN, k], work[_NUMBER, k], work[_FIRST, k]
        work[_OWN, 2 * k], work[_OWN, 2 * k + 1] = cube - quarter, cube + quarter
        work[_NUMBER, 2 * k], work[_NUMBER, 2 * k + 1] = 0.5 * number, 0.5 * number
    return 2 * count


@njit(cache=True, nogil=True)
def follow(
    population: Array, span: Array, supply: Array, constants: Array, knots: Array, limits: Array
) -> tuple[Array, float, int]:
    """Follow a population over one stretch.

    Parameters
    ----------
    population : ndarray, dims (cube or number, class)
        Cubes of radii in nm3, and numbers per nm3.
    span : ndarray, dims (2,)
        Start and end in s.
    supply : ndarray, dims (2,)
        Monomer per nm3, free or in crystals, at the start; and what a precursor has yet to give.
    constants : ndarray, dims (constant,)
        In the order of the names of this module.
    knots : ndarray, dims (time or temperature, knot)
        In s and K.
    limits : ndarray, dims (3,)
        Proposal of the first step in s, whether dots may form, most steps.

    Returns
    -------
    ndarray, float, int
        The population at the end, a proposal for the next step, and the steps taken; where they do not do, the time that was
        reached and -1.
    """
    now, proposal, forming, steps = span[0], limits[0], limits[1] > 0.0, 0
    count = population.shape[1]
    work = np.empty((5, max(256, 2 * count)))
    for k in range(count):
        work[_OWN, k], work[_NUMBER, k] = population[0, k], population[1, k]
    here = span.copy()
    while now < span[1]:
        if steps >= limits[2]:
            return work[:2, :count].copy(), now, -1
        here[1] = now
        hot = _temperature(now, knots)
        monomer = _free(
            work[_OWN, :count], work[_NUMBER, :count], supplied(supply, now - span[0], constants), constants[VOLUME]
        )
        speeds(work[_OWN, :count], monomer, constants, hot, work[_FIRST, :count])
        born = nuclei(monomer, constants, hot) if forming else (0.0, math.inf)
        length = min(proposal, span[1] - now)
        if born[0] > 1e-30:
            coming = 0.0
            if constants[SUPPLY_S] > 0.0:
                coming = supply[1] / constants[SUPPLY_S] * math.exp(-(now - span[0]) / constants[SUPPLY_S])
            length = min(length, _nucleating_s(work, count, monomer, born, coming, constants, hot))
        if constants[SUPPLY_S] > 0.0:
            # what comes in a step must not outrun the dots
            length = min(length, 0.02 * constants[SUPPLY_S])
        length, worst, after = _heun(work, count, length, here, supply, constants, knots)
        for k in range(count):
            work[_OWN, k] = work[_AHEAD, k]
        if forming:
            count = _with_nuclei(work, count, length, born, (after, _temperature(now + length, knots)), constants)
            work = _wider(work, count, count)
        kept = _without_dissolved(work, count, constants[DISSOLVES])
        if 2 < kept < min(float(count), constants[SPLIT_BELOW]):
            work = _wider(work, kept, 2 * kept)
            kept = _split(work, kept)
        count = kept
        steps += 1
        proposal = length * (min(2.0, 0.85 / math.sqrt(worst)) if worst > 0.0 else 2.0)
        now = span[1] if span[1] - now - length < 1e-12 * span[1] else now + length
    return work[:2, :count].copy(), proposal, steps
