"""What a comparison is asked to do, and where its values came from."""

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import get_args, get_type_hints

from lampyris.core.errors import UsageError

Omnibus = OneOf["welch", "anova", "kruskal-wallis"]
Pairs = OneOf["", "games-howell", "tukey-kramer", "dunnett", "dunnett-unequal", "dunn"]
Nested = OneOf["refuse", "mean", "mixed"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the values of a comparison came from: for messages and labels.

    Parameters
    ----------
    value, group, subject : str
        Names of the columns; `value` is also the name of the endpoint.
    unit : str
        Unit of the values; "1" for a pure number.
    file : str
        Name of the table; "" where there is none.
    lines : tuple of int
        Line of each row in the file; empty where there is none, then rows count from 1.
    """

    value: str = "value"
    group: str = "group"
    subject: str = "subject"
    unit: str = "1"
    file: str = ""
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """How groups are compared, stated before the values are seen.

    Parameters
    ----------
    test : {"welch", "anova", "kruskal-wallis"}
        The test that answers; the other two are shown beside it.
    pairs : {"", "games-howell", "tukey-kramer", "dunnett", "dunnett-unequal", "dunn"}
        Post hoc comparison. "" takes Games-Howell, or with a control Dunnett's test without equal variances.
    control : str
        Group that every other is compared with; "" compares all pairs. Dunnett's tests need one.
    nested : {"refuse", "mean", "mixed"}
        What is done with several rows of one subject in one group: an error that explains, the mean per subject, or a mixed
        model.
    paired : bool
        Every subject is in both of two groups (conditions).
    level : float
        Coverage of all intervals; ``1 - level`` is also the bound of p for the compact letters.
    experimental_unit : str
        What a subject is: "animal", "fish", "well".
    order : tuple of str
        Groups in the order in which they are shown; empty keeps that of the rows.
    inside : str
        What several rows of one subject are: "region", "section", "image".

    Raises
    ------
    UsageError
        If an option is none of the above.
    """

    test: Omnibus = "welch"
    pairs: Pairs = ""
    control: str = ""
    nested: Nested = "refuse"
    paired: bool = False
    level: float = 0.95
    experimental_unit: str = "subject"
    order: tuple[str, ...] = ()
    inside: str = "row"

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for name in ("test", "pairs", "nested"):
            known = get_args(hints[name])
            if getattr(self, name) not in known:
                named = ", ".join(repr(one) for one in known if one)
                raise UsageError(f"{name} is one of {named}, got {getattr(self, name)!r}")
        if not 0 < self.level < 1:
            raise UsageError(f"level is a probability between 0 and 1, got {self.level}")
        if self.pairs in ("dunnett", "dunnett-unequal") and not self.control:
            raise UsageError(f"{self.pairs} compares with a control: name the control group")
        if self.paired and self.control:
            raise UsageError("a paired comparison has two conditions: order them, no control is needed")

    @property
    def post_hoc(self) -> str:
        """The post hoc comparison, the default resolved."""
        return self.pairs or ("dunnett-unequal" if self.control else "games-howell")
