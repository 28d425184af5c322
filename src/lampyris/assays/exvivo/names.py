"""Which outline is whose organ: by place on the tray, row by row, by a given position, or by a person's own name for it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from lampyris.assays.exvivo.census import FLAT, Reader, Reading
from lampyris.assays.exvivo.outlines import Segment
from lampyris.assays.exvivo.partings import Judge, Lump
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import OrganRow
from lampyris.io.mends import did_you_mean

SHEET_ORGANS = "organs.csv"
# organs of a row lie beside each other by this share of the lower one's height; between rows by less than the other
SAME_ROW, OTHER_ROW = 0.5, 0.25
# a given position lies on its organ, or this near to it
NEAR_MM = 4.0
ORGAN_G_PER_ML = 1.05
# mean height over the cube root of the volume that an organ may have; a doubtful cut must fit more closely
LONE_FLATNESS, TOUCHING_FLATNESS = (0.2, 1.4), (0.3, 1.15)
# beyond this the weight is off by half as much again as the flattest and the highest organ would need
POSSIBLE_FLATNESS = (0.15, 1.85)
# the middle of organs of a mouse on a tray, and the spread of the logarithm
USUAL_FLATNESS, USUAL_LOG_SD = 0.65, 0.25
# of weights one in a hundred is off by any factor
WRONG_WEIGHT = 0.01
# rows may have been exchanged where outlines and weights are so many times likelier then: with one tray in a hundred on which two of
# its hundred pairs of rows are, one in twenty of such cases
EXCHANGE_ODDS = 500.0
# of two exchanges that explain an outline, the one that is less likely by more is none
RIVAL_ODDS = 20.0
# with more of a tray's organs at odds no name is sure
MOST_WRONG = 1.0 / 3.0


def name_organs(
    segments: Sequence[Segment], rows: Sequence[OrganRow], /, *, pixel_mm: float, file: str = ""
) -> tuple[tuple[OrganRow, Segment, int], ...]:
    """Tie each row of organs.csv to its outline.

    Parameters
    ----------
    segments : sequence of Segment
        As many as there are rows.
    rows : sequence of OrganRow
        Of this tray: all with a place, or all with a position; an outline that a person named goes by that name.
    pixel_mm : float
    file : str
        Of the tray, for messages.

    Returns
    -------
    tuple of (OrganRow, Segment, int)
        With its place on the tray, from 1; in the order of the places.

    Raises
    ------
    ImageError
        If numbers differ, names are unknown or doubled, rows of organs run into each other, or positions are ambiguous.
    """
    if len(segments) != len(rows):
        seen = f"{len(segments)} outlines for {len(rows)} organs: {', '.join(_title(row) for row in rows)}."
        raise _refusal(file, seen, "Correct organs.csv, or outline the organs by hand.")
    called = _called(segments, rows, file)
    left = [index for index in range(len(segments)) if index not in called.values()]
    open_rows = [index for index in range(len(rows)) if index not in called]
    by_position = [index for index in open_rows if math.isfinite(rows[index].y_mm) and math.isfinite(rows[index].x_mm)]
    order = None
    if len(by_position) == len(open_rows):
        called |= _nearest(segments, rows, open_rows, left, pixel_mm, file) if open_rows else {}
    else:
        order = _reading_order(_lumps(segments), file)
        called |= _by_place(segments, rows, open_rows, called, order, file)
    places = {segment: place for place, segment in enumerate(order or _loose_order(segments), start=1)}
    tied = [(rows[row], segments[segment], places[segment]) for row, segment in called.items()]
    return tuple(sorted(tied, key=lambda one: one[2]))


def _called(segments: Sequence[Segment], rows: Sequence[OrganRow], file: str) -> dict[int, int]:
    """Rows whose organ a person named at the outline: ``m01 liver``, or ``liver`` where only one animal lies there."""
    names = _known_names(rows)
    found: dict[int, int] = {}
    faults = []
    for index, segment in enumerate(segments):
        if not segment.label:
            continue
        mine = names.get(_plain(segment.label), [])
        if len(mine) == 1 and mine[0] not in found:
            found[mine[0]] = index
        elif mine:
            faults.append(f"two outlines are called {segment.label!r}")
        else:
            near = did_you_mean(segment.label, [_title(row) for row in rows])
            faults.append(f"no organ of {SHEET_ORGANS} is called {segment.label!r}" + (f": {near}?" if near else ""))
    if faults:
        raise _refusal(file, f"{'; '.join(faults)}.", "Call each outline 'ANIMAL ORGAN', as in organs.csv.")
    return found


def _known_names(rows: Sequence[OrganRow]) -> dict[str, list[int]]:
    names: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        names.setdefault(_plain(f"{row.animal} {row.organ}"), []).append(index)
    if len({row.animal for row in rows}) == 1:
        for index, row in enumerate(rows):
            names.setdefault(_plain(row.organ), []).append(index)
    return names


def is_organ_name(name: str, rows: Sequence[OrganRow], /) -> bool:
    """Whether a name is that of an organ on the tray: ``m01 liver``, or ``liver`` where only one animal lies there."""
    return _plain(name) in _known_names(rows)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _title(row: OrganRow) -> str:
    return f"{row.animal} {row.organ}"


def _by_place(
    segments: Sequence[Segment],
    rows: Sequence[OrganRow],
    open_rows: Sequence[int],
    called: dict[int, int],
    order: Sequence[int],
    file: str,
) -> dict[int, int]:
    places = sorted(int(rows[index].place) for index in open_rows if math.isfinite(rows[index].place))
    wanted = sorted(set(range(1, len(segments) + 1)) - {order.index(segment) + 1 for segment in called.values()})
    if len(places) < len(open_rows):
        missing = [_title(rows[index]) for index in open_rows if not math.isfinite(rows[index].place)]
        seen = f"{', '.join(missing)} has neither a place nor y_mm and x_mm."
        raise _refusal(file, seen, "Number the places row by row from the top left, or give all positions.")
    if places != wanted:
        seen = f"places {', '.join(map(str, places))} are named, {', '.join(map(str, wanted))} are there."
        raise _refusal(file, seen, "Number the places row by row from the top left, each once, from 1.")
    return {index: order[int(rows[index].place) - 1] for index in open_rows}


def _lumps(segments: Sequence[Segment]) -> list[Lump]:
    """Area, first and last row, and centroid, of each."""
    out = []
    for one in segments:
        held = np.flatnonzero(one.mask.any(axis=1))
        y, x = one.centroid_px()
        out.append(Lump(float(one.mask.sum()), float(held[0]), float(held[-1]), y, x, one.touching))
    return out


def _reading_order(lumps: Sequence[Lump], file: str) -> list[int]:
    """Indices row by row from the top left.

    Organs are of one row where they overlap in height by half of the lower one; that must part them cleanly.
    """
    top, bottom = (np.array([getattr(one, side) for one in lumps]) for side in ("top", "bottom"))
    common = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top) + 1
    lower = np.minimum((bottom - top)[:, None], bottom - top) + 1
    share = np.maximum(common, 0) / lower
    rows: list[list[int]] = []
    left = sorted(range(len(lumps)), key=lambda index: lumps[index].y)
    while left:
        row, grown = [left[0]], True
        while grown:
            more = [index for index in left if index not in row and max(share[index, one] for one in row) >= SAME_ROW]
            row, grown = row + more, bool(more)
        rows.append(row)
        left = [index for index in left if index not in row]
    for row in rows:
        spread = [share[a, b] for a in row for b in row if a != b]
        apart = [share[a, b] for a in row for b in range(len(lumps)) if b not in row]
        if min(spread, default=1.0) < OTHER_ROW or max(apart, default=0.0) > OTHER_ROW:
            raise _refusal(
                file,
                f"the organs do not lie in clear rows: {'; '.join(_where(lumps[index]) for index in row)} (pixels).",
                "Give y_mm and x_mm of each organ in organs.csv, or name outlines drawn by hand.",
            )
    return [index for row in rows for index in sorted(row, key=lambda one: lumps[one].x)]


def place_order(segments: Sequence[Segment], /) -> list[int]:
    """Indices in the order that places are counted in: row by row from the top left; by height where there are no clear rows."""
    try:
        return _reading_order(_lumps(segments), "")
    except ImageError:
        return _loose_order(segments)


def _loose_order(segments: Sequence[Segment]) -> list[int]:
    """From the top left, for numbering alone."""
    middles = [one.centroid_px() for one in segments]
    return sorted(range(len(segments)), key=lambda index: middles[index])


def _where(lump: Lump) -> str:
    return f"y {lump.top:.0f} to {lump.bottom:.0f} at x {lump.x:.0f}"


def _nearest(
    segments: Sequence[Segment],
    rows: Sequence[OrganRow],
    open_rows: Sequence[int],
    left: Sequence[int],
    pixel_mm: float,
    file: str,
) -> dict[int, int]:
    """Each given position to the outline that it lies on or next to; the whole assignment is the nearest one."""
    from scipy.optimize import linear_sum_assignment

    shape = segments[0].mask.shape
    distance = np.empty((len(open_rows), len(left)))
    for column, index in enumerate(left):
        away = distance_transform_edt(~segments[index].mask) * pixel_mm
        for line, number in enumerate(open_rows):
            y, x = (
                min(max(round(at / pixel_mm), 0), size - 1)
                for at, size in zip((rows[number].y_mm, rows[number].x_mm), shape, strict=True)
            )
            distance[line, column] = away[y, x]
    faults = []
    chosen = dict(zip(*(side.tolist() for side in linear_sum_assignment(distance)), strict=True))
    for line, column in chosen.items():
        row, at = rows[open_rows[line]], distance[line, column]
        others = np.delete(distance[line], column)
        if at > NEAR_MM:
            faults.append(
                f"{_title(row)} at y {row.y_mm:g}, x {row.x_mm:g} mm lies {at:.1f} mm from the nearest outline"
            )
        elif others.size and others.min() <= at:
            faults.append(f"{_title(row)} at y {row.y_mm:g}, x {row.x_mm:g} mm lies as near to another outline")
    if faults:
        raise _refusal(file, f"{'; '.join(faults)}.", "Correct y_mm and x_mm in organs.csv.")
    return {open_rows[line]: left[column] for line, column in chosen.items()}


class Fit(StrEnum):
    """Whether an outline may be that of an organ of its weight."""

    USUAL = "usual"
    ODD = "odd"
    WEIGHT = "weight"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class SizeCheck:
    """How an outline goes with the weight in its row.

    Parameters
    ----------
    fit : Fit
        ``odd``: a little flatter or higher than organs lie; ``weight``: no organ of this weight has this outline; ``name``: exchanged
        with another row of the tray both would fit, so that neither name is sure.
    weight_log_off : float
        Logarithm of the weight over that of a usual organ of this outline; 0 where the fit is usual.
    """

    fit: Fit
    weight_log_off: float


def check_sizes(
    tied: Sequence[tuple[OrganRow, Segment, int]], /, *, pixel_mm: float, file: str = ""
) -> tuple[tuple[SizeCheck, ...], tuple[Finding, ...]]:
    """Which outlines cannot be, or hardly are, those of the organs whose names and weights they bear.

    An organ's mean height is its volume over its area; over the cube root of its volume it is about 0.5 to 0.8 for organs of a mouse
    on a tray. Far from that the organs were exchanged, an outline holds two or half of one, or a weight is wrong.

    Parameters
    ----------
    tied : sequence of (OrganRow, Segment, int)
        From `name_organs`.
    pixel_mm : float
    file : str

    Returns
    -------
    checks : tuple of SizeCheck
        In the order of `tied`.
    findings : tuple of Finding
        A warning for each organ that does not fit, or whose name is not sure by where organs were parted.

    Raises
    ------
    ImageError
        If so many do not fit that no name on the tray is sure.
    """
    flatness = [_flatness(row.weight_g, segment, pixel_mm) for row, segment, _ in tied]
    checks = []
    for index, (_, segment, _) in enumerate(tied):
        low, high = TOUCHING_FLATNESS if segment.touching else LONE_FLATNESS
        own = flatness[index]
        if math.isnan(own) or low <= own <= high:
            checks.append(SizeCheck(Fit.USUAL, 0.0))
            continue
        possible = POSSIBLE_FLATNESS[0] <= own <= POSSIBLE_FLATNESS[1]
        checks.append(SizeCheck(Fit.ODD if possible else Fit.WEIGHT, 1.5 * math.log(own / USUAL_FLATNESS)))
    odd = [index for index, one in enumerate(checks) if one.fit is not Fit.USUAL]
    for index in odd:
        if others := _exchanged(index, tied, flatness, pixel_mm):
            for one in (index, *others):
                checks[one] = replace(checks[one], fit=Fit.NAME)
    wrong = [index for index, one in enumerate(checks) if one.fit not in (Fit.USUAL, Fit.ODD)]
    if len(wrong) > MOST_WRONG * len(tied):
        told = "; ".join(_told(tied[index], flatness[index], pixel_mm) for index in wrong)
        raise _refusal(file, f"{told}.", _SIZE_MEND)
    return tuple(checks), _unsure(tied, file) + tuple(
        Finding(
            "exvivo.size", Severity.WARNING, Place(file), f"{_told(tied[index], flatness[index], pixel_mm)}{_TOLD[one.fit]}", _SIZE_MEND
        )
        for index, one in enumerate(checks)
        if one.fit is not Fit.USUAL
    )  # fmt: skip


def _unsure(tied: Sequence[tuple[OrganRow, Segment, int]], file: str) -> tuple[Finding, ...]:
    """A warning of the organs that may bear another's name."""
    told = [f"place {place}, {_title(row)}" for row, segment, place in tied if segment.unsure]
    if not told:
        return ()
    seen = (
        f"{'; '.join(told)}: if organs are parted otherwise, or one organ more or fewer lies there than {SHEET_ORGANS} names, "
        "they are others. No amount is told under these names."
    )
    mend = f"Count the organs against {SHEET_ORGANS}; outline by hand those that touch, and name them."
    return (Finding("exvivo.names", Severity.WARNING, Place(file), seen, mend),)


_SIZE_MEND = "Look whether places and weights stand in the right rows; where organs touch, outline them by hand."
_TOLD = {
    Fit.ODD: ": its share of the dose is told with a wider interval.",
    Fit.WEIGHT: ": the weight is not used.",
    Fit.NAME: ", and with rows exchanged it would fit: no amount is told under this name.",
}


def sizes_judge(rows: Sequence[OrganRow], /, *, pixel_mm: float) -> Judge | None:
    """How likely lumps, read row by row, are the organs of a sheet by their weights.

    Parameters
    ----------
    rows : sequence of OrganRow
        Of one tray.
    pixel_mm : float

    Returns
    -------
    callable or None
        From `lampyris.assays.exvivo.partings.Lump`s to a log-likelihood and the lump of each place, None where they lie in no clear rows
        or one cannot be of its weight; None instead of it where places or weights are missing.
    """
    if not all(math.isfinite(row.place) and row.weight_g > 0 for row in rows):
        return None
    weights = [row.weight_g for row in sorted(rows, key=lambda row: row.place)]

    def judge(lumps: Sequence[Lump], /) -> tuple[float, list[int]] | None:
        try:
            order = _reading_order(lumps, "")
        except ImageError:
            return None
        found = 0.0
        for index, weight in zip(order, weights, strict=True):
            own = _lump_flatness(weight, lumps[index].area * pixel_mm**2)
            if not POSSIBLE_FLATNESS[0] <= own <= POSSIBLE_FLATNESS[1]:
                return None
            found -= _misfit(own)
        return found, order

    return judge


def sheet_reader(rows: Sequence[OrganRow], /, *, pixel_mm: float) -> Reader | None:
    """How the rows of a sheet may be read on lumps of which there may be one more or one fewer.

    Parameters
    ----------
    rows : sequence of OrganRow
        Of one tray.
    pixel_mm : float

    Returns
    -------
    callable or None
        From lumps to every way to name them by their places, each with the log-likelihood of the areas, where any lump may be of an
        organ that no row names, and any row's organ may be missing; None instead of it where places are missing.
    """
    if not all(math.isfinite(row.place) for row in rows):
        return None
    weights = np.array([row.weight_g for row in sorted(rows, key=lambda row: row.place)])

    def read(lumps: Sequence[Lump], /) -> tuple[Reading, ...]:
        more = len(lumps) - len(weights)
        if abs(more) > 1:
            return ()
        try:
            order = _reading_order(lumps, "")
        except ImageError:
            return ()
        areas = np.array([lumps[index].area for index in order]) * pixel_mm**2
        if more == 0:
            return (Reading(float(_area_scores(weights, areas).sum()), tuple(order)),)
        # the longer of the two lists is read with one of its entries left out
        longest = max(len(weights), len(order))
        out = []
        for left in range(longest):
            if more > 0:
                score = FLAT + float(_area_scores(weights, np.delete(areas, left)).sum())
                lump_of_place: tuple[int | None, ...] = tuple(order[:left] + order[left + 1 :])
            else:
                score = float(_area_scores(np.delete(weights, left), areas).sum())
                lump_of_place = (*order[:left], None, *order[left:])
            out.append(Reading(score - math.log(longest), lump_of_place))
        return tuple(out)

    def _area_scores(of: NDArray[np.float64], areas: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log densities of the logarithms of areas."""
        off = np.log((1e3 * of / ORGAN_G_PER_ML) ** (2 / 3) / areas / USUAL_FLATNESS) / USUAL_LOG_SD
        usual = math.log(1.0 - WRONG_WEIGHT) - 0.5 * off**2 - math.log(USUAL_LOG_SD * math.sqrt(2.0 * math.pi))
        scores = np.logaddexp(np.nan_to_num(usual, nan=-np.inf), math.log(WRONG_WEIGHT) + FLAT)
        return np.asarray(np.where(np.isfinite(of), scores, FLAT))

    return read


def _misfit(flatness: float) -> float:
    """Minus the log-likelihood of an organ that lies so, up to a constant."""
    return 0.5 * (math.log(flatness / USUAL_FLATNESS) / USUAL_LOG_SD) ** 2


def _lump_flatness(weight_g: float, area_mm2: float) -> float:
    """Mean height over the cube root of the volume; NaN without a weight."""
    return (1e3 * weight_g / ORGAN_G_PER_ML) ** (2 / 3) / area_mm2


def _flatness(weight_g: float, segment: Segment, pixel_mm: float) -> float:
    return _lump_flatness(weight_g, float(segment.mask.sum()) * pixel_mm**2)


def _exchanged(
    index: int, tied: Sequence[tuple[OrganRow, Segment, int]], flatness: Sequence[float], pixel_mm: float
) -> list[int]:
    """Organs whose row an organ that does not fit may have been given, and the other way round."""
    row, segment, _ = tied[index]
    gains = {}
    for other, (its_row, its_segment, _) in enumerate(tied):
        if other == index or math.isnan(its_row.weight_g):
            continue
        then = [_flatness(its_row.weight_g, segment, pixel_mm), _flatness(row.weight_g, its_segment, pixel_mm)]
        if all(LONE_FLATNESS[0] <= one <= LONE_FLATNESS[1] for one in then):
            now = [flatness[index], flatness[other]]
            gains[other] = sum(map(_misfit, now)) - sum(map(_misfit, then))
    least = max(math.log(EXCHANGE_ODDS), max(gains.values(), default=0.0) - math.log(RIVAL_ODDS))
    return [other for other, gain in gains.items() if gain > least]


def _told(one: tuple[OrganRow, Segment, int], flatness: float, pixel_mm: float) -> str:
    row, segment, place = one
    way = "small" if flatness > USUAL_FLATNESS else "large"
    area = float(segment.mask.sum()) * pixel_mm**2
    return f"place {place}, {_title(row)}: {area:.0f} mm2 are too {way} for {row.weight_g:.3g} g"


def _refusal(file: str, seen: str, mend: str) -> ImageError:
    return ImageError(
        f"{file}: the organs on the tray cannot be named",
        [Finding("exvivo.names", Severity.ERROR, Place(file), seen, mend)],
    )
