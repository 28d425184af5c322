"""Tables as data: the page, its sorting and its tab-separated copy all read the same cells."""

import math
from dataclasses import dataclass, field

from lampyris.core.estimate import Estimate
from lampyris.report.links import NOTHING, Link
from lampyris.report.numbers import day_text, estimate_text, number, unit_text

# letters up to which words stay on one line, and beyond which they need a wide column
_BRIEF, _PROSE = 26, 36


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column.

    Parameters
    ----------
    title : str
        What stands there.
    kind : str
        ``text``, ``number``, or ``estimate`` (copied as three columns: value, low, high).
    unit : str
        Unit of all its numbers.
    """

    title: str
    kind: str = "text"
    unit: str = ""

    @property
    def unit_shown(self) -> str:
        """The unit as it is printed."""
        return unit_text(self.unit) if self.unit else ""

    @property
    def copied(self) -> str:
        """Heading of the column in a copied table: of an estimate three, with its interval's ends."""
        head = f"{self.title} ({self.unit})" if self.unit and self.unit != "1" else self.title
        return f"{head}\t{head} low\t{head} high" if self.kind == "estimate" else head


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: the text shown, and the full numbers that sorting and copying use ("" where the text is enough)."""

    text: str
    copied: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row, with the colour class of its arm (-1 for none), whether it stands apart from the rest, and what it is about."""

    cells: tuple[Cell, ...]
    arm: int = -1
    muted: bool = False
    link: Link = NOTHING


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption.

    Parameters
    ----------
    name : str
        Unique within the page.
    caption : str
        What it holds, in a sentence.
    columns : tuple of Column
        Heads.
    rows : tuple of Row
        As many cells as columns each.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...] = field(default=())

    @property
    def styles(self) -> tuple[str, ...]:
        """How each column is set: ``number``; ``brief`` on one line; ``words``; ``prose``, wide enough not to tower."""
        styles = []
        for k, column in enumerate(self.columns):
            longest = max((len(row.cells[k].text) for row in self.rows), default=0)
            words = "brief" if longest <= _BRIEF else "prose" if longest > _PROSE else "words"
            styles.append("number" if column.kind != "text" else words)
        return tuple(styles)


def _plain(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def text_cell(text: str, /) -> Cell:
    """A cell of words."""
    return Cell(text)


def number_cell(value: float, /, *, digits: int = 2) -> Cell:
    """A cell of one number, copied with six digits."""
    return Cell(number(value, digits=digits), _plain(value))


def day_cell(day: float, /) -> Cell:
    """A cell of a day since inoculation."""
    return Cell(day_text(day))


def integer_cell(value: int, /) -> Cell:
    """A cell of a count."""
    return Cell(str(value), str(value))


def estimate_cell(estimate: Estimate, /) -> Cell:
    """A cell of an estimate, copied as value, low and high; its unit stands in the head."""
    copied = "\t".join(_plain(v) for v in (estimate.value, estimate.low, estimate.high))
    return Cell(estimate_text(estimate, unit=False), copied)
