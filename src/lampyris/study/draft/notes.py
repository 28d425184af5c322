"""What a draft says of every value it holds: where it comes from, how sure it is, and what a person should do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lampyris.core.schemas import Column
from lampyris.io.settings import UNFILLED

Source = Literal["metadata", "name", "estimated", "assumed"]
Confidence = Literal["high", "medium", "low"]


DRAFT_SHEET = "draft.csv"

DRAFT_COLUMNS: tuple[Column, ...] = (
    Column("field", "text", True, "key of study.toml, or sheet and column"),
    Column("value", "text", False, "what was drafted; several values are listed"),
    Column(
        "source",
        "choice",
        True,
        "where it comes from",
        choices=("metadata", "name", "estimated", "assumed"),
    ),
    Column("confidence", "choice", True, "how sure the draft is", choices=("high", "medium", "low")),
    Column("do", "text", False, "what a person should do"),
    Column("confirmed", "flag", False, "yes where a person has looked and agrees: the check is then silent"),
)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A drafted value.

    Parameters
    ----------
    field : str
        Dotted key of study.toml, or sheet and column as in ``samplesheet.csv day``.
    value : str
        What was drafted; `UNFILLED` where a person must fill it.
    source : str
        ``metadata``, ``name``, ``estimated`` or ``assumed``.
    confidence : str
        ``high``, ``medium`` or ``low``.
    do : str
        What a person should do; "" where nothing.
    confirmed : bool
        False in a draft.
    """

    field: str
    value: str
    source: Source
    confidence: Confidence
    do: str = ""
    confirmed: bool = False

    @property
    def to_fill(self) -> bool:
        """Only a person knows it."""
        return self.value == UNFILLED

    @property
    def to_confirm(self) -> bool:
        """A guess that a person should look at."""
        return not self.to_fill and self.confidence == "low"

    @property
    def remark(self) -> str:
        """Beside the key in study.toml."""
        if self.to_fill:
            return f"FILL IN: {self.do}"
        return f"[{self.source}, {self.confidence}] {self.do}".rstrip()


class Notebook:
    """Collects what is drafted while it is drafted; one note per field and value."""

    def __init__(self) -> None:
        self._notes: list[Drafted] = []

    def note(self, field: str, value: object, source: Source, confidence: Confidence, do: str = "") -> None:
        """Write down a value."""
        self._notes.append(Drafted(field, shown(value), source, confidence, do))

    def settle(self, field: str, entries: Iterable[tuple[object, Source, Confidence, str]], /) -> None:
        """Write down a column's values, one note per source, confidence and advice."""
        kinds: dict[tuple[Source, Confidence, str], dict[str, int]] = {}
        for value, source, confidence, do in entries:
            counts = kinds.setdefault((source, confidence, do), {})
            counts[shown(value)] = counts.get(shown(value), 0) + 1
        for (source, confidence, do), counts in kinds.items():
            listed = list(counts)
            text = ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
            rows = sum(counts.values())
            self.note(field, f"{text} ({rows} row{'' if rows == 1 else 's'})", source, confidence, do)

    @property
    def notes(self) -> tuple[Drafted, ...]:
        """All of them, in the order in which they were written."""
        return tuple(dict.fromkeys(self._notes))


def shown(value: object) -> str:
    """A value as a sheet shows it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
