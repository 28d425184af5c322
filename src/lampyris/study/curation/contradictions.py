"""Which rows of curation.csv cannot both hold."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import CurationRow

CURATION_SHEET = "curation.csv"
RECEIVE = "receive"
PLACE = "place"
# what one thing cannot have done to it at once; a pair of the same word: not twice, unless the rows say the same
_EXCLUSIVE = (
    {"reject", "accept"},
    {"reject", "move"},
    {"reject", "split"},
    {"reject", "merge"},
    {"reject", "relabel"},
    {"reject", RECEIVE},
    {"reject", PLACE},
    {"merge", "move"},
    {"merge", "split"},
    {"merge", RECEIVE},
    {"move"},
    {"merge"},
    {"relabel"},
)


@dataclass(frozen=True, slots=True)
class Act:
    """What a row does to one thing: a lesion, a detection, a place.

    Parameters
    ----------
    what : hashable
        The thing.
    action : str
        One of `lampyris.core.schemas.ACTIONS`, or `RECEIVE` for what another is merged into, or `PLACE` for what is moved or
        split in one image.
    row : CurationRow
    """

    what: Hashable
    action: str
    row: CurationRow


def contradictions(acts: Iterable[Act], /) -> Iterator[Finding]:
    """Every pair of rows that cannot both hold, once, at the later row."""
    done: dict[Hashable, list[Act]] = defaultdict(list)
    told: set[tuple[int, int]] = set()
    for act in sorted(acts, key=lambda act: act.row.row):
        for before in done[act.what]:
            pair = (before.row.row, act.row.row)
            if pair[0] == pair[1] or pair in told or not _exclude_each_other(before, act):
                continue
            told.add(pair)
            seen = f"{_words(act)}, but row {before.row.row} would {_words(before)}."
            mend = "Keep one of the two rows."
            place = Place(CURATION_SHEET, act.row.row, "action")
            yield Finding("curation.contradiction", Severity.ERROR, place, f"this row would {seen}", mend)
        done[act.what].append(act)


def _exclude_each_other(one: Act, other: Act) -> bool:
    if one.action == other.action:
        return {one.action} in _EXCLUSIVE and _says(one.row) != _says(other.row)
    return {one.action, other.action} in _EXCLUSIVE


def _says(row: CurationRow) -> tuple[str, ...]:
    """What a row orders, without its reason, as text: NaN differs from itself."""
    return tuple(str(value) for value in (row.y_mm, row.x_mm, row.into, row.kind, row.organ))


def _words(act: Act) -> str:
    row = act.row
    if act.action == RECEIVE:
        return "merge another into it"
    what = f"lesion {row.lesion:g}" if row.lesion == row.lesion else f"detection {row.detection:g}"
    return f"{row.action} {what}"
