"""Power where several regions, sections or days are measured in each animal: the animal stays the unit.

References
----------
Killip, Mahfoud & Pearce 2004, Ann Fam Med 2:204, doi:10.1370/afm.141: design effect.
Lazic et al. 2018, PLoS Biol 16:e2005282, doi:10.1371/journal.pbio.2005282: pseudo-replication.
"""

import math

from lampyris.statistics.power.means import two_sample_power


def design_effect(inside: float, correlation: float, /) -> float:
    """How many times more values are needed because those of an animal are alike.

    Parameters
    ----------
    inside : float
        Values per animal.
    correlation : float
        Within animals: between-animal variance over the sum of both.

    Returns
    -------
    float

    Examples
    --------
    >>> round(design_effect(6, 0.5), 6)
    3.5
    """
    return 1 + (inside - 1) * correlation


def within_animal_correlation(sd_between: float, sd_within: float, /) -> float:
    """Correlation of values of one animal."""
    return sd_between**2 / (sd_between**2 + sd_within**2)


def nested_power(
    n: tuple[float, float],
    difference: float,
    sd_between: float,
    sd_within: float,
    inside: float,
    /,
    *,
    alpha: float = 0.05,
) -> float:
    """Power of a mixed model with a random animal, or, what is the same in a balanced design, of a test of animal means.

    Parameters
    ----------
    n : (float, float)
        Animals per group.
    difference : float
        Of the groups' means.
    sd_between, sd_within : float
        Spread of the animals, and of the values of one.
    inside : float
        Values per animal, as many in each.
    alpha : float

    Returns
    -------
    float
        More values per animal wear off `sd_within` alone: against `sd_between` only animals help.

    Examples
    --------
    >>> [round(nested_power((6, 6), 1.0, 0.6, 0.6, inside), 2) for inside in (1, 4, 100)]
    [0.45, 0.64, 0.74]
    """
    sd = math.sqrt(sd_between**2 + sd_within**2 / inside)
    return two_sample_power(n, difference, sd, alpha=alpha)
