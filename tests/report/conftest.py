"""A synthetic study for the report's tests: bodies, lesions, non-detects, a failed animal and an excluded one."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import FLUX_UNIT, Pose, Registration
from lampyris.core.results import Detection, DetectionLimit, OrganSignal
from lampyris.core.study import (
    AnimalOutcome,
    Comparison,
    GroupSummary,
    PairDifference,
    RunRecord,
    SessionResult,
    StudyResults,
    ViewResult,
)

PIXEL_MM = 0.45
REGIONS = (("axillary node", 2.0), ("liver", 4.0), ("lung", 5.0), ("flank", 1.0), ("bladder", 3.0))
CHANNELS = ("band780", "band810", "band840")


def estimate(value: float, relative: float = 0.2, unit: str = FLUX_UNIT) -> Estimate:
    """An estimate with a symmetric 95 % interval of `relative` standard uncertainty."""
    half = 1.96 * relative * abs(value)
    return Estimate(value, relative * abs(value), value - half, value + half, 0.95, unit, "made for a test")


def body_mask(shape: tuple[int, int]) -> np.ndarray:
    """An animal-like outline: head narrower than the belly, centred."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    along = (y - shape[0] / 2) / (0.40 * shape[0])
    half_width = 0.12 * shape[1] * np.sqrt(np.clip(1 - along**2, 0, 1)) * (0.85 + 0.3 * along)
    return np.abs(x - shape[1] / 2) < half_width


def detection(number: int, kind: str, y: float, x: float, flux: float, region: str, flags: int = 0) -> Detection:
    """A spot at pixel (y, x) with a round outline of 3 mm."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    y_mm, x_mm = y * PIXEL_MM, x * PIXEL_MM
    outline = tuple((float(y_mm + 3 * np.sin(a)), float(x_mm + 3 * np.cos(a))) for a in angle)
    return Detection(
        number, kind, y_mm, x_mm, 0.2, 3.2, 2.0, 14.2 + flux / 1e7, 4.61, estimate(flux), 4 * flux, 28.3,
        21.0, 9.4, Estimate(3.2, 0.2, 2.8, 3.6, 0.95, "1", "ratio"), region, outline, flags,
    )  # fmt: skip


def spot_places(shape: tuple[int, int]) -> tuple[tuple[str, float, float, str], ...]:
    """Kind, pixel row, pixel column and region of the spots that grow with the days."""
    h, w = shape
    return (
        ("lesion", 0.66 * h, 0.55 * w, "flank"),
        ("lesion", 0.42 * h, 0.46 * w, "lung"),
        ("injection site", 0.84 * h, 0.50 * w, "tail base"),
    )


def view_result(
    view: str, day: float, labelled: bool, rng: np.random.Generator, shape: tuple[int, int], channels: tuple[str, ...]
) -> ViewResult:
    """One view: photograph, noise, spots from the second session on, limits, organ signals."""
    body = body_mask(shape)
    y, x = np.mgrid[: shape[0], : shape[1]]
    photo = np.where(body, 0.55 + 0.08 * np.sin(x / 3.0) + 0.05 * rng.random(shape), 0.03)
    clean = np.where(body, 8e3, 200.0)
    lesions = np.zeros(shape, np.uint16)
    found = []
    if labelled and day > 0:
        for k, (kind, sy, sx, region) in enumerate(spot_places(shape), start=1):
            strength = (3e6 if kind == "lesion" else 4e5) * (0.3 + day / 14) / k * rng.lognormal(0, 0.5)
            clean = clean + strength * np.exp(-((y - sy) ** 2 + (x - sx) ** 2) / (2 * 3.0**2)) * body
            found.append(detection(k, kind, sy, sx, strength * 3, region, flags=2 if k == 2 else 0))
            lesions[(y - sy) ** 2 + (x - sx) ** 2 < 6.7**2] = k
    deviation = np.sqrt(1e6 + 50 * clean)
    probe = clean + deviation * rng.standard_normal(shape) - np.where(body, 8e3, 200.0)
    limits = tuple(
        DetectionLimit(
            region, estimate(2e6 * depth * (1.3 if view == "ventral" else 1), 0.15), 0.6,
            estimate(2.1e5 * depth if labelled else math.nan, 0.3, "1") if labelled
            else Estimate(math.nan, math.nan, math.nan, math.nan, 0.95, "1", "no label"),
            depth, 0.02, 0.95,
        )
        for region, depth in REGIONS
    )  # fmt: skip
    flags = np.zeros(shape, np.uint16)
    if found:
        flags[round(found[0].y_mm / PIXEL_MM), round(found[0].x_mm / PIXEL_MM)] = 1
    bands = np.stack([0.4 * probe + 5e3 * (k + 1) + 300 * rng.standard_normal(shape) for k in range(len(channels))])
    return ViewResult(
        view, PIXEL_MM, photo, bands, probe, deviation**2, np.maximum(probe, 0), np.where(body, 5e4, 0) + 0 * probe,
        flags, body, lesions, channels, Registration(Pose(50, 50, mirrored=view == "ventral"), 1.0, 0.95, "silhouette"), tuple(found),
        (OrganSignal("liver", estimate(3e6, 0.5)),) if labelled else (), limits, estimate(4e7),
        {"saturated_fraction": 1e-5 if found else 0.0, "background_structure_percent": 3.1, "residual_width": 1.04},
    )  # fmt: skip


def outcome(animal: str, group: str, sessions: list[SessionResult], labelled: bool) -> AnimalOutcome:
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
    return AnimalOutcome(
        animal, group, "done", "", tuple(s.day for s in sessions), tuple(flux), tuple(limited), tuple(count)
    )


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


def build_study(
    *,
    arms: dict[str, int] | None = None,
    days: tuple[float, ...] = (0.0, 7.0, 21.0),
    shape: tuple[int, int] = (120, 120),
    label: Callable[[str], str] = lambda text: text,
    channels: tuple[str, ...] = CHANNELS,
    with_faults: bool = True,
) -> StudyResults:
    """A finished study; `label` rewrites every name and text that a user could have chosen."""
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
            own = []
            for d, day in enumerate(days):
                rng = np.random.default_rng([g, i, d])
                names = tuple(label(name) for name in channels)
                views = tuple(view_result(v, day, key != "control", rng, shape, names) for v in ("dorsal", "ventral"))
                found = Finding(
                    label("image.saturated"), Severity.WARNING, Place(label("raw/a.tif")), label("seen"), label("mend")
                )
                own.append(SessionResult(animal, label(f"d{d}"), day, "2026-01-01", label(key), groups[label(key)]["probe"], views,
                                         (found,) if g == i == d == 0 else ()))  # fmt: skip
            sessions += own
            outcomes.append(outcome(animal, label(key), own, key != "control"))
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
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_study() -> Callable[..., StudyResults]:
    """The factory itself, for tests that need their own study."""
    return build_study


@pytest.fixture(scope="session")
def small_study() -> StudyResults:
    """Three arms, three days, a failed and an excluded animal."""
    return build_study()
