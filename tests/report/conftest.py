"""A synthetic study for the report's tests: bodies, lesions, non-detects, a failed animal and an excluded one."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.flags import TUMOUR_KINDS, DetectionKind
from lampyris.core.images import FLUX_UNIT, Pose, Registration
from lampyris.core.lesions import Endpoints, Lesion, OrganOnset, Passage, Reach, Sighting
from lampyris.core.results import Detection, DetectionLimit, OrganSignal
from lampyris.core.study import AnimalOutcome, RunRecord, SessionResult, StudyResults, ViewResult
from lampyris.imaging.body.animal import animal_from_stage, stage_from_animal
from lampyris.report.render import render_report
from lampyris.report.spread.mouse import body_outline
from lampyris.statistics.intervals import clopper_pearson_interval
from lampyris.tissue.anatomy import NOMINAL_LENGTH_MM, organ_names

# the browser that several test modules drive
sys.path.insert(0, str(Path(__file__).parent))

PIXEL_MM = 0.45
REGIONS = (("axillary nodes", 2.0), ("liver", 4.0), ("lungs", 5.0), ("flank", 1.0), ("bladder", 3.0))
CHANNELS = ("band780", "band810", "band840")


@dataclass(frozen=True)
class Spot:
    """A made source of light: (z, y from the nose, x to the left) in the nominal animal, and what it is taken for."""

    kind: str
    organ: str
    place: tuple[float, float, float]
    sure: float
    first_day: float
    strength: float = 1.0
    view: str = ""


PRIMARY = Spot("lesion", "left flank", (2.0, 60.7, 10.5), 0.97, 0.1, 1.0)
LUNG = Spot("lesion", "lungs", (1.2, 35.0, -4.0), 0.86, 0.1, 0.4)
SITE = Spot("injection site", "subcutis", (0.0, 86.0, 0.0), 0.9, 0.1, 0.05)
# found later and in some animals only
LIVER = Spot("lesion", "liver", (-2.0, 47.0, -4.0), 0.62, 5.0, 0.3, "ventral")
NODE = Spot("lesion", "inguinal nodes", (-4.4, 69.0, 9.2), 0.91, 10.0, 0.2)
SPLEEN = Spot("circulating uptake", "spleen", (1.6, 55.0, 9.6), 0.84, 5.0, 0.1, "dorsal")


def estimate(value: float, relative: float = 0.2, unit: str = FLUX_UNIT) -> Estimate:
    """An estimate with a symmetric 95 % interval of `relative` standard uncertainty."""
    half = 1.96 * relative * abs(value)
    return Estimate(value, relative * abs(value), value - half, value + half, 0.95, unit, "made for a test")


def pose_of(view: str, animal: int, day: int, shape: tuple[int, int]) -> Pose:
    """How an animal lies: in the middle, a little turned and shifted from day to day."""
    scale = 0.8 * shape[0] * PIXEL_MM / NOMINAL_LENGTH_MM
    rng = np.random.default_rng([11, animal, day])
    y, x = 0.09 * shape[0] * PIXEL_MM, 0.5 * shape[1] * PIXEL_MM
    turn, shift = rng.normal(0, 0.05), rng.normal(0, 0.02 * shape[1] * PIXEL_MM)
    half = scale * NOMINAL_LENGTH_MM / 2
    # turned about the middle of the body
    return Pose(
        y + half * (1 - math.cos(turn)),
        x + shift - half * math.sin(turn),
        turn,
        scale,
        scale,
        mirrored=view == "ventral",
    )


def body_mask(pose: Pose, shape: tuple[int, int]) -> np.ndarray:
    """The nominal animal without its tail, laid by a pose."""
    y, x = np.mgrid[: shape[0], : shape[1]] * PIXEL_MM
    along, right = animal_from_stage(pose, y, x)
    half = np.array([(place, width) for width, place in body_outline() if width > 0])
    return (np.abs(right) < np.interp(along, half[:, 0], half[:, 1], 0, 0)) & (along < NOMINAL_LENGTH_MM)


def detection(number: int, spot: Spot, pose: Pose, flux: float, flags: int = 0) -> Detection:
    """A spot with a round outline of 3 mm."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    y_mm, x_mm = (float(v) for v in stage_from_animal(pose, np.array(spot.place[1]), np.array(-spot.place[2])))
    outline = tuple((float(y_mm + 3 * np.sin(a)), float(x_mm + 3 * np.cos(a))) for a in angle)
    kind = spot.kind if spot.kind in ("lesion", "injection site") else "lesion"
    return Detection(
        number, kind, y_mm, x_mm, 0.2, 3.2, 2.0, 14.2 + flux / 1e7, 4.61, estimate(flux), 4 * flux, 28.3,
        21.0, 9.4, Estimate(3.2, 0.2, 2.8, 3.6, 0.95, "1", "ratio"), spot.organ, outline, flags,
    )  # fmt: skip


def shown_spots(spots: tuple[Spot, ...], view: str, day: float) -> list[Spot]:
    """Those that a view shows on a day, in the order of the table."""
    return [spot for spot in spots if day >= spot.first_day and spot.view in ("", view)]


def view_result(
    view: str, day: float, spots: tuple[Spot, ...] | None, pose: Pose, rng: np.random.Generator,
    shape: tuple[int, int], channels: tuple[str, ...],
) -> ViewResult:  # fmt: skip
    """One view: photograph, noise, spots that grow with the days, limits, organ signals; no spots for a control."""
    body = body_mask(pose, shape)
    y, x = np.mgrid[: shape[0], : shape[1]]
    photo = np.where(body, 0.55 + 0.08 * np.sin(x / 3.0) + 0.05 * rng.random(shape), 0.03)
    clean = np.where(body, 8e3, 200.0)
    lesions = np.zeros(shape, np.uint16)
    found = []
    for k, spot in enumerate(shown_spots(spots or (), view, day), start=1):
        strength = 3e6 * spot.strength * (0.3 + day / 14) * rng.lognormal(0, 0.5)
        found.append(detection(k, spot, pose, strength * 3, flags=2 if k == 2 else 0))
        sy, sx = found[-1].y_mm / PIXEL_MM, found[-1].x_mm / PIXEL_MM
        clean = clean + strength * np.exp(-((y - sy) ** 2 + (x - sx) ** 2) / (2 * 3.0**2)) * body
        lesions[(y - sy) ** 2 + (x - sx) ** 2 < 6.7**2] = k
    deviation = np.sqrt(1e6 + 50 * clean)
    probe = clean + deviation * rng.standard_normal(shape) - np.where(body, 8e3, 200.0)
    unlabelled = Estimate.unknown(0.95, "1", "no label")
    limits = tuple(
        DetectionLimit(
            region, estimate(2e6 * depth * (1.3 if view == "ventral" else 1), 0.15), 0.6,
            unlabelled if spots is None else estimate(2.1e5 * depth, 0.3, "1"), depth, 0.02, 0.95,
        )
        for region, depth in REGIONS
    )  # fmt: skip
    flags = np.zeros(shape, np.uint16)
    if found:
        flags[round(found[0].y_mm / PIXEL_MM), round(found[0].x_mm / PIXEL_MM)] = 1
    bands = np.stack([0.4 * probe + 5e3 * (k + 1) + 300 * rng.standard_normal(shape) for k in range(len(channels))])
    return ViewResult(
        view, PIXEL_MM, photo, bands, probe, deviation**2, deviation**2, np.maximum(probe, 0), np.where(body, 5e4, 0) + 0 * probe,
        flags, body, lesions, channels, Registration(pose, 1.0, 0.95, "silhouette"), tuple(found),
        (OrganSignal("liver", estimate(3e6, 0.5)),) if spots else (), limits, estimate(4e7),
        {"saturated_fraction": 1e-5 if found else 0.0, "background_structure_percent": 3.1, "residual_width": 1.04},
        file=f"raw/day {day:g} {view}.tif", origin_px=(3, 200),
    )  # fmt: skip


def lesion_of(number: int, spot: Spot, spots: tuple[Spot, ...], sessions: list[SessionResult], reason: str) -> Lesion:
    """A spot followed over the sessions of its animal."""
    kind = DetectionKind.PRIMARY if spot.organ == PRIMARY.organ else DetectionKind(spot.kind)
    runner_up = "stomach" if spot.organ != "stomach" else "liver"
    sightings, days = [], [session.day for session in sessions]
    for session in sessions:
        seen, flux = [], 0.0
        for view in session.views:
            order = shown_spots(spots, view.view, session.day)
            if spot in order:
                seen.append((view.view, order.index(spot) + 1))
                flux = max(flux, view.detections[order.index(spot)].flux.value)
        limit = Estimate(1.9e5, math.nan, 0.0, 1.9e5, 0.95, "1", "limit")
        below = Estimate(2e6, math.nan, 0.0, 2e6, 0.95, FLUX_UNIT, "limit")
        cells = estimate(flux / 9.0, 0.3, "1") if seen else limit
        sightings.append(
            Sighting(session.session, session.day, bool(seen), tuple(seen), estimate(flux) if seen else below, cells)
        )
    first = next((day for day in days if day >= spot.first_day), math.inf)
    z, y, x = (Estimate(v, 0.6, v - 1.2, v + 1.2, 0.95, "mm", "fit") for v in spot.place)
    other = DetectionKind.HALO if kind in TUMOUR_KINDS else DetectionKind.LESION
    return Lesion(
        number, kind, {kind: 0.93, other: 0.05, DetectionKind.ARTEFACT: 0.02}, (reason,), spot.organ,
        {spot.organ: spot.sure, runner_up: round(0.8 * (1 - spot.sure), 3), "gut": round(0.2 * (1 - spot.sure), 3)},
        (z, y, x), Estimate(3.2, 0.5, 2.1, 4.4, 0.95, "mm", "fit"), tuple(sightings),
        max((day for day in days if day < first), default=-math.inf), first, days[-1], math.inf,
        Estimate(9.1, 1.0, 6.2, 13.0, 0.95, "days", "log-linear") if number == 1 else estimate(math.nan, 0.1, "days"),
    )  # fmt: skip


def endpoints_of(lesions: tuple[Lesion, ...], sessions: list[SessionResult]) -> Endpoints:
    """An animal's spread, counted from its made lesions."""
    days = tuple(session.day for session in sessions)
    spread = [lesion for lesion in lesions if lesion.kind == DetectionKind.LESION]
    primary = next((lesion for lesion in lesions if lesion.kind == DetectionKind.PRIMARY), None)
    unknown = Estimate.unknown(0.95, "1", "none")
    burden, below, sites = [], [], []
    for k in range(len(days)):
        seen = [lesion.sightings[k].cells.value for lesion in spread if lesion.sightings[k].seen]
        below.append(not seen)
        burden.append(
            estimate(sum(seen), 0.3, "1") if seen else Estimate(1.9e5, math.nan, 0.0, 1.9e5, 0.95, "1", "limit")
        )
        sites.append(sum(lesion.by_day <= days[k] for lesion in spread))
    onsets = []
    for organ in (*organ_names(), "subcutis"):
        own = [lesion for lesion in spread if lesion.organ == organ]
        first = min(own, key=lambda lesion: lesion.by_day, default=None)
        onsets.append(
            OrganOnset(
                organ, first.organs[organ] if first else 0.03, first.after_day if first else days[-1],
                first.by_day if first else math.inf, 2.1e5,
            )
        )  # fmt: skip
    source = primary.organ if primary else "tail vein"
    route = tuple(
        Passage(source, o.organ, o.number, o.organs[o.organ], o.after_day, o.by_day, estimate(31.0, 0.05, "mm"))
        for o in sorted(spread, key=lambda lesion: lesion.by_day)
    )
    first_spread = (route[0].after_day, route[0].by_day) if route else (days[-1], math.inf)
    return Endpoints(
        days, tuple(onsets), tuple(burden), tuple(below),
        tuple(s.cells for s in primary.sightings) if primary else (unknown,) * len(days), tuple(sites),
        estimate(4.1e6, 0.3, "d"), primary.half_life_days if primary else unknown,
        Estimate(0.34, 0.06, 0.24, 0.48, 0.95, "1", "ratio") if primary else unknown, first_spread,
        estimate(31.0, 0.05, "mm") if route else unknown, route, (), {},
    )  # fmt: skip


def outcome(
    animal: str, group: str, sessions: list[SessionResult], spots: tuple[Spot, ...] | None, reason: str
) -> AnimalOutcome:
    """What an analysed animal contributes, from its own made sessions."""
    flux, limited, count = [], [], []
    for session in sessions:
        found = [d for d in session.views[0].detections if d.kind == "lesion"]
        limited.append(not found)
        count.append(len(found))
        if found:
            flux.append(estimate(sum(d.flux.value for d in found)))
        else:
            limit = session.views[0].limits[0].flux.value
            flux.append(Estimate(limit, math.nan, 0.0, limit, 0.95, FLUX_UNIT, "limit"))
    seen = [spot for spot in spots or () if any(session.day >= spot.first_day for session in sessions)]
    lesions = tuple(lesion_of(k, spot, spots or (), sessions, reason) for k, spot in enumerate(seen, start=1))
    return AnimalOutcome(
        animal, group, "done", "", tuple(s.day for s in sessions), tuple(flux), tuple(limited), tuple(count), (),
        lesions, endpoints_of(lesions, sessions), tuple(tuple(v.registration for v in s.views) for s in sessions),
    )  # fmt: skip


def reach_of(group: str, outcomes: list[AnimalOutcome]) -> list[Reach]:
    """Shares of an arm's animals reached, per organ and day."""
    done = [one for one in outcomes if one.group == group and one.endpoints is not None]
    if not done:
        return []
    rows, days = [], done[0].days
    for organ in ("any", *organ_names(), "subcutis"):
        reached, possible = [], []
        for day in days:
            by = [
                any(o.by_day <= day for o in one.endpoints.onsets if organ in ("any", o.organ))
                for one in done
                if one.endpoints
            ]
            may = [
                any(
                    o.after_day < day < math.inf and o.by_day < math.inf
                    for o in one.endpoints.onsets
                    if organ in ("any", o.organ)
                )
                for one in done
                if one.endpoints
            ]
            reached.append(clopper_pearson_interval(sum(by), len(done)))
            possible.append(max(sum(may), sum(by)) / len(done))
        rows.append(Reach(group, organ, len(done), days, tuple(reached), tuple(possible)))
    return rows


def comparison(groups: dict[str, list[str]]) -> Comparison:
    """A comparison with a row per arm and every pair."""
    unit = "log10 ph s-1"
    summaries = []
    for k, (group, animals) in enumerate(groups.items()):
        control = k == len(groups) - 1
        values = tuple(7.4 - 0.3 * k + 0.07 * (i % 4) for i in range(len(animals)))
        mean = sum(values) / max(len(values), 1)
        summaries.append(
            GroupSummary(
                group, len(values), values, (control,) * len(values),
                Estimate(mean, 0.05, mean - 0.12, mean + 0.12, 0.95, unit, "mean"),
            )
        )  # fmt: skip
    keys = list(groups)
    pairs = tuple(
        PairDifference(a, b, Estimate(0.3 * (j - i), 0.1, 0.3 * (j - i) - 0.25, 0.3 * (j - i) + 0.25, 0.95, unit, "d"), 0.0043)
        for i, a in enumerate(keys)
        for j, b in enumerate(keys)
        if i < j
    )  # fmt: skip
    effect = Estimate(0.62, 0.1, 0.31, 0.79, 0.95, "1", "omega squared, noncentral F")
    return Comparison(
        "log10 total lesion flux on the last day", unit, "animal", "Welch ANOVA", 21.4, 3.0, 7.3, 5.1e-4,
        tuple(summaries), pairs, "Games-Howell",
        ("Controls lie below their limit: their values are the limits.",), effect,
    )  # fmt: skip


def _sources(g: int, i: int, *, rich: bool) -> tuple[Any, ...]:
    """Sources of light of an arm's animal; every animal has its own places, a millimetre or two apart."""
    late = tuple(spot for k, spot in enumerate((LIVER, NODE, SPLEEN)) if rich and (i + k + g) % 3)
    drawn = np.random.default_rng([7, g, i])
    return tuple(
        replace(s, place=tuple(float(v) for v in np.add(s.place, drawn.normal(0, 1.2, 3))))
        for s in (PRIMARY, LUNG, SITE, *late)
    )


def _session(
    whose: tuple[str, str, str],
    number: tuple[int, int, int],
    day: float,
    spots: Any,
    shape: tuple[int, int],
    channels: tuple[str, ...],
    label: Callable[[str], str],
) -> SessionResult:
    """One animal on one day: `whose` is animal, group and probe, `number` that of arm, animal and day."""
    g, i, d = number
    rng = np.random.default_rng(list(number))
    names = tuple(label(name) for name in channels)
    views = tuple(
        view_result(v, day, spots, pose_of(v, 10 * g + i, d, shape), rng, shape, names) for v in ("dorsal", "ventral")
    )
    place = Place(label("raw/a.tif"))
    found = Finding(label("image.saturated"), Severity.WARNING, place, label("seen"), label("mend"))
    told = (found,) if g == i == d == 0 else ()
    animal, group, probe = whose
    return SessionResult(animal, label(f"d{d}"), day, "2026-01-01", group, probe, views, told)


def build_study(
    *,
    arms: dict[str, int] | None = None,
    days: tuple[float, ...] = (0.0, 7.0, 21.0),
    shape: tuple[int, int] = (120, 120),
    label: Callable[[str], str] = lambda text: text,
    channels: tuple[str, ...] = CHANNELS,
    with_faults: bool = True,
    rich: bool = False,
) -> StudyResults:
    """A finished study; `label` rewrites every name and text that a user could have chosen, `rich` adds late lesions."""
    arms = arms or {"targeted": 3, "untargeted": 2, "control": 2}
    groups = {
        label(key): {"title": label(f"{key.capitalize()} dot" if key != "control" else "Unlabelled controls"),
                     "role": "control" if key == "control" else "labelled", "probe": label(key) if key != "control" else ""}
        for key in arms
    }  # fmt: skip
    sessions: list[SessionResult] = []
    outcomes: list[AnimalOutcome] = []
    for g, (key, count) in enumerate(arms.items()):
        for i in range(count):
            animal = label(f"m{g}{i:02d}")
            if with_faults and i == count - 1 and g < 2:
                status, reason = (("failed", "truncated image"), ("excluded", "ulcerated, by AB on 2026-01-05"))[g]
                outcomes.append(AnimalOutcome(animal, label(key), status, label(reason), (), (), (), ()))
                continue
            spots = _sources(g, i, rich=rich) if key != "control" else None
            own = [
                _session(
                    (animal, label(key), groups[label(key)]["probe"]), (g, i, d), day, spots, shape, channels, label
                )
                for d, day in enumerate(days)
            ]
            sessions += own
            outcomes.append(outcome(animal, label(key), own, spots, label("seen on every day")))
    place = Place("animals.csv", 3, "weight_g")
    note = Finding("sheet.note", Severity.NOTE, place, label("no weight"), label("fill it in"))
    members = {label(key): [o.animal for o in outcomes if o.group == label(key) and o.status == "done"] for key in arms}
    options: dict[str, Any] = {
        "analysis": {"detection_power": 0.95, "template_depths_mm": [0.5, 2.0]},
        "note": label("note"),
    }
    record = RunRecord(
        "0.1.0",
        "ab" * 32,
        {"numpy": "2.4.6"},
        options,
        {label("samplesheet.csv"): "cd" * 32},
        label("lampyris run study"),
    )
    return StudyResults(
        label("demo"), label("Demonstration study"), True, groups, tuple(sessions), tuple(outcomes),
        (comparison(members),), (note,),
        (label("Images were calibrated to radiance."), label("Lesions were detected at 0.02 expected false alarms.")), record,
        tuple(row for key in arms for row in reach_of(label(key), outcomes)),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_study() -> Callable[..., StudyResults]:
    """The factory itself, for tests that need their own study."""
    return build_study


@pytest.fixture(scope="session")
def small_study() -> StudyResults:
    """Three arms, three days, a failed and an excluded animal."""
    return build_study()


@pytest.fixture(scope="session")
def plain_study(small_study: StudyResults) -> StudyResults:
    """The same as an older analysis stored it: nothing followed over days."""
    outcomes = tuple(replace(o, lesions=(), endpoints=None, registrations=()) for o in small_study.outcomes)
    return replace(small_study, outcomes=outcomes, reach=())


@pytest.fixture(scope="session")
def rich_page(rich_study: StudyResults) -> str:
    """The page of the rich study."""
    return render_report(rich_study)["report.html"].decode()


@pytest.fixture(scope="session")
def rich_study() -> StudyResults:
    """Two arms and a control with lesions that appear later, one of an unsure organ and one that is no tumour."""
    return build_study(arms={"targeted": 3, "untargeted": 3, "control": 2}, days=(0.0, 7.0, 14.0), shape=(80, 80),
                       with_faults=False, rich=True)  # fmt: skip
