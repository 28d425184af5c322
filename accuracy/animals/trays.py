"""Parting and naming of organs on trays: the constants that were set on virtual trays, computed anew on others. All of it is synthetic.

Three questions. At which evidence are the two pieces beside a border as likely two organs as lobes of one, and at which are they twenty
times likelier two (`PHOTO_BORDERS`, `GLOW_BORDERS`)? A logistic curve is fitted to borders whose truth is known; of a border that the
photograph shows the better of the two answers counts, hence the glow's own is asked of those that the glow alone shows, too. How many of
the names that are told are wrong where sheets are right, lack the row of an organ, or have a row too many? And what would another prior
of such sheets (`OFF_BY_ONE`) make of it?
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accuracy.animals.exvivo import tray_design
from accuracy.figures import Figure, figure
from lampyris.assays.exvivo import census
from lampyris.assays.exvivo.outlines import GLOW_BORDERS, PHOTO_BORDERS, border_evidence
from lampyris.assays.exvivo.partings import CLEAR_ODDS
from lampyris.assays.exvivo.trays import analyse_tray
from lampyris.core.assays import OrganFlag
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.schemas import OrganRow
from lampyris.imaging.inputs import ViewInput
from lampyris.imaging.radiance.calibrate import radiance_from_counts
from lampyris.statistics.intervals import wilson_interval
from lampyris.study.exvivo.sheets import ExVivoSheets, read_exvivo
from lampyris.study.opening.trays import open_tray
from lampyris.virtual.simulate import simulate_trays
from lampyris.virtual.truth import TrueTray, read_truth

TABLE = "trays"
# trays of one study are drawn apart: a border's truth hangs on no other; intervals are of whole studies all the same
SEEDS = tuple(range(52001, 52021))
QUICK_SEEDS = (52091, 52092)
ANIMALS = 8
# sheets are tried on the trays of so many of them, and with this prior beside the one that stands
SHEET_SEEDS = SEEDS[:5]
PRIORS = (0.01,)
RESAMPLES = 400
SURE_SHARE = CLEAR_ODDS / (1.0 + CLEAR_ODDS)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A virtual tray, opened as a study's is, and what was drawn."""

    study: int
    sheets: ExVivoSheets
    file: str
    view: ViewInput
    glow: NDArray[np.float64]
    true: TrueTray


def tables(*, quick: bool) -> list[Figure]:
    """Both arms."""
    lines = []
    for arm in ("matched", "mismatched"):
        trays = list(opened_trays(arm, QUICK_SEEDS if quick else SEEDS))
        lines += border_figures(arm, trays)
        lines += sheet_figures(arm, [one for one in trays if quick or one.study in SHEET_SEEDS], quick=quick)
    return lines


def opened_trays(arm: str, seeds: Sequence[int], /) -> Iterator[Opened]:
    """Trays of an arm, one study after the other; nothing is left on disk."""
    for seed in seeds:
        print(f"{TABLE}: {arm} arm, seed {seed}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            made = simulate_trays(Path(folder) / "study", seed=seed, design=tray_design(arm, animals=ANIMALS))
            sheets, truth = read_exvivo(made.study), read_truth(made.truth)
            for true in truth.trays:
                view = open_tray(sheets.study, sheets.trays[true.file], sheets.settings)
                glow = radiance_from_counts(view, sheets.settings.instrument).values.sum(axis=0)
                yield Opened(seed, sheets, true.file, view, glow, true)


# ---- borders -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Border:
    """Evidence for a cut, whether two organs meet there, and whether the photograph shows it."""

    study: int
    evidence: float
    parts: bool
    shown: bool


def border_figures(arm: str, trays: Sequence[Opened], /) -> list[Figure]:
    """Where borders of photographs, and of glow and photographs, become even and sure; beside what the analysis takes."""
    photo = [one for tray in trays for one in borders_of(tray, glow=False)]
    both = [one for tray in trays for one in borders_of(tray, glow=True)]
    alone = [one for one in both if not one.shown]
    lines = []
    for name, borders, taken in (
        ("photo", photo, PHOTO_BORDERS),
        ("glow", both, GLOW_BORDERS),
        ("glow_alone", alone, GLOW_BORDERS),
    ):
        ends = even_and_sure(borders)
        spread = np.array([even_and_sure(again) for again in _resampled(borders)])
        for which, value, draws in zip(("even", "sure"), ends, spread.T, strict=True):
            interval = (float(np.nanquantile(draws, 0.025)), float(np.nanquantile(draws, 0.975)))
            lines.append(figure(TABLE, arm, f"{name}_{which}", value, interval, len(borders)))
        lines.append(figure(TABLE, arm, f"{name}_even_taken", taken.even, None, len(borders)))
        lines.append(figure(TABLE, arm, f"{name}_sure_taken", taken.sure, None, len(borders)))
        above = [one.parts for one in borders if one.evidence >= taken.sure]
        share = float(np.mean(above)) if above else None
        interval = _ends(wilson_interval(sum(above), len(above))) if above else None
        lines.append(
            figure(TABLE, arm, f"{name}_two_organs_above_sure", share, interval, len(above), at_least=SURE_SHARE)
        )
    return lines


def _ends(share: Estimate) -> tuple[float, float]:
    return share.low, share.high


def borders_of(tray: Opened, /, *, glow: bool) -> list[Border]:
    """Every border of a tray's pieces, with its truth: the drawn organ that holds most of each piece."""
    pixel = tray.sheets.settings.instrument.pixel_mm
    photo = tray.view.photo
    assert photo is not None
    coarse, _ = border_evidence(photo, pixel_mm=pixel)
    pieces, cuts = border_evidence(photo, pixel_mm=pixel, glow=tray.glow if glow else None)
    organ = {number: _most(tray.true.labels[pieces == number]) for number in np.unique(pieces).tolist() if number}
    of = {number: int(coarse[pieces == number][0]) for number in organ}
    return [
        Border(tray.study, evidence, organ[a] != organ[b], of[a] != of[b])
        for (a, b), evidence in cuts.items()
        if organ[a] and organ[b]
    ]


def _most(places: NDArray[np.uint8]) -> int:
    counts = np.bincount(places.ravel(), minlength=1)
    return int(counts.argmax())


def even_and_sure(borders: Sequence[Border], /) -> tuple[float, float]:
    """Evidence at which a fitted logistic curve gives one to one, and `CLEAR_ODDS` to one; NaN where borders do not tell it."""
    x = np.array([one.evidence for one in borders])
    y = np.array([one.parts for one in borders], float)
    if len(borders) < 4 or not 0.0 < y.mean() < 1.0:
        return np.nan, np.nan
    design = np.stack([np.ones_like(x), x], axis=1)
    # a ridge so weak that it matters only where a curve would be a step
    beta, ridge = np.zeros(2), np.diag([0.0, 1e-4])
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30.0, 30.0)))
        step = np.linalg.solve(design.T * (p * (1.0 - p) + 1e-12) @ design + ridge, design.T @ (y - p) - ridge @ beta)
        beta = beta + step / max(1.0, float(np.abs(step).max()) / 5.0)
        if np.abs(step).max() < 1e-8:
            break
    if beta[1] <= 0:
        return np.nan, np.nan
    return float(-beta[0] / beta[1]), float((np.log(CLEAR_ODDS) - beta[0]) / beta[1])


def _resampled(borders: Sequence[Border]) -> Iterator[list[Border]]:
    """Whole studies drawn with replacement."""
    rng = np.random.default_rng(1)
    studies = sorted({one.study for one in borders})
    held = {study: [one for one in borders if one.study == study] for study in studies}
    for _ in range(RESAMPLES if len(studies) > 1 else 1):
        yield [one for study in rng.choice(studies, len(studies)) for one in held[int(study)]]


# ---- sheets ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a tray: told without a doubt, of these the wrong ones, and all; of a refused tray none is told."""

    told: int
    wrong: int
    organs: int


def sheet_figures(arm: str, trays: Sequence[Opened], /, *, quick: bool) -> list[Figure]:
    """How often names are told, and wrong, with sheets that are right and off by one."""
    lines = []
    for prior in (census.OFF_BY_ONE, *(() if quick else PRIORS)):
        suffix = "" if prior == census.OFF_BY_ONE else f"_prior_{prior:g}"
        with _prior(prior):
            found = {kind: [named(tray, kind) for tray in trays] for kind in ("right", "row_missing", "row_too_many")}
        for kind, names in found.items():
            told, wrong, organs = (sum(getattr(one, field) for one in names) for field in ("told", "wrong", "organs"))
            lines.append(figure(TABLE, arm, f"{kind}_told{suffix}", told / organs, None, organs))
            # of refused and doubted names nothing is wrong: what is told must be right in twenty of twenty-one
            share = wrong / told if told else None
            goal = {} if kind != "right" or suffix else {"at_most": 1.0 - SURE_SHARE}
            lines.append(figure(TABLE, arm, f"{kind}_wrong_of_told{suffix}", share, None, told, **goal))
        lines.append(_mixed(arm, found, suffix))
    return lines


def _mixed(arm: str, found: dict[str, list[Names]], suffix: str) -> Figure:
    """Wrong names of those told, were one sheet in ten off by a row, either way as often: what the prior that stands says."""
    weight = {"right": 0.9, "row_missing": 0.05, "row_too_many": 0.05}
    told, wrong = (
        sum(weight[kind] * sum(getattr(one, field) for one in names) for kind, names in found.items())
        for field in ("told", "wrong")
    )
    goal = {} if suffix else {"at_most": 1.0 - SURE_SHARE}
    count = sum(one.told for names in found.values() for one in names)
    return figure(
        TABLE, arm, f"one_in_ten_off_wrong_of_told{suffix}", wrong / told if told else None, None, count, **goal
    )


@contextmanager
def _prior(odds: float) -> Iterator[None]:
    stands = census.OFF_BY_ONE
    census.OFF_BY_ONE = odds
    try:
        yield
    finally:
        census.OFF_BY_ONE = stands


def named(tray: Opened, kind: str, /) -> Names:
    """Read a tray with a sheet that is right, lacks the row of one organ, or has one twice; which, is drawn by the study."""
    rows = off_by_one(tray.sheets.organs_on(tray.file), kind, np.random.default_rng(tray.study))
    settings = tray.sheets.settings
    settings = settings.model_copy(update={"stage": settings.stage.model_copy(update={"head": "up"})})
    probe = next(iter(settings.probes))
    try:
        found = analyse_tray(tray.view, rows, {row.animal: probe for row in rows}, settings)
    except ImageError:
        return Names(0, 0, len(rows))
    place = {(one.animal, one.organ): one.place for one in tray.true.organs}
    told = [one for one in found.organs if OrganFlag.NAME_UNSURE not in one.flags]
    pixel = settings.instrument.pixel_mm
    wrong = [
        one
        for one in told
        if _lies_on(tray.true.labels, one.y_mm, one.x_mm, pixel) != place.get((one.row.animal, one.row.organ))
    ]
    return Names(len(told), len(wrong), len(rows))


def _lies_on(labels: NDArray[np.uint8], y_mm: float, x_mm: float, pixel_mm: float) -> int:
    """Place of the drawn organ about a point: of most of what lies within 1 mm."""
    y, x = (np.arange(size) * pixel_mm for size in labels.shape)
    near = labels[np.hypot(y[:, None] - y_mm, x[None, :] - x_mm) <= 1.0]
    near = near[near > 0]
    return int(np.bincount(near).argmax()) if near.size else 0


def off_by_one(rows: Sequence[OrganRow], kind: str, rng: np.random.Generator, /) -> tuple[OrganRow, ...]:
    """Rows of a sheet with one left out, or one of another organ put in; places are counted anew."""
    ordered = sorted(rows, key=lambda row: row.place)
    at = int(rng.integers(len(ordered)))
    if kind == "row_missing":
        del ordered[at]
    elif kind == "row_too_many":
        other = ordered[int(rng.integers(len(ordered)))]
        ordered.insert(at, replace(other, animal="none", organ="none"))
    return tuple(replace(row, place=float(place)) for place, row in enumerate(ordered, start=1))
