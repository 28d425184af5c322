"""Where a dose goes: organs over time with intervals, half-life, excretion, and what to beware of."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.seeds import seed_sequence
from lampyris.probe.fate.body import NO_TUMOUR_G, body
from lampyris.probe.fate.calibration import COATS, calibrated
from lampyris.probe.fate.dosing import time_grid
from lampyris.probe.fate.figures import (
    SHOWN,
    content_percent_per_g,
    excreted_percent,
    half_life_h,
    mass_balance_error,
    organ_share,
)
from lampyris.probe.fate.motion import courses
from lampyris.probe.fate.question import FateQuestion, check_question
from lampyris.probe.fate.rates import rates
from lampyris.probe.fate.tables import Coat, Published, physiology, published, spread
from lampyris.probe.propagation import of_draws

Array = NDArray[np.float64]
LEVEL = 0.95
# the midpoint rule costs a matrix exponential per step and draw
MOST_SLOW_DRAWS = 24
DEFINITION = (
    "time from the end of the first dose until plasma holds half: of the dose over all plasma after an injection, of what it "
    "holds at the end after an infusion"
)


@dataclass(frozen=True, slots=True, eq=False)
class OrganCourse:
    """An organ over time, all arrays dims (time,).

    Parameters
    ----------
    organ : str
        ``plasma`` per ml, others per g with their blood.
    percent_per_g, low, high : ndarray
        Percent of all doses together per gram: of the mean animal, and the ends of the 95 % interval.
    percent : ndarray
        Percent of all doses in the whole organ.
    """

    organ: str
    percent_per_g: Array
    low: Array
    high: Array
    percent: Array


@dataclass(frozen=True, slots=True, eq=False)
class Fate:
    """Where a dose goes.

    Parameters
    ----------
    question : FateQuestion
    coat : Coat
    hours : ndarray, dims (time,)
    organs : tuple of OrganCourse
    half_life_h : Estimate
        NaN where plasma does not fall to half in time, or the dose is inside cells.
    renal_percent, faeces_percent : Estimate
        Percent of all doses at the end.
    renal_course : ndarray, dims (time,)
        Percent of all doses in urine.
    in_cells_percent : float
        Percent still inside labelled cells at the end.
    mass_balance_error : float
        Largest relative departure of all amounts together from what was given, over all draws and times.
    draws : int
    findings : tuple of Finding
    """

    question: FateQuestion
    coat: Coat
    hours: Array
    organs: tuple[OrganCourse, ...]
    half_life_h: Estimate
    renal_percent: Estimate
    faeces_percent: Estimate
    renal_course: Array
    in_cells_percent: float
    mass_balance_error: float
    draws: int
    findings: tuple[Finding, ...]

    def organ(self, name: str, /) -> OrganCourse:
        """Course of an organ."""
        return next(one for one in self.organs if one.organ == name)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    content: dict[str, Array]
    share: dict[str, Array]
    half_life: Array
    renal: Array
    faeces: Array
    in_cells: Array
    error: float


def predict_fate(question: FateQuestion, /) -> Fate:
    """Follow a dose through the body.

    Parameters
    ----------
    question : FateQuestion

    Returns
    -------
    Fate
        Values are those of the mean animal with the calibrated parameters; intervals are quantiles of draws of animals,
        parameters, batches and sizes, keyed by the seed and the question.

    Raises
    ------
    InputError
        With every fault of the question.

    Examples
    --------
    >>> found = predict_fate(FateQuestion(draws=20))
    >>> round(60 * found.half_life_h.value), found.mass_balance_error < 1e-9
    (30, True)
    """
    from lampyris.statistics.mixed.threads import one_thread

    check_question(question)
    coat = question.known_coat
    slow = not question.uptake.linear or bool(question.uptake.clock)
    draws = min(question.draws, MOST_SLOW_DRAWS) if slow else question.draws
    grid = time_grid(question.dosing, question.hours, question.at)
    with one_thread():
        mean = _run(question, coat, grid, 1, None)
        key = (question.species, coat.name, question.ligand, f"{question.diameter_nm:.6g}", f"{question.hours:.6g}")
        drawn = _run(question, coat, grid, draws, np.random.default_rng(seed_sequence("fate", *key, question.seed)))
    tumour = question.tumour != "none" and question.tumour_g != 0
    organs = tuple(
        OrganCourse(
            organ, mean.content[organ][:, 0], *_ends(drawn.content[organ], mean.content[organ]), mean.share[organ][:, 0]
        )
        for organ in SHOWN
        if organ != "tumour" or tumour
    )
    return Fate(
        question=question,
        coat=coat,
        hours=grid,
        organs=organs,
        half_life_h=_estimate(mean.half_life, drawn.half_life, "h"),
        renal_percent=_estimate(mean.renal[-1], drawn.renal[-1], "%ID"),
        faeces_percent=_estimate(mean.faeces[-1], drawn.faeces[-1], "%ID"),
        renal_course=mean.renal[:, 0],
        in_cells_percent=float(mean.in_cells[-1, 0]),
        mass_balance_error=max(mean.error, drawn.error),
        draws=draws,
        findings=tuple(_findings(question, coat, slow and draws < question.draws, mean)),
    )


def parameters(coat: Coat, draws: int, rng: np.random.Generator | None, /) -> dict[str, Array]:
    """Calibrated parameters or draws of them; a coat without a half-life takes the clearances that the others span."""
    values = calibrated().values(draws, rng)
    if f"clearance {coat.name}" not in values:
        logs = np.log([values[f"clearance {name}"] for name in COATS])
        beyond = (
            0.0 if rng is None else rng.standard_normal(draws) * float(np.std(calibrated().logs[: len(COATS)], ddof=1))
        )
        values[f"clearance {coat.name}"] = np.exp(logs.mean(axis=0) + beyond)
    return values


def _run(question: FateQuestion, coat: Coat, grid: Array, draws: int, rng: np.random.Generator | None) -> _Run:
    tumour = None if math.isnan(question.tumour_g) else question.tumour_g
    animal = body(
        question.species,
        weight_kg=_weight_kg(question, draws, rng),
        tumour_g=NO_TUMOUR_G if question.tumour == "none" else tumour,
        draws=draws,
        rng=rng,
    )
    values = parameters(coat, draws, rng)
    size = np.full(draws, question.diameter_nm + coat.adsorbed_nm)
    scatter = None
    if rng is not None:
        known = not math.isnan(question.diameter_sd_nm)
        size = np.maximum(size + rng.normal(0.0, question.diameter_sd_nm if known else spread("diameter"), draws), 0.5)
        kinds = {"coat": "coat", "kinetics": "kinetics", "tumour": f"tumour {question.tumour}", "scale": "scale"}
        if question.tumour == "none":
            kinds["tumour"] = "tumour any"
        if question.species == "mouse":
            del kinds["scale"]
        scatter = {name: np.exp(rng.normal(0.0, spread(kind), draws)) for name, kind in kinds.items()}
    dot = rates(animal, values, coat.name, size, ligand=question.ligand, scatter=scatter)
    amounts = courses(dot, question.dosing, grid, uptake=question.uptake)
    dosing = question.dosing
    return _Run(
        content={organ: content_percent_per_g(amounts, animal, organ, dosing) for organ in SHOWN},
        share={organ: 100.0 * organ_share(amounts, organ) / dosing.doses for organ in SHOWN},
        half_life=half_life_h(amounts, animal, grid, dosing),
        renal=excreted_percent(amounts, "urine", dosing),
        faeces=excreted_percent(amounts, "faeces", dosing),
        in_cells=excreted_percent(amounts, "cells", dosing),
        error=mass_balance_error(amounts, grid, dosing),
    )


def _weight_kg(question: FateQuestion, draws: int, rng: np.random.Generator | None) -> float | Array:
    usual = physiology(question.species)["body", "weight"].value
    weight = usual if math.isnan(question.weight_kg) else question.weight_kg
    # a known weight draws nothing, so that a seed keeps its digits
    if rng is None or question.weight_log_sd == 0:
        return weight
    return weight * np.exp(rng.normal(0.0, question.weight_log_sd, draws))


def _ends(drawn: Array, mean: Array) -> tuple[Array, Array]:
    """Ends of the central interval, widened where the mean animal lies beyond them."""
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=1)
    return np.minimum(low, mean[:, 0]), np.maximum(high, mean[:, 0])


def _estimate(mean: Array, drawn: Array, unit: str) -> Estimate:
    value = float(mean[0])
    known = drawn[np.isfinite(drawn)]
    method = f"mean animal; quantiles of {drawn.size} draws of animals, parameters, batches and sizes"
    if not math.isfinite(value) or known.size < 2:
        return Estimate.unknown(LEVEL, unit, method)
    if known.size < drawn.size:
        method += f", {drawn.size - known.size} without"
    return of_draws(value, known, unit=unit, method=method, level=LEVEL)


def _findings(question: FateQuestion, coat: Coat, cut: bool, mean: _Run) -> list[Finding]:
    found: list[Finding] = []

    def remark(rule: str, field: str, seen: str, mend: str, severity: Severity = Severity.WARNING) -> None:
        found.append(Finding(f"fate.{rule}", severity, Place(file=question.file, column=field), seen, mend))

    size = question.diameter_nm + coat.adsorbed_nm
    if coat.adsorbed_nm:
        remark(
            "adsorbed", "coat",
            f"serum proteins add about {coat.adsorbed_nm:g} nm to a {coat.name} coat ({coat.source}): {size:g} nm are taken.",
            "A zwitterionic or neutral coat keeps its size.",
        )  # fmt: skip
    if not coat.lowest_nm <= size <= coat.highest_nm:
        remark(
            "size", "diameter_nm",
            f"{size:g} nm lies outside {coat.lowest_nm:g} to {coat.highest_nm:g} nm, between which figures of such dots were "
            f"published ({coat.source}).",
            "Take the numbers for an extrapolation.",
        )  # fmt: skip
    if f"clearance {coat.name}" not in calibrated().names:
        remark(
            "no-half-life", "coat", f"no half-life is published of a {coat.name} coat: it is drawn from the spread of others.",
            "Name a known coat, or measure the half-life.",
        )  # fmt: skip
    if question.species != "mouse":
        remark(
            "scaled", "species",
            f"all figures behind this are of mice: {question.species} is scaled by masses, flows and body weight to -0.25.",
            "Take it for an order of magnitude.",
        )  # fmt: skip
    if question.tumour == "any":
        remark(
            "any-tumour", "tumour",
            "the tumour's value was set with U87MG xenografts; its interval spans the tumours of 332 published courses.",
            "--tumour U87MG gives the interval of that model alone.", Severity.NOTE,
        )  # fmt: skip
    if cut:
        remark(
            "fewer-draws", "draws", f"rates change in time: intervals are from {MOST_SLOW_DRAWS} draws.",
            "Take their ends for rough.", Severity.NOTE,
        )  # fmt: skip
    if math.isnan(mean.half_life[0]):
        why = (
            "the dose is inside cells" if question.dosing.cells_in else "plasma does not fall to half in the time shown"
        )
        remark("half-life", "hours", f"there is no half-life: {why}.", "", Severity.NOTE)
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published figure beside its prediction.

    Parameters
    ----------
    row : Published
    value, low, high : float
        Of the mean animal, and the ends of the 95 % interval (NaN of a ratio).
    inside : bool or None
        Whether the value lies within the row's bounds; None where it has none.
    overlaps : bool or None
        Whether the interval and the bounds share anything; of a row without bounds, whether the interval holds its value.
    """

    row: Published
    value: float
    low: float
    high: float
    inside: bool | None
    overlaps: bool | None


def compare_published(*, draws: int = 400, seed: int = 1) -> tuple[Comparison, ...]:
    """Published figures beside predictions, each for animals of its study's weight."""
    asked: dict[FateQuestion, Fate] = {}
    found = []
    for row in published():
        timed = math.isfinite(row.hours)
        hours = row.hours if row.quantity == "excreted" else max(32.0, row.hours if timed else 0.0)
        question = FateQuestion(
            row.diameter_nm, coat=row.coat, ligand=row.ligand, species=row.species, hours=hours, draws=draws, seed=seed,
            at=(4.0, 24.0) if hours == 32.0 else (), tumour="U87MG" if row.tumour else "none",
            weight_kg=row.weight_kg, weight_log_sd=row.weight_log_sd,
        )  # fmt: skip
        if question not in asked:
            asked[question] = predict_fate(question)
        value, low, high = _figure_of(row, asked[question])
        least, most = (end if math.isfinite(end) else sign * math.inf for end, sign in ((row.low, -1), (row.high, 1)))
        bounded = math.isfinite(row.low) or math.isfinite(row.high)
        aim = (least, most) if bounded else (row.value, row.value)
        overlaps = low <= aim[1] and high >= aim[0] if math.isfinite(low) else None
        found.append(Comparison(row, value, low, high, least <= value <= most if bounded else None, overlaps))
    return tuple(found)


def _figure_of(row: Published, result: Fate) -> tuple[float, float, float]:
    if row.quantity in ("half-life", "excreted"):
        excreted = result.faeces_percent if row.organ == "faeces" else result.renal_percent
        one = result.half_life_h if row.quantity == "half-life" else excreted
        return one.value, one.low, one.high
    course = result.organ(row.organ)
    place = int(np.argmin(np.abs(result.hours - row.hours)))
    value, low, high = (float(part[place]) for part in (course.percent_per_g, course.low, course.high))
    if row.quantity == "ratio":
        return value / float(course.percent_per_g[int(np.argmin(np.abs(result.hours - 4.0)))]), math.nan, math.nan
    if row.quantity == "delivered":
        grams = float(course.percent[place]) / value
        return grams * value, grams * low, grams * high
    return value, low, high
