"""What the rows of an animal speak of in its automatic result, tied by place: never silently another lesion.

A row names a lesion or a detection by its number and says where that lies. If the number lies elsewhere, because the automatic
result has changed since, the row goes to what now lies at its place, with a warning; if nothing, or more than one, lies there, it
is refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import DetectionKind
from lampyris.core.lesions import Lesion
from lampyris.core.results import Detection
from lampyris.core.schemas import CurationRow
from lampyris.core.study import Correction, SessionResult
from lampyris.imaging.corrected import PlacedSpot, ViewCorrection
from lampyris.study.curation.contradictions import CURATION_SHEET, PLACE, RECEIVE, Act, contradictions
from lampyris.study.outcomes import DetectionKey, owners

TARGET_REACH_MM = 1.0
"""So near to where its row says must a lesion or detection lie; two detections of a view never lie nearer to each other."""


@dataclass(frozen=True, slots=True)
class Relabelling:
    """What a person says that a source is.

    Parameters
    ----------
    keys : tuple of (session, view, number)
        Detections of the source.
    kind, organ : str
        Empty where nothing is said.
    reason : str
        Why, and who says so.
    """

    keys: tuple[DetectionKey, ...]
    kind: str
    organ: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The corrections of one animal, tied to its automatic result.

    Parameters
    ----------
    sessions : tuple of (str, tuple of ViewCorrection)
        Per session that changes.
    together : tuple of tuple of (session, view, number)
        Detections that are one source.
    merged : tuple of int
        Numbers of the automatic lesions that are part of another.
    relabelled : tuple of Relabelling
    excluded : str
        Why the animal is left out; empty where it is not.
    rows : tuple of Correction
        As applied.
    findings : tuple of Finding
        Rows whose number had changed, images left out.
    """

    sessions: tuple[tuple[str, tuple[ViewCorrection, ...]], ...] = ()
    together: tuple[tuple[DetectionKey, ...], ...] = ()
    merged: tuple[int, ...] = ()
    relabelled: tuple[Relabelling, ...] = ()
    excluded: str = ""
    rows: tuple[Correction, ...] = ()
    findings: tuple[Finding, ...] = ()


class _Target(NamedTuple):
    """What a row speaks of: its detections, the one at its place, and the lesion (0 for none)."""

    keys: tuple[DetectionKey, ...]
    here: DetectionKey
    lesion: int


class _Changes:
    """What the rows amount to, while they are gathered one by one."""

    def __init__(self, sessions: Sequence[SessionResult], lesions: Sequence[Lesion]) -> None:
        self.views = {(one.session, view.view): view.detections for one in sessions for view in one.views}
        self.owned = owners(lesions)
        self.lesions = {lesion.number: lesion for lesion in lesions}
        self.acts: list[Act] = []
        self.findings: list[Finding] = []
        self.corrections: dict[tuple[str, str], ViewCorrection] = {}
        self.together: list[tuple[DetectionKey, ...]] = []
        self.merged: list[int] = []
        self.relabelled: list[Relabelling] = []
        self.rows: list[Correction] = []

    def error(self, rule: str, row: CurationRow, column: str, seen: str, mend: str) -> None:
        self.findings.append(Finding(rule, Severity.ERROR, Place(CURATION_SHEET, row.row, column), seen, mend))

    def correction(self, session: str, view: str) -> ViewCorrection:
        return self.corrections.get((session, view), ViewCorrection(view))

    def change(self, session: str, view: str, **parts: object) -> None:
        self.corrections[session, view] = replace(self.correction(session, view), **parts)  # type: ignore[arg-type]

    def note(self, row: CurationRow, target: str, change: str) -> None:
        self.rows.append(
            Correction(row.animal, row.session, row.view, row.action, target, change, row.reason, row.author, row.time)
        )

    def keys_of(self, lesion: int) -> tuple[DetectionKey, ...]:
        return tuple(
            (sighting.session, view, number)
            for sighting in self.lesions[lesion].sightings
            for view, number in sighting.detections
        )


def resolve(rows: Sequence[CurationRow], sessions: Sequence[SessionResult], lesions: Sequence[Lesion], /) -> Resolved:
    """Tie an animal's rows to its automatic result.

    Parameters
    ----------
    rows : sequence of CurationRow
        Of one animal, checked by `lampyris.study.curation.rules`.
    sessions : sequence of SessionResult
        As found automatically; images are not read.
    lesions : sequence of Lesion
        As followed automatically.

    Returns
    -------
    Resolved
        The same for any order of the rows.

    Raises
    ------
    InputError
        If a row cannot be tied to anything, or rows contradict each other: with every fault.
    """
    ordered = sorted(rows, key=_order)
    whole = next((row for row in ordered if row.action == "exclude animal"), None)
    changes = _Changes(sessions, lesions)
    if whole is not None:
        changes.note(whole, "the animal", "left out of the results")
        reason = f"{whole.reason} ({whole.author}, {whole.time})"
        return Resolved(excluded=reason, rows=tuple(changes.rows))
    for row in ordered:
        _APPLY[row.action](changes, row)
    changes.findings += contradictions(changes.acts)
    errors = [finding for finding in changes.findings if finding.severity == Severity.ERROR]
    if errors:
        count = len(errors)
        raise InputError(f"{count} row{'' if count == 1 else 's'} of {CURATION_SHEET} cannot be applied", errors)
    per_session: dict[str, list[ViewCorrection]] = {}
    for (session, _), one in sorted(changes.corrections.items()):
        per_session.setdefault(session, []).append(_ordered(one))
    return Resolved(
        sessions=tuple((session, tuple(views)) for session, views in sorted(per_session.items())),
        together=tuple(changes.together),
        merged=tuple(sorted(set(changes.merged))),
        relabelled=tuple(changes.relabelled),
        rows=tuple(changes.rows),
        findings=tuple(changes.findings),
    )


def _order(row: CurationRow) -> tuple[str, ...]:
    """By time, then by all that a row says but its line: moving a row in the sheet changes no result."""
    places = (row.lesion, row.detection, row.y_mm, row.x_mm, row.into)
    return (row.time, row.session, row.view, row.action, *map(str, places), row.kind, row.organ, row.author, row.reason)


def _ordered(one: ViewCorrection) -> ViewCorrection:
    gone = set(one.rejected) | {number for number, _ in one.joined}
    return replace(
        one,
        rejected=tuple(sorted(set(one.rejected))),
        relabelled=tuple(sorted({pair for pair in one.relabelled if pair[0] not in gone})),
        moved=tuple(sorted(set(one.moved), key=lambda spot: spot.number)),
        parted=tuple(sorted(set(one.parted))),
        joined=tuple(sorted(set(one.joined))),
    )


def _target(
    changes: _Changes, row: CurationRow, number: float, lesion: bool, place: tuple[float, float], column: str
) -> _Target | None:
    """What lies at the row's place and bears its number, or what lies there now; None, with an error, for neither."""
    at = (row.session, row.view)
    near = [
        one
        for one in changes.views.get(at, ())
        if math.hypot(one.y_mm - place[0], one.x_mm - place[1]) <= TARGET_REACH_MM
    ]
    what = f"{'lesion' if lesion else 'detection'} {number:g}"
    named = [one for one in near if number in _numbers(changes, (*at, one.number), lesion)]
    near = named if len(named) == 1 else near
    if len(near) != 1:
        _refuse(changes, row, what, column, place, near)
        return None
    here: DetectionKey = (*at, near[0].number)
    owning = [one.number for one in changes.owned.get(here, ())]
    if not lesion:
        if near[0].number != number:
            _rematched(changes, row, what, f"detection {near[0].number}", column)
        return _Target((here,), here, owning[0] if len(owning) == 1 else 0)
    if number in owning:
        chosen = int(number)
    elif len(owning) == 1:
        chosen = owning[0]
        _rematched(changes, row, what, f"lesion {chosen}", column)
    else:
        _refuse(changes, row, what, column, place, near)
        return None
    return _Target(changes.keys_of(chosen), here, chosen)


def _numbers(changes: _Changes, key: DetectionKey, lesion: bool) -> list[int]:
    return [one.number for one in changes.owned.get(key, ())] if lesion else [key[2]]


def _own_target(changes: _Changes, row: CurationRow, place: tuple[float, float]) -> _Target | None:
    lesion = math.isfinite(row.lesion)
    number, column = (row.lesion, "lesion") if lesion else (row.detection, "detection")
    return _target(changes, row, number, lesion, place, column)


def _refuse(
    changes: _Changes, row: CurationRow, what: str, column: str, place: tuple[float, float], near: Sequence[Detection]
) -> None:
    there = [f"{one.number} at y {one.y_mm:.1f}, x {one.x_mm:.1f}" for one in near]
    known = changes.views.get((row.session, row.view), ())
    listed = "; ".join(f"{one.number} at y {one.y_mm:.1f}, x {one.x_mm:.1f}" for one in known) or "none"
    seen = f"{what} does not lie at y {place[0]:.1f}, x {place[1]:.1f} mm of {row.session}, {row.view}" + (
        f" alone: detections there are {'; '.join(there)}." if there else ", nor does anything else."
    )
    mend = (
        f"The automatic result has changed since, or the row is mistyped. Detections of this view now: {listed}. "
        "Write the row anew, or remove it."
    )
    changes.error("curation.target-gone", row, column, seen, mend)


def _rematched(changes: _Changes, row: CurationRow, what: str, now: str, column: str) -> None:
    seen = f"where the row has {what} the automatic result now has {now}: the row was applied to that."
    mend = f"Look whether it is the same, and write its number ({now})."
    place = Place(CURATION_SHEET, row.row, column)
    changes.findings.append(Finding("curation.rematched", Severity.WARNING, place, seen, mend))


def _name(row: CurationRow, target: _Target) -> str:
    if math.isfinite(row.lesion) and target.lesion:
        return f"lesion {target.lesion}"
    return f"detection {target.here[2]}"


def _accept(changes: _Changes, row: CurationRow) -> None:
    target = _own_target(changes, row, (row.y_mm, row.x_mm))
    if target is not None:
        changes.acts += [Act(key, "accept", row) for key in target.keys]
        changes.note(row, _name(row, target), "confirmed; no number changes")


def _reject(changes: _Changes, row: CurationRow) -> None:
    target = _own_target(changes, row, (row.y_mm, row.x_mm))
    if target is None:
        return
    shared = [key for key in target.keys if len(changes.owned.get(key, ())) > 1]
    # light that another lesion has a part in stays with that one
    gone = [key for key in target.keys if key not in shared] if math.isfinite(row.lesion) else list(target.keys)
    for session, view, number in gone:
        changes.acts.append(Act((session, view, number), "reject", row))
        changes.change(session, view, rejected=(*changes.correction(session, view).rejected, number))
    kept = f"; {len(shared)} shared with another lesion stay" if shared and len(gone) < len(target.keys) else ""
    changes.note(row, _name(row, target), f"{_count(len(gone), 'detection')} left out{kept}")


def _move(changes: _Changes, row: CurationRow) -> None:
    target = _own_target(changes, row, (row.target_y_mm, row.target_x_mm))
    if target is None:
        return
    session, view, number = target.here
    changes.acts.append(Act(target.here, "move", row))
    changes.acts.append(Act(target.here, PLACE, row))
    kind = _detection(changes, target.here).kind
    placed = PlacedSpot(number, row.y_mm, row.x_mm, str(kind))
    changes.change(session, view, moved=(*changes.correction(session, view).moved, placed))
    apart = math.hypot(row.y_mm - row.target_y_mm, row.x_mm - row.target_x_mm)
    changes.note(row, f"detection {number}", f"moved by {apart:.1f} mm and measured again")


def _split(changes: _Changes, row: CurationRow) -> None:
    target = _own_target(changes, row, (row.target_y_mm, row.target_x_mm))
    if target is None:
        return
    session, view, number = target.here
    changes.acts.append(Act(target.here, "split", row))
    changes.acts.append(Act(target.here, PLACE, row))
    kind = row.kind or str(_detection(changes, target.here).kind)
    new = _new(changes, row, kind)
    changes.change(session, view, parted=(*changes.correction(session, view).parted, number))
    changes.note(row, f"detection {number}", f"part of its light is detection {new} now; both measured again")


def _add(changes: _Changes, row: CurationRow) -> None:
    if (row.session, row.view) not in changes.views:
        changes.error("curation.no-image", row, "view", "this image has no result.", "Correct session and view.")
        return
    new = _new(changes, row, row.kind or DetectionKind.LESION.value)
    if row.kind or row.organ:
        key = (row.session, row.view, new)
        changes.relabelled.append(Relabelling((key,), row.kind, row.organ, f"{row.reason} ({row.author})"))
    changes.note(row, f"detection {new}", f"new at y {row.y_mm:.1f}, x {row.x_mm:.1f} mm, measured")


def _new(changes: _Changes, row: CurationRow, kind: str) -> int:
    """Number of a new detection, after the automatic ones and those added before."""
    before = changes.correction(row.session, row.view)
    taken = [one.number for one in changes.views[row.session, row.view]] + [one.number for one in before.added]
    number = max(taken, default=0) + 1
    changes.change(row.session, row.view, added=(*before.added, PlacedSpot(number, row.y_mm, row.x_mm, kind)))
    return number


def _merge(changes: _Changes, row: CurationRow) -> None:
    target = _own_target(changes, row, (row.y_mm, row.x_mm))
    lesion = math.isfinite(row.lesion)
    other = _target(changes, row, row.into, lesion, (row.target_y_mm, row.target_x_mm), "into")
    if target is None or other is None:
        return
    if target.here == other.here or (lesion and target.lesion == other.lesion):
        changes.error("curation.into-itself", row, "into", "both are one already.", "Remove the row.")
        return
    changes.acts += [Act(key, "merge", row) for key in target.keys]
    changes.acts += [Act(key, RECEIVE, row) for key in other.keys if key not in target.keys]
    into = {key[:2]: key[2] for key in other.keys}
    gone = []
    for session, view, number in target.keys:
        if into.get((session, view), number) != number:
            pair = (number, into[session, view])
            changes.change(session, view, joined=(*changes.correction(session, view).joined, pair))
            gone.append((session, view, number))
    if lesion:
        changes.together.append(tuple(sorted({*target.keys, *other.keys} - set(gone))))
        changes.merged.append(target.lesion)
    one = f"{_count(len(gone), 'pair')} of spots measured as one" if gone else "no image shows both"
    changes.note(row, _name(row, target), f"is one with {_name(row, other)}: {one}")


def _relabel(changes: _Changes, row: CurationRow) -> None:
    target = _own_target(changes, row, (row.y_mm, row.x_mm))
    if target is None:
        return
    keys = changes.keys_of(target.lesion) if target.lesion else target.keys
    changes.acts += [Act(key, "relabel", row) for key in keys]
    changes.relabelled.append(Relabelling(tuple(sorted(keys)), row.kind, row.organ, f"{row.reason} ({row.author})"))
    for session, view, number in keys if row.kind else ():
        pair = (number, row.kind)
        changes.change(session, view, relabelled=(*changes.correction(session, view).relabelled, pair))
    said = [f"{name} {value}" for name, value in (("kind", row.kind), ("organ", row.organ)) if value]
    name = f"lesion {target.lesion}" if target.lesion else _name(row, target)
    changes.note(row, name, f"is now {', '.join(said)}")


def _exclude_image(changes: _Changes, row: CurationRow) -> None:
    views = [view for session, view in changes.views if session == row.session and row.view in ("", view)]
    for view in views:
        changes.change(row.session, view, excluded=True)
    which = f"{row.session}, {' and '.join(views)}"
    seen = f"{row.animal}, {which}: left out by {row.author}: {row.reason}."
    place = Place(CURATION_SHEET, None, "action")
    changes.findings.append(Finding("curation.image-left-out", Severity.NOTE, place, seen, ""))
    changes.note(row, which, f"{_count(len(views), 'image')} left out")


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _detection(changes: _Changes, key: DetectionKey) -> Detection:
    return next(one for one in changes.views[key[0], key[1]] if one.number == key[2])


_APPLY = {
    "accept": _accept,
    "reject": _reject,
    "move": _move,
    "split": _split,
    "merge": _merge,
    "relabel": _relabel,
    "add": _add,
    "exclude image": _exclude_image,
}
