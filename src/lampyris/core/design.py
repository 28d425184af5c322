"""What a comparison stands on: which units were replicated, how many, and what was left out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A unit that was left out, and why.

    Parameters
    ----------
    unit : str
        Name of the unit, such as an animal.
    group : str
        Its group.
    reason : str
        Why.
    """

    unit: str
    group: str
    reason: str


@dataclass(frozen=True, slots=True)
class Design:
    """The design that a result carries.

    Parameters
    ----------
    experimental_unit : str
        What was replicated and can be treated on its own: "animal", "fish", "well".
    groups : tuple of str
        Groups compared, in their order; empty where there are none, as in a correlation.
    n : tuple of int
        Units per group; of a result without groups one number.
    rows : int
        Values read, before anything was averaged.
    within : tuple of str
        Factors that change within a unit, such as "day".
    nested : tuple of str
        What lies inside a unit and is no replicate, such as "region" or "section".
    covariates : tuple of str
        What was adjusted for, such as "cage" or "weight_g".
    lots : tuple of str
        Lots of the probe, where known.
    below_limit : tuple of int
        Values below the detection limit per group, as `groups`; empty where limits do not apply.
    exclusions : tuple of Exclusion
        Units left out.

    Raises
    ------
    ValueError
        If the numbers do not belong to the groups.

    Examples
    --------
    >>> Design("animal", ("dots", "dye"), (5, 5), rows=30, nested=("region",)).sentence()
    'Experimental unit: animal; dots n = 5, dye n = 5; 30 values, region within animal averaged or modelled.'
    """

    experimental_unit: str
    groups: tuple[str, ...]
    n: tuple[int, ...]
    rows: int = 0
    within: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    below_limit: tuple[int, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    def __post_init__(self) -> None:
        if len(self.n) != max(len(self.groups), 1):
            raise ValueError(f"{len(self.groups)} groups need as many numbers of units, got {self.n}")
        if self.below_limit and len(self.below_limit) != len(self.n):
            raise ValueError(f"below_limit needs one number per group, got {self.below_limit}")

    def sentence(self) -> str:
        """What was replicated, for a reader."""
        named = [f"{group} n = {n}" for group, n in zip(self.groups, self.n, strict=False)] or [f"n = {self.n[0]}"]
        inside = (*self.within, *self.nested)
        values = f"; {self.rows} values" if self.rows else ""
        if inside:
            values += f", {' and '.join(inside)} within {self.experimental_unit} averaged or modelled"
        left = f"; left out: {len(self.exclusions)}" if self.exclusions else ""
        return f"Experimental unit: {self.experimental_unit}; {', '.join(named)}{values}{left}."


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test as it is reported.

    Parameters
    ----------
    name : str
        Name of the test with its variant, such as "Welch's analysis of variance".
    symbol : str
        Symbol of the statistic: "F", "t", "H", "chi2", "W".
    statistic : float
        Its value.
    df : tuple of float
        Degrees of freedom; empty where it has none.
    p : float
        Probability of a statistic at least as extreme if the null hypothesis holds.
    null : str
        The hypothesis, such as "all means are equal".
    role : str
        ``primary`` the answer; ``assumption`` a check that informs; ``beside`` another test shown for comparison.
    note : str
        What a reader must know; empty where nothing.
    """

    # not a test of this package, whatever pytest thinks of its name
    __test__ = False

    name: str
    symbol: str
    statistic: float
    df: tuple[float, ...]
    p: float
    null: str = ""
    role: str = "primary"
    note: str = ""
