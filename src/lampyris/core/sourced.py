"""`SourcedValue`: a constant that carries where it was read and how far it is to be trusted."""

import math
from dataclasses import dataclass

# how a value was obtained, most trusted first
MARKS = {
    "certified": "by a standards body",
    "printed": "read in a publication or a public test",
    "abstract": "read in the abstract of a publication",
    "quoted": "read in a text that quotes the publication",
    "computed": "from a closed form or an independent program, recomputable",
    "secondary": "read in third-party code that cites the publication",
    "assumed": "chosen here with its reason, wide uncertainty",
    "unseen": "widely known, not read in a source: unverified",
}


@dataclass(frozen=True, slots=True)
class SourcedValue:
    """One value of a constant, as one source gives it.

    Parameters
    ----------
    value, sd : float
        Value and standard uncertainty; where a source gives a range, its middle and half of its width over the square root of 3.
    unit : str
        Unit of both; ``"1"`` for a pure number.
    conditions : str
        Temperature, crystal, medium or whatever else it holds for; empty where nothing was said.
    source : str
        Citation, with DOI where there is one.
    mark : str
        A key of `MARKS`.

    Raises
    ------
    ValueError
        If the mark is unknown, the source or unit is empty, the value is not finite or the uncertainty is negative.

    Examples
    --------
    >>> SourcedValue(1.75, 0.02, "eV", "300 K", "a handbook", "secondary").value
    1.75
    """

    value: float
    sd: float
    unit: str
    conditions: str
    source: str
    mark: str

    def __post_init__(self) -> None:
        if self.mark not in MARKS:
            raise ValueError(f"mark is one of {', '.join(MARKS)}, got {self.mark!r}")
        if not self.unit or not self.source:
            raise ValueError("a constant needs its unit and its source")
        if not math.isfinite(self.value) or not self.sd >= 0:
            raise ValueError(f"needs a finite value and an uncertainty from 0, got {self.value} and {self.sd}")
