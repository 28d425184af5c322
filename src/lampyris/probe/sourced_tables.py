"""Tables of constants of this room: rows with a value, its uncertainty, unit, conditions, source and mark."""

import csv
import io
import math
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

import numpy as np
from scipy.special import ndtri

from lampyris.core.estimate import Estimate
from lampyris.core.sourced import SourcedValue


@lru_cache(maxsize=16)
def table_rows(name: str, /) -> tuple[dict[str, str], ...]:
    """Rows of ``data/NAME``, a CSV file with remarks after ``#``."""
    text = resources.files("lampyris.probe").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line for line in io.StringIO(text) if line.strip() and not line.startswith("#")]
    return tuple(csv.DictReader(lines))


def sourced(row: dict[str, str], /) -> SourcedValue:
    """Constant of a row with the columns value, sd, unit, conditions, source and mark."""
    return SourcedValue(
        float(row["value"]), float(row["sd"]), row["unit"], row["conditions"], row["source"], row["mark"]
    )


def pooled(values: Iterable[SourcedValue], /, *, level: float = 0.95) -> Estimate:
    """One number from the sources of a constant: their mean, with their own uncertainty and their disagreement.

    The variance is the mean of the sources' own variances plus the variance between their values, so that sources that
    disagree never look surer than one of them.

    Raises
    ------
    ValueError
        If there is no source or their units differ.

    Examples
    --------
    >>> one = SourcedValue(20.0, 3.0, "meV", "", "somebody 2001", "printed")
    >>> other = SourcedValue(28.0, 3.0, "meV", "", "somebody else 2002", "printed")
    >>> pooled([one, other]).value, pooled([one, other]).sd
    (24.0, 5.0)
    """
    sources = tuple(values)
    units = {one.unit for one in sources}
    if len(units) != 1:
        raise ValueError(f"sources need one unit, got {sorted(units) or 'no source'}")
    numbers = np.array([one.value for one in sources])
    own = np.array([one.sd for one in sources])
    value = float(numbers.mean())
    sd = math.sqrt(float((own**2).mean() + numbers.var()))
    half = float(ndtri(0.5 + level / 2)) * sd
    marks = ", ".join(sorted({one.mark for one in sources}))
    count = "1 source" if len(sources) == 1 else f"{len(sources)} sources"
    return Estimate(value, sd, value - half, value + half, level, units.pop(), f"{count} ({marks})")
