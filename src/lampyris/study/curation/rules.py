"""Rules of curation.csv that need no result: whom a row speaks of, what it must say, and what contradicts it."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import CurationRow
from lampyris.io.mends import did_you_mean
from lampyris.study.curation.contradictions import CURATION_SHEET, PLACE, RECEIVE, Act, contradictions
from lampyris.study.rules.sheets import SHEET, SHEET_ANIMALS, Sheets

# what a row of an action must fill in besides animal, reason, author and time; a lesion or a detection stands for "target"
_PLACE = ("y_mm", "x_mm")
_TARGET_PLACE = ("target_y_mm", "target_x_mm")
NEEDED: dict[str, tuple[str, ...]] = {
    "accept": ("session", "view", "target", *_PLACE),
    "reject": ("session", "view", "target", *_PLACE),
    "move": ("session", "view", "target", *_PLACE, *_TARGET_PLACE),
    "split": ("session", "view", "target", *_PLACE, *_TARGET_PLACE),
    "merge": ("session", "view", "target", *_PLACE, "into", *_TARGET_PLACE),
    "relabel": ("session", "view", "target", *_PLACE),
    "add": ("session", "view", *_PLACE),
    "exclude image": ("session",),
    "exclude animal": (),
}
_CELLS = ("session", "view", "lesion", "detection", *_PLACE, "into", "kind", "organ", *_TARGET_PLACE)
_ALLOWED: dict[str, tuple[str, ...]] = {
    "move": ("lesion", "detection"),
    "split": ("lesion", "detection"),
    "accept": ("lesion", "detection"),
    "reject": ("lesion", "detection"),
    "merge": ("lesion", "detection"),
    "relabel": ("lesion", "detection", "kind", "organ"),
    "add": ("kind", "organ"),
    "exclude image": ("view",),
    "exclude animal": (),
}
_WHERE_FROM = "copy it from tables/detections.csv, or take the row from the report's viewer"


def is_filled(value: str | float, /) -> bool:
    """Whether a cell holds anything."""
    return value != "" if isinstance(value, str) else math.isfinite(value)


def _error(rule: str, row: CurationRow, column: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, Place(CURATION_SHEET, row.row, column), seen, mend)


def _warning(rule: str, row: CurationRow, column: str, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.WARNING, Place(CURATION_SHEET, row.row, column), seen, mend)


def check_curated_names(sheets: Sheets, /) -> Iterator[Finding]:
    """Animals, sessions and views are in the sample sheet; organs are those of the animal model."""
    if not sheets.curation or not sheets.whole:
        return
    views: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for sample in sheets.samples:
        views[sample.animal][sample.session].add(sample.view)
    for row in sheets.curation:
        if row.animal not in views:
            seen = f"there is no animal {row.animal!r} in {SHEET}."
            yield _error("curation.unknown-animal", row, "animal", seen, _known(row.animal, list(views)))
        elif row.session and row.session not in views[row.animal]:
            seen = f"{row.animal} has no session {row.session!r}."
            yield _error("curation.unknown-session", row, "session", seen, _known(row.session, list(views[row.animal])))
        elif row.session and row.view and row.view not in views[row.animal][row.session]:
            seen = f"{row.animal}, {row.session} has no {row.view} view."
            mend = _known(row.view, sorted(views[row.animal][row.session]))
            yield _error("curation.unknown-view", row, "view", seen, mend)
    yield from _check_organs(sheets)


def _check_organs(sheets: Sheets) -> Iterator[Finding]:
    named = [row for row in sheets.curation if row.organ]
    if named:
        # the anatomy takes a moment to import
        from lampyris.tissue.anatomy import organ_names

        organs = [*organ_names(), "subcutis"]
        for row in named:
            if row.organ not in organs:
                seen = f"the animal model has no organ {row.organ!r}."
                yield _error("curation.unknown-organ", row, "organ", seen, _known(row.organ, organs))


def _known(word: str, known: list[str]) -> str:
    near = did_you_mean(word, known)
    return f"Write {near}." if near else f"Known are: {', '.join(known)}."


def check_curated_cells(sheets: Sheets, /) -> Iterator[Finding]:
    """A row says all that its action needs, and nothing that it has no use for."""
    for row in sheets.curation:
        needed = NEEDED.get(row.action)
        if needed is None:
            continue
        for column in needed:
            if column == "target":
                if not is_filled(row.lesion) and not is_filled(row.detection):
                    seen = f"{row.action} needs a lesion or a detection."
                    mend = "Fill in its number as the automatic result has it; lesion for all days, detection for one view."
                    yield _error("curation.no-target", row, "lesion", seen, mend)
            elif not is_filled(getattr(row, column)):
                seen = f"{row.action} needs {column}."
                yield _error("curation.incomplete", row, column, seen, f"Fill it in: {_mend_of(row, column)}.")
        if row.action == "relabel" and not row.kind and not row.organ:
            yield _error(
                "curation.incomplete", row, "kind", "relabel needs a kind or an organ.", "Fill in one of them."
            )
        spare = [
            column
            for column in _CELLS
            if column not in needed and column not in _ALLOWED[row.action] and is_filled(getattr(row, column))
        ]
        if spare:
            seen = f"{row.action} has no use for {', '.join(spare)}."
            mend = "Empty the cell, or choose the action that was meant."
            yield _error("curation.no-use", row, spare[0], seen, mend)


def _mend_of(row: CurationRow, column: str) -> str:
    if column in _TARGET_PLACE:
        what = "what it is merged into" if row.action == "merge" else "it"
        return f"where {what} lies in the automatic result ties the row to it; {_WHERE_FROM}"
    if column in _PLACE and row.action not in ("move", "split", "add"):
        return f"where it lies in the automatic result ties the row to it; {_WHERE_FROM}"
    if column in _PLACE:
        return "the new place, down and right from the view's first pixel, in mm"
    if column == "into":
        return "the number of what it is merged into"
    return "in which image it is seen" if column in ("session", "view") else "see the columns' meaning"


def check_curated_contradictions(sheets: Sheets, /) -> Iterator[Finding]:
    """Rows that cannot both hold, as far as their numbers tell; what they speak of is looked up when it is known."""
    acts = []
    for row in sheets.curation:
        if is_filled(row.lesion):
            what: tuple[str | float, ...] = (row.animal, row.lesion)
        else:
            what = (row.animal, row.session, row.view, row.detection)
        if is_filled(row.lesion) or is_filled(row.detection):
            # a lesion's spot lies elsewhere in every image
            where = (*what, row.session, row.view) if row.action in ("move", "split") else what
            acts.append(Act(where, row.action, row))
            if where != what:
                acts.append(Act(what, PLACE, row))
        if row.action == "merge" and is_filled(row.into):
            acts.append(Act((*what[:-1], row.into), RECEIVE, row))
            if row.into == what[-1]:
                seen = "it would be merged into itself."
                yield _error("curation.into-itself", row, "into", seen, "Write the number of the other.")
    yield from contradictions(acts)


def check_curated_exclusions(sheets: Sheets, /) -> Iterator[Finding]:
    """Not every image of an animal is excluded one by one, and no row speaks of what is excluded."""
    images: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for sample in sheets.samples:
        images[sample.animal].add((sample.session, sample.view))
    listed = {entry.animal for entry in sheets.animals if entry.excluded}
    out: dict[str, list[CurationRow]] = defaultdict(list)
    for row in sheets.curation:
        if row.action == "exclude image":
            out[row.animal].append(row)
    gone = {row.animal: row for row in sheets.curation if row.action == "exclude animal"}
    for row in sheets.curation:
        if row.animal in listed:
            seen = f"{row.animal} is excluded in {SHEET_ANIMALS}: this row is not used."
            yield _warning("curation.not-used", row, "animal", seen, "Remove the row, or include the animal again.")
        elif row.animal in gone and row is not gone[row.animal]:
            seen = f"{row.animal} is excluded on row {gone[row.animal].row}: this row is not used."
            yield _warning("curation.not-used", row, "action", seen, "Remove one of the two.")
        elif row.action != "exclude image" and row.session:
            for other in out[row.animal]:
                if other.session == row.session and other.view in ("", row.view):
                    seen = f"the image is excluded on row {other.row}: this row has nothing to work on."
                    yield _error("curation.image-excluded", row, "view", seen, "Keep one of the two rows.")
    for animal, rows in out.items():
        left = {
            (session, view)
            for session, view in images[animal]
            if not any(row.session == session and row.view in ("", view) for row in rows)
        }
        if images[animal] and not left and animal not in gone and sheets.whole:
            seen = f"no image of {animal} is left."
            mend = "Write one row with the action exclude animal instead."
            yield _error("curation.nothing-left", rows[-1], "action", seen, mend)
    yield from _twice_excluded(gone, sheets)


def _twice_excluded(gone: dict[str, CurationRow], sheets: Sheets) -> Iterator[Finding]:
    for animal in gone:
        rows = [row for row in sheets.curation if row.animal == animal and row.action == "exclude animal"]
        for before, row in pairwise(rows):
            seen = f"{animal} is excluded on row {before.row} already."
            yield _error("curation.contradiction", row, "action", seen, "Keep one of the two rows.")


CURATION_RULES: tuple[Callable[[Sheets], Iterator[Finding]], ...] = (
    check_curated_names,
    check_curated_cells,
    check_curated_contradictions,
    check_curated_exclusions,
)
