"""The study's tables, one row per detection, limit, organ signal, outcome, arm and pair; columns with their units."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lampyris.core.estimate import Estimate
from lampyris.core.flags import DetectionFlag
from lampyris.core.images import FLUX_UNIT
from lampyris.core.results import Detection, DetectionLimit, OrganSignal
from lampyris.core.study import Comparison, GroupSummary, PairDifference, SessionResult, StudyResults, ViewResult
from lampyris.io.tables import ColumnType

# name, unit, value
Cell = tuple[str, str, Any]
Table = tuple[dict[str, list[Any]], dict[str, str], dict[str, ColumnType]]


def study_tables(results: StudyResults, /) -> dict[str, Table]:
    """Lay the results out as columns.

    Parameters
    ----------
    results : StudyResults
        A finished study.

    Returns
    -------
    dict of str to (dict, dict, dict)
        Per table its columns in order, the unit of each column that has one, and the type of each. A table without rows
        keeps its columns.
    """
    return {
        "detections": _columns(_per_view(results, lambda view: view.detections, _detection), _seen(_detection, _SPOT)),
        "limits": _columns(_per_view(results, lambda view: view.limits, _limit), _seen(_limit, _WEAKEST)),
        "organ_signals": _columns(_per_view(results, lambda view: view.organ_signals, _organ), _seen(_organ, _GLOW)),
        "outcomes": _columns(_outcomes(results), _outcome("", "", "", "", 0.0, None, False, 0)),
        "comparisons": _columns(_comparisons(results), _arm(_TEST, _ARM)),
        "pairs": _columns(_pairs(results), _pair(_TEST, _PAIR)),
    }


def _columns(rows: Iterable[list[Cell]], template: list[Cell]) -> Table:
    """Turn rows into columns; the template gives names, units and, where there is no row, types."""
    values: dict[str, list[Any]] = {name: [] for name, _, _ in template}
    for cells in rows:
        for name, _, value in cells:
            values[name].append(value)
    units = {name: unit for name, unit, _ in template if unit}
    return values, units, {name: _TYPES[type(value)] for name, _, value in template}


def _seen(describe: Callable[[Any], list[Cell]], sample: Any) -> list[Cell]:
    return [*_who("", "", "", 0.0, ""), *describe(sample)]


def _who(animal: str, group: str, session: str, day: float, view: str) -> list[Cell]:
    return [
        ("animal", "", animal),
        ("group", "", group),
        ("session", "", session),
        ("day", "d", day),
        ("view", "", view),
    ]


def _per_view(
    results: StudyResults, entries: Callable[[ViewResult], Iterable[Any]], describe: Callable[[Any], list[Cell]]
) -> Iterator[list[Cell]]:
    for session in results.sessions:
        for view in session.views:
            for entry in entries(view):
                yield [*_whose(session, view.view), *describe(entry)]


def _whose(session: SessionResult, view: str) -> list[Cell]:
    return _who(session.animal, session.group, session.session, session.day, view)


def _estimate(name: str, unit: str, estimate: Estimate | None) -> list[Cell]:
    parts = ("value", "sd", "low", "high")
    return [
        (name if part == "value" else f"{name}_{part}", unit, getattr(estimate, part) if estimate else float("nan"))
        for part in parts
    ]


def _detection(detection: Detection) -> list[Cell]:
    flags = ", ".join(flag.name.lower() for flag in DetectionFlag(detection.flags) if flag.name)
    return [
        ("number", "", detection.number),
        ("kind", "", str(detection.kind)),
        ("region", "", detection.region),
        ("y_mm", "mm", detection.y_mm),
        ("x_mm", "mm", detection.x_mm),
        ("position_sd_mm", "mm", detection.position_sd_mm),
        ("width_mm", "mm", detection.width_mm),
        ("template_depth_mm", "mm", detection.template_depth_mm),
        ("z", "1", detection.z),
        ("z_threshold", "1", detection.z_threshold),
        *_estimate("flux", FLUX_UNIT, detection.flux),
        ("flux_vendor_4pi", FLUX_UNIT, detection.flux_vendor_4pi),
        ("area_mm2", "mm2", detection.area_mm2),
        ("snr", "1", detection.snr),
        ("contrast", "1", detection.contrast),
        *_estimate("tumour_to_background", "1", detection.tumour_to_background),
        ("flags", "", flags),
    ]


def _limit(limit: DetectionLimit) -> list[Cell]:
    return [
        ("region", "", limit.region),
        *_estimate("flux", FLUX_UNIT, limit.flux),
        ("outline_share", "1", limit.outline_share),
        *_estimate("cells", "labelled-cell equivalents at injection", limit.cells),
        ("depth_mm", "mm", limit.depth_mm),
        ("false_alarms", "per animal and session", limit.false_alarms),
        ("power", "1", limit.power),
    ]


def _organ(signal: OrganSignal) -> list[Cell]:
    return [("organ", "", signal.organ), *_estimate("flux", FLUX_UNIT, signal.flux)]


def _outcomes(results: StudyResults) -> Iterator[list[Cell]]:
    for outcome in results.outcomes:
        who = (outcome.animal, outcome.group, outcome.status, outcome.reason)
        if not outcome.days:
            yield _outcome(*who, None, None, None, None)
        rows = zip(outcome.days, outcome.total_flux, outcome.below_limit, outcome.lesion_count, strict=True)
        for day, flux, below, count in rows:
            yield _outcome(*who, day, flux, below, count)


def _outcome(
    animal: str,
    group: str,
    status: str,
    reason: str,
    day: float | None,
    flux: Estimate | None,
    below: bool | None,
    count: int | None,
) -> list[Cell]:
    return [
        ("animal", "", animal),
        ("group", "", group),
        ("status", "", status),
        ("reason", "", reason),
        ("day", "d", day),
        *_estimate("total_flux", FLUX_UNIT, flux),
        ("below_limit", "", below),
        ("lesions", "1", count),
    ]


def _comparisons(results: StudyResults) -> Iterator[list[Cell]]:
    for comparison in results.comparisons:
        for group in comparison.groups:
            yield _arm(comparison, group)


def _arm(comparison: Comparison, group: GroupSummary) -> list[Cell]:
    return [
        ("endpoint", "", comparison.endpoint),
        ("unit", "", comparison.unit),
        ("group", "", group.group),
        ("n", "", group.n),
        ("censored", "", sum(group.censored)),
        *_estimate("mean", "", group.mean),
        ("test", "", comparison.test),
        ("statistic", "1", comparison.statistic),
        ("df1", "1", comparison.df1),
        ("df2", "1", comparison.df2),
        ("p", "1", comparison.p),
        *_estimate("omega_squared", "1", comparison.effect_size),
        ("notes", "", " ".join(comparison.notes)),
    ]


def _pairs(results: StudyResults) -> Iterator[list[Cell]]:
    for comparison in results.comparisons:
        for pair in comparison.pairs:
            yield _pair(comparison, pair)


def _pair(comparison: Comparison, pair: PairDifference) -> list[Cell]:
    return [
        ("endpoint", "", comparison.endpoint),
        ("unit", "", comparison.unit),
        ("a", "", pair.a),
        ("b", "", pair.b),
        *_estimate("difference", "", pair.difference),
        ("p", "1", pair.p),
        ("method", "", comparison.post_hoc),
    ]


# one of each, to know the columns of a table without rows
_TYPES: dict[type, ColumnType] = {str: "text", float: "number", int: "integer", bool: "flag"}
_NAN = math.nan
_UNKNOWN = Estimate(_NAN, _NAN, _NAN, _NAN, 0.95, "1", "")
_SPOT = Detection(
    number=0,
    kind="",
    y_mm=_NAN,
    x_mm=_NAN,
    position_sd_mm=_NAN,
    width_mm=_NAN,
    template_depth_mm=_NAN,
    z=_NAN,
    z_threshold=_NAN,
    flux=_UNKNOWN,
    flux_vendor_4pi=_NAN,
    area_mm2=_NAN,
    snr=_NAN,
    contrast=_NAN,
    tumour_to_background=_UNKNOWN,
    region="",
    outline_mm=(),
    flags=0,
)
_WEAKEST = DetectionLimit("", _UNKNOWN, _NAN, _UNKNOWN, _NAN, _NAN, _NAN)
_GLOW = OrganSignal("", _UNKNOWN)
_ARM = GroupSummary("", 0, (), (), _UNKNOWN)
_PAIR = PairDifference("", "", _UNKNOWN, _NAN)
_TEST = Comparison("", "", "animal", "", _NAN, _NAN, _NAN, _NAN, (), (), "")
