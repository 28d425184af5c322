"""Outlines of organs on a tray, from its photograph or from their glow; touching ones are parted at the neck between them.

In the order of use: `find_organs` (automatic), `with_drawn` (a person's outlines put in place of the automatic ones).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_dilation,
    binary_fill_holes,
    binary_opening,
    distance_transform_edt,
    gaussian_filter,
    label,
    median_filter,
)

from lampyris.assays.exvivo.census import Borders, Reader, census
from lampyris.assays.exvivo.partings import Judge, Parting, judged_cuts
from lampyris.assays.exvivo.seams import with_seams
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.imaging.body.animal import open_with_disc, otsu_threshold

# a lymph node of a mouse covers 2 mm2; less is lint
LEAST_MM2 = 1.5
# tray pixels lie so near the tray's own level
TRAY_SDS = 5.0
# an object stands out by at least this share of the usual object's contrast
LEAST_CONTRAST = 0.12
THREAD_MM = 0.5
# what parts two organs: how much narrower the neck is than the narrower of the two, and how differently they shine
LEAST_EVIDENCE = 0.15
SURE_EVIDENCE = 0.35
# the weakest cut that is made must be this much surer than the surest one that is not
CLEAR_FACTOR = 1.25
# evidence at which pieces of a photograph are as likely lobes of one organ, and at which they are two; of pieces that the glow parts more
# are none: among 1,290 borders of 60 virtual trays those of organs and others were as many at 0.34, and twenty to one at 0.43
# (`accuracy trays` computes all four anew on other trays)
PHOTO_BORDERS, GLOW_BORDERS = Borders(LEAST_EVIDENCE, SURE_EVIDENCE), Borders(0.35, 0.45)
# of its convex hull that an organ parted from another fills; livers and lungs with their clefts fill 0.92 and more
LEAST_SOLIDITY = 0.88
CONTRAST_WEIGHT = 0.6
# a neck that is narrower by so much parts two pieces, of which most are joined again
NECK = 0.04
# the shades of two organs, and what of each lies away from edges
SHADES_DIFFER, CORE_MM = 0.25, 0.7

# an edge is looked for so near to where it was taken to be; two organs meet so near to each other
REACH_PX, MEET_PX = 2.5, 1.5
# an organ's level is that inside its rim, over so many pixels; levels that differ by less say nothing of where organs meet
RIM_PX, LEVEL_PX, LEVELS_DIFFER = 1.5, 2.0, 0.3
ROUNDS, SMOOTH_PX = 6, 1.0

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One outlined organ.

    Parameters
    ----------
    mask : ndarray of bool, dims (y, x)
    touching : bool
        Parted from a neighbour.
    drawn : bool
        By a person.
    label : str
        What the person wrote to it.
    disputed : ndarray of bool, dims (y, x), optional
        What may be its or its neighbour's.
    unsure : bool
        It may be another organ than its place says.
    """

    mask: Mask
    touching: bool = False
    drawn: bool = False
    label: str = ""
    disputed: Mask | None = None
    unsure: bool = False

    def centroid_px(self) -> tuple[float, float]:
        """Mean row and column."""
        rows, columns = np.nonzero(self.mask)
        return float(rows.mean()), float(columns.mean())


@dataclass(slots=True, eq=False)
class _Pieces:
    """An over-parted image: pieces, and how sure each cut between two is."""

    labels: NDArray[np.int32]
    cuts: dict[tuple[int, int], float] = field(default_factory=dict)


def find_organs(
    photo: NDArray[np.floating],
    /,
    *,
    pixel_mm: float,
    count: int | None = None,
    glow: NDArray[np.floating] | None = None,
    judge: Judge | None = None,
    reader: Reader | None = None,
    file: str = "",
) -> tuple[Segment, ...]:
    """Find organs on an even tray, darker or brighter than they.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
        Photograph on the image's grid, or the glow of tissue where there is none.
    pixel_mm : float
    count : int, optional
        How many there are; touching ones are parted until there are so many. Without it only clear necks are cut.
    glow : ndarray, dims (y, x), optional
        Light of the organs themselves: asked where the photograph does not say where those that touch are to be parted.
    judge : callable, optional
        How well lumps fit the weights of the sheet: then that decides which cuts are made, and only a clear answer does.
    reader : callable, optional
        How the sheet may be read on lumps: names that an organ more or fewer on the tray would make others are then unsure.
    file : str
        Named in the error.

    Returns
    -------
    tuple of Segment
        From the top left by rows of pixels.

    Raises
    ------
    ImageError
        If another number is found, it is not clear where organs that touch are to be parted, or another number of organs is likelier
        than the sheet's: with what was found. Without a count only if nothing is there.
    """
    contrast = tray_contrast(photo)
    mask = _objects(contrast, pixel_mm)
    labels, found = label(mask)
    if found == 0:
        raise _refusal(file, "no organ stands out from the tray.", [], pixel_mm)
    objects = np.asarray(labels, np.int32)
    borders = GLOW_BORDERS if photo is glow else PHOTO_BORDERS
    pictures, pieces, parting = _decided(objects, contrast, glow, (found, count), judge, borders, file, pixel_mm)
    if reader is not None and count is not None:
        seen_in = (contrast,) if photo is glow or glow is None else (contrast, tray_contrast(glow))
        finest = pieces if len(seen_in) == len(pictures) else _parted(objects, seen_in, pixel_mm)
        coarse = pieces if len(pictures) == 1 else _parted(objects, (contrast,), pixel_mm)
        parting = _finer(parting, pieces, finest)
        pieces = finest
        parting = _counted(pieces, parting, seen_in, reader, _odds(coarse, finest, borders), file, pixel_mm)
    kept = parting.cuts
    called, refined, bent = _drawn_out(pieces, kept, pictures, pixel_mm)
    while bent and count is None:
        # where no sheet says that they are two they stay one outline
        kept = tuple(pair for pair in kept if not bent & {called[one] for one in pair})
        called, refined, bent = _drawn_out(pieces, kept, pictures, pixel_mm)
    numbers = sorted(set(called.values()))
    if count is not None and len(numbers) != count:
        seen = f"{len(numbers)} organs were found, organs.csv names {count}."
        raise _refusal(file, seen, _described(_merged(pieces, kept), pixel_mm), pixel_mm)
    if bent:
        final = _merged(pieces, kept)
        held = np.where(np.isin(final, list(bent)), final, 0)
        seen = "where organs that touch are parted leaves shapes that no organ has."
        raise _refusal(file, seen, _described(held, pixel_mm), pixel_mm)
    cut = {called[one] for pair in kept for one in pair}
    disputed = {called[min(mine)]: np.isin(pieces.labels, list(its)) for mine, its in parting.disputed}
    unsure = {called[min(mine)] for mine in parting.unsure}
    segments = [
        Segment(refined == one, touching=one in cut, disputed=disputed.get(one), unsure=one in unsure)
        for one in numbers
    ]
    return tuple(sorted(segments, key=lambda one: (round(one.centroid_px()[0]), one.centroid_px()[1])))


def border_evidence(
    photo: NDArray[np.floating], /, *, pixel_mm: float, glow: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.int32], dict[tuple[int, int], float]]:
    """Pieces into which the organs of a tray are parted at every neck and shade, before any are joined again.

    Parameters
    ----------
    photo : ndarray, dims (y, x)
        As of `find_organs`.
    pixel_mm : float
    glow : ndarray, dims (y, x), optional
        Light of the organs, asked as well.

    Returns
    -------
    pieces : ndarray of int, dims (y, x)
        Number of the piece at each pixel, 0 on the tray.
    evidence : dict of (int, int) to float
        Of each two pieces that meet: how much speaks for two organs.
    """
    contrasts = [tray_contrast(one) for one in (photo, glow) if one is not None]
    objects, _ = label(_objects(contrasts[0], pixel_mm))
    parted = _parted(np.asarray(objects, np.int32), contrasts, pixel_mm)
    return parted.labels, parted.cuts


def _drawn_out(
    pieces: _Pieces, kept: Sequence[tuple[int, int]], pictures: Sequence[NDArray[np.float64]], pixel_mm: float
) -> tuple[dict[int, int], NDArray[np.int32], set[int]]:
    """The organ of each piece, every organ's outline, and those parted organs whose outline no organ has."""
    final = _merged(pieces, kept)
    called = {int(one): int(final[pieces.labels == one][0]) for one in np.unique(pieces.labels) if one}
    cut = {called[one] for pair in kept for one in pair}
    met = [(a, b) for a, b, _ in _borders(final)]
    refined = _refined(with_seams(final, met, pictures, pixel_mm=pixel_mm), pictures[0])
    return called, refined, {number for number in cut if not _may_be_organ(refined == number, pixel_mm)}


def _finer(parting: Parting, pieces: _Pieces, finest: _Pieces) -> Parting:
    """The same parting by pieces that lie within those that it was made of."""
    if finest is pieces:
        return parting
    of = {int(one): int(pieces.labels[finest.labels == one][0]) for one in np.unique(finest.labels) if one}
    final = _merged(pieces, parting.cuts)
    organ = {one: int(final[pieces.labels == of[one]][0]) for one in of}

    def within(held: frozenset[int]) -> frozenset[int]:
        return frozenset(one for one in of if of[one] in held)

    return Parting(
        tuple(pair for pair in finest.cuts if organ[pair[0]] != organ[pair[1]]),
        tuple((within(mine), within(its)) for mine, its in parting.disputed),
        tuple(within(mine) for mine in parting.unsure),
    )


def _odds(coarse: _Pieces, finest: _Pieces, borders: Borders) -> dict[tuple[int, int], float]:
    """Logarithms of the odds that organs meet at each border of the finest pieces, also of those that the glow alone shows."""
    if coarse is finest:
        return {pair: borders.log_odds(evidence) for pair, evidence in finest.cuts.items()}
    of = {int(one): int(coarse.labels[finest.labels == one][0]) for one in np.unique(finest.labels) if one}
    out = {}
    for (a, b), evidence in finest.cuts.items():
        own = coarse.cuts.get((min(of[a], of[b]), max(of[a], of[b])))
        by_photo = -math.inf if own is None else borders.log_odds(own)
        out[a, b] = max(by_photo, GLOW_BORDERS.log_odds(evidence))
    return out


def _counted(
    pieces: _Pieces,
    parting: Parting,
    pictures: Sequence[NDArray[np.float64]],
    reader: Reader,
    odds: Mapping[tuple[int, int], float],
    file: str,
    pixel_mm: float,
) -> Parting:
    """A parting with the names that another count of organs would make others; refused where that is likelier."""
    # a watershed's border may give a small organ half as much again as it has: areas are read with all borders on their seams
    seamed = with_seams(pieces.labels, list(pieces.cuts), pictures, pixel_mm=pixel_mm)
    labels = seamed if np.array_equal(np.unique(seamed), np.unique(pieces.labels)) else pieces.labels
    found = census(labels, odds, parting, reader=reader, pixel_mm=pixel_mm)
    if found.refused:
        raise _refusal(file, found.refused, [], pixel_mm)
    return found.parting


def _decided(
    objects: NDArray[np.int32],
    contrast: NDArray[np.float64],
    glow: NDArray[np.floating] | None,
    numbers: tuple[int, int | None],
    judge: Judge | None,
    borders: Borders,
    file: str,
    pixel_mm: float,
) -> tuple[tuple[NDArray[np.float64], ...], _Pieces, Parting]:
    """Pictures that were asked, the pieces that they part, and the cuts that are made; the glow is asked only where it must be."""
    found, count = numbers
    asked: list[tuple[NDArray[np.float64], ...]] = [(contrast,)]
    if glow is not None:
        asked.append((contrast, tray_contrast(glow)))
    for pictures in asked:
        pieces = _parted(objects, pictures, pixel_mm)
        if judge is not None and count is not None:
            if pictures is asked[0]:
                _check_seen(pieces, count, file, pixel_mm)
            judged = judged_cuts(pieces.labels, pieces.cuts, count=count, judge=judge)
            if judged is not None:
                return pictures, pieces, judged
            continue
        try:
            return pictures, pieces, Parting(_kept_cuts(pieces, found, count, borders, file, pixel_mm))
        except ImageError:
            if pictures is asked[-1]:
                raise
    seen = f"{found} separate objects are to be {count} organs, and no way to part them clearly fits their weights."
    raise _refusal(file, seen, _described(objects, pixel_mm), pixel_mm)


def tray_contrast(photo: NDArray[np.floating], /) -> NDArray[np.float64]:
    """How far each pixel stands from the tray's own level, in the photograph's unit, dims (y, x).

    A tilted plane is fitted to the tray, which covers more than half of the image.
    """
    image = np.nan_to_num(np.asarray(photo, np.float64))
    y, x = (np.linspace(-1.0, 1.0, size) for size in image.shape)
    basis = np.stack(np.broadcast_arrays(1.0, y[:, None], x[None, :]), axis=-1)
    smooth = median_filter(image, 3)
    plane = basis @ _least_deviations(basis[::3, ::3].reshape(-1, 3), smooth[::3, ::3].ravel())
    for _ in range(4):
        apart = smooth - plane
        sd = 1.4826 * float(np.median(np.abs(apart)))
        near = np.abs(apart) <= TRAY_SDS * max(sd, 1e-9 * (1.0 + float(np.abs(plane).mean())))
        plane = basis @ np.linalg.lstsq(basis[near], smooth[near], rcond=None)[0]
    return np.asarray(np.abs(image - plane))


def _least_deviations(basis: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of the least sum of absolute deviations, which organs on less than half of the tray do not sway."""
    weight: NDArray[np.float64] = np.ones(len(values))
    found: NDArray[np.float64] = np.zeros(basis.shape[1])
    for _ in range(40):
        root = np.sqrt(weight)[:, None]
        found = np.asarray(np.linalg.lstsq(basis * root, values * root[:, 0], rcond=None)[0], np.float64)
        apart = np.abs(values - basis @ found)
        weight = 1.0 / np.maximum(apart, 1e-3 * float(apart.mean()) + 1e-300)
    return np.asarray(found)


def _objects(contrast: NDArray[np.float64], pixel_mm: float) -> Mask:
    """What stands out from the tray, dims (y, x)."""
    smooth = gaussian_filter(contrast, 0.7)
    noise = 1.4826 * float(np.median(smooth))
    bright = smooth[smooth > max(20.0 * noise, 0.05 * float(smooth.max()))]
    usual = float(np.median(bright)) if bright.size else 0.0
    mask = smooth > max(TRAY_SDS * noise, LEAST_CONTRAST * usual)
    mask = binary_fill_holes(open_with_disc(mask, 0.5 * THREAD_MM / pixel_mm))
    labels, found = label(mask)
    sizes = np.bincount(labels.ravel(), minlength=found + 1) * pixel_mm**2
    keep = sizes >= LEAST_MM2
    keep[0] = False
    return np.asarray(keep[labels])


def _parted(labels: NDArray[np.int32], contrasts: Sequence[NDArray[np.float64]], pixel_mm: float) -> _Pieces:
    """Cut every object at every neck, and say how sure each cut is."""
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    depth = gaussian_filter(distance_transform_edt(labels > 0), 1.0)
    # two maxima are two where the neck between is narrower by a share of either, be it a large organ's or a small one's
    peaks, _ = label(h_maxima(np.log1p(depth), NECK), np.ones((3, 3)))
    parted = np.asarray(watershed(-depth, peaks, mask=labels > 0), np.int32)
    for contrast in contrasts:
        parted = _parted_by_shade(parted, median_filter(contrast, 5), pixel_mm)
    pieces = _Pieces(parted)
    tops = {int(n): float(depth[parted == n].max()) for n in np.unique(parted) if n}
    cores = {n: (parted == n) & (depth > 0.5 * tops[n]) for n in tops}
    shines = [{n: float(np.median(contrast[cores[n]])) for n in tops} for contrast in contrasts]
    for a, b, at in _borders(parted):
        necked = 1.0 - float(depth[at].max()) / min(tops[a], tops[b])
        differ = max(abs(shine[a] - shine[b]) / max(shine[a], shine[b], 1e-12) for shine in shines)
        pieces.cuts[a, b] = max(necked, 0.0) + CONTRAST_WEIGHT * differ
    return pieces


def _parted_by_shade(parted: NDArray[np.int32], contrast: NDArray[np.float64], pixel_mm: float) -> NDArray[np.int32]:
    """Cut pieces that are one shape and two shades, as where a dark organ lies along a pale one."""
    from skimage.segmentation import watershed

    out = parted.copy()
    steep = np.hypot(*np.gradient(contrast))
    for number in (int(one) for one in np.unique(parted) if one):
        own = parted == number
        inner = own & (distance_transform_edt(own) * pixel_mm > CORE_MM)
        values = contrast[inner]
        if values.size * pixel_mm**2 < 2 * LEAST_MM2 or not values.min() < values.max():
            continue
        threshold = otsu_threshold(values)
        bright, dark = (
            open_with_disc(inner & side, CORE_MM / pixel_mm) for side in (contrast > threshold, contrast <= threshold)
        )
        if min(bright.sum(), dark.sum()) * pixel_mm**2 < LEAST_MM2:
            continue
        high, low = float(np.median(contrast[bright])), float(np.median(contrast[dark]))
        # shading within an organ is less than this
        if (high - low) / high < SHADES_DIFFER:
            continue
        cores = np.where(bright, 1, 0) + np.where(dark, 2, 0)
        halves = watershed(steep, cores, mask=own)
        out[halves == 2] = int(out.max()) + 1
    return out


def _borders(parted: NDArray[np.int32]) -> list[tuple[int, int, Mask]]:
    """Pairs of pieces that meet, with the pixels of both along their border."""
    pairs: dict[tuple[int, int], Mask] = {}
    for one, other in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        a, b = parted[one], parted[other]
        meet = (a != b) & (a > 0) & (b > 0)
        for low, high in {(min(p, q), max(p, q)) for p, q in zip(a[meet].tolist(), b[meet].tolist(), strict=True)}:
            here = meet & (((a == low) & (b == high)) | ((a == high) & (b == low)))
            mask = pairs.setdefault((low, high), np.zeros(parted.shape, bool))
            mask[one] |= here
            mask[other] |= here
    return [(a, b, mask) for (a, b), mask in sorted(pairs.items())]


def _kept_cuts(
    pieces: _Pieces, found: int, count: int | None, borders: Borders, file: str, pixel_mm: float
) -> tuple[tuple[int, int], ...]:
    """The cuts that are made; each joins two pieces less. Where no count is given those that are sure by themselves."""
    order = sorted(pieces.cuts, key=lambda pair: -pieces.cuts[pair])
    if count is None:
        return tuple(pair for pair in order if pieces.cuts[pair] >= borders.sure)
    _check_seen(pieces, count, file, pixel_mm)
    if count == found:
        return ()
    # pieces that meet in a ring part only once all their cuts are made: made one by one until the number is right
    for last in range(len(order) + 1):
        kept = tuple(order[:last])
        if len(np.unique(_merged(pieces, kept))) - 1 == count:
            weakest = pieces.cuts[kept[-1]]
            next_one = pieces.cuts[order[last]] if last < len(order) else 0.0
            if weakest < LEAST_EVIDENCE or weakest < CLEAR_FACTOR * next_one:
                seen = f"{found} separate objects are to be {count} organs, and where those touch is not clear."
                raise _refusal(file, seen, _described(_merged(pieces, kept), pixel_mm), pixel_mm)
            return kept
    shapes = len(np.unique(pieces.labels)) - 1
    if shapes < count:
        seen = f"{found} separate objects are to be {count} organs, and no more than {shapes} shapes are told apart."
        raise _refusal(file, seen, _described(pieces.labels, pixel_mm), pixel_mm)
    return tuple(order)


def _check_seen(pieces: _Pieces, count: int, file: str, pixel_mm: float) -> None:
    """Refuse a tray on which more organs are parted beyond doubt than the sheet names: no weight makes two of them one."""
    merged = _merged(pieces, [pair for pair, evidence in pieces.cuts.items() if evidence >= SURE_EVIDENCE])
    looks = len(np.unique(merged)) - 1
    if looks > count:
        seen = f"{looks} organs are seen, organs.csv names {count}."
        raise _refusal(file, seen, _described(merged, pixel_mm), pixel_mm)


def _merged(pieces: _Pieces, kept: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    """Pieces joined over every border that is not cut."""
    root = {int(n): int(n) for n in np.unique(pieces.labels) if n}

    def top(n: int) -> int:
        while root[n] != n:
            n = root[n]
        return n

    for pair in pieces.cuts:
        if pair not in kept:
            a, b = sorted((top(pair[0]), top(pair[1])))
            root[b] = a
    lookup = np.zeros(int(pieces.labels.max()) + 1, np.int32)
    for n in root:
        lookup[n] = top(n)
    return np.asarray(lookup[pieces.labels])


def _refined(labels: NDArray[np.int32], contrast: NDArray[np.float64]) -> NDArray[np.int32]:
    """Each organ's edge put where the photograph has fallen half-way from that organ's level to what lies beside it.

    Beside the tray that is half of the organ's own contrast; where two organs meet whose levels differ, the middle between the two,
    since the brighter one's light reaches over the darker one's rim. Two of one level keep the border at their neck.
    """
    numbers = [int(one) for one in np.unique(labels) if one]
    out = labels
    for _ in range(ROUNDS):
        away = np.stack([_away(out == number) for number in numbers])
        levels = np.stack([_level(out == number, contrast) for number in numbers])
        before, out = out, _assigned(numbers, away, levels, contrast)
        if np.array_equal(before, out):
            break
    return out


def _away(own: Mask) -> NDArray[np.float64]:
    """Pixels from each place to an organ, 0 inside; infinite where none is near."""
    out = np.full(own.shape, np.inf)
    if own.any():
        box = _box(own)
        out[box] = distance_transform_edt(~own[box])
    return out


def _box(own: Mask) -> tuple[slice, slice]:
    """Rows and columns of an organ and of where its edge may be."""
    rows, columns = (np.flatnonzero(own.any(axis=axis)) for axis in (1, 0))
    margin = math.ceil(REACH_PX) + 1
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
        slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
    )


def _level(own: Mask, contrast: NDArray[np.float64]) -> NDArray[np.float64]:
    """An organ's contrast near each place, from what of it lies inside its rim: organs are shaded towards their edges."""
    out = np.zeros(contrast.shape)
    if not own.any():
        return out
    box = _box(own)
    rim = distance_transform_edt(np.pad(own[box], 1))[1:-1, 1:-1]
    inner = rim > min(RIM_PX, 0.5 * float(rim.max()))
    weight = gaussian_filter(inner.astype(float), LEVEL_PX, mode="constant", truncate=8.0)
    out[box] = gaussian_filter(np.where(inner, contrast[box], 0.0), LEVEL_PX, mode="constant", truncate=8.0)
    out[box] /= np.maximum(weight, 1e-12)
    return out


def _assigned(
    numbers: Sequence[int], away: NDArray[np.float64], levels: NDArray[np.float64], contrast: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Number of the organ at each pixel, from distances and levels, dims (organ, y, x)."""
    order = np.argsort(away, axis=0, kind="stable")[:2] if len(numbers) > 1 else np.zeros((2, *contrast.shape), int)
    near, level = (np.take_along_axis(one, order, axis=0) for one in (away, levels))
    chosen = np.where((near[0] <= REACH_PX) & (contrast > 0.5 * level[0]), order[0], -1)
    if len(numbers) > 1:
        high, low = np.maximum(*level), np.minimum(*level)
        meet = (near[1] <= MEET_PX) & (high - low > LEVELS_DIFFER * high)
        bright = np.where(level[0] >= level[1], order[0], order[1])
        side = np.where(contrast > 0.5 * (high + low), bright, order.sum(axis=0) - bright)
        shared = np.where(meet, np.where(contrast > 0.5 * low, side, -1), chosen)
        # beside the tray a bright rim passes through a darker organ's level: a thread of pixels is no part of that organ
        chosen = np.where(_threads(shared, len(numbers)), chosen, shared)
    out = np.zeros(contrast.shape, np.int32)
    for index, number in enumerate(numbers):
        pieces, found = label(binary_fill_holes(chosen == index))
        if found:
            largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
            out[(pieces == largest) & (out == 0)] = number
    return out


def _threads(chosen: NDArray[np.intp], count: int) -> Mask:
    """Pixels of organs that an opening takes away, dims (y, x)."""
    thin = np.zeros(chosen.shape, bool)
    for index in range(count):
        own = chosen == index
        thin |= own & ~binary_opening(own, np.ones((2, 2)))
    return thin


def with_drawn(segments: Sequence[Segment], drawn: Sequence[Segment], /) -> tuple[Segment, ...]:
    """A person's outlines in place of the automatic ones that they lie on.

    Parameters
    ----------
    segments, drawn : sequence of Segment
        Automatic ones, and those of a person.

    Returns
    -------
    tuple of Segment
        An automatic outline goes where a drawn one holds half of it, or lies half in it; of others only what is drawn is taken
        out.
    """
    kept = []
    for one in segments:
        shared = [int((one.mask & other.mask).sum()) for other in drawn]
        size = int(one.mask.sum())
        if any(n > 0.5 * size or n > 0.5 * int(other.mask.sum()) for n, other in zip(shared, drawn, strict=True)):
            continue
        taken = np.logical_or.reduce([other.mask for other in drawn]) if drawn else np.zeros_like(one.mask)
        kept.append(replace(one, mask=one.mask & ~taken))
    return tuple(sorted([*kept, *drawn], key=lambda one: (round(one.centroid_px()[0]), one.centroid_px()[1])))


def _may_be_organ(mask: Mask, pixel_mm: float) -> bool:
    """Whether what is left of an organ at its borders is large enough for one, and as convex."""
    return float(mask.sum()) * pixel_mm**2 >= LEAST_MM2 and _solidity(mask) >= LEAST_SOLIDITY


def _solidity(mask: Mask) -> float:
    """Share of its convex hull that a shape fills; steps of pixels, of which small shapes have many, smoothed away."""
    from skimage.morphology import convex_hull_image

    mask = gaussian_filter(np.pad(mask, 3).astype(float), SMOOTH_PX) > 0.5
    rows, columns = np.nonzero(mask)
    if rows.size < 4:
        return 1.0
    box = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return float(box.sum()) / float(convex_hull_image(box).sum())


def touches(mask: Mask, others: Mask, /) -> bool:
    """Whether an organ has another beside it, without a pixel between."""
    return bool((binary_dilation(mask, iterations=2) & others & ~mask).any())


def _described(labels: NDArray[np.int32], pixel_mm: float) -> list[str]:
    out = []
    for number in (int(one) for one in np.unique(labels) if one):
        rows, columns = np.nonzero(labels == number)
        out.append(
            f"{rows.size * pixel_mm**2:.0f} mm2 at y {rows.mean() * pixel_mm:.0f}, x {columns.mean() * pixel_mm:.0f} mm"
        )
    return out


def _refusal(file: str, seen: str, found: Sequence[str], pixel_mm: float) -> ImageError:
    del pixel_mm
    told = f"{seen} Found: {'; '.join(found)}." if found else seen
    mend = (
        "Correct the count in organs.csv, lay organs apart, or outline them by hand (GeoJSON, Fiji or Living Image) and name that "
        "file in the column outlines of assays.csv."
    )
    return ImageError(
        f"{file}: the organs on the tray cannot be outlined",
        [Finding("exvivo.outlines", Severity.ERROR, Place(file), told, mend)],
    )
